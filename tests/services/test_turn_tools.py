"""Tools that a model calls in a turn: approved, run, told, and cited."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from app.chat_models.profiles import Capabilities, ModelProfile
from app.chat_models.tools import Tool, as_tool
from app.domain.messages import AIMessageChunk, ToolCallPart
from app.domain.turn_options import TurnOptions
from app.domain.turns import NoteAdded, ToolCalled, ToolReturned, TurnFinished
from app.services.turn_seams import Turn, TurnSeams
from app.services.turn_tools import NO_TOOLS, REFUSED, TOOL_ROUNDS
from tests.services.scripted_chat import PASSAGES, Room, last, open_room

ALLOWED = TurnOptions(tools=True)


def call(name: str, arguments: str = "{}") -> AIMessageChunk:
    return AIMessageChunk(parts=(ToolCallPart(f"call-{name}", name, arguments, index=0),), finish="tool_calls")


class Tools:
    """Two tools, one of which needs approval; ``approved`` says what the user answers."""

    def __init__(self) -> None:
        self.approved = True
        self.asked: list[str] = []
        self.ran: list[str] = []

    def tools(self, turn: Turn) -> Sequence[Tool]:
        def search_documents(query: str) -> str:
            self.ran.append(query)
            turn.note("I looked further.")
            (passage_id,) = turn.give([PASSAGES[1]])
            return f"[{passage_id}] {PASSAGES[1].text}"

        def delete_everything() -> str:
            raise RuntimeError("the disk is on fire")

        return [as_tool(search_documents), as_tool(delete_everything)]

    async def approve(self, turn: Turn, call: ToolCalled) -> bool:
        self.asked.append(call.name)
        return self.approved

    def seams(self) -> TurnSeams:
        return TurnSeams(
            tools=self.tools, approve=self.approve, needs_approval=lambda name: name == "delete_everything"
        )


@pytest.fixture
def tools() -> Tools:
    return Tools()


@pytest.fixture
def room(tmp_path: Path, tools: Tools) -> Iterator[Room]:
    with open_room(tmp_path, seams=tools.seams()) as room:
        room.model.profile = ModelProfile("m", "p", capabilities=Capabilities(tool_call=True))
        room.retriever.passages = PASSAGES[:1]
        yield room


def test_a_tool_runs_and_what_it_found_can_be_cited(room: Room, tools: Tools) -> None:
    room.model.first = [["Let me see.", call("search_documents", '{"query": "ferry"}')]]
    room.says("The ferry runs every hour [p2].")

    events = room.ask(options=ALLOWED)

    message = last(events, TurnFinished)
    assert tools.ran == ["ferry"]
    assert message.text == "Let me see.\n\nThe ferry runs every hour [1]."
    assert message.citations[0].quote == "The ferry runs every hour."
    kinds = [type(each) for each in events if isinstance(each, ToolCalled | ToolReturned | NoteAdded)]
    assert kinds == [ToolCalled, NoteAdded, ToolReturned]
    assert [each.role for each in room.model.asked[1]][-2:] == ["assistant", "tool"]
    details = room.sessions.turn_details(message.id)
    assert details is not None
    assert [(each.name, each.arguments, each.failed) for each in details.tools] == [
        ("search_documents", '{"query": "ferry"}', False)
    ]
    assert details.notes == ("I looked further.",)
    assert [each.id for each in details.passages] == ["p1", "p2"]


@pytest.mark.parametrize("approved", [True, False])
def test_the_user_is_asked_first_where_that_is_needed(room: Room, tools: Tools, *, approved: bool) -> None:
    tools.approved = approved
    room.model.first = [[call("delete_everything")]]
    room.says("I could not [p1].")
    events = room.ask(options=ALLOWED)
    (asked,) = [each for each in events if isinstance(each, ToolCalled)]
    (answer,) = [each for each in events if isinstance(each, ToolReturned)]
    assert asked.needs_approval
    assert tools.asked == ["delete_everything"]
    assert answer.failed
    assert answer.text == ("RuntimeError: the disk is on fire" if approved else REFUSED)
    last(events, TurnFinished)


@pytest.mark.parametrize("strange", [call("no_such_tool"), call("search_documents", '{"query": '), call("", "{}")])
def test_a_call_that_makes_no_sense_is_answered_with_an_error(room: Room, strange: AIMessageChunk) -> None:
    room.model.first = [[strange]]
    room.says("Well, the pier fell in 1903 [p1].")
    events = room.ask(options=ALLOWED)
    assert [each.failed for each in events if isinstance(each, ToolReturned)] == [True]
    last(events, TurnFinished)


def test_a_model_that_only_calls_tools_is_asked_for_words_in_the_end(room: Room) -> None:
    room.model.first = [[call("search_documents", '{"query": "x"}')] for _ in range(TOOL_ROUNDS)]
    room.says("The pier fell in 1903 [p1].")
    message = last(room.ask(options=ALLOWED), TurnFinished)
    assert message.text == "The pier fell in 1903 [1]."
    assert len(room.model.asked) == TOOL_ROUNDS + 1
    assert [each.tool_choice for each in room.model.calls][-2:] == [None, "none"]


def test_no_tools_are_offered_unless_asked_for_and_understood(room: Room) -> None:
    room.says("The pier fell in 1903 [p1].")
    without = room.ask()
    room.model.profile = ModelProfile("m", "p", capabilities=Capabilities(tool_call=False))
    unable = room.ask(options=ALLOWED, model="lmstudio:tiny")
    room.model.profile = None
    unknown = room.ask(options=ALLOWED, model="lmstudio:tiny")
    built_in = room.ask(options=ALLOWED, model="extractive")
    assert not any(each.tools for each in room.model.calls)
    told = [[each.text for each in events if isinstance(each, NoteAdded)] for events in (unable, unknown)]
    assert told == [[NO_TOOLS.format(model="lmstudio:tiny")]] * 2
    assert not any(isinstance(each, NoteAdded) for each in (*without, *built_in))
