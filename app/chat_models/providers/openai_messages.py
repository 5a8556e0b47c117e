"""Messages and tools as the OpenAI chat protocol wants them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from app.chat_models.call import Call, PrefillStyle, ResponseFormat, ToolSpec
from app.chat_models.providers.openai_dialects import Dialect, ForcedTool, PrefillFlag, ReasoningBack
from app.chat_models.wire.history import after_last_user_turn, arguments_text, is_prefill, only_text
from app.domain.chat_errors import UnsupportedFeatureError
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

_AUDIO_FORMATS = {"audio/wav": "wav", "audio/x-wav": "wav", "audio/mpeg": "mp3", "audio/mp3": "mp3"}
_NAME = re.compile(r"[^A-Za-z0-9_-]")


def wire_messages(messages: Sequence[Message], dialect: Dialect) -> list[dict[str, Any]]:
    """The ``messages`` of a request. Raises ``UnsupportedFeatureError`` for parts the server can't take."""
    turn = after_last_user_turn(messages)
    return [
        wire
        for position, message in enumerate(messages)
        for wire in _wire_message(message, dialect, in_turn=position >= turn)
    ]


def _wire_message(message: Message, dialect: Dialect, *, in_turn: bool) -> Iterator[dict[str, Any]]:
    if isinstance(message, ToolMessage):
        for result in message.results:
            yield {"role": "tool", "tool_call_id": _call_id(result.call_id, dialect), "content": result.text}
        return
    role = dialect.system_role if message.role == "system" else message.role
    wire: dict[str, Any] = {"role": role}
    if message.name and dialect.names:
        wire["name"] = _NAME.sub("_", message.name)[:64]
    if isinstance(message, AIMessage):
        yield {**wire, **_assistant(message, dialect, in_turn=in_turn)}
    else:
        yield {**wire, "content": _content(message, dialect)}


def _content(message: Message, dialect: Dialect) -> str | list[dict[str, Any]]:
    if only_text(message):
        return message.text  # some chat templates can't read lists
    return [_content_part(part, dialect) for part in message.parts]


def _content_part(part: Part, dialect: Dialect) -> dict[str, Any]:
    if isinstance(part, TextPart):
        return {"type": "text", "text": part.text}
    if isinstance(part, ImagePart):
        if part.url and not dialect.image_urls:
            raise UnsupportedFeatureError(
                f"{dialect.label} does not fetch images by address. Pass the image's bytes.", provider=dialect.name
            )
        image = {"url": part.data_url} | ({"detail": part.detail} if part.detail else {})
        return {"type": "image_url", "image_url": image}
    if isinstance(part, FilePart) and part.data is not None:
        if audio := _AUDIO_FORMATS.get(part.media_type or ""):
            return {"type": "input_audio", "input_audio": {"data": part.base64, "format": audio}}
        data = f"data:{part.media_type};base64,{part.base64}"
        return {"type": "file", "file": {"filename": part.name or "file", "file_data": data}}
    raise UnsupportedFeatureError(
        f"{dialect.label} can't take this part of the message ({type(part).__name__}). Leave it out.",
        provider=dialect.name,
    )


def _assistant(message: AIMessage, dialect: Dialect, *, in_turn: bool) -> dict[str, Any]:
    calls = [part for part in message.parts if isinstance(part, ToolCallPart)]
    wire: dict[str, Any] = {}
    if message.text or not calls:
        wire["content"] = message.text
    if calls:
        wire["tool_calls"] = [_tool_call(call, dialect) for call in calls]
    if dialect.reasoning_back is ReasoningBack.DETAILS:
        details = [item for part in message.parts for item in _details(part)]
        if details:
            wire["reasoning_details"] = details
    elif dialect.reasoning_back is ReasoningBack.TURN and in_turn and calls and message.reasoning:
        wire["reasoning_content"] = message.reasoning
    if is_prefill(message) and dialect.prefill_flag is PrefillFlag.PREFIX:
        wire["prefix"] = True
    return wire


def _details(part: Part) -> list[Any]:
    details = part.extras.get("reasoning_details") if isinstance(part, ReasoningPart) else None
    return details if isinstance(details, list) else []


def _tool_call(call: ToolCallPart, dialect: Dialect) -> dict[str, Any]:
    function = {"name": call.name, "arguments": arguments_text(call)}
    return {"id": _call_id(call.id, dialect), "type": "function", "function": function}


def _call_id(id: str, dialect: Dialect) -> str:
    """The id as the server takes it. A digest keeps call and result together when it must be shortened."""
    length = dialect.call_id_length
    if not length or (len(id) == length and id.isalnum()):
        return id
    return hashlib.sha256(id.encode()).hexdigest()[:length]


def wire_tools(call: Call, dialect: Dialect) -> dict[str, Any]:
    """The fields of a request that are about tools; none when there are no tools."""
    if not call.tools:
        return {}
    tools, choice = call.tools, call.tool_choice
    fields: dict[str, Any] = {}
    if choice in ("auto", "none"):
        fields["tool_choice"] = choice
    elif choice == "required":
        fields["tool_choice"] = dialect.required
    elif choice and dialect.forced_tool is ForcedTool.NAMED:
        fields["tool_choice"] = {"type": "function", "function": {"name": choice}}
    elif choice:
        tools = tuple(tool for tool in tools if tool.name == choice)
        fields["tool_choice"] = dialect.required
    if call.parallel_tool_calls is not None:
        fields["parallel_tool_calls"] = call.parallel_tool_calls
    return {"tools": [_wire_tool(tool, dialect) for tool in tools], **fields}


def _wire_tool(tool: ToolSpec, dialect: Dialect) -> dict[str, Any]:
    function: dict[str, Any] = {"name": tool.name, "parameters": dict(tool.parameters)}
    if tool.description:
        function["description"] = tool.description
    if tool.strict is not None and dialect.strict:
        function["strict"] = tool.strict
    return {"type": "function", "function": function}


def json_schema_format(wanted: ResponseFormat) -> dict[str, Any]:
    """Name, schema and strictness, as both OpenAI protocols want them."""
    schema = dict(wanted.schema or {})
    return {"name": wanted.name, "schema": schema, "strict": wanted.strict and is_strict(schema)}


def is_strict(schema: object) -> bool:
    """Whether every object in a schema requires all its properties and forbids others, as strict mode demands."""
    if isinstance(schema, Mapping):
        properties = schema.get("properties")
        if isinstance(properties, Mapping) and schema.get("type") == "object":
            closed = schema.get("additionalProperties") is False
            if not closed or set(schema.get("required") or ()) != set(properties):
                return False
        elif schema.get("type") == "object":
            return False
        return all(is_strict(value) for value in schema.values())
    return all(is_strict(value) for value in schema) if isinstance(schema, (list, tuple)) else True


def wire_response_format(wanted: ResponseFormat | None, dialect: Dialect) -> dict[str, Any]:
    """The field ``response_format``; none when any answer will do."""
    if wanted is None:
        return {}
    if wanted.schema is None or not dialect.json_schema:
        return {"response_format": {"type": "json_object"}}
    return {"response_format": {"type": "json_schema", "json_schema": json_schema_format(wanted)}}


def prefill_fields(messages: Sequence[Message], dialect: Dialect) -> dict[str, Any]:
    """The fields that make the server continue a trailing assistant message."""
    if not messages or not is_prefill(messages[-1]) or dialect.prefill is PrefillStyle.EMULATED:
        return {}
    if dialect.prefill_flag is PrefillFlag.CONTINUE:
        return {"continue_final_message": True, "add_generation_prompt": False}
    if dialect.prefill_flag is PrefillFlag.NO_THINKING:
        return {"chat_template_kwargs": {"enable_thinking": False}}
    return {}
