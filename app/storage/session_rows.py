"""Sessions as rows of ``chats.db``. What can't be read in a column is left out; the column itself is never touched."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from app.domain.document_types import DocumentType
from app.domain.passages import Period, Scope
from app.domain.session_choices import SessionChoices
from app.domain.turn_options import MemoryKind, Strictness
from app.domain.turns import SessionRecord
from app.storage.lenient_rows import as_text
from app.storage.rows import clean

E = TypeVar("E", bound=StrEnum)
T = TypeVar("T")
SessionRow = tuple[Any, ...]


def record_from(row: SessionRow) -> SessionRecord:
    """A session from a row of ``session_records``."""
    ident, title, created_at, updated_at, count, pinned, archived, deleted_at, folder, tags, choices, _ = row
    return SessionRecord(
        id=as_text(ident),
        title=as_text(title),
        created_at=_number(created_at) or 0.0,
        updated_at=_number(updated_at) or 0.0,
        message_count=count,
        pinned=bool(pinned),
        archived=bool(archived),
        deleted_at=_number(deleted_at),
        folder=as_text(folder),
        tags=tags_from_column(tags),
        choices=choices_from_column(choices) if choices else SessionChoices(),
    )


def tags_to_column(tags: Sequence[str]) -> str:
    """Tags as a JSON array; none as nothing."""
    return json.dumps([clean(tag) for tag in tags], ensure_ascii=False) if tags else ""


def tags_from_column(value: object) -> tuple[str, ...]:
    """The inverse of ``tags_to_column``."""
    return tuple(each for each in _items(_json(value)) if isinstance(each, str)) if value else ()


def choices_to_column(choices: SessionChoices) -> str:
    """Choices as JSON in ASCII, whose escapes carry file names that are not valid Unicode; none as nothing."""
    if choices == SessionChoices():
        return ""
    plain = {
        "model": choices.model,
        "strictness": choices.strictness,
        "memory": choices.memory,
        "persona": choices.persona,
        "scope": _scope_to_json(choices.scope),
    }
    return json.dumps({name: value for name, value in plain.items() if value})


def choices_from_column(value: object) -> SessionChoices:
    """The inverse of ``choices_to_column``; a choice that is unknown here is left to the settings."""
    data = _mapping(_json(value))
    return SessionChoices(
        model=_text(data.get("model")),
        strictness=_member(Strictness, data.get("strictness")),
        memory=_member(MemoryKind, data.get("memory")),
        persona=_text(data.get("persona")),
        scope=_scope_from_json(_mapping(data.get("scope"))),
    )


def _scope_to_json(scope: Scope) -> dict[str, object]:
    plain: dict[str, object] = {
        "document_ids": sorted(scope.document_ids),
        "folders": [as_text(folder) for folder in scope.folders],
        "media_types": sorted(scope.media_types),
        "types": sorted(scope.types),
        "collections": sorted(scope.collections),
        "modified": _limits(scope.modified),
        "added": _limits(scope.added),
    }
    return {name: value for name, value in plain.items() if value}


def _scope_from_json(data: Mapping[str, object]) -> Scope:
    types = (_member(DocumentType, each) for each in _items(data.get("types")))
    return Scope(
        document_ids=frozenset(_of_type(int, data.get("document_ids"))),
        folders=tuple(Path(each) for each in _of_type(str, data.get("folders"))),
        media_types=frozenset(_of_type(str, data.get("media_types"))),
        types=frozenset(each for each in types if each is not None),
        collections=frozenset(_of_type(int, data.get("collections"))),
        modified=_period(data.get("modified")),
        added=_period(data.get("added")),
    )


def _limits(period: Period) -> list[float | None] | None:
    return None if period.always else [period.since, period.until]


def _period(value: object) -> Period:
    limits = _items(value)
    return Period(_number(limits[0]), _number(limits[1])) if len(limits) == 2 else Period()


def _json(value: object) -> object:
    try:
        return json.loads(value) if isinstance(value, str | bytes) else None
    except ValueError:
        return None


def _member(kind: type[E], value: object) -> E | None:
    return next((each for each in kind if each == value), None)


def _of_type(kind: type[T], value: object) -> list[T]:
    return [each for each in _items(value) if isinstance(each, kind)]


def _items(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else ()


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
