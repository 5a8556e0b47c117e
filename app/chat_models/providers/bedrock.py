"""Amazon Bedrock's Converse protocol (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from app.chat_models.call import Call, PrefillStyle, ToolSpec
from app.chat_models.codec import Framing, WireRequest
from app.chat_models.model import ChatModel, OutputMethod
from app.chat_models.provider import ModelRequest, Provider
from app.chat_models.providers.bedrock_messages import has_tool_blocks, wire_messages
from app.chat_models.providers.bedrock_stream import BedrockDecoder
from app.chat_models.wire.auth import Auth, AwsAuth
from app.chat_models.wire.aws_credentials import aws_credentials
from app.chat_models.wire.aws_signature import AwsScope
from app.chat_models.wire.building import (
    Endpoint,
    address_of,
    ask_json,
    build_model,
    check_options,
    key_auth,
    names_in,
    option,
)
from app.chat_models.wire.claude import (
    EFFORTS,
    THINKING_BUDGETS,
    continues_prefill,
    default_max_tokens,
    takes_adaptive_thinking,
    takes_one_of_temperature_and_top_p,
    takes_schema,
)
from app.chat_models.wire.connection_errors import Server
from app.chat_models.wire.error_map import Origin, chat_error
from app.chat_models.wire.error_report import report_of_response
from app.chat_models.wire.history import split_system
from app.chat_models.wire.schemas import closed_schema
from app.domain.chat_errors import ChatError
from app.domain.messages import Message
from app.settings.setting import Setting

LABEL = "Amazon Bedrock"
KEYS = ("AWS_BEARER_TOKEN_BEDROCK",)
DEFAULT_REGION = "us-east-1"
REGION = Setting(
    "chat.bedrock.region", "", "Region of Amazon Bedrock", "Such as eu-central-1. Empty: as AWS_REGION says."
)
PROFILE = Setting("chat.bedrock.profile", "", "AWS profile", "A profile in ~/.aws/credentials. Empty: the default one.")
_UNSUPPORTED = frozenset({"frequency_penalty", "presence_penalty", "seed", "parallel_tool_calls"})
_NO_CALLS = "Answer without calling any tool."
_JSON_INSTRUCTION = "Answer with one JSON object and nothing else."
_STOP_FIELD = "/stop_sequence"


@dataclass(frozen=True, slots=True)
class BedrockCodec:
    """The codec."""

    name: str = "bedrock"
    label: str = "Amazon Bedrock"
    key_hint: str = "AWS_BEARER_TOKEN_BEDROCK"

    @property
    def provider(self) -> str:
        """The provider's name."""
        return self.name

    @property
    def unsupported(self) -> frozenset[str]:
        """Names of ``Call`` fields that the protocol has no place for."""
        return _UNSUPPORTED

    @property
    def reports_stop(self) -> bool:
        """Claude models say which stop string matched; stop strings are only sent to them."""
        return True

    def prefill_style(self, call: Call) -> PrefillStyle:
        """Claude models up to 4.5 continue a trailing assistant message, unless they think before."""
        native = _is_claude(call.model) and continues_prefill(call.model) and not _thinks(call)
        return PrefillStyle.NATIVE if native else PrefillStyle.EMULATED

    def request(self, messages: Sequence[Message], call: Call) -> WireRequest:
        """The request. Raises ``UnsupportedFeatureError`` for parts that the protocol has no form for."""
        system, conversation = split_system(messages)
        history_has_tools = has_tool_blocks(conversation)
        instructions = [system] if conversation else []
        if call.tool_choice == "none" and history_has_tools:
            instructions.append(_NO_CALLS)
        if call.response_format is not None and call.response_format.schema is None:
            instructions.append(_JSON_INSTRUCTION)
        body: dict[str, Any] = {"messages": wire_messages(conversation, system)}
        if texts := [{"text": text} for text in instructions if text]:
            body["system"] = texts
        body |= _inference(call)
        body |= _tool_config(call, history_has_tools=history_has_tools)
        body |= _output_config(call)
        body |= call.options
        verb, framing = (
            ("converse", Framing.JSON) if call.stream_wire is False else ("converse-stream", Framing.EVENT_STREAM)
        )
        return WireRequest(f"/model/{quote(call.model, safe='')}/{verb}", body, headers=call.headers, framing=framing)

    def decoder(self, call: Call) -> BedrockDecoder:
        """A fresh decoder."""
        return BedrockDecoder(self._origin(call.model), answer_tool=answer_tool_name(call))

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> ChatError:
        """The error of a response that has an error status."""
        return chat_error(report_of_response(status, headers, body), self._origin())

    def _origin(self, model: str = "") -> Origin:
        hint = "Check the model's id, the region, and that the account has access to it."
        return Origin(self.name, self.label, model, key_hint=self.key_hint, model_hint=hint)


def answer_tool_name(call: Call) -> str:
    """Name of the tool through which the answer is given where the model takes no schema; "" otherwise."""
    wanted = call.response_format
    if wanted is None or wanted.schema is None or _takes_schema(call.model):
        return ""
    return wanted.name


def _is_claude(model: str) -> bool:
    return "claude" in model


def _takes_schema(model: str) -> bool:
    return _is_claude(model) and takes_schema(model)


def _thinks(call: Call) -> bool:
    forced = call.tool_choice not in (None, "auto", "none") or bool(answer_tool_name(call))
    return _is_claude(call.model) and call.reasoning_effort not in (None, "none") and not forced


def _inference(call: Call) -> dict[str, Any]:
    """``inferenceConfig`` and the fields that only some models know."""
    config: dict[str, Any] = {}
    fields: dict[str, Any] = {}
    thinking = _thinks(call)
    if call.max_tokens is not None:
        config["maxTokens"] = call.max_tokens
    if call.temperature is not None and not thinking:
        config["temperature"] = min(call.temperature, 1.0)  # the scale ends at 1 here
    both = "temperature" in config and _is_claude(call.model) and takes_one_of_temperature_and_top_p(call.model)
    if call.top_p is not None and not both:
        config["topP"] = call.top_p
    if thinking and call.reasoning_effort is not None:
        fields["additionalModelRequestFields"] = _thinking(call, config)
    stops = [stop for stop in call.stop if stop.strip()]
    if stops and _is_claude(call.model):
        config["stopSequences"] = stops
        fields["additionalModelResponseFieldPaths"] = [_STOP_FIELD]
    return {**({"inferenceConfig": config} if config else {}), **fields}


def _thinking(call: Call, config: dict[str, Any]) -> dict[str, Any]:
    effort = call.reasoning_effort or "medium"
    if takes_adaptive_thinking(call.model):
        return {"thinking": {"type": "adaptive"}, "output_config": {"effort": EFFORTS[effort]}}
    budget = THINKING_BUDGETS[effort]
    config["maxTokens"] = (call.max_tokens or default_max_tokens(call.model)) + budget
    return {"thinking": {"type": "enabled", "budget_tokens": budget}}


def _tool_config(call: Call, *, history_has_tools: bool) -> dict[str, Any]:
    """``toolConfig``. There is no word for "none": tools are left out, or kept when the history has calls."""
    tools = list(call.tools) if call.tool_choice != "none" or history_has_tools else []
    specs = [_tool(tool) for tool in tools]
    answer = answer_tool_name(call)
    if answer and call.response_format is not None:
        schema = dict(call.response_format.schema or {})
        specs.append({"toolSpec": {"name": answer, "inputSchema": {"json": schema}}})
    if not specs:
        return {}
    config: dict[str, Any] = {"tools": specs}
    if answer:
        config["toolChoice"] = {"any": {}} if tools else {"tool": {"name": answer}}
    elif call.tool_choice == "auto":
        config["toolChoice"] = {"auto": {}}
    elif call.tool_choice == "required":
        config["toolChoice"] = {"any": {}}
    elif call.tool_choice not in (None, "none"):
        config["toolChoice"] = {"tool": {"name": call.tool_choice}}
    return {"toolConfig": config}


def _tool(tool: ToolSpec) -> dict[str, Any]:
    described = {"description": tool.description} if tool.description else {}
    strict = {"strict": tool.strict} if tool.strict is not None else {}
    return {"toolSpec": {"name": tool.name, **described, "inputSchema": {"json": dict(tool.parameters)}, **strict}}


def _output_config(call: Call) -> dict[str, Any]:
    wanted = call.response_format
    if wanted is None or wanted.schema is None or not _takes_schema(call.model):
        return {}
    schema = {"name": wanted.name, "schema": json.dumps(closed_schema(wanted.schema))}
    return {"outputConfig": {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": schema}}}}


def _region(request: ModelRequest) -> str:
    return option(request, "region", ("AWS_REGION", "AWS_DEFAULT_REGION"), DEFAULT_REGION)


def _auth(request: ModelRequest, address: str) -> Auth:
    """A Bedrock key where there is one, else a signature with the account's credentials."""
    if request.api_key is not None or request.keys.find(request.provider, KEYS):
        return key_auth(request, LABEL, KEYS, address)
    credentials = aws_credentials(request.keys.variable, str(request.options.get("profile", "")))
    if credentials is not None:
        return AwsAuth(credentials, AwsScope(_region(request), "bedrock"))
    return key_auth(request, LABEL, KEYS, address)


def _endpoint(request: ModelRequest) -> Endpoint:
    check_options(request, LABEL, ("region", "profile"))
    own = f"https://bedrock-runtime.{_region(request)}.amazonaws.com"
    address = address_of(request, ("AWS_ENDPOINT_URL_BEDROCK_RUNTIME",), own, LABEL)
    return Endpoint(Server("bedrock", LABEL, address), _auth(request, address), BedrockCodec())


def _build(request: ModelRequest) -> ChatModel:
    forms: tuple[OutputMethod, ...] = ("json_schema", "tool", "xml")
    return build_model(request, _endpoint(request), fetches_images=True, output_forms=forms)


async def _list_models(request: ModelRequest) -> list[str]:
    """The models of the region; they are listed at another address than the one that runs them."""
    address = address_of(request, (), f"https://bedrock.{_region(request)}.amazonaws.com", LABEL)
    endpoint = Endpoint(Server("bedrock", LABEL, address), _auth(request, address), BedrockCodec())
    return names_in(await ask_json(request, endpoint, "/foundation-models"), "modelSummaries", "modelId")


PROVIDERS = (
    Provider(
        name="bedrock",
        label=LABEL,
        build=_build,
        key_variables=KEYS,
        aliases=("amazon-bedrock", "aws", "bedrock_converse"),
        profile_provider="amazon-bedrock",
        documentation="https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html",
        list_models=_list_models,
        key_page="the AWS console, under Amazon Bedrock, API keys",
        settings={"region": REGION, "profile": PROFILE},
    ),
)
