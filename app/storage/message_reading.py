"""Messages read from ``chats.db``, each with its footnotes and its place in the tree of its chat."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.domain.errors import BadInputError
from app.domain.turns import StoredMessage
from app.storage.lenient_rows import read_rows
from app.storage.message_rows import CitationRow, MessageRow, citation_rows_of, message_from
from app.storage.message_tree import MessageTree, read_tree
from app.storage.rows import id_list


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a message stands: its parent, its siblings, and whether its own parent is gone."""

    parent_id: int | None
    siblings: tuple[int, ...]
    adrift: bool = False


def read_branch(
    connection: sqlite3.Connection, session_id: str, last: int | None = None, before: int | None = None
) -> list[StoredMessage]:
    """The branch on show of a chat, from its beginning; nothing for a chat that is gone.

    Of it at most the ``last`` messages, and only what stands before the message ``before``; nothing if that is not on
    the branch.
    """
    row = connection.execute("SELECT leaf_id FROM sessions WHERE id = ?", (session_id,)).fetchone()
    if row is None:
        return []
    tree = read_tree(connection, session_id)
    leaf = tree.leaf(row[0])
    path = [] if leaf is None else tree.path_to(leaf)
    if before is not None:
        path = path[: path.index(before)] if before in path else []
    return _read(connection, tree, path if last is None else path[max(0, len(path) - last) :])


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
    rows = read_rows(connection, "SELECT * FROM message_records WHERE id = ?", (message_id,))
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
    rows = read_rows(
        connection,
        "SELECT * FROM message_records WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id",
        (id_list(ids),),
    )
    return _messages(connection, rows, {ident: _place_in(tree, ident) for ident in ids})


def _messages(
    connection: sqlite3.Connection, rows: Sequence[MessageRow], places: Mapping[int, _Place]
) -> list[StoredMessage]:
    citations = citation_rows_of(connection, [row[0] for row in rows])
    return [_message(row, citations.get(row[0], ()), places[row[0]]) for row in rows]


def _message(row: MessageRow, citations: Sequence[CitationRow], place: _Place) -> StoredMessage:
    return message_from(row, citations, place.parent_id, place.siblings, adrift=place.adrift)


def _place_in(tree: MessageTree, message_id: int) -> _Place:
    return _Place(tree.parents[message_id], tree.siblings(message_id), message_id in tree.adrift)


def _place(connection: sqlite3.Connection, message_id: int, session_id: str, parent_id: int | None) -> _Place:
    if parent_id is None:
        # The plus keeps SQLite from looking through the beginnings of all chats.
        sql = "SELECT id FROM messages WHERE session_id = ?1 AND +parent_id IS NULL ORDER BY id"
        rows = connection.execute(sql, (session_id,)).fetchall()
    else:
        rows = connection.execute(_BESIDE, (session_id, parent_id, message_id)).fetchall()
    if not rows:  # its parent is gone
        return _place_in(read_tree(connection, session_id), message_id)
    return _Place(parent_id, tuple(row[0] for row in rows) if len(rows) > 1 else ())


_BESIDE = """
    SELECT id FROM messages WHERE parent_id = ?2 AND EXISTS (
        SELECT 1 FROM messages AS before WHERE before.id = ?2 AND before.id < ?3 AND before.session_id = ?1
    ) ORDER BY id
"""
