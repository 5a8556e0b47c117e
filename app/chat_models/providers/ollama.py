"""Ollama's own protocol, ``/api/chat`` (https://github.com/ollama/ollama/blob/main/docs/api.md).

The OpenAI-compatible address of Ollama can't set the size of the context, which Ollama keeps at 4,096 tokens on most
machines, cutting longer prompts without a word. Here the size is set, and a prompt that is too long is an error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.chat_models.call import Call, PrefillStyle, ToolSpec
from app.chat_models.codec import Framing, WireRequest
from app.chat_models.providers.ollama_stream import OllamaDecoder
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
        return Origin(self.name, self.label, model, local=True, model_hint=hint)


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
