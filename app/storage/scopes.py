"""A search scope as an SQL condition on documents."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from app.domain.passages import Scope
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
        ranges = [limits for folder in scope.folders for limits in _inside(folder)]
        conditions.append("(" + " OR ".join(["path = ? OR (path > ? AND path < ?)"] * len(ranges)) + ")")
        parameters.extend(limit for limits in ranges for limit in limits)
    return " AND ".join(conditions) or "1", parameters


def _inside(folder: Path) -> list[tuple[object, object, object]]:
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
