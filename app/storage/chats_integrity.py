"""Checks that what ``chats.db`` says fits together, and the repairs that change no word of a user."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator

from app.domain.errors import StorageError
from app.domain.findings import Finding, FindingCode, counted
from app.domain.turns import MessageStatus
from app.storage.database import Database
from app.storage.memory_repair import repair_memory
from app.storage.message_search import search_text

RECOVERED_TITLE = "Recovered messages"
_PAGE = 1000


def inspect_chats(database: Database) -> Iterator[Finding]:
    """Every message, footnote and its search index."""
    altered, unknown = _altered_messages(database)
    if altered or not _fts_agrees(database):
        yield Finding(FindingCode.MESSAGES, "The search index of your chats does not match the messages.")
    if unknown:
        yield Finding(FindingCode.MESSAGES, f"{unknown} messages are in no state that exists.")
    with database.read() as connection:
        lost = connection.execute(f"SELECT count(*) FROM messages WHERE {_LOST_PARENT}").fetchone()[0]  # noqa: S608
        dangling = dangling_footnotes(connection)
        impossible = connection.execute(
            "SELECT count(*) FROM citations WHERE number < 1 OR start < 0 OR \"end\" < start OR quote = '' "
            "OR NOT json_valid(boxes)"
        ).fetchone()[0]
    if lost:
        yield Finding(FindingCode.MESSAGES, f"{counted(lost, 'message')} of your chats lost the message before it.")
    if dangling:
        count = sum(len(numbers) for _, numbers in dangling)
        message = f"{count} footnotes in {len(dangling)} answers point to nothing; the answers themselves are whole."
        yield Finding(FindingCode.CITATIONS, message)
    if impossible:
        message = f"{impossible} footnotes have no quote or an impossible place; the answers themselves are whole."
        yield Finding(FindingCode.CITATIONS, message)


def dangling_footnotes(connection: sqlite3.Connection) -> list[tuple[int, set[int]]]:
    """(message id, numbers of citations that its sentences name but that are not stored)."""
    found = []
    rows = connection.execute("SELECT id, sentences FROM messages WHERE sentences <> '' ORDER BY id").fetchall()
    for message_id, sentences in rows:
        named = _named(sentences)
        if named is None:
            found.append((message_id, {0}))
            continue
        stored = {
            row[0] for row in connection.execute("SELECT number FROM citations WHERE message_id = ?", (message_id,))
        }
        if named - stored:
            found.append((message_id, named - stored))
    return found


def repair_chats(database: Database) -> None:
    """Make again what is derived; texts are left alone. A message that lost its chat is shown in one of its own."""
    with database.write() as connection:
        _adopt_orphans(connection)
        connection.execute(f"UPDATE messages SET parent_id = ({_BEFORE}) WHERE {_LOST_PARENT}")  # noqa: S608  constants
        connection.execute("DELETE FROM citations WHERE message_id NOT IN (SELECT id FROM messages)")
        repair_memory(connection)
        for message_id, missing in dangling_footnotes(connection):
            _forget_numbers(connection, message_id, missing)
        connection.execute(
            "UPDATE messages SET status = 'interrupted' WHERE status NOT IN (SELECT value FROM json_each(?))",
            (json.dumps(list(MessageStatus)),),
        )
        rows = connection.execute("SELECT id, text FROM messages").fetchall()
        # First the index follows the search texts as they are; after that the triggers can change both together.
        connection.execute("INSERT INTO messages_fts (messages_fts) VALUES ('rebuild')")
        connection.executemany(_REINDEX, [(search_text(text), message_id) for message_id, text in rows])


_BEFORE = """
    SELECT max(before.id) FROM messages AS before
    WHERE before.session_id = messages.session_id AND before.id < messages.id
"""
# A parent is a message that was stored before, in the same chat.
_LOST_PARENT = """
    parent_id IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM messages AS before WHERE before.id = messages.parent_id AND before.id < messages.id
        AND before.session_id = messages.session_id
    )
"""
_REINDEX = "UPDATE messages SET search_text = ?1 WHERE id = ?2 AND search_text IS NOT ?1"


def _adopt_orphans(connection: sqlite3.Connection) -> None:
    orphans = "SELECT count(*) FROM messages WHERE session_id NOT IN (SELECT id FROM sessions)"
    if not connection.execute(orphans).fetchone()[0]:
        return
    connection.execute(
        "INSERT INTO sessions (id, title, created_at, updated_at, used) "
        "SELECT DISTINCT session_id, ?, 0, 0, (SELECT ifnull(max(used), 0) FROM sessions) "
        "+ dense_rank() OVER (ORDER BY session_id) FROM messages "
        "WHERE session_id NOT IN (SELECT id FROM sessions)",
        (RECOVERED_TITLE,),
    )


def _forget_numbers(connection: sqlite3.Connection, message_id: int, missing: set[int]) -> None:
    stored = connection.execute("SELECT sentences FROM messages WHERE id = ?", (message_id,)).fetchone()[0]
    kept = ""
    if _named(stored) is not None:
        sentences = [
            [text, start, end, [number for number in numbers if number not in missing], *judged]
            for text, start, end, numbers, *judged in json.loads(stored)
        ]
        kept = json.dumps(sentences, ensure_ascii=False)
    connection.execute("UPDATE messages SET sentences = ? WHERE id = ?", (kept, message_id))


def _named(sentences: str) -> set[int] | None:
    """Numbers of citations in a stored list of sentences; None where it can't be read."""
    try:
        return {int(number) for _, _, _, numbers, *_ in json.loads(sentences) for number in numbers}
    except (ValueError, TypeError):
        return None


def _altered_messages(database: Database) -> tuple[int, int]:
    """How many messages have a search text that is not theirs, and how many a status that does not exist."""
    altered = unknown = after = 0
    while True:
        with database.read() as connection:
            rows = connection.execute(
                "SELECT id, text, search_text, status FROM messages WHERE id > ? ORDER BY id LIMIT ?", (after, _PAGE)
            ).fetchall()
        altered += sum(search_text(text) != stored for _, text, stored, _ in rows)
        unknown += sum(status not in set(MessageStatus) for *_, status in rows)
        if len(rows) < _PAGE:
            return altered, unknown
        after = rows[-1][0]


def _fts_agrees(database: Database) -> bool:
    """FTS5's own check, which needs to write; what a reader can compare are the texts."""
    if database.read_only:
        return True
    try:
        with database.write() as connection:
            # rank 1 compares the index with the messages themselves (FTS5, "The 'integrity-check' Command").
            connection.execute("INSERT INTO messages_fts (messages_fts, rank) VALUES ('integrity-check', 1)")
    except StorageError as error:
        if getattr(error.__cause__, "sqlite_errorcode", None) != sqlite3.SQLITE_CORRUPT_VTAB:
            raise
        return False
    return True
