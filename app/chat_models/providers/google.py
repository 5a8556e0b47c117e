"""Google's Gemini protocol (https://ai.google.dev/api/generate-content), for the Gemini API and for Vertex AI."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from app.chat_models.call import Call, PrefillStyle, ReasoningEffort, ToolSpec
from app.chat_models.codec import Framing, WireRequest
from app.chat_models.model import ChatModel
from app.chat_models.provider import ModelRequest, Provider
from app.chat_models.providers.google_messages import wire_contents
from app.chat_models.providers.google_stream import GoogleDecoder
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
from app.chat_models.wire.connection_errors import Server
from app.chat_models.wire.error_map import Origin, chat_error
from app.chat_models.wire.error_report import report_of_response
from app.chat_models.wire.history import split_system
from app.domain.chat_errors import ChatError
from app.domain.messages import Message
from app.settings.setting import Setting

BASE_URL = "https://generativelanguage.googleapis.com/v1beta"
KEYS = ("GEMINI_API_KEY", "GOOGLE_API_KEY")
VERTEX_LABEL = "Vertex AI"
VERTEX_KEYS = ("VERTEX_API_KEY", "GOOGLE_API_KEY")
VERTEX_TOKENS = ("GOOGLE_OAUTH_ACCESS_TOKEN", "CLOUDSDK_AUTH_ACCESS_TOKEN")
VERTEX_PROJECT = Setting(
    "chat.vertex.project",
    "",
    "Google Cloud project",
    "With a project, an access token is needed in GOOGLE_OAUTH_ACCESS_TOKEN; without one a key is enough.",
)
VERTEX_LOCATION = Setting("chat.vertex.location", "global", "Region of Vertex AI", "Such as europe-west4, or global.")
_KEY_HEADER = "x-goog-api-key"
_API_VERSION = re.compile(r"/v\d\w*(/|$)")
_UNSUPPORTED = frozenset({"parallel_tool_calls"})
_VERSION = re.compile(r"gemini-(\d+)(?:\.(\d+))?")
_BUDGETS = {"none": 0, "minimal": 512, "low": 1024, "medium": 8192, "high": 24576, "max": -1}
_SMALLEST_PRO_BUDGET = 128
_PLAIN_PARAMETERS = {
    "temperature": "temperature", "top_p": "topP", "max_tokens": "maxOutputTokens", "seed": "seed",
    "frequency_penalty": "frequencyPenalty", "presence_penalty": "presencePenalty",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class GoogleCodec:
    """The codec. ``vertex`` says that files can be given by address."""

    name: str = "google"
    label: str = "Google Gemini"
    key_hint: str = "GEMINI_API_KEY"
    vertex: bool = False

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
        """A matching stop string is swallowed without a word, so the caller matches."""
        return False

    def prefill_style(self, call: Call) -> PrefillStyle:
        """Only some models continue a trailing message of theirs."""
        return PrefillStyle.EMULATED

    def request(self, messages: Sequence[Message], call: Call) -> WireRequest:
        """The request. Raises ``UnsupportedFeatureError`` for parts that the protocol has no form for."""
        system, conversation = split_system(messages)
        body: dict[str, Any] = {"contents": wire_contents(conversation, system, self._signs(call), self.vertex)}
        if system and conversation:
            body["systemInstruction"] = {"parts": [{"text": system}]}
        if config := _generation_config(call):
            body["generationConfig"] = config
        body |= _tools(call)
        body |= call.options
        model = quote(call.model.removeprefix("models/"), safe="@.-_")
        if call.stream_wire is False:
            path = f"/models/{model}:generateContent"
            return WireRequest(path, body, headers=call.headers, framing=Framing.JSON)
        return WireRequest(f"/models/{model}:streamGenerateContent?alt=sse", body, headers=call.headers)

    def decoder(self, call: Call) -> GoogleDecoder:
        """A fresh decoder."""
        return GoogleDecoder(self._origin(call.model))

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> ChatError:
        """The error of a response that has an error status."""
        return chat_error(report_of_response(status, headers, body), self._origin())

    def _origin(self, model: str = "") -> Origin:
        return Origin(self.name, self.label, model, key_hint=self.key_hint)

    @staticmethod
    def _signs(call: Call) -> bool:
        """Whether the model demands the signature of its thoughts with every call of a tool."""
        return gemini_version(call.model) >= (3, 0)


def gemini_version(model: str) -> tuple[int, int]:
    """Major and minor version in a model's name, (0, 0) where there is none."""
    found = _VERSION.search(model)
    return (int(found[1]), int(found[2] or 0)) if found else (0, 0)


def _generation_config(call: Call) -> dict[str, Any]:
    config: dict[str, Any] = {
        wire: value for name, wire in _PLAIN_PARAMETERS.items() if (value := getattr(call, name)) is not None
    }
    if call.response_format is not None:
        config["responseMimeType"] = "application/json"
        if call.response_format.schema is not None:
            config["responseJsonSchema"] = dict(call.response_format.schema)
    if call.reasoning_effort is not None:
        config["thinkingConfig"] = _thinking(call.model, call.reasoning_effort)
    return config


def _thinking(model: str, effort: ReasoningEffort) -> dict[str, Any]:
    include = {"includeThoughts": effort != "none"}
    if gemini_version(model) < (3, 0):
        budget = _BUDGETS[effort]
        if "pro" in model and 0 <= budget < _SMALLEST_PRO_BUDGET:
            budget = _SMALLEST_PRO_BUDGET  # these models always think
        return {**include, "thinkingBudget": budget}
    if effort in ("none", "minimal", "medium") and "flash" not in model:
        level = "high" if effort == "medium" else "low"
    else:
        level = {"none": "minimal", "max": "high"}.get(effort, effort)
    return {**include, "thinkingLevel": level}


def _tools(call: Call) -> dict[str, Any]:
    if not call.tools:
        return {}
    fields: dict[str, Any] = {"tools": [{"functionDeclarations": [_tool(tool) for tool in call.tools]}]}
    modes = {"auto": "AUTO", "none": "NONE", "required": "ANY"}
    if call.tool_choice in modes:
        fields["toolConfig"] = {"functionCallingConfig": {"mode": modes[call.tool_choice]}}
    elif call.tool_choice:
        fields["toolConfig"] = {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": [call.tool_choice]}}
    return fields


def _tool(tool: ToolSpec) -> dict[str, Any]:
    described = {"description": tool.description} if tool.description else {}
    return {"name": tool.name, **described, "parametersJsonSchema": dict(tool.parameters)}


def _endpoint(request: ModelRequest) -> Endpoint:
    address = address_of(request, ("GOOGLE_GEMINI_BASE_URL",), BASE_URL, "Google Gemini")
    if not _API_VERSION.search(address):
        address += "/v1beta"
    check_options(request, "Google Gemini")
    auth = key_auth(request, "Google Gemini", KEYS, address, header=_KEY_HEADER)
    return Endpoint(Server("google", "Google Gemini", address), auth, GoogleCodec())


def _build(request: ModelRequest) -> ChatModel:
    return build_model(request, _endpoint(request), fetches_images=True)


async def _list_models(request: ModelRequest) -> list[str]:
    names = names_in(await ask_json(request, _endpoint(request), "/models?pageSize=1000"), "models", "name")
    return [name.removeprefix("models/") for name in names]


def _vertex_endpoint(request: ModelRequest) -> Endpoint:
    """With a project: its address and an access token. Without one: the express address and a key."""
    check_options(request, VERTEX_LABEL, ("project", "location"))
    project = option(request, "project", ("GOOGLE_CLOUD_PROJECT",))
    location = option(request, "location", ("GOOGLE_CLOUD_LOCATION", "GOOGLE_CLOUD_REGION"), "global")
    address = address_of(request, (), vertex_address(project, location), VERTEX_LABEL)
    keys, header = (VERTEX_TOKENS, "authorization") if project else (VERTEX_KEYS, _KEY_HEADER)
    codec = GoogleCodec("vertex", VERTEX_LABEL, keys[0], vertex=True)
    auth = key_auth(request, VERTEX_LABEL, keys, address, header=header)
    return Endpoint(Server("vertex", VERTEX_LABEL, address), auth, codec)


def vertex_address(project: str, location: str) -> str:
    """The base URL of Vertex AI for a project in a region, or of its express mode without one."""
    host = (
        "aiplatform.googleapis.com" if location == "global" or not project else f"{location}-aiplatform.googleapis.com"
    )
    scope = f"projects/{project}/locations/{location}/" if project else ""
    return f"https://{host}/v1/{scope}publishers/google"


def _build_vertex(request: ModelRequest) -> ChatModel:
    return build_model(request, _vertex_endpoint(request))


PROVIDERS = (
    Provider(
        name="google",
        label="Google Gemini",
        build=_build,
        key_variables=KEYS,
        base_url=BASE_URL,
        aliases=("gemini", "google-genai", "google_genai"),
        documentation="https://ai.google.dev/api/generate-content",
        list_models=_list_models,
        key_page="aistudio.google.com, under API keys",
    ),
    Provider(
        name="vertex",
        label=VERTEX_LABEL,
        build=_build_vertex,
        key_variables=(*VERTEX_TOKENS, *VERTEX_KEYS),
        base_url=vertex_address("", "global"),
        aliases=("vertexai", "google-vertex", "google_vertexai"),
        profile_provider="google-vertex",
        documentation="https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference",
        key_page="the Google Cloud console, under Vertex AI, API keys",
        settings={"project": VERTEX_PROJECT, "location": VERTEX_LOCATION},
    ),
)
