"""A turn: events in order, every message stored, footnotes with exact quotes, errors in words."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.domain.chat_errors import RateLimitError
from app.domain.documents import Box
from app.domain.errors import BadInputError, StorageError
from app.domain.messages import AIMessageChunk
from app.domain.passages import Scope
from app.domain.turns import (
    CitationAdded,
    MessageStatus,
    PassagesFound,
    TurnEvent,
    TurnFailed,
    TurnFinished,
    TurnStarted,
)
from app.grounding.prompts import NOT_FOUND
from app.services.chat_service import CONTEXT_TOKENS
from tests.services.scripted_chat import DOCUMENT, Room, last, open_room, text_of


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with open_room(tmp_path) as room:
        yield room


def test_a_turn_yields_its_events_in_order_and_stores_what_it_showed(room: Room) -> None:
    room.says("The pier fell in 1903 [p", "1]. The ferry runs every hour", " [p2].")

    events = room.ask("  What happened? ")

    assert [type(event) for event in events[:2]] == [TurnStarted, PassagesFound]
    message = last(events, TurnFinished)
    assert text_of(events) == message.text == "The pier fell in 1903 [1]. The ferry runs every hour [2]."
    question, answer = room.stored
    assert (question.role, question.text, question.status) == ("user", "What happened?", MessageStatus.COMPLETE)
    assert answer == message
    assert answer.status is MessageStatus.COMPLETE
    assert answer.answered
    assert isinstance(events[0], TurnStarted)
    assert (events[0].question_id, events[0].answer_id) == (question.id, answer.id)


def test_footnotes_quote_the_document_exactly_and_have_rectangles(room: Room) -> None:
    room.says("The pier fell to a storm in 1903 [p1]. The ferry runs hourly [p2].")

    message = last(room.ask(), TurnFinished)

    assert [each.number for each in message.citations] == [1, 2]
    assert [each.quote for each in message.citations] == [
        "A storm destroyed the pier in 1903.",
        "The ferry runs every hour.",
    ]
    for each in message.citations:
        assert DOCUMENT[each.start : each.end] == each.quote
        assert each.boxes == (Box(each.start, 0.0, each.end, 1.0),)
    assert [each.page for each in message.citations] == [1, 2]
    assert [(each.text, each.citations) for each in message.sentences] == [
        ("The pier fell to a storm in 1903 [1].", (1,)),
        ("The ferry runs hourly [2].", (2,)),
    ]


def test_a_footnote_is_announced_before_its_number_appears(room: Room) -> None:
    room.says("Hourly [p2].")

    events = room.ask()

    announced = next(index for index, event in enumerate(events) if isinstance(event, CitationAdded))
    assert "[1]" not in text_of(events[:announced])
    assert "[1]" in text_of(events[announced:])


def test_unknown_passages_are_never_cited(room: Room) -> None:
    room.says("The pier fell [p8]. Hourly [p2].")

    message = last(room.ask(), TurnFinished)

    assert message.text == "The pier fell. Hourly [1]."
    assert len(message.citations) == 1


def test_plain_numbers_count_as_passages_for_models_that_write_them(room: Room) -> None:
    room.says("The ferry runs hourly [2].")

    message = last(room.ask(), TurnFinished)

    assert message.text == "The ferry runs hourly [1]."
    assert message.citations[0].quote == "The ferry runs every hour."


def test_the_question_is_stored_before_anything_is_searched(room: Room) -> None:
    room.retriever.gate.clear()
    room.says("Hourly [p2].")
    events = room.service.stream_answer(room.session_id, "When?")

    assert isinstance(next(events), TurnStarted)
    assert room.retriever.called.wait(10)
    assert [(each.role, each.text, each.status) for each in room.stored] == [
        ("user", "When?", MessageStatus.COMPLETE),
        ("assistant", "", MessageStatus.STREAMING),
    ]
    room.retriever.gate.set()
    assert isinstance(list(events)[-1], TurnFinished)


def test_earlier_turns_reach_the_model(room: Room) -> None:
    room.says("Hourly [p2].")
    room.ask("When does it run?")
    room.ask("And on Sundays?")

    texts = [message.text for message in room.model.asked[1]]
    assert texts[1:3] == ["When does it run?", "Hourly."]
    assert texts[3].endswith("Question: And on Sundays?")


def test_scope_budget_and_model_are_passed_on(room: Room) -> None:
    room.settings.set(CONTEXT_TOKENS, 1_000)
    room.says("Hourly [p2].")
    scope = Scope(document_ids=frozenset({7}))

    message = last(room.ask(scope=scope, model="acme:large"), TurnFinished)

    # More than the 750 tokens there is room for: what does not fit is shown as left out.
    assert room.retriever.asked == [("What happened?", 1_050, scope)]
    assert room.models_asked == ["acme:large"]
    assert message.model == "acme:large"


def test_the_built_in_model_answers_unless_another_is_chosen(room: Room) -> None:
    room.says("Hourly [p2].")

    assert last(room.ask(), TurnFinished).model == "extractive"


def test_timings_are_in_order(room: Room) -> None:
    room.says("Hourly [p2].")

    timings = last(room.ask(), TurnFinished).timings

    assert 0.0 <= timings["retrieved"] <= timings["first_text"] <= timings["finished"] < 60.0


@pytest.mark.parametrize(
    "script",
    [
        pytest.param([NOT_FOUND], id="in the words of the rules"),
        pytest.param([AIMessageChunk("No.", response_metadata={"answered": False})], id="as a fact"),
    ],
)
def test_an_answer_that_says_no_is_not_answered(room: Room, script: list[Any]) -> None:
    room.says(*script)

    assert not last(room.ask(), TurnFinished).answered
    assert not room.stored[-1].answered


def test_a_session_gets_its_title_from_the_first_question(room: Room) -> None:
    room.says("Hourly [p2].")
    room.ask("How often does the ferry run between the island and the mainland harbour in winter?")
    room.ask("And now?")

    title = room.sessions.session(room.session_id).title
    assert title == "How often does the ferry run between the island and the…"


def test_a_title_the_user_gave_stays(room: Room) -> None:
    room.sessions.rename(room.session_id, "Ferries")
    room.says("Hourly [p2].")
    room.ask()

    assert room.sessions.session(room.session_id).title == "Ferries"


def test_an_error_of_the_model_ends_the_turn_in_words_and_keeps_what_came(room: Room) -> None:
    room.says("The pier fell in 1903 [p1]. And", RateLimitError("Too many questions. Wait a minute."))

    message = last(room.ask(), TurnFailed)

    assert message.status is MessageStatus.FAILED
    assert message.error == "Too many questions. Wait a minute."
    assert message.text == "The pier fell in 1903 [1]. And"
    assert len(message.citations) == 1
    assert room.stored[-1] == message


def test_an_error_of_the_search_ends_the_turn_in_words(room: Room) -> None:
    room.retriever.failure = StorageError("The library is damaged. Run footnote doctor.")

    message = last(room.ask(), TurnFailed)

    assert message.error == "The library is damaged. Run footnote doctor."
    assert room.stored[0].text == "What happened?"


def test_an_empty_answer_is_a_failure(room: Room) -> None:
    room.says("  ")

    assert "empty answer" in last(room.ask(), TurnFailed).error


def test_a_bug_is_stored_as_failed_and_raised(room: Room) -> None:
    room.says("Some [p1]. ", ZeroDivisionError("ours"))

    with pytest.raises(ZeroDivisionError):
        room.ask()
    assert room.stored[-1].status is MessageStatus.FAILED
    assert room.stored[-1].text == "Some [1]. "
    assert not room.service.busy(room.session_id)


@pytest.mark.parametrize("question", ["", "   \n "])
def test_an_empty_question_is_refused_and_nothing_stored(room: Room, question: str) -> None:
    with pytest.raises(BadInputError, match="empty"):
        room.ask(question)
    assert room.stored == []


def test_a_question_in_a_deleted_session_is_refused(room: Room) -> None:
    room.sessions.delete(room.session_id)

    with pytest.raises(BadInputError, match="deleted"):
        room.ask()
    assert not room.service.busy(room.session_id)


def test_no_passages_still_give_an_answer(room: Room) -> None:
    room.retriever.passages = []
    room.says(NOT_FOUND)

    events = room.ask()

    assert events[1] == PassagesFound(())
    assert not last(events, TurnFinished).answered


def test_the_service_answers_in_any_event_loop(room: Room) -> None:
    room.says("Hourly [p2].")

    async def collect() -> list[TurnEvent]:
        return [event async for event in room.service.answer(room.session_id, "When?")]

    last(asyncio.run(collect()), TurnFinished)
    last(asyncio.run(collect()), TurnFinished)


def test_sessions_answer_side_by_side(room: Room) -> None:
    other = room.sessions.create().id
    room.says("Hourly [p2].")
    first = room.service.stream_answer(room.session_id, "When?")
    next(first)

    assert isinstance(list(room.service.stream_answer(other, "When?"))[-1], TurnFinished)
    assert isinstance(list(first)[-1], TurnFinished)
