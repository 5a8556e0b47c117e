"""The protocol over real HTTP, against the stub server."""

from __future__ import annotations

import asyncio
import copy
import json
import logging
import pickle
import threading
import time
import traceback

import pytest

from app.chat_models.call import Call, Timeouts
from app.chat_models.callbacks import CallbackHandler
from app.chat_models.loop_thread import LoopThread
from app.chat_models.model import ChatModel
from app.chat_models.wrappers.cache import cache_key
from app.domain.chat_errors import APIConnectionError, APITimeoutError, AuthenticationError, StreamInterruptedError
from app.domain.messages import AIMessageChunk, HumanMessage, add_chunks
from app.domain.secrets import SecretStr, as_secret, redact
from app.network.http import HttpFactory
from tests.chat_models.models import KEY, stub_model
from tests.chat_models.stub_replies import Close, Delay, Reply, Reset, Stall, chat_chunk, chat_stream, closed_port, sse
from tests.chat_models.stub_server import StubServer


@pytest.mark.requirement("B7", "B36")
def test_invoke_returns_a_message_with_usage_and_metadata(stub: StubServer, loop: LoopThread) -> None:
    stub.reply(chat_stream("Hello", " World!", prompt_tokens=19))
    answer = stub_model(stub, loop).invoke("Hi")
    assert answer.text == "Hello World!"
    assert answer.finish == "stop"
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (19, 2, 21)
    assert answer.response_metadata["finish_reason"] == "stop"
    assert not answer.usage.estimated


@pytest.mark.requirement("B36")
def test_usage_that_the_server_does_not_give_is_estimated(stub: StubServer, loop: LoopThread) -> None:
    stub.reply(sse(chat_chunk("Some words of text."), chat_chunk(finish_reason="stop"), done=True))
    usage = stub_model(stub, loop).invoke("Hello there, model!").usage
    assert usage is not None
    assert usage.estimated
    assert usage.output > 0
    assert usage.input > 0


@pytest.mark.requirement("B8")
def test_the_first_chunk_arrives_before_the_server_finishes(stub: StubServer, loop: LoopThread) -> None:
    gate = stub.gate()
    stub.reply(sse(chat_chunk("first")), gate, sse(chat_chunk(" last", finish_reason="stop"), done=True))
    stream = stub_model(stub, loop).stream("x")
    assert stub.requests == []
    assert next(stream).text == "first"
    gate.open()
    assert "".join(chunk.text for chunk in stream) == " last"


@pytest.mark.requirement("B9")
def test_the_sum_of_the_stream_is_the_invoked_message(stub: StubServer, loop: LoopThread) -> None:
    stub.reply(chat_stream("a ", "b ", "c"))
    model = stub_model(stub, loop)
    total = add_chunks(list(model.stream("x"))).message()
    answer = model.invoke("x")
    assert (total.parts, total.usage, total.finish, total.response_metadata) == (
        answer.parts,
        answer.usage,
        answer.finish,
        answer.response_metadata,
    )


@pytest.mark.requirement("B6", "B5")
def test_overrides_reach_the_wire(stub: StubServer, loop: LoopThread) -> None:
    stub.reply(chat_stream("x"))
    model = stub_model(stub, loop, defaults=Call(temperature=0.7, options={"user": "u"}))
    model.invoke("x", temperature=0, model="other-model", options={"service_tier": "flex"}, headers={"x-extra": "1"})
    model.invoke("x")
    first, second = stub.bodies
    assert (first["temperature"], first["model"], first["service_tier"], first["user"]) == (
        0,
        "other-model",
        "flex",
        "u",
    )
    assert stub.requests[0].headers["x-extra"] == "1"
    assert stub.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert (second["temperature"], second["model"]) == (0.7, "stub-model")
    assert "service_tier" not in second


@pytest.mark.requirement("B12", "B11")
def test_a_batch_never_opens_more_requests_than_allowed(stub: StubServer, loop: LoopThread) -> None:
    stub.script(Reply(steps=(Delay(0.03), chat_stream("x"))))
    results = stub_model(stub, loop).batch([str(n) for n in range(12)], config={"max_concurrency": 5})
    assert len(results) == 12
    assert stub.peak_open_requests <= 5
    assert stub.peak_open_requests > 1


@pytest.mark.requirement("B11")
def test_a_batch_keeps_its_order_when_early_answers_are_late(stub: StubServer, loop: LoopThread) -> None:
    stub.script(
        lambda request: Reply(
            steps=(
                Delay(0.1 - 0.03 * int(request.json["messages"][0]["content"])),
                chat_stream(request.json["messages"][0]["content"]),
            )
        )
    )
    results = stub_model(stub, loop).batch(["0", "1", "2"])
    assert [each.text for each in results if not isinstance(each, Exception)] == ["0", "1", "2"]


@pytest.mark.requirement("B13")
def test_ten_calls_of_a_fifth_of_a_second_take_less_than_one(stub: StubServer, loop: LoopThread) -> None:
    stub.script(Reply(steps=(Delay(0.2), chat_stream("x"))))
    model = stub_model(stub, loop)
    model.invoke("the first call imports what it needs")

    def seconds() -> float:
        begin = time.perf_counter()
        model.batch(["x"] * 10)
        return time.perf_counter() - begin

    assert min(seconds() for _ in range(3)) < 1.0


@pytest.mark.requirement("B17")
def test_several_loops_one_after_another(stub: StubServer, loop: LoopThread) -> None:
    stub.reply(chat_stream("ok"))
    model = stub_model(stub, loop, http=HttpFactory(keep_alive=True))

    async def ask() -> str:
        answer = await model.ainvoke("x")
        await _close(model)
        return answer.text

    assert [asyncio.run(ask()) for _ in range(3)] == ["ok"] * 3
    assert model.invoke("x").text == "ok"
    loop.run(_close(model))


async def _close(model: object) -> None:
    await model.transport._http.aclose()  # type: ignore[attr-defined]  # the factory the test gave it


@pytest.mark.requirement("B33")
def test_calls_of_one_model_use_one_pool(stub: StubServer, loop: LoopThread) -> None:
    stub.reply(chat_stream("ok"))
    model = stub_model(stub, loop, http=HttpFactory(keep_alive=True))
    for _ in range(4):
        model.invoke("x")
    model.bind(temperature=0).invoke("x")
    assert len(stub.requests) == 5
    assert stub.connections == 1
    loop.run(_close(model))


def test_connections_to_loopback_are_not_kept(stub: StubServer, loop: LoopThread) -> None:
    stub.script(Reply(steps=(chat_stream("ok"),), close_after=True, headers={"keep-alive": "timeout=5, max=100"}))
    model = stub_model(stub, loop)
    assert [model.invoke("x").text for _ in range(20)] == ["ok"] * 20
    assert stub.connections == 20


@pytest.mark.requirement("B37", "H4")
@pytest.mark.parametrize(
    ("reply", "timeouts"),
    [
        (Reply(before_headers=(Stall(),)), Timeouts(first_token=0.1, idle=None)),
        (Reply(steps=(Stall(),)), Timeouts(first_token=0.1, idle=None)),
        (Reply(steps=(sse(chat_chunk("half")), Stall())), Timeouts(first_token=None, idle=0.1)),
    ],
    ids=["no headers", "no first token", "silence"],
)
def test_a_silent_server_is_a_timeout(stub: StubServer, loop: LoopThread, reply: Reply, timeouts: Timeouts) -> None:
    stub.script(reply)
    begin = time.perf_counter()
    with pytest.raises(APITimeoutError) as caught:
        stub_model(stub, loop, timeouts=timeouts).invoke("x")
    assert isinstance(caught.value, APIConnectionError)
    assert caught.value.retryable
    assert time.perf_counter() - begin < 5
    assert (caught.value.partial.text if caught.value.partial else "") == (
        "half" if reply.steps[:1] != (Stall(),) and reply.steps else ""
    )


@pytest.mark.requirement("B37")
def test_a_call_sets_its_own_limits(stub: StubServer, loop: LoopThread) -> None:
    stub.reply(Stall())
    with pytest.raises(APITimeoutError):
        stub_model(stub, loop).invoke("x", timeouts=Timeouts(first_token=0.1))


async def _read(model: ChatModel, into: list[AIMessageChunk], seen: threading.Event) -> None:
    async for chunk in model.astream("x"):
        into.append(chunk)
        seen.set()


def _cancel(stub: StubServer, loop: LoopThread, where: str) -> tuple[float, str]:
    """Seconds from the cancel until the server sees it, and the text that had come."""
    gate, seen = stub.gate(), threading.Event()
    partial: list[AIMessageChunk] = []
    if where == "before headers":
        stub.script(Reply(before_headers=(gate, Stall())))
    else:
        stub.reply(*([sse(chat_chunk("part"))] if where == "mid-stream" else []), gate, Stall())
    future = loop.submit(_read(stub_model(stub, loop), partial, seen))
    gate.wait_reached()
    gate.open()
    if where == "mid-stream":
        assert seen.wait(5)
    cancelled_at = time.monotonic()
    future.cancel()
    return stub.requests[-1].wait_disconnected() - cancelled_at, "".join(chunk.text for chunk in partial)


@pytest.mark.requirement("B40")
@pytest.mark.parametrize("where", ["before headers", "after headers", "mid-stream"])
def test_cancelling_disconnects_within_50_ms(loop: LoopThread, where: str) -> None:
    delays: list[float] = []
    for _ in range(3):  # a busy machine may be late once
        with StubServer() as stub:
            delay, partial = _cancel(stub, loop, where)
        assert partial == ("part" if where == "mid-stream" else "")
        delays.append(delay)
    assert min(delays) < 0.05


@pytest.mark.requirement("B40")
def test_closing_a_stream_disconnects_and_the_model_stays_usable(loop: LoopThread) -> None:
    delays: list[float] = []
    for _ in range(3):
        with StubServer() as stub:
            stub.reply(sse(chat_chunk("part")), Stall())
            stub.reply(chat_stream("whole"))
            model = stub_model(stub, loop)
            stream = model.stream("x")
            assert next(stream).text == "part"
            closed_at = time.monotonic()
            stream.close()  # type: ignore[attr-defined]  # a generator
            delays.append(stub.requests[0].wait_disconnected() - closed_at)
            assert model.invoke("x").text == "whole"
    assert min(delays) < 0.05


@pytest.mark.requirement("H3", "B40")
@pytest.mark.parametrize("end", [Reset(), Close()])
def test_a_truncated_stream_is_an_error_with_the_partial_answer(
    stub: StubServer, loop: LoopThread, end: Reset | Close
) -> None:
    stub.reply(sse(chat_chunk("half an ")), Delay(0.02), end)
    with pytest.raises(APIConnectionError) as caught:
        stub_model(stub, loop).invoke("x")
    assert caught.value.partial is not None
    assert caught.value.partial.text == "half an "


@pytest.mark.requirement("H3")
def test_a_stream_that_ends_is_not_a_stream_that_finished(stub: StubServer, loop: LoopThread) -> None:
    stub.reply(sse(chat_chunk("half")))
    with pytest.raises(StreamInterruptedError):
        stub_model(stub, loop).invoke("x")


@pytest.mark.requirement("H3")
def test_a_refused_connection_says_what_to_do(loop: LoopThread) -> None:
    with closed_port() as url, pytest.raises(APIConnectionError) as caught:
        stub_model(f"{url}/v1", loop).invoke("x")
    assert caught.value.retryable
    assert url in str(caught.value)


@pytest.mark.requirement("B31")
def test_the_key_is_nowhere_to_be_seen(
    stub: StubServer, loop: LoopThread, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    stub.json_reply({"error": {"message": f"Incorrect API key provided: {KEY}.", "code": "invalid_api_key"}}, 401)
    model = stub_model(stub, loop)
    shown = [
        repr(model),
        str(model),
        json.dumps(model.serialize()),
        repr(model.__dict__),
        repr(model._identifying_params),
    ]
    shown += [cache_key([HumanMessage("x")], model.identity(Call())), repr(model.identity(Call()))]
    try:
        model.invoke("x")
    except AuthenticationError as error:
        shown += [str(error), repr(error), error.details(), str(error.body), "".join(traceback.format_exception(error))]
    print(model, model.transport)
    captured = capsys.readouterr()
    shown += [caplog.text, captured.out, captured.err]
    assert stub.requests[0].headers["authorization"].endswith(KEY)
    assert len(shown) == 15
    for text in shown:
        assert KEY not in text
        assert KEY[:12] not in text


@pytest.mark.requirement("B31")
def test_a_secret_shows_stars_and_cannot_be_stored() -> None:
    secret = SecretStr(KEY)
    assert KEY not in f"{secret} {secret!r} {[secret]} {{'k': {secret!r}}}"
    assert secret.get_secret_value() == KEY
    assert secret == SecretStr(KEY) != SecretStr("other")
    with pytest.raises(TypeError, match="pickled"):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        json.dumps(secret)
    assert copy.deepcopy({"key": secret})["key"] is secret
    assert as_secret("  x \n") == SecretStr("x")
    assert as_secret("  ") is as_secret(None) is None
    assert redact(f"key={KEY}&x", secret, None) == "key=**********&x"


@pytest.mark.requirement("B31")
def test_pydantic_secrets_are_taken_too() -> None:
    from pydantic import SecretStr as PydanticSecret

    assert as_secret(PydanticSecret("abc")) == SecretStr("abc")


@pytest.mark.requirement("B18", "B25")
def test_callbacks_hear_of_every_token_of_an_invocation(stub: StubServer, loop: LoopThread) -> None:
    heard: list[str] = []

    class Recorder(CallbackHandler):
        def on_llm_new_token(self, token: str, *, chunk: AIMessageChunk, run_id: str) -> None:
            heard.append(token)

    stub.reply(chat_stream("one ", "two"))
    answer = stub_model(stub, loop, streaming=True, callbacks=(Recorder(),)).invoke("x")
    assert answer.text == "one two"
    assert [token for token in heard if token] == ["one ", "two"]
