"""The OpenAI Responses protocol (https://platform.openai.com/docs/api-reference/responses).

Requests say ``store: false``: nothing is kept at the provider. Thoughts of earlier turns go back in encrypted form
where they came so, else not at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.chat_models.call import Call, PrefillStyle, ResponseFormat, ToolSpec
from app.chat_models.codec import Framing, WireRequest
from app.chat_models.providers.openai_messages import json_schema_format
from app.chat_models.providers.openai_responses_stream import ResponsesDecoder
from app.chat_models.wire.error_map import Origin, chat_error
from app.chat_models.wire.error_report import report_of_response
from app.chat_models.wire.history import arguments_text
from app.domain.chat_errors import ChatError, UnsupportedFeatureError
from app.domain.messages import (
    AIMessage,
    FilePart,
    ImagePart,
    Message,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolMessage,
)

_UNSUPPORTED = frozenset({"frequency_penalty", "presence_penalty", "seed"})


@dataclass(frozen=True, slots=True)
class ResponsesCodec:
    """A codec. Other servers that speak the protocol differ in name and address only."""

    name: str = "openai-responses"
    label: str = "OpenAI"
    key_hint: str = "OPENAI_API_KEY"

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
        """There are no stop strings in this protocol: the caller matches them."""
        return False

    def prefill_style(self, call: Call) -> PrefillStyle:
        """A trailing assistant message is a finished turn here."""
        return PrefillStyle.EMULATED

    def request(self, messages: Sequence[Message], call: Call) -> WireRequest:
        """The request. Raises ``UnsupportedFeatureError`` for parts that the protocol has no form for."""
        streamed = call.stream_wire is not False
        body: dict[str, Any] = {
            "model": call.model,
            "input": [item for message in messages for item in _items(message)],
            "stream": streamed,
            "store": False,
            **_parameters(call),
            **_tools(call),
            **_text_format(call.response_format),
            **call.options,
        }
        framing = Framing.SSE if streamed else Framing.JSON
        return WireRequest("/responses", body, headers=call.headers, framing=framing)

    def decoder(self, call: Call) -> ResponsesDecoder:
        """A fresh decoder."""
        return ResponsesDecoder(self._origin(call.model))

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> ChatError:
        """The error of a response that has an error status."""
        return chat_error(report_of_response(status, headers, body), self._origin())

    def _origin(self, model: str = "") -> Origin:
        return Origin(self.name, self.label, model, key_hint=self.key_hint)


def _items(message: Message) -> Iterator[dict[str, Any]]:
    if isinstance(message, ToolMessage):
        for result in message.results:
            yield {"type": "function_call_output", "call_id": result.call_id, "output": result.text}
        return
    if not isinstance(message, AIMessage):
        yield {"type": "message", "role": message.role, "content": [_content_part(part) for part in message.parts]}
        return
    for part in message.parts:
        if isinstance(part, ReasoningPart) and (item := part.extras.get("openai_item")):
            yield item
        elif isinstance(part, TextPart) and part.text:
            yield {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": part.text}]}
        elif isinstance(part, ToolCallPart):
            yield {"type": "function_call", "call_id": part.id, "name": part.name, "arguments": arguments_text(part)}


def _content_part(part: Part) -> dict[str, Any]:
    if isinstance(part, TextPart):
        return {"type": "input_text", "text": part.text}
    if isinstance(part, ImagePart):
        return {"type": "input_image", "image_url": part.data_url, "detail": part.detail or "auto"}
    if isinstance(part, FilePart) and part.url:
        return {"type": "input_file", "file_url": part.url}
    if isinstance(part, FilePart):
        data = f"data:{part.media_type};base64,{part.base64}"
        return {"type": "input_file", "filename": part.name or "file", "file_data": data}
    raise UnsupportedFeatureError(f"OpenAI can't take this part of the message ({type(part).__name__}). Leave it out.")


def _parameters(call: Call) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "temperature": call.temperature,
        "top_p": call.top_p,
        "max_output_tokens": call.max_tokens,
    }
    if call.reasoning_effort is not None:
        fields["reasoning"] = {"effort": "high" if call.reasoning_effort == "max" else call.reasoning_effort}
        if call.reasoning_effort != "none":
            fields["include"] = ["reasoning.encrypted_content"]
    return {name: value for name, value in fields.items() if value is not None}


def _tools(call: Call) -> dict[str, Any]:
    if not call.tools:
        return {}
    fields: dict[str, Any] = {"tools": [_tool(tool) for tool in call.tools]}
    if call.tool_choice in ("auto", "none", "required"):
        fields["tool_choice"] = call.tool_choice
    elif call.tool_choice:
        fields["tool_choice"] = {"type": "function", "name": call.tool_choice}
    if call.parallel_tool_calls is not None:
        fields["parallel_tool_calls"] = call.parallel_tool_calls
    return fields


def _tool(tool: ToolSpec) -> dict[str, Any]:
    """A tool. Strictness is said outright: left out, this protocol takes it as true."""
    described = {"description": tool.description} if tool.description else {}
    parameters = dict(tool.parameters)
    return {"type": "function", "name": tool.name, "parameters": parameters, "strict": bool(tool.strict), **described}


def _text_format(wanted: ResponseFormat | None) -> dict[str, Any]:
    if wanted is None:
        return {}
    if wanted.schema is None:
        return {"text": {"format": {"type": "json_object"}}}
    return {"text": {"format": {"type": "json_schema", **json_schema_format(wanted)}}}
