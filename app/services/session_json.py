"""Chats as JSON, our own format, version 1: nothing of a chat is lost but what belongs to one library.

An object with ``format`` ("footnote-chats"), ``version`` and ``chats``. A chat holds all of its branches: ``messages``
in an order in which each comes after its ``parent``, both named by ``id``; ``leaf`` ends the branch on show. Times are
Unix times. ``citations`` are snapshots: path, file hash, place and quote. Reading never trusts: a part of another
type than it should be is left out, and a message or chat without its essential parts is told about.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from app.domain.chat_transfer import ArrivingChat, ArrivingMessage
from app.domain.citations import AnswerSentence, Citation, Support
from app.domain.documents import Box
from app.domain.findings import counted
from app.domain.session_choices import SessionChoices
from app.domain.turn_details import TurnDetails
from app.domain.turn_options import MemoryKind, Strictness
from app.domain.turns import MessageStatus, SessionRecord, StoredMessage

FORMAT, VERSION = "footnote-chats", 1
LARGEST_ID = 200
BOX_SIDES = 4

E = TypeVar("E", bound=StrEnum)
Json = Mapping[str, Any]


def chat_to_json(
    record: SessionRecord,
    messages: Sequence[StoredMessage],
    origins: Mapping[int, str],
    details: Mapping[int, TurnDetails],
    leaf: int | None,
) -> str:
    """A chat with the messages of all branches, in the order they were stored, as one line."""
    chat = {
        "id": record.id,
        "title": record.title,
        "created_at": record.created_at,
        "updated_at": record.updated_at,
        "pinned": record.pinned,
        "archived": record.archived,
        "folder": record.folder,
        "tags": list(record.tags),
        "choices": _choices(record.choices),
        "leaf": origins.get(leaf or 0, ""),
        "messages": [_message(each, origins, details.get(each.id)) for each in messages],
    }
    return _dumps({name: value for name, value in chat.items() if value not in ("", [], {}, False)})


def file_of(chats: Iterator[str]) -> Iterator[str]:
    """A whole file, in pieces, from chats as JSON."""
    yield f'{{"format": "{FORMAT}", "version": {VERSION}, "chats": [\n'
    for number, chat in enumerate(chats):
        yield (",\n" if number else "") + chat
    yield "\n]}\n"


def _dumps(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:  # the name of a file that is not valid Unicode; escapes carry it
        return json.dumps(value)
    return text


def _choices(choices: SessionChoices) -> dict[str, str]:
    """The scope stays here: it names documents by the numbers of this library."""
    plain = {
        "model": choices.model,
        "strictness": choices.strictness,
        "memory": choices.memory,
        "persona": choices.persona,
    }
    return {name: str(value) for name, value in plain.items() if value}


def _message(message: StoredMessage, origins: Mapping[int, str], details: TurnDetails | None) -> dict[str, object]:
    plain = {
        "id": origins[message.id],
        "parent": origins[message.parent_id] if message.parent_id is not None else "",
        "role": message.role,
        "text": message.text,
        "status": message.status,
        "created_at": message.created_at,
        "model": message.model,
        "not_answered": not message.answered,
        "error": message.error,
        "citations": [_citation(each) for each in message.citations],
        "sentences": [asdict(each) for each in message.sentences],
        "timings": dict(message.timings),
        "details": json.loads(json.dumps(asdict(details), default=str)) if details else None,
    }
    return {name: value for name, value in plain.items() if value or name == "text"}


def _citation(citation: Citation) -> dict[str, object]:
    boxes = [[box.left, box.top, box.right, box.bottom] for box in citation.boxes]
    return {**asdict(citation), "path": str(citation.path), "boxes": boxes}


def chat_from_json(data: object, left_out: list[str]) -> ArrivingChat | None:
    """The inverse of ``chat_to_json`` for one chat. Appends to ``left_out`` what can't be taken over, and why."""
    chat = _mapping(data)
    ident, title = _text(chat, "id"), _text(chat, "title")
    if not 0 < len(ident) <= LARGEST_ID:
        left_out.append(f"A chat without an id{f', “{title}”,' if title else ''} was left out.")
        return None
    messages = _messages(_items(chat, "messages"), title, left_out)
    created = _number(chat, "created_at")
    return ArrivingChat(
        id=ident,
        title=title,
        created_at=created,
        updated_at=_number(chat, "updated_at") or created,
        messages=messages,
        leaf=_text(chat, "leaf"),
        pinned=chat.get("pinned") is True,
        archived=chat.get("archived") is True,
        folder=_text(chat, "folder"),
        tags=tuple(each for each in _items(chat, "tags") if isinstance(each, str)),
        choices=_choices_from(_mapping(chat.get("choices"))),
    )


def _messages(items: Sequence[object], title: str, left_out: list[str]) -> list[ArrivingMessage]:
    """A message whose parent does not come before it is put behind the one that does."""
    found: dict[str, ArrivingMessage] = {}
    lost = 0
    before = ""
    for item in items:
        message = _message_from(_mapping(item), found, before)
        if message is None or message.origin in found:
            lost += 1
            continue
        found[message.origin] = message
        before = message.origin
    if lost:
        left_out.append(f"Left out of “{title}”: {counted(lost, 'message')} without an id, a text or a role.")
    return list(found.values())


def _message_from(data: Json, known: Mapping[str, object], before: str) -> ArrivingMessage | None:
    origin, role, text, parent = (_text(data, name) for name in ("id", "role", "text", "parent"))
    if not 0 < len(origin) <= LARGEST_ID or not role or not isinstance(data.get("text"), str):
        return None
    status = _member(MessageStatus, data.get("status")) or MessageStatus.COMPLETE
    return ArrivingMessage(
        origin=origin,
        parent=parent if not parent or parent in known else before,
        role=role,
        text=text,
        status=MessageStatus.INTERRUPTED if status is MessageStatus.STREAMING else status,
        created_at=_number(data, "created_at"),
        model=_text(data, "model"),
        answered=data.get("not_answered") is not True,
        error=_text(data, "error"),
        citations=_citations(_items(data, "citations")),
        sentences=[each for each in map(_sentence, _items(data, "sentences")) if each is not None],
        timings={
            str(name): float(value)
            for name, value in _mapping(data.get("timings")).items()
            if isinstance(value, int | float)
        },
        details=_details(data.get("details")),
    )


def _citations(items: Sequence[object]) -> list[Citation]:
    """Each number once."""
    read = [each for each in map(_citation_from, items) if each is not None]
    return list({each.number: each for each in read}.values())


def _citation_from(item: object) -> Citation | None:
    data = _mapping(item)
    try:
        return Citation(
            number=int(data["number"]),
            document_id=int(data["document_id"]),
            path=Path(str(data["path"]).replace("\0", "")),
            title=_text(data, "title"),
            file_hash=_text(data, "file_hash"),
            start=int(data["start"]),
            end=int(data["end"]),
            quote=_text(data, "quote"),
            page=None if data.get("page") is None else int(data["page"]),
            boxes=tuple(Box(*map(float, box)) for box in _items(data, "boxes") if len(box) == BOX_SIDES),
            score=_number(data, "score"),
        )
    except (KeyError, ValueError, TypeError, OverflowError):
        return None


def _sentence(item: object) -> AnswerSentence | None:
    data = _mapping(item)
    try:
        return AnswerSentence(
            text=_text(data, "text"),
            start=int(data["start"]),
            end=int(data["end"]),
            citations=tuple(int(each) for each in _items(data, "citations")),
            support=_member(Support, data.get("support")) or Support.UNCHECKED,
            reason=_text(data, "reason"),
        )
    except (KeyError, ValueError, TypeError, OverflowError):
        return None


def _details(data: object) -> TurnDetails | None:
    from app.storage.turn_details_json import details_from_json

    if not isinstance(data, dict):
        return None
    try:
        return details_from_json(json.dumps(data))
    except (KeyError, ValueError, TypeError, AttributeError):
        return None


def _choices_from(data: Json) -> SessionChoices:
    return SessionChoices(
        model=_text(data, "model"),
        strictness=_member(Strictness, data.get("strictness")),
        memory=_member(MemoryKind, data.get("memory")),
        persona=_text(data, "persona"),
    )


def _member(kind: type[E], value: object) -> E | None:
    return next((each for each in kind if each == value), None)


def _mapping(value: object) -> Json:
    return value if isinstance(value, dict) else {}


def _items(data: Json, name: str) -> Sequence[Any]:
    value = data.get(name)
    return value if isinstance(value, list) else ()


def _text(data: Json, name: str) -> str:
    value = data.get(name)
    return value if isinstance(value, str) else ""


def _number(data: Json, name: str) -> float:
    value = data.get(name)
    return float(value) if isinstance(value, int | float) and abs(value) < 1e15 else 0.0
