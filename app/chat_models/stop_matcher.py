"""Stop strings, matched in the text as it arrives.

Most servers cut a stop string out of the answer and don't say that they did. Here the answer ends with the string:
text that may be its beginning is held back, the match is emitted, and the stream is closed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from app.chat_models.loop_thread import closing
from app.chat_models.text_filter import ChunkFilter
from app.chat_models.token_estimate import estimate_tokens
from app.domain.messages import Accumulator, AIMessageChunk, Usage


class StopMatcher:
    """Finds the stop string that is complete first, however the text is cut."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(stops)
        self._held = ""
        self.matched: str | None = None

    def feed(self, text: str) -> str:
        """Take more text; return what is certain not to be part of a stop string, or ends with one (``matched``)."""
        if self.matched is not None:
            return ""
        buffer = self._held + text
        ends = [(at + len(stop), stop) for stop in self._stops if (at := buffer.find(stop)) >= 0]
        if ends:
            end, self.matched = min(ends, key=lambda found: (found[0], -len(found[1])))
            self._held = ""
            return buffer[:end]
        keep = max(_overlap(buffer, stop) for stop in self._stops)
        self._held = buffer[len(buffer) - keep :]
        return buffer[: len(buffer) - keep]

    def flush(self) -> str:
        """The text has ended: what was held back."""
        held, self._held = self._held, ""
        return held


def _overlap(text: str, stop: str) -> int:
    """Length of the longest end of ``text`` that is a beginning of ``stop``, not the whole."""
    longest = min(len(text), len(stop) - 1)
    return next((size for size in range(longest, 0, -1) if text.endswith(stop[:size])), 0)


async def stop_at(
    source: AsyncIterator[AIMessageChunk], stops: Sequence[str], prompt_tokens: int
) -> AsyncIterator[AIMessageChunk]:
    """The chunks of ``source`` up to and with the first stop string.

    Closing the stream early loses the server's count of tokens, so it is estimated (``prompt_tokens`` are the input's).
    """
    matcher = StopMatcher(stops)
    texts = ChunkFilter(matcher)
    total = Accumulator()
    async with closing(source):
        async for raw in source:
            chunk = texts.apply(raw)
            if chunk is None:
                continue
            total.add(chunk)
            if matcher.matched is None:
                yield chunk
                continue
            yield _last(chunk, total, matcher.matched, prompt_tokens)
            return
    for chunk in texts.rest():
        yield chunk


def _last(chunk: AIMessageChunk, total: Accumulator, matched: str, prompt_tokens: int) -> AIMessageChunk:
    usage = chunk.usage
    if total.usage is None:
        usage = Usage(prompt_tokens, estimate_tokens(total.message().text), estimated=True)
    metadata = {**chunk.response_metadata, "stop_sequence": matched}
    return replace(chunk, finish="stop", usage=usage, response_metadata=metadata)
