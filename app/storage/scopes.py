"""A search scope as an SQL condition on documents."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from app.domain.document_types import DocumentType, glob_condition
from app.domain.passages import Period, Scope
from app.storage.rows import id_list


def scope_condition(scope: Scope) -> tuple[str, list[object]]:
    """A condition on the columns of ``documents`` and its parameters; ``1`` for a scope that limits nothing."""
    conditions: list[str] = []
    parameters: list[object] = []
    if scope.document_ids:
        conditions.append("id IN (SELECT value FROM json_each(?))")
        parameters.append(id_list(scope.document_ids))
    if scope.media_types:
        conditions.append(f"media_type IN ({', '.join('?' * len(scope.media_types))})")
        parameters.extend(sorted(scope.media_types))
    if scope.folders:
        ranges = [limits for folder in scope.folders for limits in ranges_inside(folder)]
        conditions.append("(" + " OR ".join(["path = ? OR (path > ? AND path < ?)"] * len(ranges)) + ")")
        parameters.extend(limit for limits in ranges for limit in limits)
    if scope.types:
        fitting, patterns = _of_types(scope.types)
        conditions.append(fitting)
        parameters.extend(patterns)
    if scope.collections:
        conditions.append(_IN_COLLECTIONS)
        parameters.append(id_list(scope.collections))
    for column, unit, period in (("mtime_ns", 10**9, scope.modified), ("added_at", 1, scope.added)):
        words, limits_of_time = _in_period(column, unit, period)
        conditions.extend(words)
        parameters.extend(limits_of_time)
    return " AND ".join(conditions) or "1", parameters


_IN_COLLECTIONS = (
    "id IN (SELECT document_id FROM collection_members WHERE collection_id IN (SELECT value FROM json_each(?)))"
)


def _of_types(types: frozenset[DocumentType]) -> tuple[str, list[str]]:
    each_type: list[str] = []
    parameters: list[str] = []
    for kind in sorted(types):
        wanted, others = glob_condition(kind)
        fits = " OR ".join(["media_type GLOB ?"] * len(wanted))
        each_type.append(f"(({fits}){' AND media_type NOT GLOB ?' * len(others)})")
        parameters.extend((*wanted, *others))
    return f"({' OR '.join(each_type)})", parameters


def _in_period(column: str, unit: int, period: Period) -> tuple[list[str], list[float]]:
    """Limits on a column in ``unit`` parts of a second."""
    limits = ((">=", period.since), ("<", period.until))
    given = [(sign, seconds * unit) for sign, seconds in limits if seconds is not None]
    return [f"{column} {sign} ?" for sign, _ in given], [seconds for _, seconds in given]


def ranges_inside(folder: Path) -> list[tuple[object, object, object]]:
    """Ranges that hold exactly ``folder`` and the paths under it: one for text, one for names kept as bytes.

    Paths under it sort between ``folder/`` and ``folder`` with the character after the separator.
    """
    name = os.fsencode(folder)
    separator = os.sep.encode()
    prefix = name if name.endswith(separator) else name + separator
    after = prefix[:-1] + bytes([prefix[-1] + 1])
    ranges: list[tuple[object, object, object]] = [(name, prefix, after)]
    with suppress(UnicodeDecodeError):  # a folder whose name is bytes holds no path that is text
        ranges.append((name.decode(), prefix.decode(), after.decode()))
    return ranges
