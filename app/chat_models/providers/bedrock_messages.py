"""Messages as the Converse protocol wants them: user and assistant in turns, tool results as the user's."""

from __future__ import annotations

import re
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
_IMAGE_FORMATS = {
    "image/png": "png",
    "image/jpeg": "jpeg",
    "image/jpg": "jpeg",
    "image/gif": "gif",
    "image/webp": "webp",
}
_DOCUMENT_FORMATS = {
    "application/pdf": "pdf", "text/csv": "csv", "application/msword": "doc", "text/html": "html", "text/plain": "txt",
    "text/markdown": "md", "application/vnd.ms-excel": "xls",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
}  # fmt: skip
_CALL_ID = re.compile(r"[^a-zA-Z0-9_.:-]")
_DOCUMENT_NAME = re.compile(r"[^A-Za-z0-9 ()\[\]-]+")


def wire_messages(messages: Sequence[Message], system: str) -> list[dict[str, Any]]:
    """The ``messages`` of a request. A lone system message is asked as the user; the user always begins."""
    if not messages:
        return [{"role": "user", "content": [{"text": system}]}]
    turn = {id(message) for message in messages[after_last_user_turn(messages) :]}
    wire = []
    for role, group in same_role_groups(messages, _ROLES):
        blocks = [block for message in group for block in _blocks(message, in_turn=id(message) in turn)]
        if role == "user":
            blocks.sort(key=lambda block: "toolResult" not in block)  # results first, the rest in its order
        if blocks:
            wire.append({"role": role, "content": blocks})
    if not wire or wire[0]["role"] != "user":
        wire.insert(0, {"role": "user", "content": [{"text": _GOES_ON}]})
    return wire


def has_tool_blocks(messages: Sequence[Message]) -> bool:
    """Whether the history holds calls or results; tools must be offered then."""
    return any(isinstance(part, (ToolCallPart, ToolResultPart)) for message in messages for part in message.parts)


def _blocks(message: Message, *, in_turn: bool) -> list[dict[str, Any]]:
    if is_prefill(message):
        return [{"text": message.text.rstrip()}] if message.text.strip() else []
    return [block for part in message.parts if (block := _block(part, in_turn=in_turn)) is not None]


def _block(part: Part, *, in_turn: bool) -> dict[str, Any] | None:
    match part:
        case TextPart():
            return {"text": part.text} if part.text.strip() else None  # empty blocks are refused
        case ReasoningPart():
            return _thought(part) if in_turn else None
        case ToolCallPart():
            call = {"toolUseId": _call_id(part.id), "name": part.name, "input": arguments_object(part)}
            return {"toolUse": call}
        case ToolResultPart():
            status = {"status": "error"} if part.is_error else {}
            result = {"toolUseId": _call_id(part.call_id), "content": [{"text": part.text or "(empty)"}], **status}
            return {"toolResult": result}
        case ImagePart():
            return {"image": {"format": _format(part, _IMAGE_FORMATS), "source": {"bytes": part.base64}}}
        case FilePart():
            name = _DOCUMENT_NAME.sub(" ", part.name or "document").strip()[:200] or "document"
            kind = _format(part, _DOCUMENT_FORMATS)
            return {"document": {"format": kind, "name": name, "source": {"bytes": part.base64}}}


def _thought(part: ReasoningPart) -> dict[str, Any] | None:
    """A block of thoughts exactly as it came, or none: a changed or unsigned one is refused."""
    if redacted := part.extras.get("redacted_content"):
        return {"reasoningContent": {"redactedContent": redacted}}
    if signature := part.extras.get("signature"):
        return {"reasoningContent": {"reasoningText": {"text": part.text, "signature": signature}}}
    return None


def _call_id(id: str) -> str:
    return _CALL_ID.sub("_", id)[:64] or "call"


def _format(part: ImagePart | FilePart, formats: dict[str, str]) -> str:
    if part.data is None:
        raise UnsupportedFeatureError("Amazon Bedrock does not fetch files by address. Pass the file's bytes.")
    kind = formats.get(part.media_type or "")
    if kind is None:
        known = ", ".join(sorted(set(formats.values())))
        raise UnsupportedFeatureError(
            f"Amazon Bedrock can't read {part.media_type or 'this kind of file'}, only {known}."
        )
    return kind
