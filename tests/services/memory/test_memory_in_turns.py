"""Memory in a turn of the chat service: what the model is sent, what the user is told, what is kept of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from app.domain.session_choices import SessionChoices
from app.domain.turn_options import MemoryKind, TurnOptions
from app.domain.turns import MemoryUsed, StoredMessage, TurnFinished
from app.services.chat_service import ChatService
from app.services.memory.conversation_memory import MEMORY_KIND, WINDOW_TURNS, ConversationMemory
from app.services.turn_seams import Turn, TurnSeams
from app.storage.memory_store import MemoryStore
from tests.services.memory.conftest import SubjectEmbedder
from tests.services.scripted_chat import Room, last, open_room


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with open_room(tmp_path) as made:
        yield made


def with_memory(room: Room, **seams: Any) -> None:
    """Let the room's service remember."""
    database = room.sessions._database
    memory = ConversationMemory(
        MemoryStore(database),
        SubjectEmbedder,
        room.settings,
        lambda session_id: room.sessions.session(session_id).choices.memory,
    )
    room.service = ChatService(
        room.loop,
        lambda: room.retriever,
        room.sessions,
        lambda name: room.model,
        lambda passage, start, end: (),
        room.settings,
        seams=TurnSeams(remember=memory, **seams),
    )


def test_the_memory_of_the_session_is_used_told_and_kept(room: Room) -> None:
    with_memory(room)
    room.says("It was opened in 1887 [p1].")
    room.settings.set(WINDOW_TURNS, 1)
    for number in range(3):
        room.ask(f"Question {number}?", model="scripted")
    room.sessions.organise([room.session_id], choices=SessionChoices(memory=MemoryKind.WINDOW))
    events = room.ask("Question 3?", model="scripted")
    assert [each for each in events if isinstance(each, MemoryUsed)] == [MemoryUsed(2, 4)]
    earlier = [each.text for each in room.model.asked[-1][1:-1]]
    assert earlier == ["Question 2?", "It was opened in 1887."]
    details = room.sessions.turn_details(last(events, TurnFinished).id)
    assert details is not None
    assert (details.memory, details.used, details.dropped) == (MemoryKind.WINDOW, 2, 4)


def test_one_question_may_choose_another_memory(room: Room) -> None:
    with_memory(room)
    room.says("It was opened in 1887 [p1].")
    room.settings.set(MEMORY_KIND, MemoryKind.BUFFER)
    for number in range(3):
        room.ask(f"Question {number}?", model="scripted")
    room.settings.set(WINDOW_TURNS, 2)
    events = room.ask("Question 3?", model="scripted", options=TurnOptions(memory=MemoryKind.WINDOW))
    assert MemoryUsed(4, 2) in events
    assert MemoryUsed(8, 0) in room.ask("Question 4?", model="scripted")


def test_a_summary_is_told_and_kept_with_the_turn(room: Room) -> None:
    with_memory(room)
    long = "It was opened in 1887 [p1]. " * 40
    for number in range(4):
        room.says(long)
        room.ask(f"Question {number}?", model="scripted")
    room.says("Notes about the harbour.")
    events = room.ask("And then?", model="scripted", options=TurnOptions(memory=MemoryKind.SUMMARY))
    (used,) = [each for each in events if isinstance(each, MemoryUsed)]
    assert used.summary == "Notes about the harbour."
    assert used.dropped > 0
    details = room.sessions.turn_details(last(events, TurnFinished).id)
    assert details is not None
    assert details.summary == used.summary
    assert "Notes about the harbour." in details.prompt[1].text


def test_old_turns_are_searched_with_the_rewritten_question(room: Room) -> None:
    async def rewrite(turn: Turn, question: str, history: Sequence[StoredMessage]) -> str:
        return "What is the rent?" if question == "And how much is it?" else question

    with_memory(room, rewrite=rewrite)
    room.says("It is 900 a month [p1].")
    room.ask("What is the rent?", model="scripted")
    room.says("It goes on and on [p1]. " * 40)
    for number in range(4):
        room.ask(f"Chatter {number}?", model="scripted")
    room.ask("And how much is it?", model="scripted", options=TurnOptions(memory=MemoryKind.RETRIEVAL))
    assert room.model.asked[-1][1].text == "What is the rent?"
