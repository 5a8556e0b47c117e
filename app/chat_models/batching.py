"""Many calls at once, a limited number of them open."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from app.domain.errors import FootnoteError

S = TypeVar("S")
T = TypeVar("T")


async def run_all(
    work: Callable[[S], Awaitable[T]], inputs: Sequence[S], *, limit: int, return_exceptions: bool
) -> list[T | Exception]:
    """``work`` of every input, results in the order of the inputs, at most ``limit`` at once.

    The first error cancels the rest and is raised; with ``return_exceptions`` errors stand in place of their results.
    """
    results: list[T | Exception | None] = [None] * len(inputs)
    waiting = iter(range(len(inputs)))

    async def worker() -> None:
        for number in waiting:
            try:
                results[number] = await work(inputs[number])
            except (FootnoteError, ValueError, OSError) as error:
                if not return_exceptions:
                    raise
                results[number] = error

    workers = [asyncio.ensure_future(worker()) for _ in range(min(limit, len(inputs)))]
    try:
        await asyncio.gather(*workers)
    finally:
        for task in workers:
            task.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
    return results  # type: ignore[return-value]  # every place has been filled
