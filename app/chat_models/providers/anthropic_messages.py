"""Messages as the Anthropic protocol wants them: user and assistant in turns, tool results as the user's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.chat_models.wire.history import after_last_user_turn, arguments_object, is_prefill, same_role_groups
from app.domain.chat_errors import UnsupportedFeatureError
from app.domain.messages import (
    FilePart,
    ImagePart,
    Message,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)

_ROLES = {"user": "user", "tool": "user", "assistant": "assistant"}
_GOES_ON = "(The conversation goes on.)"


def wire_messages(messages: Sequence[Message], system: str) -> list[dict[str, Any]]:
    """The ``messages`` of a request. A lone system message is asked as the user; the user always begins."""
    if not messages:
        return [{"role": "user", "content": [_text(system)]}]
    turn = {id(message) for message in messages[after_last_user_turn(messages) :]}
    wire = []
    for role, group in same_role_groups(messages, _ROLES):
        blocks = [block for message in group for block in _blocks(message, in_turn=id(message) in turn)]
        if role == "user":
            blocks.sort(key=lambda block: block["type"] != "tool_result")  # results first, the rest in its order
        if blocks:
            wire.append({"role": role, "content": blocks})
    if not wire or wire[0]["role"] != "user":
        wire.insert(0, {"role": "user", "content": [_text(_GOES_ON)]})
    return wire


def _blocks(message: Message, *, in_turn: bool) -> list[dict[str, Any]]:
    if is_prefill(message):
        return [_text(message.text.rstrip())] if message.text.strip() else []  # trailing white space is refused
    return [block for part in message.parts if (block := _block(part, in_turn=in_turn)) is not None]


def _block(part: Part, *, in_turn: bool) -> dict[str, Any] | None:
    match part:
        case TextPart():
            return _text(part.text) if part.text.strip() else None  # empty blocks are refused
        case ReasoningPart():
            return _thought(part) if in_turn else None
        case ToolCallPart():
            return {"type": "tool_use", "id": part.id, "name": part.name, "input": arguments_object(part)}
        case ToolResultPart():
            failed = {"is_error": True} if part.is_error else {}
            return {"type": "tool_result", "tool_use_id": part.call_id, "content": part.text, **failed}
        case ImagePart():
            return {"type": "image", "source": _source(part)}
        case FilePart():
            title = {"title": part.name} if part.name else {}
            return {"type": "document", "source": _document_source(part), **title}


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def _thought(part: ReasoningPart) -> dict[str, Any] | None:
    """A block of thoughts exactly as it came, or none: a changed or unsigned one is refused."""
    if redacted := part.extras.get("redacted_thinking"):
        return {"type": "redacted_thinking", "data": redacted}
    if signature := part.extras.get("signature"):
        return {"type": "thinking", "thinking": part.text, "signature": signature}
    return None


def _source(part: ImagePart | FilePart) -> dict[str, Any]:
    if part.url:
        return {"type": "url", "url": part.url}
    return {"type": "base64", "media_type": part.media_type, "data": part.base64}


def _document_source(part: FilePart) -> dict[str, Any]:
    kind = part.media_type or ""
    if part.url or kind == "application/pdf":
        return _source(part)
    if kind.startswith("text/"):
        return {"type": "text", "media_type": "text/plain", "data": (part.data or b"").decode("utf-8", "replace")}
    raise UnsupportedFeatureError(f"Anthropic can't read {kind or 'this kind of'} files. Pass a PDF, an image or text.")
