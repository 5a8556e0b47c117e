"""Retry and fallbacks."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

import pytest

from app.chat_models.loop_thread import LoopThread
from app.chat_models.wrappers.fallbacks import Fallbacks
from app.chat_models.wrappers.retry import Retry, RetryPolicy
from app.domain.chat_errors import (
    APIConnectionError,
    APITimeoutError,
    AuthenticationError,
    ChatInputError,
    InvalidRequestError,
    ModelNotFoundError,
    OverloadedError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
)
from app.domain.messages import AIMessageChunk, TextPart
from tests.chat_models.models import ScriptedModel, says, scripted, stub_model
from tests.chat_models.stub_replies import Close, chat_chunk, chat_stream, json_reply, sse
from tests.chat_models.stub_server import StubServer


class Waits:
    """A sleep that takes no time and notes how long it was asked to take."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def _retrying(model: Any, loop: LoopThread, *, chance: float = 0.5, **policy: Any) -> tuple[Retry, Waits]:
    waits = Waits()
    wrapped = Retry(inner=model, policy=RetryPolicy(**policy), sleep=waits, chance=lambda: chance, loop=loop)
    return wrapped, waits


@pytest.mark.requirement("H7")
@pytest.mark.parametrize(
    ("chance", "expected"), [(0.5, [1.0, 2.0, 4.0]), (0.0, [0.5, 1.0, 2.0]), (1.0, [1.5, 3.0, 6.0])]
)
def test_the_delays(chance: float, expected: list[float], loop: LoopThread) -> None:
    model, waits = _retrying(scripted((ServerError("x", status=500),)), loop, chance=chance)
    with pytest.raises(ServerError):
        model.invoke("x")
    assert waits.seconds == expected


@pytest.mark.requirement("H7")
def test_the_default_policy_is_that_of_the_documentation() -> None:
    policy = RetryPolicy()
    assert (policy.max_retries, policy.base_delay, policy.max_delay, policy.factor, policy.jitter) == (
        3,
        1,
        60,
        2,
        True,
    )
    assert [policy.delay(attempt, None, 0.5) for attempt in (0, 5, 6, 9)] == [1, 32, 60, 60]
    assert RetryPolicy(jitter=False).delay(1, None, 0.0) == 2


@pytest.mark.requirement("H8")
@pytest.mark.parametrize(
    ("error", "again"),
    [
        (RateLimitError("x", status=429), True),
        (APIConnectionError("x"), True),
        (APITimeoutError("x"), True),
        (ServerError("x", status=500), True),
        (OverloadedError("x", status=529), True),
        (InvalidRequestError("x", status=400), False),
        (AuthenticationError("x", status=401), False),
        (ModelNotFoundError("x", status=404), False),
        (QuotaExceededError("x", status=429), False),
        (ServerError("x", status=500, should_retry=False), False),
        (ChatInputError("x"), False),
        (KeyError("a bug"), False),
    ],
)
def test_only_what_may_pass_is_retried(error: Exception, again: bool, loop: LoopThread) -> None:
    inner = scripted((error,), says("fine"))
    model, _ = _retrying(inner, loop)
    if again:
        assert model.invoke("x").text == "fine"
    else:
        with pytest.raises(type(error)):
            model.invoke("x")
    assert len(inner.calls) == (2 if again else 1)


@pytest.mark.requirement("H9")
def test_the_last_error_is_raised_and_each_retry_is_logged(loop: LoopThread, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    inner = scripted(*((ServerError(f"number {n}", status=500),) for n in range(1, 5)), model="m")
    model, _ = _retrying(inner, loop)
    with pytest.raises(ServerError, match="number 4"):
        model.invoke("x")
    assert len(inner.calls) == 4
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 3
    assert lines[0] == "attempt 1 of 4 at m failed (ServerError: number 1); asking again in 1.00 s"


@pytest.mark.requirement("H10")
def test_the_servers_delay_wins(loop: LoopThread) -> None:
    errors = [(RateLimitError("x", status=429, retry_after=seconds),) for seconds in (7.0, 0.0)]
    model, waits = _retrying(scripted(*errors, says("fine")), loop)
    assert model.invoke("x").text == "fine"
    assert waits.seconds == [7.0, 0.0]


@pytest.mark.requirement("H10")
def test_a_delay_that_is_too_long_is_not_waited_for(loop: LoopThread) -> None:
    inner = scripted((RateLimitError("x", status=429, retry_after=121.0),), says("fine"))
    model, waits = _retrying(inner, loop)
    with pytest.raises(RateLimitError):
        model.invoke("x")
    assert (waits.seconds, len(inner.calls)) == ([], 1)


@pytest.mark.requirement("H10", "H2")
def test_retry_after_of_a_real_server(stub: StubServer, loop: LoopThread) -> None:
    stub.script(json_reply({"error": {"message": "slow down", "code": "rate_limit_exceeded"}}, 429, retry_after="3"))
    stub.script(json_reply({"error": {"message": "slow down"}}, 429, retry_after_ms="250"))
    stub.reply(chat_stream("fine"))
    model, waits = _retrying(stub_model(stub, loop), loop)
    assert model.invoke("x").text == "fine"
    assert waits.seconds == [3.0, 0.25]
    assert len(stub.requests) == 3


@pytest.mark.requirement("H11")
def test_a_broken_stream_is_reported_and_not_started_again(stub: StubServer, loop: LoopThread) -> None:
    stub.reply(sse(chat_chunk("half an ")), Close())
    stub.reply(chat_stream("whole"))
    model, waits = _retrying(stub_model(stub, loop), loop)
    seen: list[str] = []
    with pytest.raises(APIConnectionError) as caught:
        seen.extend(chunk.text for chunk in model.stream("x"))
    assert caught.value.partial is not None
    assert caught.value.partial.text == "half an "
    assert len(stub.requests) == 1
    assert waits.seconds == []


@pytest.mark.requirement("H8", "H11")
def test_a_stream_that_breaks_before_its_first_content_is_started_again(stub: StubServer, loop: LoopThread) -> None:
    role = chat_chunk("", role="assistant")
    stub.reply(sse(role, {"error": {"message": "Overloaded", "type": "overloaded_error", "code": 529}}))
    stub.reply(sse(role), Close())
    stub.reply(chat_stream("whole"))
    model, waits = _retrying(stub_model(stub, loop), loop)
    assert model.invoke("x").text == "whole"
    assert len(waits.seconds) == 2


@pytest.mark.requirement("H7", "H16")
def test_waiting_can_be_cancelled(loop: LoopThread) -> None:
    async def cancel_while_waiting() -> float:
        waiting = asyncio.Event()

        async def sleep(seconds: float) -> None:
            waiting.set()
            await asyncio.sleep(seconds)

        inner = scripted((RateLimitError("x", status=429, retry_after=60.0),))
        task = asyncio.ensure_future(Retry(inner=inner, sleep=sleep).ainvoke("x"))
        await waiting.wait()
        begin = time.perf_counter()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return time.perf_counter() - begin

    assert asyncio.run(cancel_while_waiting()) < 0.5


def test_a_retried_stream_is_closed_with_its_reader(loop: LoopThread) -> None:
    inner = scripted((AIMessageChunk("a"), 30.0, AIMessageChunk("b")))
    model, _ = _retrying(inner, loop)
    stream = model.stream("x")
    next(stream)
    stream.close()  # type: ignore[attr-defined]  # a generator
    assert inner.closed == 1


def test_zero_retries_ask_once(loop: LoopThread) -> None:
    inner = scripted((ServerError("x", status=500),))
    model, _ = _retrying(inner, loop, max_retries=0)
    with pytest.raises(ServerError):
        model.invoke("x")
    assert len(inner.calls) == 1


def _models(*scripts: Any) -> list[ScriptedModel]:
    return [scripted(script, model=f"m{number}") for number, script in enumerate(scripts)]


@pytest.mark.requirement("H8")
def test_another_model_answers_when_one_fails(loop: LoopThread) -> None:
    first, second, third = _models((AuthenticationError("x", status=401),), says("second"), says("third"))
    model = Fallbacks(inner=first, others=(second, third), loop=loop)
    assert model.invoke("x", temperature=0.5).text == "second"
    assert [len(each.calls) for each in (first, second, third)] == [1, 1, 0]
    assert (second.calls[0][1].model, second.calls[0][1].temperature) == ("m1", 0.5)


@pytest.mark.requirement("H11")
def test_no_other_model_goes_on_with_a_begun_answer(loop: LoopThread) -> None:
    chunk = AIMessageChunk(parts=(TextPart("half", 0),))
    first, second = _models((chunk, ServerError("x", status=500)), says("second"))
    with pytest.raises(ServerError):
        Fallbacks(inner=first, others=(second,), loop=loop).invoke("x")
    assert second.calls == []


def test_when_all_models_fail_the_last_error_tells_of_the_others(loop: LoopThread) -> None:
    first, second = _models((ServerError("one", status=500),), (ServerError("two", status=500),))
    with pytest.raises(ServerError, match="two") as caught:
        Fallbacks(inner=first, others=(second,), loop=loop).invoke("x")
    assert "one" in caught.value.__notes__[0]
    with pytest.raises(ChatInputError):
        Fallbacks(inner=first, others=(second,), loop=loop).invoke("x", temperature=9)


def test_wrappers_nest(stub: StubServer, loop: LoopThread) -> None:
    from app.chat_models.metrics import MetricsCollector
    from app.chat_models.wrappers.cache import Cache, ResponseCache
    from app.chat_models.wrappers.measured import Metrics
    from app.chat_models.wrappers.rate_limit import RateLimit, RateLimiter

    stub.script(json_reply({"error": {"message": "busy"}}, 503))
    stub.reply(chat_stream("fine"))
    waits, collector = Waits(), MetricsCollector()
    model = stub_model(stub, loop).wrap(
        RateLimit.around(limiter=RateLimiter(60, 10)),
        Retry.around(sleep=waits),
        Cache.around(cache=ResponseCache()),
        Metrics.around(collector=collector),
    )
    bound = model.bind(temperature=0)
    assert [bound.invoke("x").text, "".join(chunk.text for chunk in bound.stream("x"))] == ["fine", "fine"]
    assert len(stub.requests) == 2
    assert stub.bodies[1]["temperature"] == 0
    assert collector.get_metrics()["total_requests"] == 2
