"""The loop thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest

from app.chat_models.loop_thread import LoopThread
from app.domain.errors import WorkCancelledError


async def _count(numbers: int, gate: asyncio.Event | None = None) -> AsyncIterator[int]:
    for number in range(numbers):
        if gate is not None and number == 1:
            await gate.wait()
        yield number


@pytest.mark.requirement("B15")
def test_results_and_errors_come_back(loop: LoopThread) -> None:
    async def work() -> str:
        return threading.current_thread().name

    async def fail() -> None:
        raise KeyError("x")

    assert loop.run(work()) == "test-loop"
    with pytest.raises(KeyError):
        loop.run(fail())
    assert list(loop.iterate(_count(3))) == [0, 1, 2]


@pytest.mark.requirement("B40")
def test_closing_the_loop_ends_readers() -> None:
    thread = LoopThread("short-lived")
    items = thread.iterate(_count(2, asyncio.Event()))
    assert next(items) == 0
    timer = threading.Timer(0.05, thread.close)
    timer.start()
    with pytest.raises(WorkCancelledError):
        next(items)
    timer.join()
    thread.close()
    with pytest.raises(RuntimeError, match="closed"):
        thread.run(asyncio.sleep(0))
    with pytest.raises(RuntimeError, match="closed"):
        next(thread.iterate(_count(1)))


def test_a_loop_that_was_never_used_closes() -> None:
    LoopThread().close()


def test_many_readers_at_once(loop: LoopThread) -> None:
    results: list[list[int]] = []
    threads = [threading.Thread(target=lambda: results.append(list(loop.iterate(_count(200))))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [list(range(200))] * 8
