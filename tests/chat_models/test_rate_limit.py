"""The rate limiter and its wrapper."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.chat_models.loop_thread import LoopThread
from app.chat_models.wrappers.rate_limit import RateLimit, RateLimiter
from tests.chat_models.models import says, scripted


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.requirement("H12")
def test_a_burst_then_one_token_every_rpm_sixtieth() -> None:
    clock = Clock()
    limiter = RateLimiter(requests_per_minute=20, burst_size=5, clock=clock)
    assert [limiter.is_allowed("ann") for _ in range(6)] == [True] * 5 + [False]
    clock.now += 2.9
    assert not limiter.is_allowed("ann")
    clock.now += 0.1
    assert limiter.is_allowed("ann")
    assert not limiter.is_allowed("ann")
    clock.now += 1000
    assert [limiter.is_allowed("ann") for _ in range(6)] == [True] * 5 + [False]


@pytest.mark.requirement("H12")
def test_users_have_buckets_of_their_own() -> None:
    limiter = RateLimiter(60, 1, clock=Clock())
    assert limiter.is_allowed("ann")
    assert not limiter.is_allowed("ann")
    assert limiter.is_allowed("ben")


@pytest.mark.requirement("H13")
def test_how_long_to_wait() -> None:
    clock = Clock()
    limiter = RateLimiter(requests_per_minute=20, burst_size=1, clock=clock)
    assert limiter.get_retry_after("ann") == 0
    assert limiter.get_retry_after("ann") == 0
    assert limiter.is_allowed("ann")
    assert limiter.get_retry_after("ann") == pytest.approx(3.0)
    clock.now += 1.0
    assert limiter.get_retry_after("ann") == pytest.approx(2.0)
    clock.now += limiter.get_retry_after("ann")
    assert limiter.get_retry_after("ann") == 0
    assert limiter.is_allowed("ann")


@pytest.mark.requirement("H12")
@given(st.lists(st.floats(0, 10), max_size=40), st.integers(1, 600), st.integers(1, 10))
def test_no_stretch_of_time_sees_more_than_the_budget(pauses: list[float], rpm: int, burst: int) -> None:
    clock = Clock()
    limiter = RateLimiter(rpm, burst, clock=clock)
    allowed = 0
    for pause in pauses:
        clock.now += pause
        allowed += limiter.is_allowed()
    assert allowed <= burst + sum(pauses) * rpm / 60 + 1e-6


@pytest.mark.requirement("H15")
def test_a_hundred_threads_never_exceed_the_budget() -> None:
    limiter = RateLimiter(60, 50, clock=Clock())
    allowed: list[bool] = []
    gate = threading.Barrier(100)

    def ask() -> None:
        gate.wait()
        allowed.extend(limiter.is_allowed("ann") for _ in range(5))

    threads = [threading.Thread(target=ask) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(allowed) == 50


@pytest.mark.requirement("H16")
def test_a_model_waits_for_its_token(loop: LoopThread) -> None:
    clock = Clock()
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        clock.now += seconds

    inner = scripted(says("x"))
    model = RateLimit(inner=inner, limiter=RateLimiter(60, 2, clock=clock), sleep=sleep, loop=loop)
    for _ in range(4):
        model.invoke("x")
    assert waits == pytest.approx([1.0, 1.0])
    assert len(inner.calls) == 4


@pytest.mark.requirement("H16")
def test_a_waiting_model_can_be_cancelled() -> None:
    inner = scripted(says("x"))

    async def second() -> float:
        waiting = asyncio.Event()

        async def sleep(seconds: float) -> None:
            waiting.set()
            await asyncio.sleep(seconds)

        model = RateLimit(inner=inner, limiter=RateLimiter(1, 1), sleep=sleep)
        await model.ainvoke("x")
        task = asyncio.ensure_future(model.ainvoke("x"))
        await waiting.wait()
        begin = time.perf_counter()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return time.perf_counter() - begin

    assert asyncio.run(second()) < 0.5
    assert len(inner.calls) == 1


@pytest.mark.requirement("H12")
@pytest.mark.parametrize(("rpm", "burst"), [(0, 1), (-1, 1), (1, 0)])
def test_a_limit_that_allows_nothing_is_refused(rpm: Any, burst: int) -> None:
    with pytest.raises(ValueError, match="rate limit"):
        RateLimiter(rpm, burst)


def test_users_that_have_gone_are_forgotten() -> None:
    clock = Clock()
    limiter = RateLimiter(60, 1, clock=clock)
    for number in range(10_001):
        limiter.is_allowed(str(number))
        clock.now += 2
    assert len(limiter._buckets) <= 10_000
