"""Stop strings: respected, included, and found however the text is cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.chat_models.loop_thread import LoopThread
from app.chat_models.stop_matcher import StopMatcher
from app.domain.messages import AIMessageChunk, ReasoningPart, TextPart, ToolCallPart
from tests.chat_models.models import says, scripted, stub_model
from tests.chat_models.stub_replies import Stall, chat_chunk, sse
from tests.chat_models.stub_server import StubServer


@pytest.mark.requirement("B29", "B30")
def test_a_server_that_ignores_stop_is_cut_off_after_the_match(stub: StubServer, loop: LoopThread) -> None:
    stub.reply(*(sse(chat_chunk(text)) for text in ("one EN", "D two", " three")), Stall())
    answer = stub_model(stub, loop).invoke("x", stop=["END"])
    assert answer.text == "one END"
    assert answer.finish == "stop"
    assert answer.response_metadata["stop_sequence"] == "END"
    assert answer.usage is not None
    assert answer.usage.estimated
    stub.requests[0].wait_disconnected()


@pytest.mark.requirement("B29")
def test_text_that_only_begins_like_a_stop_string_comes_through(loop: LoopThread) -> None:
    model = scripted(says("a E", "N", "x EN"), loop=loop)
    assert [chunk.text for chunk in model.stream("x", stop="END")] == ["a ", "ENx ", "EN"]


@pytest.mark.requirement("B30")
def test_the_first_complete_stop_string_wins(loop: LoopThread) -> None:
    model = scripted(says("abcdef"), loop=loop)
    assert model.invoke("x", stop=["ef", "cd", "bcde"]).text == "abcd"


_STOPS = st.lists(st.text(alphabet="ab", min_size=1, max_size=4), min_size=1, max_size=3)


@pytest.mark.requirement("B29", "B30")
@given(st.lists(st.text(alphabet="abc", max_size=6), max_size=8), _STOPS)
def test_however_the_text_is_cut_the_result_is_the_same(pieces: list[str], stops: list[str]) -> None:
    matcher = StopMatcher(stops)
    found = "".join(matcher.feed(piece) for piece in pieces) + matcher.flush()
    text = "".join(pieces)
    ends = [text.find(stop) + len(stop) for stop in stops if stop in text]
    assert found == (text[: min(ends)] if ends else text)
    assert (matcher.matched is not None) == bool(ends)


@pytest.mark.requirement("B29")
def test_nothing_is_held_back_without_need() -> None:
    matcher = StopMatcher(["END"])
    assert matcher.feed("hello") == "hello"
    assert matcher.feed(" E") == " "


@pytest.mark.requirement("B29")
def test_held_text_goes_out_before_what_follows_it(loop: LoopThread) -> None:
    chunks = (
        AIMessageChunk(parts=(ReasoningPart("END of thought", 0),)),
        AIMessageChunk(parts=(TextPart("so E", 1),)),
        AIMessageChunk(parts=(ToolCallPart("c", "f", "{}", 2),), finish="tool_calls"),
    )
    answer = scripted(chunks, loop=loop).invoke("x", stop=["END"])
    assert answer.parts == (ReasoningPart("END of thought"), TextPart("so E"), ToolCallPart("c", "f", "{}"))
    assert answer.finish == "tool_calls"


@pytest.mark.requirement("B29")
def test_every_face_respects_stop(loop: LoopThread) -> None:
    model = scripted(says("a", "STOP", "b"), loop=loop).bind(stop=["STOP"])
    assert model.invoke("x").text == "aSTOP"
    assert "".join(chunk.text for chunk in model.stream("x")) == "aSTOP"
    assert [getattr(each, "text", None) for each in model.batch(["x", "y"])] == ["aSTOP"] * 2
