"""What callers may pass as input, and the messages it stands for."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from app.domain.chat_errors import ChatInputError
from app.domain.messages import (
    AIMessage,
    FunctionMessage,
    HumanMessage,
    Message,
    Part,
    SystemMessage,
    TextPart,
    ToolCallPart,
    ToolMessage,
)
from app.domain.parts import as_parts

ModelInput = str | Message | Sequence[Message | Mapping[str, Any] | tuple[str, str] | str]

_ROLES = {"system": "system", "developer": "system", "user": "user", "human": "user", "assistant": "assistant",
          "ai": "assistant", "tool": "tool", "function": "tool"}  # fmt: skip


def messages_from(input: ModelInput, system_prompt: str | None = None) -> list[Message]:
    """The messages of ``input``: text, one message, or a list of messages, ChatML dicts and (role, text) pairs.

    ``system_prompt`` is put before them. The caller's list is never changed. Raises ``ChatInputError`` for an empty
    input, an unknown role, or content that can't be used.
    """
    if isinstance(input, (str, Message)):
        items: list[Any] = [input]
    elif isinstance(input, Sequence) and not isinstance(input, (bytes, bytearray)):
        items = list(input)
    else:
        raise ChatInputError(f"The input must be text or a list of messages, not {type(input).__name__}.")
    if not items or input == "":
        raise ChatInputError("There is no message to answer. Pass some text or at least one message.")
    messages = [_message(item) for item in items]
    if system_prompt:
        messages.insert(0, SystemMessage(system_prompt))
    return _with_call_ids(messages)


def _message(item: object) -> Message:
    if isinstance(item, Message):
        return item
    if isinstance(item, str):
        return HumanMessage(item)
    if isinstance(item, Mapping):
        return message_from_chatml(item)
    if isinstance(item, tuple) and len(item) == 2:
        return message_from_chatml({"role": item[0], "content": item[1]})
    raise ChatInputError(f"A message can't be a {type(item).__name__}. Pass a message, a ChatML dict or text.")


def message_from_chatml(item: Mapping[str, Any]) -> Message:
    """The message of a ChatML dict ``{"role", "content", …}``; ``tool_calls`` and ``tool_call_id`` included.

    Raises ``ChatInputError`` for an unknown role.
    """
    role = item.get("role")
    kind = _ROLES.get(role) if isinstance(role, str) else None
    if kind is None:
        raise ChatInputError(f"The role {role!r} is not known. Use 'system', 'user', 'assistant' or 'tool'.")
    content = item.get("content")
    if kind == "tool":
        return _tool_message(item, content)
    parts = as_parts(content if content is not None else "")
    name = item.get("name")
    if kind == "assistant":
        return AIMessage(parts=parts + _tool_calls(item.get("tool_calls") or ()), name=name)
    return SystemMessage(parts=parts, name=name) if kind == "system" else HumanMessage(parts=parts, name=name)


def _tool_message(item: Mapping[str, Any], content: object) -> Message:
    text = content if isinstance(content, str) else _text_of(as_parts(content or ""))  # type: ignore[arg-type]  # as_parts checks
    if item.get("role") == "function":
        return FunctionMessage(text, name=str(item.get("name", "")))
    return ToolMessage(text, tool_call_id=str(item.get("tool_call_id", "")), name=item.get("name"))


def _text_of(parts: Sequence[Part]) -> str:
    return "".join(part.text for part in parts if isinstance(part, TextPart))


def _tool_calls(calls: Sequence[Mapping[str, Any]]) -> tuple[ToolCallPart, ...]:
    return tuple(_tool_call(call) for call in calls)


def _tool_call(call: Mapping[str, Any]) -> ToolCallPart:
    function = call.get("function", call)
    arguments = function.get("arguments", function.get("args", ""))
    text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return ToolCallPart(str(call.get("id", "")), str(function.get("name", "")), text)


def _with_call_ids(messages: list[Message]) -> list[Message]:
    """Function messages as tool messages: each answers the oldest open call of its name."""
    if not any(isinstance(message, FunctionMessage) for message in messages):
        return messages
    open_calls: list[ToolCallPart] = []
    result: list[Message] = []
    for message in messages:
        if isinstance(message, AIMessage):
            open_calls += [part for part in message.parts if isinstance(part, ToolCallPart)]
        result.append(_tool_result(message, open_calls) if isinstance(message, FunctionMessage) else message)
    return result


def _tool_result(message: FunctionMessage, open_calls: list[ToolCallPart]) -> ToolMessage:
    call = next((each for each in open_calls if each.name == message.name), None)
    if call is None:
        raise ChatInputError(f"The result of {message.name!r} answers no call: no earlier message asks for that tool.")
    open_calls.remove(call)
    return ToolMessage(message.text, tool_call_id=call.id, name=message.name, id=message.id)
