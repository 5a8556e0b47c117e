"""Rate limit: at most so many requests a minute."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass

from app.chat_models.call import Call
from app.chat_models.loop_thread import closing
from app.chat_models.wrappers.wrapper import Wrapper
from app.domain.messages import AIMessageChunk, Message

_WHOLE = 1.0 - 1e-9  # a refill of exactly one token may come out a rounding error short
_MANY_BUCKETS = 10_000


@dataclass(slots=True)
class _Bucket:
    tokens: float
    refilled_at: float


class RateLimiter:
    """A token bucket per user: ``burst_size`` requests at once, refilled by ``requests_per_minute / 60`` a second.

    Thread-safe. ``clock`` gives seconds that never go back.
    """

    def __init__(
        self, requests_per_minute: float = 20, burst_size: int = 5, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        if requests_per_minute <= 0 or burst_size < 1:
            raise ValueError("A rate limit needs more than 0 requests a minute and a burst of at least 1.")
        self._rate = requests_per_minute / 60.0
        self._capacity = float(burst_size)
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: dict[str, _Bucket] = {}

    def is_allowed(self, user_id: str = "") -> bool:
        """Whether the user may ask now; if so one token is taken."""
        with self._lock:
            bucket = self._refilled(user_id)
            if bucket.tokens < _WHOLE:
                return False
            bucket.tokens = max(0.0, bucket.tokens - 1.0)
            return True

    def get_retry_after(self, user_id: str = "") -> float:
        """Seconds until the user's next token; 0 if there is one."""
        with self._lock:
            bucket = self._refilled(user_id)
            return 0.0 if bucket.tokens >= _WHOLE else (1.0 - bucket.tokens) / self._rate

    async def wait(self, user_id: str = "", sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Wait for a token and take it."""
        while not self.is_allowed(user_id):
            await sleep(self.get_retry_after(user_id))

    def _refilled(self, user_id: str) -> _Bucket:
        now = self._clock()
        bucket = self._buckets.get(user_id)
        if bucket is None:
            self._forget_full(now)
            bucket = self._buckets[user_id] = _Bucket(self._capacity, now)
        bucket.tokens = self._tokens(bucket, now)
        bucket.refilled_at = now
        return bucket

    def _tokens(self, bucket: _Bucket, now: float) -> float:
        return min(self._capacity, bucket.tokens + max(0.0, now - bucket.refilled_at) * self._rate)

    def _forget_full(self, now: float) -> None:
        """A full bucket says nothing that a new one would not; without this the users of a long life pile up."""
        if len(self._buckets) >= _MANY_BUCKETS:
            full = [user for user, bucket in self._buckets.items() if self._tokens(bucket, now) >= self._capacity]
            for user in full:
                del self._buckets[user]


class RateLimit(Wrapper):
    """Lets requests wait for their token. Waiting can be cancelled."""

    limiter: RateLimiter
    """The buckets; share one limiter among models that share a limit, but not twice in one chain of wrappers."""
    user_id: str = ""
    """Whose bucket."""
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    """How to wait."""

    async def _astream(self, messages: Sequence[Message], call: Call) -> AsyncIterator[AIMessageChunk]:
        await self.limiter.wait(self.user_id, self.sleep)
        async with closing(self.inner.chunks(messages, call)) as chunks:
            async for chunk in chunks:
                yield chunk
