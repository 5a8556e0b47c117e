"""Rows read although some of their text is damaged."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any


class MendedText(str):
    """A text with U+FFFD in place of bytes that are no UTF-8."""

    __slots__ = ()


def read_rows(connection: sqlite3.Connection, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
    """All rows of a query; texts that are no UTF-8 as ``MendedText``, where SQLite's module would give up."""
    try:
        return connection.execute(sql, parameters).fetchall()
    except sqlite3.OperationalError as error:
        # The module has no class for this, only these words (CPython, Modules/_sqlite/cursor.c).
        if "decode to UTF-8" not in str(error):
            raise
    connection.text_factory = _text
    try:
        return connection.execute(sql, parameters).fetchall()
    finally:
        connection.text_factory = str


def as_text(value: object) -> str:
    """A column as text whatever stands in it: bytes are mended, nothing is an empty text."""
    if isinstance(value, str):
        return value
    return MendedText(value.decode("utf-8", "replace") if isinstance(value, bytes) else "" if value is None else value)


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return MendedText(raw.decode("utf-8", "replace"))
