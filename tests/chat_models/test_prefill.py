"""The beginning of an answer, given by the caller."""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.chat_models.call import Call, PrefillStyle
from app.chat_models.loop_thread import LoopThread
from app.chat_models.model import ChatModel
from app.chat_models.prefill import EchoFilter
from app.domain.chat_errors import ChatInputError, ServerError, UnsupportedFeatureError
from app.domain.messages import AIMessage, AIMessageChunk, HumanMessage, Message, SystemMessage
from tests.chat_models.models import ScriptedModel, says, scripted, stub_model
from tests.chat_models.stub_replies import chat_stream
from tests.chat_models.stub_server import StubServer

BEGIN = "Let's think step by step:"


class Native(ScriptedModel):
    """Continues a trailing assistant message."""

    style: PrefillStyle = PrefillStyle.NATIVE
    """What it does with it."""

    def prefill_style(self, call: Call) -> PrefillStyle:
        return self.style


@pytest.mark.requirement("E1", "E3")
@pytest.mark.parametrize(
    ("style", "texts"),
    [
        (PrefillStyle.NATIVE, ["\nFirst, ", "90."]),
        (PrefillStyle.ECHO, ["Let's think", " step by step:\nFirst, ", "90."]),
        (PrefillStyle.ECHO, ["\nFirst, ", "90."]),
        (PrefillStyle.EMULATED, [*BEGIN, "\nFirst, ", "90."]),
        (PrefillStyle.EMULATED, ["\nFirst, 90."]),
        (PrefillStyle.EMULATED, ["\n\n", BEGIN, "\nFirst, 90."]),
    ],
)
def test_the_beginning_is_there_exactly_once(style: PrefillStyle, texts: list[str], loop: LoopThread) -> None:
    model = Native(scripts=(says(*texts),), style=style, loop=loop)
    expected = BEGIN + "\nFirst, 90."
    assert model.invoke("What is 30 * 3?", prefilling=BEGIN).text == expected
    chunks = list(model.stream("What is 30 * 3?", prefilling=BEGIN))
    assert chunks[0].text == BEGIN
    assert "".join(chunk.text for chunk in chunks) == expected


@pytest.mark.requirement("E3")
def test_a_native_model_gets_a_trailing_message_and_others_words(loop: LoopThread) -> None:
    native = Native(scripts=(says("x"),), loop=loop)
    native.invoke("q", prefilling=BEGIN)
    messages, call = native.calls[0]
    assert messages == [HumanMessage("q"), AIMessage(BEGIN, additional_kwargs={"prefill": True})]
    assert call.prefilling == ""
    emulated = scripted(says("x"), loop=loop)
    for prompt in ("q", [SystemMessage("s"), HumanMessage("q")], [HumanMessage("q"), AIMessage("a")]):
        emulated.invoke(prompt, prefilling=BEGIN)
    for messages, _ in emulated.calls:
        assert not any(message.additional_kwargs for message in messages)
        assert sum(BEGIN in message.text for message in messages) == 1
    assert [len(messages) for messages, _ in emulated.calls] == [1, 2, 3]


@pytest.mark.requirement("E3")
def test_a_strict_model_refuses_what_it_cannot_do(loop: LoopThread) -> None:
    model = scripted(says("x"), loop=loop, strict_prefill=True, model="m")
    with pytest.raises(UnsupportedFeatureError, match="m can't continue"):
        model.invoke("q", prefilling=BEGIN)
    assert model.calls == []
    assert Native(scripts=(says("x"),), loop=loop, strict_prefill=True).invoke("q", prefilling="a").text == "ax"


@pytest.mark.requirement("E3")
def test_no_provider_without_prefill_is_sent_a_trailing_answer(stub: StubServer, loop: LoopThread) -> None:
    stub.reply(chat_stream("fine"))
    assert stub_model(stub, loop).invoke("q", prefilling=BEGIN).text == BEGIN + "fine"
    assert [each["role"] for each in stub.bodies[0]["messages"]] == ["user"]


@pytest.mark.requirement("E2")
@pytest.mark.parametrize(
    ("style", "answer"),
    [
        (PrefillStyle.NATIVE, '"colors": ["red"]}'),
        (PrefillStyle.ECHO, '{"colors": ["red"]}'),
        (PrefillStyle.EMULATED, '{"colors": ["red"]}'),
        (PrefillStyle.EMULATED, '"colors": ["red"]}'),
    ],
)
def test_a_brace_gives_json(style: PrefillStyle, answer: str, loop: LoopThread) -> None:
    model = Native(scripts=(says(*answer),), style=style, loop=loop)
    assert json.loads(model.invoke("List a color", prefilling="{").text) == {"colors": ["red"]}


@pytest.mark.requirement("E1")
def test_an_error_before_the_answer_comes_without_a_beginning(loop: LoopThread) -> None:
    model = scripted((ServerError("x", status=500),), loop=loop)
    seen: list[AIMessageChunk] = []
    with pytest.raises(ServerError):
        seen.extend(model.stream("q", prefilling=BEGIN))
    assert seen == []


@pytest.mark.requirement("E1")
def test_prefill_and_stop_work_together(loop: LoopThread) -> None:
    model = Native(scripts=(says("a, b; c"),), loop=loop)
    assert model.invoke("q", prefilling="x;", stop=";").text == "x;a, b;"


def test_prefill_and_a_forced_tool_exclude_each_other(loop: LoopThread) -> None:
    with pytest.raises(ChatInputError, match="exclude"):
        scripted(says("x"), loop=loop).invoke("q", prefilling="x", tools=[{"name": "f"}], tool_choice="f")


@pytest.mark.requirement("E1")
@given(st.text(alphabet="ab ", max_size=5), st.text(alphabet="ab ", max_size=8), st.lists(st.integers(0, 12)))
def test_however_it_is_cut_an_echo_is_dropped(begin: str, rest: str, cuts: list[int]) -> None:
    answer = begin + rest
    echo = EchoFilter(begin)
    bounds = [0, *sorted(min(cut, len(answer)) for cut in cuts), len(answer)]
    found = "".join(echo.feed(answer[a:b]) for a, b in itertools.pairwise(bounds)) + echo.flush()
    if begin.strip():
        assert (begin.strip() + found).split() == answer.split()
    else:
        assert found == answer


def test_a_model_without_any_text_keeps_the_beginning(loop: LoopThread) -> None:
    class Silent(ChatModel):
        """Finishes without a word."""

        async def _astream(self, messages: Sequence[Message], call: Call) -> AsyncIterator[AIMessageChunk]:
            yield AIMessageChunk(finish="stop")

    assert Silent(loop=loop).invoke("q", prefilling="x").text == "x"
