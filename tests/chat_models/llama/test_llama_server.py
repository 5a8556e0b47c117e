"""The OpenAI protocol against the genuine llama-server, whose model says noise."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from app.chat_models.keys import KeySource
from app.chat_models.loop_thread import LoopThread
from app.chat_models.model import ChatModel
from app.chat_models.registry import ModelRegistry
from app.domain.chat_errors import ChatError, ContextWindowExceededError
from tests.chat_models.llama.conftest import LlamaServer

pytestmark = pytest.mark.llama

FORM = {
    "type": "object",
    "properties": {"ok": {"type": "boolean"}, "n": {"type": "integer", "minimum": 0, "maximum": 9}},
    "required": ["ok", "n"],
    "additionalProperties": False,
}


def model_at(llama: LlamaServer, loop: LoopThread, **settings: Any) -> ChatModel:
    registry = ModelRegistry(loop=loop, keys=KeySource(environ={}, stored=lambda name: None))
    return registry.model("llama.cpp:tiny", base_url=llama.url, **{"max_tokens": 24, "seed": 1, **settings})


@pytest.mark.requirement("B3", "B7", "B8", "B36")
def test_an_answer_streamed_and_whole(llama: LlamaServer, loop: LoopThread) -> None:
    model = model_at(llama, loop, temperature=0)
    chunks = list(model.stream("Hi"))
    message = model.invoke("Hi")
    assert "".join(chunk.text for chunk in chunks) == message.text
    assert message.usage is not None
    assert message.usage.output <= 24
    assert not message.usage.estimated
    assert message.finish in ("length", "stop")


@pytest.mark.requirement("B33")
def test_forty_answers_in_a_row(llama: LlamaServer, loop: LoopThread) -> None:
    model = model_at(llama, loop, max_tokens=2)
    for _ in range(40):
        assert model.invoke("Hi").finish in ("length", "stop")


@pytest.mark.requirement("B29", "B30")
def test_a_stop_string_ends_the_text(llama: LlamaServer, loop: LoopThread) -> None:
    model = model_at(llama, loop, temperature=0, max_tokens=60)
    text = model.invoke("Hi").text
    stop = next(character for character in text[5:] if character.isascii() and character.isprintable())
    ended = model.invoke("Hi", stop=[stop])
    assert ended.text.endswith(stop)
    assert ended.text.count(stop) == 1
    assert ended.finish == "stop"


@pytest.mark.requirement("B40")
def test_stopping_frees_the_server(llama: LlamaServer, loop: LoopThread) -> None:
    chunks = model_at(llama, loop, max_tokens=400, options={"ignore_eos": True}).stream("Hi")
    next(chunks)
    chunks.close()  # type: ignore[attr-defined]  # it is a generator
    deadline = time.monotonic() + 5.0
    while llama.busy_slots():
        assert time.monotonic() < deadline, "the server goes on with an answer that nobody reads"
        time.sleep(0.01)


@pytest.mark.requirement("D1", "D12")
def test_json_by_schema_from_noise(llama: LlamaServer, loop: LoopThread) -> None:
    found = model_at(llama, loop, max_tokens=200).with_structured_output(FORM, method="json_schema").invoke("Hi")
    assert set(found) == {"ok", "n"}


@pytest.mark.requirement("H5")
def test_a_prompt_that_is_too_long(llama: LlamaServer, loop: LoopThread) -> None:
    with pytest.raises(ContextWindowExceededError) as caught:
        model_at(llama, loop).invoke("long " * 2000)
    assert caught.value.status == 400
    assert not caught.value.retryable


@pytest.mark.requirement("E1", "E2")
def test_a_prefill_is_there_exactly_once(llama: LlamaServer, loop: LoopThread) -> None:
    text = model_at(llama, loop, temperature=0).invoke("Hi", prefilling="PREFILL ").text
    assert text.startswith("PREFILL ")
    assert not text.removeprefix("PREFILL ").startswith("PREFILL")


def test_its_list_of_models(llama: LlamaServer, loop: LoopThread) -> None:
    registry = ModelRegistry(loop=loop, keys=KeySource(environ={}, stored=lambda name: None))
    provider = registry.provider("llama.cpp")
    assert provider.list_models is not None
    request = registry.request(provider, "", {"base_url": llama.url})

    async def listed() -> list[str]:
        assert provider.list_models is not None
        return await provider.list_models(request)

    assert len(loop.run(listed())) == 1


def test_a_wrong_request_is_an_error_with_its_words(llama: LlamaServer, loop: LoopThread) -> None:
    with pytest.raises(ChatError) as caught:
        model_at(llama, loop, options={"messages": "no list"}).invoke("Hi")
    assert caught.value.status in (400, 500)
    assert json.loads(caught.value.body or "{}")["error"]["message"]
