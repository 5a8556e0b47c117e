"""Messages read from ``chats.db``, each with its footnotes and its place in the tree of its chat."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence

from app.domain.errors import BadInputError
from app.domain.turns import StoredMessage
from app.storage.message_rows import MessageRow, citations_of, message_from
from app.storage.message_tree import MessageTree, read_tree
from app.storage.rows import id_list

Place = tuple[int | None, tuple[int, ...]]
"""The parent of a message and its siblings."""


def read_branch(connection: sqlite3.Connection, session_id: str) -> list[StoredMessage]:
    """The branch on show of a chat, from its beginning; nothing for a chat that is gone."""
    row = connection.execute("SELECT leaf_id FROM sessions WHERE id = ?", (session_id,)).fetchone()
    if row is None:
        return []
    tree = read_tree(connection, session_id)
    leaf = tree.leaf(row[0])
    return [] if leaf is None else _read(connection, tree, tree.path_to(leaf))


def read_path(connection: sqlite3.Connection, message_id: int) -> list[StoredMessage]:
    """The messages from the beginning of a chat to one of its messages. Raises ``BadInputError`` if that is gone."""
    tree = read_tree(connection, session_of(connection, message_id))
    return _read(connection, tree, tree.path_to(message_id))


def read_all(connection: sqlite3.Connection, session_id: str) -> list[StoredMessage]:
    """The messages of all branches of a chat, in the order they were stored."""
    tree = read_tree(connection, session_id)
    return _read(connection, tree, list(tree.parents))


def read_message(connection: sqlite3.Connection, message_id: int) -> StoredMessage:
    """One message. Raises ``BadInputError`` if it is gone."""
    rows = connection.execute("SELECT * FROM message_records WHERE id = ?", (message_id,)).fetchall()
    if not rows:
        raise gone("message")
    return messages_from(connection, rows)[0]


def messages_from(connection: sqlite3.Connection, rows: Sequence[MessageRow]) -> list[StoredMessage]:
    """Messages of any chats from rows of ``message_records``."""
    return _messages(connection, rows, {row[0]: _place(connection, row[0], row[1], row[-1]) for row in rows})


def session_of(connection: sqlite3.Connection, message_id: int) -> str:
    """The chat of a message. Raises ``BadInputError`` if the message is gone."""
    row = connection.execute("SELECT session_id FROM messages WHERE id = ?", (message_id,)).fetchone()
    if row is None:
        raise gone("message")
    return str(row[0])


def gone(what: str) -> BadInputError:
    """What a user is told about a chat or message that can't be found."""
    return BadInputError(f"This {what} no longer exists; it was deleted.")


def _read(connection: sqlite3.Connection, tree: MessageTree, ids: Sequence[int]) -> list[StoredMessage]:
    rows = connection.execute(
        "SELECT * FROM message_records WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id", (id_list(ids),)
    ).fetchall()
    return _messages(connection, rows, {ident: (tree.parents[ident], tree.siblings(ident)) for ident in ids})


def _messages(
    connection: sqlite3.Connection, rows: Sequence[MessageRow], places: Mapping[int, Place]
) -> list[StoredMessage]:
    citations = citations_of(connection, [row[0] for row in rows])
    return [message_from(row, citations.get(row[0], ()), *places[row[0]]) for row in rows]


def _place(connection: sqlite3.Connection, message_id: int, session_id: str, parent_id: int | None) -> Place:
    if parent_id is None:
        # The plus keeps SQLite from looking through the beginnings of all chats.
        rows = connection.execute(
            "SELECT id FROM messages WHERE session_id = ? AND +parent_id IS NULL ORDER BY id", (session_id,)
        ).fetchall()
    else:
        rows = connection.execute(
            "SELECT id FROM messages WHERE parent_id = ?1 AND EXISTS (SELECT 1 FROM messages AS before "
            "WHERE before.id = ?1 AND before.id < ?2 AND before.session_id = ?3) ORDER BY id",
            (parent_id, message_id, session_id),
        ).fetchall()
    if not rows:  # its parent is gone
        tree = read_tree(connection, session_id)
        return tree.parents[message_id], tree.siblings(message_id)
    return parent_id, tuple(row[0] for row in rows) if len(rows) > 1 else ()
