"""Retry: asking again after errors that pass."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.chat_models.call import Call
from app.chat_models.loop_thread import closing
from app.chat_models.wrappers.first_content import Started, started
from app.chat_models.wrappers.wrapper import Wrapper
from app.domain.chat_errors import ChatError
from app.domain.messages import AIMessageChunk, Message

if TYPE_CHECKING:
    from tenacity import RetryCallState

_LOGGER = logging.getLogger(__name__)
_SHORTEST_JITTER, _JITTER_RANGE = 0.5, 1.0


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When to ask again and how long to wait, in seconds.

    The n-th wait (n from 0) is ``min(base_delay · factorⁿ, max_delay)`` times a random number between 0.5 and 1.5.
    A delay that the server names is obeyed instead; one longer than ``longest_server_delay`` ends the attempts.
    """

    max_retries: int = 3
    base_delay: float = 1.0
    max_delay: float = 60.0
    factor: float = 2.0
    jitter: bool = True
    longest_server_delay: float = 120.0

    def delay(self, attempt: int, error: BaseException | None, chance: float) -> float:
        """Seconds to wait after the attempt of this number (from 0); ``chance`` is between 0 and 1."""
        if isinstance(error, ChatError) and error.retry_after is not None:
            return max(0.0, error.retry_after)
        delay = min(self.base_delay * self.factor**attempt, self.max_delay)
        return delay * (_SHORTEST_JITTER + _JITTER_RANGE * chance) if self.jitter else delay

    def allows(self, error: BaseException | None) -> bool:
        """Whether asking again may help."""
        if not isinstance(error, ChatError) or not error.retryable:
            return False
        return error.retry_after is None or error.retry_after <= self.longest_server_delay


class Retry(Wrapper):
    """Asks again after connection errors, timeouts, rate limits and server errors, as long as nothing was handed on.

    Every retry is logged as a warning, the last error is raised. Waiting can be cancelled.
    """

    policy: RetryPolicy = RetryPolicy()
    """When to ask again, and how long to wait."""
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    """How to wait."""
    chance: Callable[[], float] = random.random
    """Source of the jitter, between 0 and 1."""

    async def _astream(self, messages: Sequence[Message], call: Call) -> AsyncIterator[AIMessageChunk]:
        from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt

        attempts = AsyncRetrying(
            stop=stop_after_attempt(self.policy.max_retries + 1),
            wait=self._wait,
            retry=retry_if_exception(self.policy.allows),
            sleep=self.sleep,
            before_sleep=self._warn,
            reraise=True,
        )

        async def attempt() -> Started:
            return await started(self.inner.chunks(messages, call))

        stream: Started = await attempts(attempt)
        async with closing(stream.chunks()) as chunks:
            async for chunk in chunks:
                yield chunk

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        return self.policy.delay(state.attempt_number - 1, error, self.chance())

    def _warn(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        wait = state.next_action.sleep if state.next_action else 0.0
        _LOGGER.warning(
            "attempt %d of %d at %s failed (%s: %s); asking again in %.2f s",
            state.attempt_number,
            self.policy.max_retries + 1,
            self.model or self.provider,
            type(error).__name__,
            error,
            wait,
        )
