"""Messages as the Gemini protocol wants them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from app.chat_models.wire.history import after_last_user_turn, arguments_object, names_of_calls, same_role_groups
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

_ROLES = {"user": "user", "tool": "user", "assistant": "model"}
SIGNATURE = "google_signature"
CALL_ID = "google_call_id"
# The documented value for calls whose signature is not to be had, because another model made them.
_NO_SIGNATURE = "skip_thought_signature_validator"


def wire_contents(messages: Sequence[Message], system: str, signs: bool, by_address: bool) -> list[dict[str, Any]]:
    """The ``contents`` of a request. A lone system message is asked as the user.

    ``signs`` adds the stand-in for missing signatures to the calls of the current turn; ``by_address`` allows files by
    address.
    """
    if not messages:
        return [{"role": "user", "parts": [{"text": system}]}]
    names = names_of_calls(messages)
    turn = {id(message) for message in messages[after_last_user_turn(messages) :]} if signs else set()
    contents = []
    for role, group in same_role_groups(messages, _ROLES):
        parts = [
            wire
            for message in group
            for wire in _parts(message, names, sign=id(message) in turn, by_address=by_address)
        ]
        if parts:
            contents.append({"role": role, "parts": parts})
    return contents


def _parts(message: Message, names: Mapping[str, str], *, sign: bool, by_address: bool) -> list[dict[str, Any]]:
    parts = [wire for part in message.parts if (wire := _part(part, names, by_address)) is not None]
    calls = [part for part in parts if "functionCall" in part]
    if sign and calls and "thoughtSignature" not in calls[0]:
        calls[0]["thoughtSignature"] = _NO_SIGNATURE
    return parts


def _part(part: Part, names: Mapping[str, str], by_address: bool) -> dict[str, Any] | None:
    signature = part.extras.get(SIGNATURE)
    signed = {"thoughtSignature": signature} if signature else {}
    match part:
        case TextPart():
            return {"text": part.text, **signed} if part.text or signature else None
        case ReasoningPart():
            return None  # thoughts don't go back, only their signatures do
        case ToolCallPart():
            given = {"id": part.extras[CALL_ID]} if CALL_ID in part.extras else {}
            return {"functionCall": {"name": part.name, "args": arguments_object(part), **given}, **signed}
        case ToolResultPart():
            name = part.name or names.get(part.call_id, "")
            return {"functionResponse": {"name": name, "response": _response(part)}}
        case ImagePart() | FilePart():
            return _media(part, by_address)


def _response(part: ToolResultPart) -> dict[str, Any]:
    """A result must be an object here."""
    if part.is_error:
        return {"error": part.text}
    try:
        value = json.loads(part.text)
    except ValueError:
        value = part.text
    return value if isinstance(value, dict) else {"result": value}


def _media(part: ImagePart | FilePart, by_address: bool) -> dict[str, Any]:
    if part.url is None:
        return {"inlineData": {"mimeType": part.media_type, "data": part.base64}}
    if not by_address:
        raise UnsupportedFeatureError("Gemini does not fetch files by address. Pass the file's bytes.")
    return {"fileData": {"fileUri": part.url, "mimeType": part.media_type or "image/jpeg"}}
