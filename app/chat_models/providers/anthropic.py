"""The Anthropic Messages protocol (https://docs.anthropic.com/en/api/messages)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.chat_models.call import Call, PrefillStyle, ResponseFormat, ToolSpec
from app.chat_models.codec import Framing, WireRequest
from app.chat_models.model import ChatModel
from app.chat_models.provider import ModelRequest, Provider
from app.chat_models.providers.anthropic_messages import wire_messages
from app.chat_models.providers.anthropic_stream import AnthropicDecoder
from app.chat_models.wire.building import Endpoint, address_of, ask_json, build_model, check_options, key_auth, names_in
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

BASE_URL = "https://api.anthropic.com"
KEYS = ("ANTHROPIC_API_KEY",)
HEADERS = {"anthropic-version": "2023-06-01"}
_UNSUPPORTED = frozenset({"frequency_penalty", "presence_penalty", "seed"})
_JSON_INSTRUCTION = "Answer with one JSON object and nothing else."


@dataclass(frozen=True, slots=True)
class AnthropicCodec:
    """The codec."""

    name: str = "anthropic"
    label: str = "Anthropic"
    key_hint: str = "ANTHROPIC_API_KEY"

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
        """The answer names the stop string that matched."""
        return True

    def prefill_style(self, call: Call) -> PrefillStyle:
        """Models up to 4.5 continue a trailing assistant message, unless they think before."""
        native = continues_prefill(call.model) and not _thinks(call)
        return PrefillStyle.NATIVE if native else PrefillStyle.EMULATED

    def request(self, messages: Sequence[Message], call: Call) -> WireRequest:
        """The request. Raises ``UnsupportedFeatureError`` for parts that the protocol has no form for."""
        system, conversation = split_system(messages)
        streamed = call.stream_wire is not False
        thinking = _thinking(call)
        wanted = call.response_format
        if wanted is not None and wanted.schema is None:
            system = "\n\n".join(text for text in (system, _JSON_INSTRUCTION) if text)
        body: dict[str, Any] = {
            "model": call.model,
            "messages": wire_messages(conversation, system),
            "stream": streamed,
            **({"system": system} if system and conversation else {}),
            **_sampling(call, thinking=bool(thinking)),
            **_tools(call),
        }
        _merge_output_config(body, thinking, _format(wanted, call.model))
        body |= call.options
        headers = {**HEADERS, **call.headers}
        framing = Framing.SSE if streamed else Framing.JSON
        return WireRequest("/v1/messages", body, headers=headers, framing=framing)

    def decoder(self, call: Call) -> AnthropicDecoder:
        """A fresh decoder."""
        return AnthropicDecoder(self._origin(call.model), answer_tool=answer_tool_name(call))

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> ChatError:
        """The error of a response that has an error status."""
        return chat_error(report_of_response(status, headers, body), self._origin())

    def _origin(self, model: str = "") -> Origin:
        return Origin(self.name, self.label, model, key_hint=self.key_hint)


def answer_tool_name(call: Call) -> str:
    """Name of the tool through which an older model gives its answer in a form; "" where it isn't needed."""
    wanted = call.response_format
    if wanted is None or wanted.schema is None or takes_schema(call.model):
        return ""
    return wanted.name


def _thinks(call: Call) -> bool:
    forced = call.tool_choice not in (None, "auto", "none") or bool(answer_tool_name(call))
    return call.reasoning_effort not in (None, "none") and not forced


def _thinking(call: Call) -> dict[str, Any]:
    """The fields that turn thinking on. A forced tool and thinking exclude each other; the tool wins."""
    if not _thinks(call) or call.reasoning_effort is None:
        return {}
    if takes_adaptive_thinking(call.model):
        effort = EFFORTS[call.reasoning_effort]
        return {"thinking": {"type": "adaptive"}, "output_config": {"effort": effort}}
    budget = THINKING_BUDGETS[call.reasoning_effort]
    return {"thinking": {"type": "enabled", "budget_tokens": budget}}


def _sampling(call: Call, *, thinking: bool) -> dict[str, Any]:
    limit = call.max_tokens if call.max_tokens is not None else default_max_tokens(call.model)
    if thinking and not takes_adaptive_thinking(call.model) and call.reasoning_effort is not None:
        limit += THINKING_BUDGETS[call.reasoning_effort]  # the budget counts against max_tokens
    fields: dict[str, Any] = {"max_tokens": limit}
    if call.temperature is not None and not thinking:
        fields["temperature"] = min(call.temperature, 1.0)  # the scale ends at 1 here
    both = "temperature" in fields and takes_one_of_temperature_and_top_p(call.model)
    if call.top_p is not None and not both:
        fields["top_p"] = call.top_p
    stops = [stop for stop in call.stop if stop.strip()]  # white space alone is refused; the caller matches it anyway
    if stops:
        fields["stop_sequences"] = stops
    return fields


def _tools(call: Call) -> dict[str, Any]:
    tools = [_tool(tool) for tool in call.tools]
    answer = answer_tool_name(call)
    if answer and call.response_format is not None:
        tools.append({"name": answer, "input_schema": dict(call.response_format.schema or {})})
    if not tools:
        return {}
    choice: dict[str, Any] | None = None
    if answer:
        choice = {"type": "any"} if call.tools else {"type": "tool", "name": answer}
    elif call.tool_choice in ("auto", "none"):
        choice = {"type": call.tool_choice}
    elif call.tool_choice == "required":
        choice = {"type": "any"}
    elif call.tool_choice:
        choice = {"type": "tool", "name": call.tool_choice}
    if call.parallel_tool_calls is not None and (choice or {}).get("type") != "none":
        choice = {**(choice or {"type": "auto"}), "disable_parallel_tool_use": not call.parallel_tool_calls}
    return {"tools": tools, **({"tool_choice": choice} if choice else {})}


def _tool(tool: ToolSpec) -> dict[str, Any]:
    described = {"description": tool.description} if tool.description else {}
    strict = {"strict": tool.strict} if tool.strict is not None else {}
    return {"name": tool.name, **described, "input_schema": dict(tool.parameters), **strict}


def _format(wanted: ResponseFormat | None, model: str) -> dict[str, Any]:
    if wanted is None or wanted.schema is None or not takes_schema(model):
        return {}
    return {"format": {"type": "json_schema", "schema": closed_schema(wanted.schema)}}


def _merge_output_config(body: dict[str, Any], thinking: Mapping[str, Any], output_format: Mapping[str, Any]) -> None:
    body.update(thinking)
    if output_format:
        body["output_config"] = {**body.get("output_config", {}), **output_format}


def _endpoint(request: ModelRequest) -> Endpoint:
    address = address_of(request, ("ANTHROPIC_BASE_URL",), BASE_URL, "Anthropic").removesuffix("/v1")
    check_options(request, "Anthropic")
    auth = key_auth(request, "Anthropic", KEYS, address, header="x-api-key")
    return Endpoint(Server("anthropic", "Anthropic", address), auth, AnthropicCodec())


def _build(request: ModelRequest) -> ChatModel:
    return build_model(request, _endpoint(request), output_forms=("json_schema", "tool", "xml"))


async def _list_models(request: ModelRequest) -> list[str]:
    return names_in(await ask_json(request, _endpoint(request), "/v1/models?limit=1000", HEADERS), "data", "id")


PROVIDERS = (
    Provider(
        name="anthropic",
        label="Anthropic",
        build=_build,
        key_variables=KEYS,
        base_url=BASE_URL,
        aliases=("claude",),
        documentation="https://docs.anthropic.com/en/api/messages",
        list_models=_list_models,
        key_page="console.anthropic.com, under API Keys",
    ),
)
