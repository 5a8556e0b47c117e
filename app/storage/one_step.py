"""Rows of a query fetched in one step of SQLite.

Python's module releases the interpreter for every single row and queues for it again. Beside a thread that computes,
each turn costs the interpreter's switch interval: a hundred rows half a second, as one text a few milliseconds.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from app.storage.database import Database
from app.storage.rows import id_list

IDS_AT_ONCE = 4_096
"""More chunks than this are read in several steps: SQLite's texts are limited to a gigabyte."""

PATH = "CASE typeof(path) WHEN 'text' THEN path ELSE char(0) || hex(path) END"
"""The column ``path`` where values must be text; for ``path_of``. No path contains a NUL."""


def rows_in_one_step(
    database: Database, columns: str, source: str, parameters: Sequence[object] = ()
) -> list[list[Any]]:
    """``SELECT columns FROM source`` in no certain order. Values are texts, numbers (reals to 15 digits) and NULLs."""
    query = f"SELECT json_group_array(json_array({columns})) FROM {source}"  # noqa: S608  constants of the callers
    rows: list[list[Any]] = json.loads(database.first_row(query, parameters)[0])
    return rows


@lru_cache(maxsize=4_096)
def path_of(value: str) -> Path:
    """The path that ``PATH`` stands for."""
    return Path(os.fsdecode(bytes.fromhex(value[1:])) if value.startswith("\0") else value)


def id_lists(ids: Iterable[int]) -> Iterator[str]:
    """Ids, ascending and each once, as JSON for ``IN (SELECT value FROM json_each(?))``, as many as one step holds."""
    unique = sorted({int(each) for each in ids})
    return (id_list(unique[start : start + IDS_AT_ONCE]) for start in range(0, len(unique), IDS_AT_ONCE))
