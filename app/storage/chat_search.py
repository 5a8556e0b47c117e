"""Search over the messages of all chats."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from app.domain.turns import StoredMessage
from app.storage.lenient_rows import read_rows
from app.storage.message_reading import messages_from
from app.storage.message_search import match_expression, matching_spans


@dataclass(frozen=True, slots=True)
class MessageHit:
    """A message found by ``SessionStore.search``. ``spans`` are [start, end) offsets in its text to mark."""

    message: StoredMessage
    session_title: str
    spans: tuple[tuple[int, int], ...]
    archived: bool = False


def search_messages(connection: sqlite3.Connection, text: str, limit: int) -> list[MessageHit]:
    """Messages that hold all words of ``text``, newest first; none of a chat in the trash."""
    expression = match_expression(text)
    if expression is None:
        return []
    rows = read_rows(
        connection,
        "SELECT * FROM message_records WHERE id IN ("
        "SELECT messages_fts.rowid FROM messages_fts JOIN messages ON messages.id = messages_fts.rowid "
        "WHERE messages_fts MATCH ? AND session_id NOT IN (SELECT id FROM sessions WHERE deleted_at IS NOT NULL) "
        "ORDER BY messages_fts.rowid DESC LIMIT ?) ORDER BY id DESC",
        (expression, limit),
    )
    chats = {ident: rest for ident, *rest in read_rows(connection, "SELECT id, title, archived FROM sessions")}
    return [
        MessageHit(
            each, chats[each.session_id][0], tuple(matching_spans(each.text, text)), bool(chats[each.session_id][1])
        )
        for each in messages_from(connection, rows)
    ]
