"""Pins, archive, trash, folders, tags and choices of chats."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from app.domain.document_types import DocumentType
from app.domain.passages import Period, Scope
from app.domain.session_choices import SessionChoices
from app.domain.turn_options import MemoryKind, Strictness
from app.storage.database import Database
from app.storage.session_store import SessionStore

CHOICES = SessionChoices(
    model="ollama:llama",
    strictness=Strictness.OPEN,
    memory=MemoryKind.SUMMARY,
    persona="Lawyer",
    scope=Scope(
        document_ids=frozenset({3, 1}),
        folders=(Path("/größe"), Path(os.fsdecode(b"/caf\xe9"))),
        media_types=frozenset({"text/plain"}),
        types=frozenset({DocumentType.PDF, DocumentType.MAIL}),
        collections=frozenset({7}),
        modified=Period(since=1.5),
        added=Period(until=2.5),
    ),
)


def test_each_part_changes_alone_and_is_kept(sessions: SessionStore) -> None:
    chat, other = sessions.create("a"), sessions.create("b")
    sessions.organise([chat.id], pinned=True)
    sessions.organise([chat.id], folder="Work / Größe")
    sessions.organise([chat.id], tags=["to do", 'it\'s "b"'])
    sessions.organise([chat.id], archived=True, choices=CHOICES)
    kept = sessions.session(chat.id)
    assert (kept.pinned, kept.archived, kept.folder) == (True, True, "Work / Größe")
    assert kept.tags == ("to do", 'it\'s "b"')
    assert kept.choices == CHOICES
    sessions.organise([chat.id], pinned=False, archived=False, folder="", tags=[], choices=SessionChoices())
    assert sessions.session(chat.id) == chat
    assert sessions.session(other.id) == other


def test_several_chats_change_together_and_gone_ones_are_left_out(sessions: SessionStore) -> None:
    chats = [sessions.create(name).id for name in "abc"]
    sessions.organise([*chats[:2], "gone"], folder="Work")
    assert [each.folder for each in sessions.sessions()] == ["", "Work", "Work"]


def test_a_chat_in_the_trash_is_neither_listed_nor_found(sessions: SessionStore) -> None:
    chat = sessions.create("Pumps")
    sessions.add_message(chat.id, "user", "Which pump leaks?")
    before = time.time()
    sessions.trash([chat.id])
    assert sessions.sessions() == []
    assert sessions.search("pump") == []
    [binned] = sessions.sessions(trash=True)
    assert binned.deleted_at is not None
    assert before <= binned.deleted_at <= time.time()
    sessions.restore([chat.id])
    assert [each.id for each in sessions.sessions()] == [chat.id]
    assert sessions.sessions(trash=True) == []
    assert [hit.message.text for hit in sessions.search("pump")] == ["Which pump leaks?"]


def test_the_trash_forgets_what_is_old_enough(sessions: SessionStore, chats: Database) -> None:
    old, young, kept = (sessions.create(name).id for name in ("old", "young", "kept"))
    sessions.trash([old, young])
    sessions.trash([old])
    with chats.write() as connection:
        connection.execute("UPDATE sessions SET deleted_at = 1000 WHERE id = ?", (old,))
    assert sessions.empty_trash(before=2000) == 1
    assert [each.id for each in sessions.sessions(trash=True)] == [young]
    assert [each.id for each in sessions.sessions()] == [kept]


def test_a_hit_says_that_its_chat_is_archived(sessions: SessionStore) -> None:
    chat = sessions.create("Pumps")
    sessions.add_message(chat.id, "user", "Which pump leaks?")
    assert [hit.archived for hit in sessions.search("pump")] == [False]
    sessions.organise([chat.id], archived=True)
    assert [hit.archived for hit in sessions.search("pump")] == [True]


@pytest.mark.parametrize("column", ["tags", "choices"])
@pytest.mark.parametrize("value", ["{", "5", "[1, {}]", '{"scope": [3], "memory": "of an elephant"}', b"\xff", "null"])
def test_a_column_that_cant_be_read_costs_only_itself(
    sessions: SessionStore, chats: Database, column: str, value: object
) -> None:
    chat = sessions.create("Pumps")
    with chats.write() as connection:
        connection.execute(f"UPDATE sessions SET {column} = ?, pinned = 1", (value,))
    [record] = sessions.sessions()
    assert (record.id, record.title, record.pinned) == (chat.id, "Pumps", True)
    assert (record.tags, record.choices) == ((), SessionChoices())
