"""Follow-up questions in a turn: completed by the model over HTTP, and by their words where that fails."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.domain.turns import QueryRewritten, TurnEvent, TurnFinished
from app.services.question_rewriting import QuestionRewriting
from app.services.turn_seams import TurnSeams
from tests.chat_models.stub_replies import Stall, chat_stream, json_reply
from tests.services.http_chat import HttpRoom, open_http_room


@pytest.fixture
def room(tmp_path: Path) -> Iterator[HttpRoom]:
    with open_http_room(tmp_path, TurnSeams(rewrite=QuestionRewriting(lambda: True, seconds=0.5).rewrite)) as room:
        yield room


def rewritten(events: list[TurnEvent]) -> list[str]:
    return [each.query for each in events if isinstance(each, QueryRewritten)]


def test_the_model_completes_a_follow_up_and_that_is_searched(room: HttpRoom) -> None:
    room.server.reply(chat_stream("Every hour [p2]."))
    room.server.reply(chat_stream("When does the ferry run on Sundays?"))
    room.server.reply(chat_stream("Hourly too [p2]."))
    room.ask("When does the ferry run?")

    events = room.ask("And on Sundays?")

    assert rewritten(events) == ["When does the ferry run on Sundays?"]
    assert room.retriever.asked[-1][0] == "When does the ferry run on Sundays?"
    asked = room.server.bodies[1]
    assert "When does the ferry run?" in str(asked["messages"])
    assert asked["temperature"] == 0
    assert isinstance(events[-1], TurnFinished)
    assert room.stored[-2].text == "And on Sundays?"


def test_a_question_that_stands_alone_costs_no_request(room: HttpRoom) -> None:
    room.server.reply(chat_stream("Every hour [p2]."))
    room.server.reply(chat_stream("In 1903 [p1]."))
    room.ask("When does the ferry run?")

    events = room.ask("In which year did a storm destroy the pier of the harbour?")

    assert rewritten(events) == []
    assert len(room.server.requests) == 2


@pytest.mark.parametrize("failure", ["refused", "silent", "chatty", "off topic", "an answer"])
def test_a_model_that_fails_leaves_it_to_the_words(room: HttpRoom, failure: str) -> None:
    room.server.reply(chat_stream("Every hour [p2]."))
    if failure == "refused":
        room.server.script(json_reply({"error": {"message": "no"}}, 400))
    elif failure == "silent":
        room.server.reply(Stall())
    elif failure == "chatty":
        room.server.reply(chat_stream("Sure!\nHere is the question:\nWhen?"))
    elif failure == "an answer":
        room.server.reply(chat_stream("The council pays for it [p2]."))
    else:
        room.server.reply(chat_stream("Photosynthesis turns light into sugar."))
    room.server.reply(chat_stream("By the council [p2]."))
    room.ask("When does the ferry run?")

    events = room.ask("Who pays for it?")

    assert rewritten(events) == ["Who pays for the ferry?"]
    assert isinstance(events[-1], TurnFinished)


def test_the_built_in_answerer_needs_no_model(room: HttpRoom) -> None:
    room.server.reply(chat_stream("Every hour [p2]."))
    room.ask("When does the ferry run?", model="extractive")
    requests = len(room.server.requests)
    events = room.ask("Who pays for it?", model="extractive")

    assert rewritten(events) == ["Who pays for the ferry?"]
    assert len(room.server.requests) == requests + 1  # the answer alone


def test_it_can_be_switched_off(tmp_path: Path) -> None:
    with open_http_room(tmp_path / "off", TurnSeams(rewrite=QuestionRewriting(lambda: False).rewrite)) as room:
        room.server.reply(chat_stream("Every hour [p2]."))
        room.ask("When does the ferry run?")
        assert rewritten(room.ask("Who pays for it?")) == []


def test_the_server_is_left_when_the_time_is_up(room: HttpRoom) -> None:
    room.server.reply(chat_stream("Every hour [p2]."))
    room.server.reply(Stall())
    room.server.reply(chat_stream("By the council [p2]."))
    room.ask("When does the ferry run?")

    room.ask("Who pays for it?")

    room.server.requests[1].wait_disconnected()
