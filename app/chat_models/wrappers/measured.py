"""Metrics as a wrapper: every call is measured."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Sequence

from app.chat_models.call import Call
from app.chat_models.catalog import ProfileCatalog
from app.chat_models.loop_thread import closing
from app.chat_models.metrics import CallRecord, MetricsCollector
from app.chat_models.wrappers.cache import ReplayedChunk
from app.chat_models.wrappers.wrapper import Wrapper
from app.domain.messages import Accumulator, AIMessageChunk, Message

_MILLISECONDS = 1000.0


class Metrics(Wrapper):
    """Records latency, time to the first token, tokens, cost and outcome of every call. Put it outermost.

    A call that the caller ended early counts as a success: the model did nothing wrong.
    """

    collector: MetricsCollector
    """Where records go."""
    catalog: ProfileCatalog | None = None
    """Prices; without it no cost is recorded."""
    clock: Callable[[], float] = time.perf_counter
    """Seconds that never go back."""

    async def _astream(self, messages: Sequence[Message], call: Call) -> AsyncIterator[AIMessageChunk]:
        begin = self.clock()
        first: float | None = None
        cached, failure, total = False, "", Accumulator()
        try:
            async with closing(self.inner.chunks(messages, call)) as chunks:
                async for chunk in chunks:
                    if first is None and chunk.parts:
                        first = (self.clock() - begin) * _MILLISECONDS
                    cached = cached or isinstance(chunk, ReplayedChunk)
                    total.add(chunk)
                    yield chunk
        except Exception as error:
            failure = type(error).__name__
            raise
        finally:
            self._record((self.clock() - begin) * _MILLISECONDS, first, total, call, cached, failure)

    def _record(
        self, latency: float, first: float | None, total: Accumulator, call: Call, cached: bool, failure: str
    ) -> None:
        model = self.resolve(call).model or self.model
        cost = 0.0 if cached else None
        if cost is None and self.catalog is not None and total.usage is not None:
            cost = self.catalog.cost(self.provider, model, total.usage)
        self.collector.record_call(CallRecord(self.provider, model, latency, first, total.usage, cost, cached, failure))
