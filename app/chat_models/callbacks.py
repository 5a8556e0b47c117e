"""Callbacks: who wants to hear of tokens as they come.

Handlers are called on the thread that runs the model (the loop thread for synchronous calls), so they must be quick.
An exception of a handler ends the call.
"""

from __future__ import annotations

import queue
import sys
from collections.abc import Iterator, Sequence
from typing import TextIO

from app.domain.messages import AIMessage, AIMessageChunk, Message


class CallbackHandler:
    """Base of handlers: every method does nothing. ``run_id`` names the run."""

    def on_llm_start(self, messages: Sequence[Message], *, run_id: str) -> None:
        """The model is about to be asked."""

    def on_llm_new_token(self, token: str, *, chunk: AIMessageChunk, run_id: str) -> None:
        """A chunk has arrived; ``token`` is its text, "" when it brings something else."""

    def on_llm_end(self, response: AIMessage, *, run_id: str) -> None:
        """The answer is complete."""

    def on_llm_error(self, error: BaseException, *, run_id: str) -> None:
        """The call failed, or was cancelled (``WorkCancelledError``)."""


class StdoutHandler(CallbackHandler):
    """Prints tokens as they come, without line breaks of its own."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream

    def on_llm_new_token(self, token: str, *, chunk: AIMessageChunk, run_id: str) -> None:
        """Print ``token`` at once."""
        stream = self._stream or sys.stdout
        stream.write(token)
        stream.flush()


class QueueHandler(CallbackHandler):
    """Hands tokens to a reader on another thread."""

    def __init__(self) -> None:
        self._items: queue.SimpleQueue[str | BaseException | None] = queue.SimpleQueue()

    def on_llm_new_token(self, token: str, *, chunk: AIMessageChunk, run_id: str) -> None:
        """Pass on the text of a chunk that has some."""
        if token:
            self._items.put(token)

    def on_llm_end(self, response: AIMessage, *, run_id: str) -> None:
        """End the reader's loop."""
        self._items.put(None)

    def on_llm_error(self, error: BaseException, *, run_id: str) -> None:
        """Raise ``error`` at the reader."""
        self._items.put(error)

    def get_tokens(self) -> Iterator[str]:
        """Yield tokens in order, waiting for them; ends with the answer, raises the error of a call that failed."""
        while (item := self._items.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
