"""Messages as JSON and back, without loss.

Reading never makes an object of a class that the data names: roles and part types are looked up in fixed tables.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from app.domain.chat_errors import ChatInputError
from app.domain.messages import (
    AIMessage,
    FilePart,
    FunctionMessage,
    HumanMessage,
    ImagePart,
    Message,
    Part,
    ReasoningPart,
    SystemMessage,
    TextPart,
    ToolCallPart,
    ToolMessage,
    ToolResultPart,
    Usage,
)

_PARTS: dict[str, type[Part]] = {
    "text": TextPart,
    "reasoning": ReasoningPart,
    "image": ImagePart,
    "file": FilePart,
    "tool_call": ToolCallPart,
    "tool_result": ToolResultPart,
}
_PART_NAMES = {kind: name for name, kind in _PARTS.items()}
_MESSAGES: dict[str, type[Message]] = {
    "system": SystemMessage,
    "human": HumanMessage,
    "ai": AIMessage,
    "tool": ToolMessage,
    "function": FunctionMessage,
}


def message_to_json(message: Message) -> dict[str, Any]:
    """``message`` as a JSON object; chunks become their message's type. Empty fields are left out."""
    # Functions come before tools: a FunctionMessage is a ToolMessage too.
    kind = next(name for name in ("function", *_MESSAGES) if isinstance(message, _MESSAGES[name]))
    found: dict[str, Any] = {"type": kind, "parts": [_part_to_json(part) for part in message.parts]}
    names = ["id", "name", "additional_kwargs"]
    if isinstance(message, AIMessage):
        names += ["finish", "model", "response_metadata"]
        if message.usage is not None:
            found["usage"] = asdict(message.usage)
    found.update({name: value for name in names if (value := getattr(message, name)) not in (None, {})})
    return found


def message_from_json(data: Mapping[str, Any]) -> Message:
    """The message that ``message_to_json`` wrote. Raises ``ChatInputError`` for anything else."""
    kind = _MESSAGES.get(str(data.get("type")))
    if kind is None:
        raise ChatInputError(f"{data.get('type')!r} is no type of message.")
    try:
        facts = {key: value for key, value in data.items() if key not in ("type", "parts", "usage")}
        if data.get("usage") is not None:
            facts["usage"] = Usage(**data["usage"])
        return kind(parts=tuple(_part_from_json(part) for part in data["parts"]), **facts)
    except (KeyError, TypeError, ValueError) as error:
        raise ChatInputError(f"The stored message is damaged: {error}.") from error


def _part_to_json(part: Part) -> dict[str, Any]:
    found: dict[str, Any] = {"type": _PART_NAMES[type(part)]}
    for each in fields(part):
        value = getattr(part, each.name)
        if value in (None, {}, False):
            continue
        found[each.name] = base64.b64encode(value).decode("ascii") if isinstance(value, bytes) else value
    return found


def _part_from_json(data: Mapping[str, Any]) -> Part:
    kind = _PARTS[data["type"]]
    values = {key: value for key, value in data.items() if key != "type"}
    if "data" in values:
        values["data"] = base64.b64decode(values["data"], validate=True)
    return kind(**values)
