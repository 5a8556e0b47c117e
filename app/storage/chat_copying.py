"""Whole chats written to ``chats.db``: those that arrive from elsewhere, and duplicates."""

from __future__ import annotations

import sqlite3
import time
import uuid
from collections.abc import Mapping
from dataclasses import replace

from app.domain.chat_transfer import Arrival, ArrivingChat, ArrivingMessage
from app.storage.message_rows import sentences_to_column, timings_to_column
from app.storage.message_search import search_text
from app.storage.message_tree import read_tree
from app.storage.message_writing import show_leaf, store_citations, store_details
from app.storage.rows import clean
from app.storage.session_rows import choices_to_column, tags_to_column


def take_in(connection: sqlite3.Connection, chat: ArrivingChat) -> Arrival:
    """Store a chat, or of one that is here what it lacks. Nothing that is here is changed but the trash it lay in.

    A message that is here with other words is kept, and the one that arrives becomes an alternative to it.
    """
    before = connection.execute("SELECT deleted_at FROM sessions WHERE id = ?", (chat.id,)).fetchone()
    if before is None:
        _create(connection, chat)
    ids, added = _store_missing(connection, chat)
    if added:
        last = chat.messages[-1].origin if chat.messages else ""
        show_leaf(connection, chat.id, ids[chat.leaf if chat.leaf in ids else last])
    restored = before is not None and before[0] is not None
    if restored:
        connection.execute("UPDATE sessions SET deleted_at = NULL WHERE id = ?", (chat.id,))
    return Arrival(chat.id, before is None, added, len(chat.messages) - added, restored)


def _create(connection: sqlite3.Connection, chat: ArrivingChat) -> None:
    connection.execute(
        "INSERT INTO sessions (id, title, created_at, updated_at, used, pinned, archived, folder, tags, choices) "
        "VALUES (?, ?, ?, ?, (SELECT ifnull(max(used), 0) + 1 FROM sessions), ?, ?, ?, ?, ?)",
        (
            chat.id,
            clean(chat.title),
            chat.created_at,
            chat.updated_at,
            chat.pinned,
            chat.archived,
            clean(chat.folder),
            tags_to_column(chat.tags),
            choices_to_column(chat.choices),
        ),
    )


def origins(connection: sqlite3.Connection, session_id: str) -> dict[int, str]:
    """The names by which the messages of a chat are known on every computer, by id."""
    rows = connection.execute("SELECT id, origin FROM messages WHERE session_id = ? ORDER BY id", (session_id,))
    return {ident: origin or f"{session_id}/{ident}" for ident, origin in rows}


def _store_missing(connection: sqlite3.Connection, chat: ArrivingChat) -> tuple[dict[str, int], int]:
    """Returns the id of every message by the origin it arrived with, and how many were stored."""
    here = {origin: ident for ident, origin in origins(connection, chat.id).items()}
    texts = dict(connection.execute("SELECT id, text FROM messages WHERE session_id = ?", (chat.id,)))
    ids: dict[str, int] = {}
    added = 0
    for message in chat.messages:
        known = here.get(message.origin)
        if known is not None and texts.get(known) != clean(message.text):
            # Told apart by its words, so that it is known when it arrives once more.
            digest = uuid.uuid5(uuid.NAMESPACE_OID, f"{message.role}\n{clean(message.text)}").hex
            other = replace(message, origin=f"{message.origin}#{digest}")
            known = here.get(other.origin)
        else:
            other = message
        if known is None:
            known = here[other.origin] = _insert(connection, chat.id, other, ids)
            texts[known] = clean(other.text)
            added += 1
        ids[message.origin] = known
    return ids, added


def _insert(connection: sqlite3.Connection, session_id: str, message: ArrivingMessage, ids: Mapping[str, int]) -> int:
    cursor = connection.execute(
        "INSERT INTO messages (session_id, parent_id, role, text, search_text, status, created_at, model, answered, "
        "error, sentences, timings, origin) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            session_id,
            ids.get(message.parent),
            clean(message.role),
            clean(message.text),
            search_text(message.text),
            message.status,
            message.created_at,
            clean(message.model),
            message.answered,
            clean(message.error),
            sentences_to_column(message.sentences),
            timings_to_column(message.timings),
            clean(message.origin),
        ),
    )
    ident = cursor.lastrowid or 0
    store_citations(connection, ident, message.citations)
    if message.details is not None:
        store_details(connection, ident, message.details)
    return ident


_COPIED = (
    "role, text, search_text, CASE status WHEN 'streaming' THEN 'interrupted' ELSE status END, created_at, model, "
    "answered, error, sentences, timings"
)


def duplicate(connection: sqlite3.Connection, session_id: str, title: str) -> str | None:
    """Copy a chat with all of its branches. Returns the id of the copy; None if the chat is gone."""
    copy, now = uuid.uuid4().hex, time.time()
    made = connection.execute(
        "INSERT INTO sessions (id, title, created_at, updated_at, used, folder, tags, choices) "
        "SELECT ?, ?, ?, ?, (SELECT max(used) + 1 FROM sessions), folder, tags, choices FROM sessions WHERE id = ?",
        (copy, clean(title), now, now, session_id),
    )
    if not made.rowcount:
        return None
    ids: dict[int | None, int] = {}
    for ident, parent in read_tree(connection, session_id).parents.items():
        cursor = connection.execute(
            "INSERT INTO messages (session_id, parent_id, role, text, search_text, status, created_at, model, "  # noqa: S608
            f"answered, error, sentences, timings) SELECT ?, ?, {_COPIED} FROM messages WHERE id = ?",
            (copy, ids.get(parent), ident),
        )
        ids[ident] = cursor.lastrowid or 0
    _copy_what_hangs_on(connection, ids)
    leaf = connection.execute("SELECT leaf_id FROM sessions WHERE id = ?", (session_id,)).fetchone()[0]
    if leaf in ids:
        show_leaf(connection, copy, ids[leaf])
    return copy


def _copy_what_hangs_on(connection: sqlite3.Connection, ids: Mapping[int | None, int]) -> None:
    pairs = [(new, old) for old, new in ids.items()]
    connection.executemany(
        'INSERT INTO citations SELECT ?, number, document_id, path, title, file_hash, start, "end", quote, page, '
        "boxes, score FROM citations WHERE message_id = ?",
        pairs,
    )
    connection.executemany(
        "INSERT INTO turn_details (message_id, details) SELECT ?, details FROM turn_details WHERE message_id = ?", pairs
    )
