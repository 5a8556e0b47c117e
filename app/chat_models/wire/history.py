"""Helpers for codecs: reading the messages of a conversation."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from app.domain.messages import AIMessage, Message, SystemMessage, TextPart, ToolCallPart, Usage


def split_system(messages: Sequence[Message]) -> tuple[str, list[Message]]:
    """The system messages' text, joined by blank lines, and all other messages."""
    texts = [message.text for message in messages if isinstance(message, SystemMessage)]
    rest = [message for message in messages if not isinstance(message, SystemMessage)]
    return "\n\n".join(text for text in texts if text), rest


def is_prefill(message: Message) -> bool:
    """Whether a message is the beginning of the answer that the model shall continue."""
    return isinstance(message, AIMessage) and bool(message.additional_kwargs.get("prefill"))


def same_role_groups(messages: Iterable[Message], roles: dict[str, str]) -> list[tuple[str, list[Message]]]:
    """Messages in runs of one role of the provider's, for protocols in which roles must alternate."""
    groups: list[tuple[str, list[Message]]] = []
    for message in messages:
        role = roles[message.role]
        if groups and groups[-1][0] == role:
            groups[-1][1].append(message)
        else:
            groups.append((role, [message]))
    return groups


def arguments_object(part: ToolCallPart) -> dict[str, Any]:
    """The arguments of a past call as an object; a damaged call, which was never executed, gives ``{}``."""
    try:
        arguments = json.loads(part.arguments or "{}")
    except ValueError:
        return {}
    return arguments if isinstance(arguments, dict) else {}


def arguments_text(part: ToolCallPart) -> str:
    """The arguments of a past call as JSON text that a server accepts."""
    try:
        json.loads(part.arguments or "{}")
    except ValueError:
        return "{}"
    return part.arguments or "{}"


def names_of_calls(messages: Iterable[Message]) -> dict[str, str]:
    """The tool's name of every call id, for protocols whose results name the tool."""
    calls = (part for message in messages for part in message.parts if isinstance(part, ToolCallPart))
    return {call.id: call.name for call in calls}


def after_last_user_turn(messages: Sequence[Message]) -> int:
    """Position after the last message of the user, where the current turn of tool calls begins."""
    for position in range(len(messages) - 1, -1, -1):
        if messages[position].role == "user":
            return position + 1
    return 0


def only_text(message: Message) -> bool:
    """Whether a message holds nothing but text."""
    return all(isinstance(part, TextPart) for part in message.parts)


def usage_difference(new: Usage, old: Usage | None) -> Usage:
    """What a cumulative count adds to the one before. Differences may be negative."""
    if old is None:
        return new
    return Usage(
        new.input - old.input,
        new.output - old.output,
        new.cache_read - old.cache_read,
        new.cache_write - old.cache_write,
        new.reasoning - old.reasoning,
    )
