"""The response cache."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, create_model

from app.chat_models.call import Call, ResponseFormat, Timeouts
from app.chat_models.loop_thread import LoopThread
from app.chat_models.metrics import MetricsCollector
from app.chat_models.structured import Structured
from app.chat_models.wrappers.cache import Cache, ResponseCache, cache_key
from app.chat_models.wrappers.cache_file import SqliteCacheStore
from app.chat_models.wrappers.measured import Metrics
from app.domain.chat_errors import ServerError, StreamInterruptedError
from app.domain.messages import (
    AIMessage,
    AIMessageChunk,
    HumanMessage,
    ImagePart,
    ReasoningPart,
    SystemMessage,
    TextPart,
    ToolCallPart,
    Usage,
    add_chunks,
)
from tests.chat_models.models import ScriptedModel, says, scripted, stub_model
from tests.chat_models.stub_replies import chat_stream
from tests.chat_models.stub_server import StubServer


def _cached(model: Any, loop: LoopThread, maxsize: int = 128) -> Cache:
    return Cache(inner=model, cache=ResponseCache(maxsize), loop=loop)


@pytest.mark.requirement("G1")
def test_an_identical_request_is_answered_without_the_server(stub: StubServer, loop: LoopThread) -> None:
    stub.reply(chat_stream("Hello ", "you"))
    model = _cached(stub_model(stub, loop), loop)
    first, second = model.invoke("Hello"), model.invoke("Hello")
    assert len(stub.requests) == 1
    assert (first.parts, first.usage, first.finish, first.response_metadata, first.model) == (
        second.parts,
        second.usage,
        second.finish,
        second.response_metadata,
        second.model,
    )
    assert first.id != second.id


@pytest.mark.requirement("G2")
def test_a_different_request_asks_the_server(stub: StubServer, loop: LoopThread) -> None:
    stub.reply(chat_stream("x"))
    model = _cached(stub_model(stub, loop), loop)
    for text in ("Hello", "Hi", "Hello"):
        model.invoke(text)
    assert [body["messages"][0]["content"] for body in stub.bodies] == ["Hello", "Hi"]


@pytest.mark.requirement("G3", "G4", "G12")
def test_statistics_of_the_documentation(loop: LoopThread) -> None:
    model = _cached(scripted(says("x")), loop)
    assert model.cache.hit_rate == 0
    for text in ("Test 1", "Test 1", "Test 2"):
        model.invoke(text)
    assert model.cache_info() == {"hits": 1, "misses": 2, "maxsize": 128, "currsize": 2}
    assert model.cache.hit_rate == pytest.approx(1 / 3)
    model.cache_clear()
    assert model.cache_info() == {"hits": 0, "misses": 0, "maxsize": 128, "currsize": 0}
    assert model.cache.hit_rate == 0
    model.invoke("Test 1")
    assert model.cache_info()["misses"] == 1


@pytest.mark.requirement("G5")
def test_the_answer_unused_for_longest_makes_room(loop: LoopThread) -> None:
    inner = scripted(says("x"))
    model = _cached(inner, loop, maxsize=2)
    for text in ("1", "2", "1", "3", "1", "2"):
        model.invoke(text)
    assert [messages[0].text for messages, _ in inner.calls] == ["1", "2", "3", "2"]
    assert model.cache_info()["currsize"] == 2
    with pytest.raises(ValueError, match="at least 1"):
        ResponseCache(0)


def _key(messages: Any = ("q",), **fields: Any) -> str:
    model = scripted(says("x"), model=fields.pop("base", "m"))
    items = [HumanMessage(each) if isinstance(each, str) else each for each in messages]
    return cache_key(items, model.identity(Call(**fields)))


@pytest.mark.requirement("G6")
@pytest.mark.parametrize(
    "messages",
    [
        ("q2",),
        ("q", "q"),
        (SystemMessage("s"), HumanMessage("q")),
        (AIMessage("q"),),
        (HumanMessage("q", name="ann"),),
        (HumanMessage(["q", ImagePart(data=b"1", media_type="image/png")]),),
        (HumanMessage(parts=(TextPart("q", extras={"a": 1}),)),),
    ],
)
def test_other_messages_have_another_key(messages: Any) -> None:
    assert _key(messages) != _key()
    assert _key(messages) == _key(messages)


@pytest.mark.requirement("G6")
def test_images_differ_by_their_bytes_and_ids_do_not_matter() -> None:
    one = (HumanMessage([ImagePart(data=b"1", media_type="image/png")]),)
    two = (HumanMessage([ImagePart(data=b"2", media_type="image/png")]),)
    assert _key(one) != _key(two)
    assert _key((HumanMessage("q", id="a"),)) == _key((HumanMessage("q", id="b"),)) == _key()


@pytest.mark.requirement("G7")
@pytest.mark.parametrize(
    "field",
    [
        {"temperature": 0.0},
        {"temperature": 0.5},
        {"top_p": 0.5},
        {"max_tokens": 5},
        {"frequency_penalty": 0.1},
        {"presence_penalty": 0.1},
        {"seed": 1},
        {"stop": ("x",)},
        {"prefilling": "{"},
        {"reasoning_effort": "low"},
        {"options": {"a": 1}},
    ],
)
def test_other_parameters_have_another_key(field: dict[str, Any]) -> None:
    assert _key(**field) != _key()


@pytest.mark.requirement("G7")
def test_what_does_not_change_the_answer_does_not_change_the_key() -> None:
    assert _key(timeouts=Timeouts(connect=1)) == _key(whole=True) == _key(stream_wire=False) == _key()


@pytest.mark.requirement("G7")
def test_defaults_of_the_model_count() -> None:
    bare = scripted(says("x"), model="m")
    assert bare.bind(temperature=0).identity(Call()) == bare.identity(Call(temperature=0))
    wrapped = Cache(inner=bare.bind(temperature=0), cache=ResponseCache())
    assert cache_key([], wrapped.identity(Call())) == cache_key([], bare.identity(Call(temperature=0)))


@pytest.mark.requirement("G8")
def test_schemas_of_one_name_differ() -> None:
    one = {"type": "object", "properties": {"a": {"type": "string"}}}
    two = {"type": "object", "properties": {"b": {"type": "string"}}}
    assert _key(response_format=ResponseFormat("Event", one)) != _key(response_format=ResponseFormat("Event", two))


@pytest.mark.requirement("G8")
def test_two_classes_of_one_name_are_asked_twice(loop: LoopThread) -> None:
    inner = scripted(says('{"a": "1"}'), says('{"b": "2"}'))
    model = _cached(inner, loop)
    first, second = create_model("Event", a=(str, ...)), create_model("Event", b=(str, ...))
    assert Structured(model, first, method="json_schema").invoke("x").a == "1"
    assert Structured(model, second, method="json_schema").invoke("x").b == "2"
    assert len(inner.calls) == 2


@pytest.mark.requirement("G9")
def test_tools_choice_model_and_server_count(stub: StubServer) -> None:
    tool = {"name": "f", "parameters": {"type": "object", "properties": {}}}
    model = stub_model(stub)
    keys = [
        cache_key([HumanMessage("q")], bound.identity(Call()))
        for bound in (
            model,
            model.bind(tools=[tool]),
            model.bind(tools=[{**tool, "description": "d"}]),
            model.bind(tools=[tool], tool_choice="f"),
            model.bind(tools=[tool], tool_choice="required"),
            model.bind(model="other"),
            stub_model("http://127.0.0.1:9/v1"),
        )
    ]
    assert len(set(keys)) == len(keys)


class Event(BaseModel):
    name: str


@pytest.mark.requirement("G10")
def test_structured_calls_hit(loop: LoopThread) -> None:
    inner = scripted(says('{"name": "fair"}'))
    model = _cached(inner, loop)
    for _ in range(2):
        assert Structured(model, Event, method="json_schema").invoke("x") == Event(name="fair")
    assert len(inner.calls) == 1
    assert model.cache_info()["hits"] == 1


@pytest.mark.requirement("G11")
def test_a_stream_is_replayed_as_chunks(loop: LoopThread) -> None:
    parts = (ReasoningPart("hm", 0, {"signature": "s"}), TextPart("word " * 40, 0), ToolCallPart("c", "f", "{}", 0))
    chunks = (
        *(AIMessageChunk(parts=(part,)) for part in parts),
        AIMessageChunk(usage=Usage(1, 2), finish="tool_calls"),
    )
    inner = scripted(chunks)
    model = _cached(inner, loop)
    first = add_chunks(list(model.stream("x"))).message()
    replayed = list(model.stream("x"))
    second = add_chunks(replayed).message()
    assert len(inner.calls) == 1
    assert len(replayed) > 4
    assert (first.parts, first.usage, first.finish) == (second.parts, second.usage, second.finish)


@pytest.mark.requirement("G11")
@pytest.mark.parametrize(
    "script",
    [
        (AIMessageChunk("half"), ServerError("x", status=500)),
        (AIMessageChunk("half"), StreamInterruptedError("x")),
        says("half", finish="length"),
        says("half", finish="content_filter"),
        says("half", finish="error"),
        says(),
    ],
)
def test_failed_and_cut_off_answers_are_not_kept(script: Any, loop: LoopThread) -> None:
    inner = scripted(script, says("whole"))
    model = _cached(inner, loop)
    asyncio.run(_ignore(model))
    assert model.invoke("x").text == "whole"
    assert len(inner.calls) == 2


async def _ignore(model: Cache) -> None:
    try:
        await model.ainvoke("x")
    except (ServerError, StreamInterruptedError):
        return


@pytest.mark.requirement("G11")
def test_a_cancelled_answer_is_not_kept(loop: LoopThread) -> None:
    inner = scripted((AIMessageChunk("a"), 30.0, *says("b")))
    model = _cached(inner, loop)
    stream = model.stream("x")
    next(stream)
    stream.close()  # type: ignore[attr-defined]  # a generator
    assert model.cache_info()["currsize"] == 0
    assert inner.closed == 1


@pytest.mark.requirement("G1", "G4")
def test_answers_survive_in_a_file(tmp_path: Path, loop: LoopThread) -> None:
    path = tmp_path / "cache" / "answers.db"
    inner = scripted(says("kept", usage=Usage(3, 4)))
    for _ in range(2):
        store = SqliteCacheStore(path)
        model = Cache(inner=inner, cache=ResponseCache(store=store), loop=loop)
        answer = model.invoke("x")
        assert (answer.text, answer.usage) == ("kept", Usage(3, 4))
        store.close()
    assert len(inner.calls) == 1
    store = SqliteCacheStore(path)
    ResponseCache(store=store).cache_clear()
    assert store.get("anything") is None
    Cache(inner=inner, cache=ResponseCache(store=store), loop=loop).invoke("x")
    assert len(inner.calls) == 2
    store.close()


@pytest.mark.requirement("G5")
def test_the_file_is_bounded(tmp_path: Path) -> None:
    store = SqliteCacheStore(tmp_path / "answers.db", max_rows=2)
    for key in ("a", "b"):
        store.put(key, key)
    assert store.get("a") == "a"
    store.put("c", "c")
    assert [store.get(key) for key in "abc"] == ["a", None, "c"]
    store.close()


def test_a_cache_is_used_from_many_threads() -> None:
    cache = ResponseCache(8)

    def use(start: int) -> None:
        for number in range(200):
            key = str((start + number) % 16)
            if cache.get(key) is None:
                cache.put(key, AIMessage(key))

    threads = [threading.Thread(target=use, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    info = cache.cache_info()
    assert info["hits"] + info["misses"] == 1600
    assert info["currsize"] == 8


@pytest.mark.requirement("M4")
def test_a_cached_answer_costs_nothing(loop: LoopThread) -> None:
    collector = MetricsCollector()
    inner: ScriptedModel = scripted(says("x", usage=Usage(1000, 500)))
    model = Metrics(inner=_cached(inner, loop), collector=collector, loop=loop)
    model.invoke("x")
    model.invoke("x")
    assert [record.cached for record in collector.calls] == [False, True]
    assert collector.calls[1].cost == 0
