"""Ollama's own protocol, ``/api/chat`` (https://github.com/ollama/ollama/blob/main/docs/api.md).

The OpenAI-compatible address of Ollama can't set the size of the context, which Ollama keeps at 4,096 tokens on most
machines, cutting longer prompts without a word. Here the size is set, and a prompt that is too long is an error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from app.chat_models.call import Call, PrefillStyle, ToolSpec
from app.chat_models.codec import Framing, WireRequest
from app.chat_models.model import ChatModel, OutputMethod
from app.chat_models.provider import ModelRequest, Provider
from app.chat_models.providers.ollama_stream import OllamaDecoder
from app.chat_models.served import ServedModel
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
from app.chat_models.wire.history import after_last_user_turn, arguments_object, names_of_calls
from app.domain.chat_errors import ChatError, UnsupportedFeatureError
from app.domain.messages import (
    AIMessage,
    FilePart,
    ImagePart,
    Message,
    SystemMessage,
    ToolCallPart,
    ToolMessage,
)
from app.settings.setting import Setting

LABEL = "Ollama"
BASE_URL = "http://127.0.0.1:11434"
BASE_URL_VARIABLES = ("OLLAMA_HOST", "OLLAMA_BASE_URL")
KEYS = ("OLLAMA_API_KEY",)
START_HINT = "Is Ollama running? Start it: ollama serve"
OLLAMA_URL = Setting("chat.ollama.base_url", BASE_URL, "Address of Ollama")
CONTEXT_TOKENS = Setting(
    "chat.ollama.context_tokens",
    8192,
    "Context of Ollama's models, in tokens",
    "How much a model reads at once: question, passages and history. More needs more memory. 0: as Ollama is set.",
    minimum=0,
    maximum=1_048_576,
)
KEEP_ALIVE = Setting(
    "chat.ollama.keep_alive",
    "",
    "Keep Ollama's models in memory for",
    "Such as 10m or 1h; -1 for ever. Empty: as Ollama is set.",
)
_OPTIONS = {
    "temperature": "temperature", "top_p": "top_p", "max_tokens": "num_predict", "seed": "seed",
    "frequency_penalty": "frequency_penalty", "presence_penalty": "presence_penalty",
}  # fmt: skip
_LEVELS = {"none": "low", "minimal": "low", "low": "low", "medium": "medium", "high": "high", "max": "high"}


@dataclass(frozen=True, slots=True)
class OllamaCodec:
    """The codec. ``context_tokens`` is the size of the context, 0 for the server's own.

    ``keep_alive`` says how long the model stays in memory ("5m", "-1" for ever), "" for the server's own.
    """

    context_tokens: int = 0
    keep_alive: str = ""
    name: str = "ollama"
    label: str = "Ollama"

    @property
    def provider(self) -> str:
        """The provider's name."""
        return self.name

    @property
    def unsupported(self) -> frozenset[str]:
        """Names of ``Call`` fields that the protocol has no place for."""
        return frozenset({"parallel_tool_calls"})

    @property
    def reports_stop(self) -> bool:
        """A matching stop string is swallowed without a word, so the caller matches."""
        return False

    def prefill_style(self, call: Call) -> PrefillStyle:
        """A trailing assistant message is continued and not repeated."""
        return PrefillStyle.NATIVE

    def request(self, messages: Sequence[Message], call: Call) -> WireRequest:
        """The request. Raises ``UnsupportedFeatureError`` for parts that the protocol has no form for."""
        streamed = call.stream_wire is not False
        tools, instruction = _offered_tools(call)
        body: dict[str, Any] = {
            "model": call.model,
            "messages": _messages(messages, instruction),
            "stream": streamed,
            "truncate": False,
            "shift": False,
            **({"tools": [_tool(tool) for tool in tools]} if tools else {}),
            **_format(call),
            **_think(call),
            **({"keep_alive": self.keep_alive} if self.keep_alive else {}),
        }
        options = {wire: value for name, wire in _OPTIONS.items() if (value := getattr(call, name)) is not None}
        if self.context_tokens:
            options["num_ctx"] = self.context_tokens
        extra = dict(call.options)
        options |= extra.pop("options", {})
        if options:
            body["options"] = options
        body |= extra
        framing = Framing.NDJSON if streamed else Framing.JSON
        return WireRequest("/api/chat", body, headers=call.headers, framing=framing)

    def decoder(self, call: Call) -> OllamaDecoder:
        """A fresh decoder."""
        return OllamaDecoder(self._origin(call.model))

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> ChatError:
        """The error of a response that has an error status."""
        return chat_error(report_of_response(status, headers, body), self._origin())

    def _origin(self, model: str = "") -> Origin:
        hint = f"Fetch it: ollama pull {model}" if model else "Fetch it with: ollama pull NAME"
        return Origin(self.name, self.label, model, model_hint=hint)


def _offered_tools(call: Call) -> tuple[Sequence[ToolSpec], str]:
    """The tools to offer, and what to say instead of the tool_choice that the protocol lacks."""
    if call.tool_choice == "none":
        return (), ""
    if call.tool_choice == "required":
        return call.tools, "Answer by calling at least one of the tools."
    if call.tool_choice in (None, "auto"):
        return call.tools, ""
    tools = [tool for tool in call.tools if tool.name == call.tool_choice]
    return tools, f"Answer by calling the tool {call.tool_choice}."


def _messages(messages: Sequence[Message], instruction: str) -> list[dict[str, Any]]:
    names = names_of_calls(messages)
    turn = after_last_user_turn(messages)
    wire = [
        each for position, message in enumerate(messages) for each in _message(message, names, in_turn=position >= turn)
    ]
    if instruction and isinstance(messages[0], SystemMessage):
        wire[0]["content"] += f"\n\n{instruction}"
    elif instruction:
        wire.insert(0, {"role": "system", "content": instruction})
    return wire


def _message(message: Message, names: Mapping[str, str], *, in_turn: bool) -> list[dict[str, Any]]:
    if isinstance(message, ToolMessage):
        return [
            {
                "role": "tool",
                "content": result.text,
                "tool_name": result.name or names.get(result.call_id, ""),
                "tool_call_id": result.call_id,
            }
            for result in message.results
        ]
    wire: dict[str, Any] = {"role": message.role, "content": message.text}
    images = [_image(part) for part in message.parts if isinstance(part, (ImagePart, FilePart))]
    calls = [_call(part) for part in message.parts if isinstance(part, ToolCallPart)]
    if images:
        wire["images"] = images
    if calls:
        wire["tool_calls"] = calls
    if in_turn and calls and isinstance(message, AIMessage) and message.reasoning:
        wire["thinking"] = message.reasoning
    return [wire]


def _image(part: ImagePart | FilePart) -> str:
    if isinstance(part, FilePart) or part.data is None:
        what = "files" if isinstance(part, FilePart) else "images by address"
        raise UnsupportedFeatureError(f"Ollama can't take {what}. Pass text, or the bytes of an image.")
    return part.base64


def _call(part: ToolCallPart) -> dict[str, Any]:
    return {"id": part.id, "function": {"name": part.name, "arguments": arguments_object(part)}}


def _tool(tool: ToolSpec) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)}
    return {"type": "function", "function": function}


def _format(call: Call) -> dict[str, Any]:
    if call.response_format is None:
        return {}
    schema = call.response_format.schema
    return {"format": "json" if schema is None else dict(schema)}


def _think(call: Call) -> dict[str, Any]:
    effort = call.reasoning_effort
    if effort is None:
        return {}
    if "gpt-oss" in call.model:
        return {"think": _LEVELS[effort]}  # the only models that know levels, and no booleans
    return {"think": effort != "none"}


def ollama_endpoint(request: ModelRequest) -> Endpoint:
    """Where Ollama is reached; a key is only needed for its cloud."""
    check_options(request, LABEL, ("context_tokens", "keep_alive"))
    address = ollama_address(address_of(request, BASE_URL_VARIABLES, BASE_URL, LABEL))
    auth = key_auth(request, LABEL, KEYS, address, needed=False)
    tokens = CONTEXT_TOKENS.validate(request.options.get("context_tokens", CONTEXT_TOKENS.default))
    codec = OllamaCodec(tokens, option(request, "keep_alive"))
    return Endpoint(Server("ollama", LABEL, address, START_HINT), auth, codec)


def ollama_address(host: str) -> str:
    """A base URL from ``OLLAMA_HOST``, which may be a bare host and port, and 0.0.0.0 for a server's own use."""
    address = host if "//" in host else f"http://{host}"
    parts = urlsplit(address)
    port = parts.port or (11434 if parts.scheme == "http" and "//" not in host else None)
    name = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(parts.hostname or "", parts.hostname or "")  # noqa: S104  # replaced
    bracketed = f"[{name}]" if ":" in name else name
    path = parts.path.rstrip("/").removesuffix("/v1").removesuffix("/api")
    return f"{parts.scheme}://{bracketed}{f':{port}' if port else ''}{path}"


def _build(request: ModelRequest) -> ChatModel:
    forms: tuple[OutputMethod, ...] = ("json_schema", "json_mode", "xml")  # a call of a tool can't be forced
    return build_model(request, ollama_endpoint(request), fetches_images=True, output_forms=forms)


async def _list_models(request: ModelRequest) -> list[str]:
    return names_in(await ask_json(request, ollama_endpoint(request), "/api/tags"), "models", "name")


async def _ask_server(request: ModelRequest) -> list[ServedModel]:
    from app.chat_models.providers.ollama_library import served_models  # it imports this file

    return await served_models(request)


PROVIDERS = (
    Provider(
        name="ollama",
        label=LABEL,
        build=_build,
        key_variables=KEYS,
        needs_key=False,
        local=True,
        base_url=BASE_URL,
        documentation="https://github.com/ollama/ollama/blob/main/docs/api.md",
        list_models=_list_models,
        ask_server=_ask_server,
        base_url_variables=BASE_URL_VARIABLES,
        key_page="ollama.com, under Settings, Keys; only its cloud needs one",
        settings={"base_url": OLLAMA_URL, "context_tokens": CONTEXT_TOKENS, "keep_alive": KEEP_ALIVE},
    ),
)
