"""Messages written to ``chats.db``. Every function is called inside of a transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from app.domain.citations import Citation
from app.domain.errors import BadInputError
from app.domain.turn_details import TurnDetails
from app.domain.turns import ROOT
from app.storage.message_reading import gone
from app.storage.message_rows import citation_rows
from app.storage.turn_details_json import details_to_json


def use_session(connection: sqlite3.Connection, session_id: str, now: float) -> None:
    """Make a chat the one used last. Raises ``BadInputError`` if it is gone."""
    changed = connection.execute(
        "UPDATE sessions SET updated_at = ?, used = (SELECT max(used) + 1 FROM sessions) WHERE id = ?",
        (now, session_id),
    )
    if not changed.rowcount:
        raise gone("chat")


def parent_for(connection: sqlite3.Connection, session_id: str, wanted: int | None) -> int | None:
    """The message that a new one follows: ``wanted``, nothing for ``ROOT``, the end of the branch on show for None.

    Raises ``BadInputError`` if ``wanted`` is not a message of the chat.
    """
    if wanted == ROOT:
        return None
    if wanted is None:
        row = connection.execute(_LEAF, (session_id,)).fetchone()
        return None if row is None else row[0]
    if not connection.execute(
        "SELECT 1 FROM messages WHERE id = ? AND session_id = ?", (wanted, session_id)
    ).fetchone():
        raise BadInputError("The message to go on from no longer exists; open the chat again.")
    return wanted


_LEAF = """
    SELECT coalesce(
        (SELECT id FROM messages WHERE id = sessions.leaf_id AND session_id = sessions.id),
        (SELECT max(id) FROM messages WHERE session_id = sessions.id)
    ) FROM sessions WHERE id = ?
"""


def show_leaf(connection: sqlite3.Connection, session_id: str, leaf_id: int) -> None:
    """Put the branch that ends with a message on show."""
    connection.execute("UPDATE sessions SET leaf_id = ? WHERE id = ?", (leaf_id, session_id))


def store_citations(connection: sqlite3.Connection, message_id: int, citations: Sequence[Citation]) -> None:
    """Add footnotes to a message."""
    connection.executemany(
        "INSERT INTO citations VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", citation_rows(message_id, citations)
    )


def replace_citations(connection: sqlite3.Connection, message_id: int, citations: Sequence[Citation]) -> None:
    """Give a message other footnotes."""
    connection.execute("DELETE FROM citations WHERE message_id = ?", (message_id,))
    store_citations(connection, message_id, citations)


def store_details(connection: sqlite3.Connection, message_id: int, details: TurnDetails) -> None:
    """Keep how an answer came about, in place of what was kept before."""
    connection.execute(
        "INSERT OR REPLACE INTO turn_details (message_id, details) VALUES (?, ?)",
        (message_id, details_to_json(details)),
    )
