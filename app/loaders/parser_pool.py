"""Reads documents in child processes, so that no file can hang, crash or starve the program."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from app.domain.cancellation import CancelToken
from app.domain.documents import ParsedDocument
from app.domain.errors import WorkCancelledError
from app.loaders.parser_child import ParserChild
from app.loaders.parser_limits import ParserLimits
from app.loaders.parser_messages import Request
from app.loaders.parser_process import ReaderFactory, registry_reader
from app.loaders.parser_scratch import ScratchFolder

logger = logging.getLogger(__name__)


class ParserPool:
    """At most ``workers`` parser processes, started when first needed and replaced when they end or have done enough.

    Safe to use from several threads. ``make_reader`` must be importable by name in a fresh process.
    """

    def __init__(
        self,
        workers: int = 2,
        limits: ParserLimits | None = None,
        make_reader: ReaderFactory = registry_reader,
    ) -> None:
        self._limits = limits or ParserLimits()
        self._make_reader = make_reader
        self._scratch = ScratchFolder()
        self._changed = threading.Condition()
        self._children = [
            ParserChild(self._limits, self._scratch.path, make_reader, number) for number in range(workers)
        ]
        self._idle = list(self._children)
        self._closed = False
        self._resting: threading.Timer | None = None

    def parse(self, path: Path, cancel: CancelToken | None = None) -> ParsedDocument:
        """Read ``path``; blocks until that is done or a process is free to do it.

        Raises ``DocumentError`` with the reason why it can't be read, ``WorkCancelledError`` if ``cancel`` was
        cancelled or the pool was closed meanwhile.
        """
        cancel = cancel or CancelToken()
        child = self._acquire(cancel)
        try:
            return child.read(Path(os.path.abspath(path)), cancel)  # noqa: PTH100  # resolve() would follow links
        finally:
            self._release(child)

    def perform(
        self, task: str, path: Path, arguments: Mapping[str, str] | None = None, cancel: CancelToken | None = None
    ) -> Any:
        """Have a task of ``parser_tasks`` done with the file at ``path``; its result is made of what JSON knows.

        What a parser process says is not to be trusted. Raises as ``parse`` does.
        """
        cancel = cancel or CancelToken()
        child = self._acquire(cancel)
        try:
            return child.perform(Request(Path(os.path.abspath(path)), task, arguments or {}), cancel)  # noqa: PTH100  # resolve() would follow links
        finally:
            self._release(child)

    def close(self) -> None:
        """End every process. Calls of ``parse`` that are under way raise ``WorkCancelledError``. Idempotent."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            resting, self._resting = self._resting, None
        if resting is not None:
            resting.cancel()
            resting.join()
        for child in self._children:
            child.abandon()
        with self._changed:
            self._changed.wait_for(lambda: len(self._idle) == len(self._children))
        for child in self._children:
            child.stop()
        self._scratch.remove()

    def __enter__(self) -> ParserPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _acquire(self, cancel: CancelToken) -> ParserChild:
        forget: Callable[[], None] = cancel.on_cancel(self._wake)
        try:
            with self._changed:
                self._changed.wait_for(lambda: self._idle or self._closed or cancel.cancelled)
                if self._closed or cancel.cancelled:
                    raise WorkCancelledError
                return self._idle.pop()  # the one used last is warm
        finally:
            forget()

    def _release(self, child: ParserChild) -> None:
        is_large = child.resident_bytes() > self._limits.rest_bytes
        with self._changed:
            self._idle.append(child)
            self._changed.notify_all()
            if is_large and not self._closed:
                self._rest_later()

    def _rest_later(self) -> None:
        """The networks for OCR are kept for the next file, but not for long: they fill hundreds of megabytes."""
        if self._resting is not None:
            self._resting.cancel()
        self._resting = threading.Timer(self._limits.rest_seconds, self._rest)
        self._resting.name, self._resting.daemon = "parsers rest", True
        self._resting.start()

    def _rest(self) -> None:
        with self._changed:
            large = [child for child in self._idle if child.resident_bytes() > self._limits.rest_bytes]
            self._idle = [child for child in self._idle if child not in large]
        for child in large:
            child.stop()
        with self._changed:
            self._idle[:0] = large  # used after those that run
            self._changed.notify_all()

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()
