"""Our layer against llama.cpp's own server, which really infers (noise, from random weights)."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field

from app.chat_models.loop_thread import LoopThread
from app.chat_models.model import ChatModel
from app.chat_models.registry import init_chat_model
from app.domain.cancellation import CancelToken
from app.domain.chat_errors import (
    APIStatusError,
    AuthenticationError,
    ContextWindowExceededError,
    OutputParserError,
    OverloadedError,
    UnsupportedFeatureError,
)
from app.domain.errors import WorkCancelledError
from app.domain.messages import Accumulator, AIMessage, AIMessageChunk, HumanMessage, ImagePart, SystemMessage
from app.services.model_service import ModelService
from tests.chat_models.llama.conftest import SPEC, registry_for
from tests.chat_models.llama.llama_server import KEY, LARGE_CONTEXT, MODEL, SMALL_CONTEXT, LlamaServer
from tests.chat_models.llama.tiny_model import prompt_tokens

if not os.environ.get("FOOTNOTE_LLAMA_SERVER"):
    pytest.skip("FOOTNOTE_LLAMA_SERVER names no llama.cpp server: make test-llama builds one", allow_module_level=True)
pytestmark = pytest.mark.llama

BACK_TO_BACK = 40
ENDLESS = 16_000  # tokens: work for half a minute
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360000000000500015a4d7f580000"
    "000049454e44ae426082"
)
LETTERS = {"grammar": "root ::= [a-z ]*"}
"""Keeps the noise within ASCII letters."""


def total(chunks: list[AIMessageChunk]) -> AIMessage:
    sum_of_them = Accumulator()
    for chunk in chunks:
        sum_of_them.add(chunk)
    return sum_of_them.message()


def test_a_stream_brings_text_in_pieces_then_the_counts_and_the_reason_of_its_end(tiny: ChatModel) -> None:
    chunks = list(tiny.stream("What is a llama?", max_tokens=50, seed=1))
    answer = total(chunks)

    assert sum(1 for chunk in chunks if chunk.text) > 25
    assert answer.finish == "length"
    assert answer.model == MODEL
    assert answer.usage is not None
    assert not answer.usage.estimated
    assert answer.usage.output == 50
    assert answer.usage.input == prompt_tokens("What is a llama?")


def test_noise_that_is_no_text_arrives_as_text_that_can_be_stored(tiny: ChatModel) -> None:
    text = tiny.invoke("Bytes!", max_tokens=2000, seed=2).text
    assert text.encode().decode() == text
    assert not text.isascii(), "there was no stray byte: the test proves nothing"


def test_the_same_seed_gives_the_same_answer_streamed_and_at_once(tiny: ChatModel) -> None:
    fixed: dict[str, Any] = {"seed": 3, "max_tokens": 60, "options": LETTERS}
    streamed = total(list(tiny.stream("Again", **fixed)))
    at_once = tiny.invoke("Again", stream_wire=False, **fixed)

    assert len(streamed.text) == 60
    assert at_once.text == streamed.text
    assert at_once.finish == streamed.finish
    assert at_once.usage is not None
    assert streamed.usage is not None
    assert (at_once.usage.input, at_once.usage.output) == (streamed.usage.input, streamed.usage.output)
    assert tiny.invoke("Again", **{**fixed, "seed": 4}).text != streamed.text


def test_a_grammar_that_is_complete_ends_the_answer_by_itself(tiny: ChatModel) -> None:
    answer = tiny.invoke("Yes or no?", max_tokens=50, options={"grammar": 'root ::= "yes" | "no"'})
    assert answer.text in ("yes", "no")
    assert answer.finish == "stop"


def test_forty_streams_back_to_back_all_arrive(llama: LlamaServer, loop: LoopThread) -> None:
    model = init_chat_model(SPEC, base_url=llama.url, api_key=KEY, max_tokens=4)
    model.loop = loop
    answers = [total(list(model.stream(f"Question {number}"))) for number in range(BACK_TO_BACK)]
    assert [answer.usage.output for answer in answers if answer.usage] == [4] * BACK_TO_BACK


def test_forty_asynchronous_streams_back_to_back_all_arrive(llama: LlamaServer, loop: LoopThread) -> None:
    model = registry_for(llama, loop).model(SPEC, max_tokens=4)

    async def ask() -> list[AIMessage]:
        return [total([chunk async for chunk in model.astream("Again and again")]) for _ in range(BACK_TO_BACK)]

    answers = asyncio.run(ask())
    assert [answer.finish for answer in answers] == ["length"] * BACK_TO_BACK


def test_a_batch_waits_its_turn_at_the_only_slot(tiny: ChatModel) -> None:
    answers = tiny.batch([f"Question {number}" for number in range(12)], config={"max_concurrency": 6}, max_tokens=8)
    assert [answer.usage.output for answer in answers if isinstance(answer, AIMessage) and answer.usage] == [8] * 12


# --- stopping -------------------------------------------------------------------------------------------------------


@pytest.fixture
def nothing_wasted(llama: LlamaServer) -> Iterator[None]:
    """The test asks for ``ENDLESS`` tokens; make sure that the server stops long before it has made them."""
    before = llama.count("tokens_predicted")
    yield
    llama.wait_until_free()
    assert llama.count("tokens_predicted") - before < ENDLESS // 4


@pytest.mark.usefixtures("nothing_wasted")
def test_the_answer_ends_with_the_stop_string_and_so_does_the_servers_work(tiny: ChatModel) -> None:
    fixed: dict[str, Any] = {"seed": 5, "options": LETTERS}
    whole = tiny.invoke("Go on", max_tokens=60, **fixed).text
    stop = whole[30:34]

    answer = tiny.invoke("Go on", max_tokens=ENDLESS, stop=stop, **fixed)
    assert answer.text == whole[: whole.index(stop) + len(stop)]
    assert answer.finish == "stop"
    assert answer.response_metadata["stop_sequence"] == stop


@pytest.mark.usefixtures("nothing_wasted")
def test_closing_a_stream_frees_the_server_for_the_next_question(tiny: ChatModel) -> None:
    chunks = tiny.stream("Tell me everything", max_tokens=ENDLESS)
    next(chunk for chunk in chunks if chunk.text)
    chunks.close()  # type: ignore[attr-defined]  # a generator behind the face of an iterator

    answer = tiny.invoke("Are you free?", max_tokens=5)
    assert answer.usage is not None
    assert answer.usage.output == 5


@pytest.mark.usefixtures("nothing_wasted")
def test_a_cancelled_token_stops_a_synchronous_call(tiny: ChatModel) -> None:
    token = CancelToken()
    chunks = tiny.stream("Tell me everything", max_tokens=ENDLESS, cancel=token)
    next(chunks)
    token.cancel()
    with pytest.raises(WorkCancelledError):
        list(chunks)


def test_cancelling_before_the_first_token_ends_the_reading_of_the_prompt(tiny: ChatModel, llama: LlamaServer) -> None:
    before, length = llama.count("prompt_tokens"), LARGE_CONTEXT - 1000
    future = tiny.sync_loop.submit(tiny.ainvoke("x" * length, max_tokens=1))
    llama.wait_until_busy()
    future.cancel()
    llama.wait_until_free()
    assert llama.count("prompt_tokens") - before < length * 3 // 4


# --- structured output and prefill ----------------------------------------------------------------------------------


class Animal(BaseModel):
    """An animal."""

    name: str = Field(max_length=12)
    legs: int = Field(ge=0, le=8)
    diet: Literal["plants", "meat"]
    tame: bool


def test_noise_becomes_a_valid_object_by_its_schema(tiny: ChatModel) -> None:
    animal = tiny.with_structured_output(Animal).invoke("Describe an animal", max_tokens=400)
    assert isinstance(animal, Animal)


def test_an_object_grows_while_it_is_streamed(tiny: ChatModel) -> None:
    *growing, animal = tiny.with_structured_output(Animal).stream("Describe an animal", max_tokens=400)
    sizes = [len(known) for known in growing]
    assert isinstance(animal, Animal)
    assert sizes == sorted(sizes)
    assert growing[-1]["tame"] is animal.tame


def test_an_object_that_does_not_fit_the_limit_of_tokens_is_named_as_such(tiny: ChatModel) -> None:
    with pytest.raises(OutputParserError, match="allow more") as caught:
        tiny.with_structured_output(Animal).invoke("Describe an animal", max_tokens=5)
    assert not caught.value.retryable


def test_a_prefill_comes_once(tiny: ChatModel) -> None:
    beginning = "Once upon a time"
    chunks = list(tiny.stream("Tell a story", prefilling=beginning, max_tokens=20, seed=6, options=LETTERS))
    answer = total(chunks)
    assert chunks[0].text == beginning
    assert answer.text.startswith(beginning)
    assert answer.text.count(beginning) == 1
    assert len(answer.text) == len(beginning) + 20


# --- what goes wrong ------------------------------------------------------------------------------------------------


def test_a_prompt_longer_than_the_context_is_named_as_such(narrow_llama: LlamaServer, loop: LoopThread) -> None:
    model = registry_for(narrow_llama, loop).model(SPEC)
    with pytest.raises(ContextWindowExceededError, match=r"too long.*fewer passages") as caught:
        model.invoke([SystemMessage("Answer briefly."), HumanMessage("x" * SMALL_CONTEXT)])
    assert caught.value.status == 400
    assert not caught.value.retryable


def test_an_answer_that_fills_the_context_ends_by_its_length(narrow_llama: LlamaServer, loop: LoopThread) -> None:
    answer = registry_for(narrow_llama, loop).model(SPEC).invoke("Tell me everything")
    assert answer.finish == "length"
    assert answer.usage is not None
    assert SMALL_CONTEXT // 2 < answer.usage.total <= SMALL_CONTEXT


def test_a_picture_for_a_model_that_sees_nothing_is_refused_for_good(tiny: ChatModel) -> None:
    with pytest.raises(UnsupportedFeatureError) as caught:
        tiny.invoke(HumanMessage(["What is this?", ImagePart(data=PIXEL, media_type="image/png")]))
    assert not caught.value.retryable


def test_a_wrong_request_brings_the_words_of_the_server(tiny: ChatModel) -> None:
    with pytest.raises(APIStatusError) as caught:
        tiny.invoke("Hi", options={"messages": "no list"})
    said = json.loads(caught.value.body or "{}")["error"]["message"]
    assert said
    assert said in str(caught.value)


def test_a_wrong_key_is_named_as_such(llama: LlamaServer, loop: LoopThread) -> None:
    with pytest.raises(AuthenticationError, match="LLAMA_API_KEY") as caught:
        registry_for(llama, loop, key="sk-wrong-key").model(SPEC).invoke("Let me in")
    assert "sk-wrong-key" not in caught.value.details()


def test_a_server_that_is_still_loading_says_so(loading_llama: LlamaServer, loop: LoopThread) -> None:
    with pytest.raises(OverloadedError, match=r"still loading the model \(503\)\. Try again") as caught:
        registry_for(loading_llama, loop).model(SPEC).invoke("Are you there?")
    assert caught.value.retryable


# --- the other protocols that the server speaks ----------------------------------------------------------------------


def speaking(protocol: str, server: LlamaServer, loop: LoopThread, key: str = KEY) -> ChatModel:
    return registry_for(server, loop).model(f"{protocol}:{MODEL}", base_url=server.url, api_key=key, max_tokens=20)


@pytest.mark.parametrize("protocol", ["anthropic", "openai-responses"])
def test_an_answer_by_another_protocol(protocol: str, llama: LlamaServer, loop: LoopThread) -> None:
    model = speaking(protocol, llama, loop)
    for _ in range(2):  # the second time the prompt comes from the server's cache, which must not change its count
        chunks = list(model.stream("What is a llama?"))
        usage = total(chunks).usage
        assert sum(1 for chunk in chunks if chunk.text) > 10
        assert usage is not None
        assert (usage.input, usage.output) == (prompt_tokens("What is a llama?"), 20)


@pytest.mark.parametrize("protocol", ["anthropic", "openai-responses"])
def test_errors_by_another_protocol(protocol: str, narrow_llama: LlamaServer, loop: LoopThread) -> None:
    with pytest.raises(ContextWindowExceededError):
        speaking(protocol, narrow_llama, loop).invoke("x" * SMALL_CONTEXT)
    with pytest.raises(AuthenticationError):
        speaking(protocol, narrow_llama, loop, key="sk-wrong-key").invoke("Let me in")


# --- trying a model out ---------------------------------------------------------------------------------------------


def service(server: LlamaServer, loop: LoopThread, key: str = KEY) -> ModelService:
    def no_built_in() -> ChatModel:
        raise AssertionError("nobody asks for the built-in answerer")

    return ModelService(registry_for(server, loop, key), loop, no_built_in)


def test_trying_a_model_out_gets_an_answer(llama: LlamaServer, loop: LoopThread) -> None:
    trial = service(llama, loop).try_out(SPEC)
    assert trial.works, trial.problem
    assert trial.reply
    assert trial.first_token_seconds is not None
    assert 0 < trial.first_token_seconds <= trial.seconds


def test_trying_out_a_server_that_is_still_loading_advises_to_wait(
    loading_llama: LlamaServer, loop: LoopThread
) -> None:
    trial = service(loading_llama, loop).try_out(SPEC)
    assert not trial.works
    assert "still loading" in trial.problem
    assert "Wait" in trial.advice


def test_the_models_of_the_server_are_listed(llama: LlamaServer, loop: LoopThread) -> None:
    registry = registry_for(llama, loop)
    provider = registry.provider("llama.cpp")

    async def listed() -> list[str]:
        assert provider.list_models is not None
        return await provider.list_models(registry.request(provider, "", {}))

    assert loop.run(listed()) == [MODEL]
