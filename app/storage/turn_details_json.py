"""``TurnDetails`` as JSON and back. What an older or newer version didn't write is left at its default."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, TypeVar

from app.domain.answer_facts import Usage
from app.domain.turn_details import (
    AttachedNote,
    NearMiss,
    PromptMessage,
    SentPassage,
    Task,
    TaskKind,
    ToolUse,
    TurnDetails,
    UnreadFile,
)
from app.domain.turn_options import MemoryKind, Strictness

T = TypeVar("T")


def details_to_json(details: TurnDetails) -> str:
    """JSON in ASCII: escapes carry the lone surrogates of file names that are not valid Unicode."""
    return json.dumps(asdict(details), default=str)


def details_from_json(value: str) -> TurnDetails:
    """The inverse of ``details_to_json``."""
    data: dict[str, Any] = json.loads(value)
    memory = data.get("memory")
    usage = data.get("usage")
    return _made(
        TurnDetails,
        data,
        strictness=Strictness(data.get("strictness", Strictness.STRICT)),
        memory=MemoryKind(memory) if memory else None,
        prompt=tuple(_made(PromptMessage, each) for each in data.get("prompt", ())),
        passages=tuple(_passage(each) for each in data.get("passages", ())),
        near_misses=tuple(NearMiss(_passage(each["passage"]), each["reason"]) for each in data.get("near_misses", ())),
        unread=tuple(UnreadFile(Path(each["path"]), each["reason"]) for each in data.get("unread", ())),
        tools=tuple(_made(ToolUse, each) for each in data.get("tools", ())),
        usage=_made(Usage, usage) if usage else None,
        notes=tuple(data.get("notes", ())),
        task=_task(data.get("task")),
        attached=tuple(_made(AttachedNote, each, path=Path(each["path"])) for each in data.get("attached", ())),
    )


def _task(data: Mapping[str, Any] | None) -> Task | None:
    if not data or data.get("kind") not in set(TaskKind):
        return None  # a question, or a task of a newer version
    return Task(TaskKind(data["kind"]), data.get("document_id", 0))


def _passage(data: Mapping[str, Any]) -> SentPassage:
    return _made(SentPassage, data, path=Path(data["path"]))


def _made(kind: type[T], data: Mapping[str, Any], **values: Any) -> T:
    """A dataclass ``kind`` of the fields in ``data`` that it knows, with ``values`` in their place where given."""
    known = {each.name for each in fields(kind)}  # type: ignore[arg-type]  # only dataclasses are passed
    return kind(**{name: value for name, value in {**data, **values}.items() if name in known})
