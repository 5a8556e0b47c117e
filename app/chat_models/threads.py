"""Synchronous code of custom models, run in threads so that the loop goes on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from typing import Any, TypeVar

T = TypeVar("T")
_END = object()


async def iterate_in_thread(start: Callable[[], Iterator[T]]) -> AsyncIterator[T]:
    """The items of the iterator that ``start`` makes, all of them made on one thread.

    Python can't interrupt a thread: after a cancel it ends with its next item, which is dropped.
    """
    loop = asyncio.get_running_loop()
    items: asyncio.Queue[Any] = asyncio.Queue()
    stopped = threading.Event()

    def post(item: object) -> None:
        if not stopped.is_set():
            loop.call_soon_threadsafe(items.put_nowait, item)

    def work() -> None:
        try:
            with closing(_closable(start())) as iterator:
                for item in iterator:
                    post((item,))
                    if stopped.is_set():
                        return
            post(_END)
        except BaseException as error:  # noqa: BLE001  # edge of a thread: the reader raises it
            post(error)

    loop.run_in_executor(None, work)
    try:
        while (item := await items.get()) is not _END:
            if isinstance(item, BaseException):
                raise item
            yield item[0]
    finally:
        stopped.set()


def _closable(iterator: Iterator[T]) -> Any:
    """``iterator`` as a generator, which can be closed."""
    return iterator if hasattr(iterator, "close") else (item for item in iterator)
