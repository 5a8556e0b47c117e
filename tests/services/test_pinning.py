"""Pinned files: whole in the prompt where they fit, their best passages and a note where they don't."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.chat_models.token_estimate import estimate_tokens
from app.domain.turn_options import TurnOptions
from app.domain.turns import NoteAdded, PassagesFound, TurnEvent, TurnFinished
from app.services.chat_service import CONTEXT_TOKENS
from app.services.library_passages import LibraryPassages
from app.services.pinning import Pinning
from app.services.turn_seams import TurnSeams
from app.storage.session_store import open_chats
from app.storage.settings_store import SettingsStore
from tests.chat_models.stub_replies import chat_stream
from tests.services.http_chat import HttpRoom, open_http_room
from tests.services.small_shelf import Shelf, open_shelf

LEASE = [f"Clause {number} of the lease is about matter {number}." for number in range(1, 13)]


@dataclass
class World:
    room: HttpRoom
    shelf: Shelf

    def ask(self, *pinned: int, question: str = "What does clause 7 say?") -> list[TurnEvent]:
        return self.room.ask(question, options=TurnOptions(pinned=pinned))

    @property
    def prompt(self) -> str:
        return str(self.room.server.bodies[-1]["messages"])


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with contextlib.ExitStack() as stack:
        database = stack.enter_context(contextlib.closing(open_chats(tmp_path / "settings.db")))
        shelf = stack.enter_context(open_shelf(tmp_path / "library", SettingsStore(database)))
        pinning = Pinning(LibraryPassages(shelf.library.store, lambda: shelf.retriever))
        room = stack.enter_context(open_http_room(tmp_path / "chats", TurnSeams(pin=pinning.pin)))
        room.server.reply(chat_stream("Matter 7 [p1]."))
        yield World(room, shelf)


def notes(events: list[TurnEvent]) -> list[str]:
    return [each.text for each in events if isinstance(each, NoteAdded)]


def test_a_file_that_fits_is_sent_whole_and_can_be_cited(world: World) -> None:
    document = world.shelf.library.put("lease.txt", LEASE)

    events = world.ask(document)

    assert all(clause in world.prompt for clause in LEASE)
    assert notes(events) == []
    assert isinstance(events[-1], TurnFinished)
    (citation,) = events[-1].message.citations
    text = world.shelf.library.store.document_text(document)
    assert text[citation.start : citation.end] == citation.quote
    assert citation.document_id == document


def test_what_does_not_fit_is_told_and_its_best_passages_are_used(world: World) -> None:
    world.room.settings.set(CONTEXT_TOKENS, 300)
    document = world.shelf.library.put("lease.txt", [f"{clause} {'And so on. ' * 20}" for clause in LEASE])

    events = world.ask(document)

    (note,) = notes(events)
    assert "lease.txt" in note
    assert "too long" in note
    found = next(each.passages for each in events if isinstance(each, PassagesFound))
    assert found[0].document_id == document
    assert "Clause 7 " in found[0].text
    assert sum(estimate_tokens(each.text) for each in found) <= 300


def test_several_files_share_the_room(world: World) -> None:
    world.room.settings.set(CONTEXT_TOKENS, 600)
    small = world.shelf.library.put("small.txt", ["Dogs are welcome."])
    large = world.shelf.library.put("large.txt", [f"{clause} {'And so on. ' * 30}" for clause in LEASE])

    events = world.ask(small, large, small)

    assert "Dogs are welcome." in world.prompt
    assert len(notes(events)) == 1
    assert "large.txt" in notes(events)[0]


def test_a_file_without_text_is_left_out_with_a_note(world: World) -> None:
    document = world.shelf.library.put("empty.txt", [])
    assert "no text" in notes(world.ask(document))[0]
    assert len(notes(world.ask(9_999))) == 1
