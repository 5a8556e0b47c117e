"""The beginning of a stream: until its first content nothing has been handed on, and another attempt harms nobody."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from app.chat_models.loop_thread import closing
from app.domain.messages import AIMessageChunk


@dataclass(frozen=True, slots=True)
class Started:
    """A stream that has begun: the chunks that were read, the last of which has content, and the rest."""

    read: list[AIMessageChunk]
    rest: AsyncIterator[AIMessageChunk]

    async def chunks(self) -> AsyncIterator[AIMessageChunk]:
        """All chunks of the stream."""
        async with closing(self.rest):
            for chunk in self.read:
                yield chunk
            async for chunk in self.rest:
                yield chunk


async def started(source: AsyncIterator[AIMessageChunk]) -> Started:
    """Read ``source`` up to its first content. Some servers report an error after the first, empty chunk.

    Raises what ``source`` raises; it is closed then.
    """
    read: list[AIMessageChunk] = []
    try:
        async for chunk in source:
            read.append(chunk)
            if any(getattr(part, "text", True) for part in chunk.parts):
                break
    except BaseException:
        close = getattr(source, "aclose", None)
        if close is not None:
            await close()
        raise
    return Started(read, source)
