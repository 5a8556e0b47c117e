"""Stopping a turn at any moment, and one turn at a time in a session."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.domain.cancellation import CancelToken
from app.domain.turns import (
    MessageStatus,
    PassagesFound,
    TextAdded,
    TurnEvent,
    TurnFinished,
    TurnStarted,
    TurnStopped,
)
from app.services.chat_service import BusyError
from tests.services.scripted_chat import Room, last, open_room, text_of

QUICK_SECONDS = 0.5  # generous for a busy machine: the work takes a few milliseconds


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with open_room(tmp_path) as room:
        yield room


def read_until(events: Iterator[TurnEvent], kind: type[TurnEvent]) -> list[TurnEvent]:
    seen = []
    for event in events:
        seen.append(event)
        if isinstance(event, kind):
            return seen
    raise AssertionError(f"no {kind.__name__} in {seen}")


def test_stopping_while_the_answer_streams_keeps_the_part_that_came(room: Room) -> None:
    room.says("The pier fell in 1903 [p1]. And then [", asyncio.Event())
    token = CancelToken()
    events = room.start(cancel=token)
    seen = read_until(events, TextAdded)

    began = time.monotonic()
    token.cancel()
    seen += list(events)

    assert time.monotonic() - began < QUICK_SECONDS
    message = last(seen, TurnStopped)
    assert message.status is MessageStatus.STOPPED
    assert message.text == "The pier fell in 1903 [1]. And then ["
    assert message.citations[0].quote
    assert room.stored[-1] == message
    assert room.model.closed.wait(10)


def test_stopping_before_the_first_token(room: Room) -> None:
    room.says(asyncio.Event())
    token = CancelToken()
    events = room.start(cancel=token)
    seen = read_until(events, PassagesFound)

    began = time.monotonic()
    token.cancel()
    message = last(seen + list(events), TurnStopped)

    assert time.monotonic() - began < QUICK_SECONDS
    assert message.text == ""
    assert [each.status for each in room.stored] == [MessageStatus.COMPLETE, MessageStatus.STOPPED]


def test_stopping_during_the_search_does_not_wait_for_it(room: Room) -> None:
    room.retriever.gate.clear()
    token = CancelToken()
    events = room.start(cancel=token)
    seen = read_until(events, TurnStarted)
    assert room.retriever.called.wait(10)

    began = time.monotonic()
    token.cancel()
    last(seen + list(events), TurnStopped)

    assert time.monotonic() - began < QUICK_SECONDS
    assert not room.model.asked


def test_a_turn_that_is_cancelled_before_it_begins_stores_the_question(room: Room) -> None:
    token = CancelToken()
    token.cancel()

    events = room.ask("When?", cancel=token)

    last(events, TurnStopped)
    assert room.stored[0].text == "When?"
    assert not room.model.asked


def test_closing_the_iterator_stops_the_turn_and_stores_it(room: Room) -> None:
    room.says("The pier fell [p1].", asyncio.Event())
    events = room.start()
    read_until(events, TextAdded)

    events.close()  # type: ignore[attr-defined]  # iterators of the loop thread are generators

    assert room.model.closed.is_set()
    assert room.stored[-1].status is MessageStatus.STOPPED
    assert room.stored[-1].text == "The pier fell [1]."
    assert not room.service.busy(room.session_id)


def test_an_iterator_that_is_never_read_leaves_nothing(room: Room) -> None:
    room.start().close()  # type: ignore[attr-defined]  # iterators of the loop thread are generators

    assert room.stored == []
    assert not room.service.busy(room.session_id)


def test_cancelling_the_task_of_an_asynchronous_reader_stores_the_turn(room: Room) -> None:
    room.says("The pier fell [p1].", asyncio.Event())

    async def read_and_stop() -> None:
        shown = asyncio.Event()

        async def read() -> None:
            async for event in room.service.answer(room.session_id, "When?"):
                if isinstance(event, TextAdded):
                    shown.set()

        task = asyncio.create_task(read())
        await asyncio.wait_for(shown.wait(), 10)
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(read_and_stop())

    assert room.stored[-1].status is MessageStatus.STOPPED
    assert not room.service.busy(room.session_id)


def test_a_second_question_in_a_busy_session_is_refused(room: Room) -> None:
    room.says("Hourly [p2].", asyncio.Event())
    events = room.start()
    read_until(events, TextAdded)

    with pytest.raises(BusyError, match="still answering"):
        room.ask("And now?")

    assert len(room.stored) == 2
    events.close()  # type: ignore[attr-defined]  # iterators of the loop thread are generators


def test_a_replacing_question_stops_the_running_turn_first(room: Room) -> None:
    room.says("Hourly [p2].", asyncio.Event())
    first = room.start("When?")
    seen = read_until(first, TextAdded)
    room.says("Daily [p2].")

    second = room.ask("And now?", replace=True)

    last(seen + list(first), TurnStopped)
    last(second, TurnFinished)
    assert [(each.text, each.status) for each in room.stored] == [
        ("When?", MessageStatus.COMPLETE),
        ("Hourly [1].", MessageStatus.STOPPED),
        ("And now?", MessageStatus.COMPLETE),
        ("Daily [1].", MessageStatus.COMPLETE),
    ]


def test_a_replacing_question_need_not_wait_for_the_reader_of_the_first(room: Room) -> None:
    room.says("Hourly [p2].", asyncio.Event())
    first = room.start("When?")
    read_until(first, TextAdded)
    room.says("Daily [p2].")

    last(room.ask("And now?", replace=True), TurnFinished)
    first.close()  # type: ignore[attr-defined]  # iterators of the loop thread are generators


def test_many_questions_at_once_leave_one_answer_each(room: Room) -> None:
    room.says("Hourly [p2].")
    turns: list[list[TurnEvent]] = []

    def ask(number: int) -> None:
        turns.append(room.ask(f"Question {number}?", replace=True))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert len(turns) == 6
    assert len(room.stored) == 12
    assert {each.status for each in room.stored} <= {MessageStatus.COMPLETE, MessageStatus.STOPPED}
    assert [each.role for each in room.stored] == ["user", "assistant"] * 6
    assert not room.service.busy(room.session_id)


def test_closing_the_loop_stores_what_was_running(room: Room) -> None:
    room.says("Hourly [p2].", asyncio.Event())
    events = room.start()
    read_until(events, TextAdded)

    room.loop.close()

    assert room.stored[-1].status is MessageStatus.STOPPED
    assert room.stored[-1].text == "Hourly [1]."


def test_a_long_answer_is_stored_while_it_streams(tmp_path: Path) -> None:
    with open_room(tmp_path, checkpoint_seconds=0.0) as room:
        room.says("Hourly [p2]. ", "And then", asyncio.Event())
        events = room.start()
        shown = ""
        while "And" not in shown:  # the model is asked for more only after what it sent is stored
            shown += text_of([next(events)])

        answer = room.stored[-1]
        assert answer.status is MessageStatus.STREAMING
        assert answer.text.startswith("Hourly [1].")
        events.close()  # type: ignore[attr-defined]  # iterators of the loop thread are generators


def test_what_was_shown_is_stored_though_nothing_more_comes(tmp_path: Path) -> None:
    with open_room(tmp_path, checkpoint_seconds=0.2) as room:
        room.says("Hourly [p2].", asyncio.Event())
        events = room.start()
        read_until(events, TextAdded)

        while room.stored[-1].text != "Hourly [1].":
            pass  # the test's time limit ends this

        assert room.stored[-1].status is MessageStatus.STREAMING
        events.close()  # type: ignore[attr-defined]  # iterators of the loop thread are generators
