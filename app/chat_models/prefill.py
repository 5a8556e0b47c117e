"""The beginning of an answer, given by the caller (prefill).

Some models continue a trailing assistant message, and of those some repeat it; most refuse one today. Where it isn't
possible the model is asked in words. Whichever way: the caller gets the beginning exactly once, as the first chunk.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from app.chat_models.call import PrefillStyle
from app.chat_models.loop_thread import closing
from app.chat_models.text_filter import ChunkFilter
from app.domain.messages import AIMessage, AIMessageChunk, HumanMessage, Message, SystemMessage, TextPart

_INSTRUCTION = "Begin your answer with exactly the following text and continue from there, without comment:\n{text}"


def arrange_prefill(messages: Sequence[Message], text: str, style: PrefillStyle) -> list[Message]:
    """The messages that make a model of ``style`` begin with ``text``."""
    if style is not PrefillStyle.EMULATED:
        return [*messages, AIMessage(text, additional_kwargs={"prefill": True})]
    instruction = _INSTRUCTION.format(text=text)
    for number, message in enumerate(messages):
        if isinstance(message, SystemMessage):
            joined = SystemMessage(parts=(*message.parts, TextPart("\n\n" + instruction)), id=message.id)
            return [*messages[:number], joined, *messages[number + 1 :]]
    if isinstance(messages[-1], HumanMessage):
        last = messages[-1]
        return [*messages[:-1], HumanMessage(parts=(*last.parts, TextPart("\n\n" + instruction)), id=last.id)]
    return [SystemMessage(instruction), *messages]


class EchoFilter:
    """Drops ``text`` from the beginning of an answer if the answer repeats it, however it is cut."""

    def __init__(self, text: str) -> None:
        self._expected = text.strip()
        self._held = ""
        self._done = not self._expected

    def feed(self, text: str) -> str:
        """Take more of the answer; return what is certain not to be the repeated text."""
        if self._done:
            return text
        self._held += text
        seen = self._held.lstrip()
        if self._expected.startswith(seen) and seen != self._expected:
            return ""
        self._done = True
        held, self._held = self._held, ""
        if not seen.startswith(self._expected):
            return held
        return seen[len(self._expected) :]

    def flush(self) -> str:
        """The answer has ended: what was held back."""
        held, self._held, self._done = self._held, "", True
        return held


async def without_echo(source: AsyncIterator[AIMessageChunk], text: str) -> AsyncIterator[AIMessageChunk]:
    """The chunks of ``source`` without a repetition of ``text`` at their beginning."""
    echo = ChunkFilter(EchoFilter(text))
    async with closing(source):
        async for chunk in source:
            if (filtered := echo.apply(chunk)) is not None:
                yield filtered
    for chunk in echo.rest():
        yield chunk


async def after_prefill(source: AsyncIterator[AIMessageChunk], text: str) -> AsyncIterator[AIMessageChunk]:
    """The chunks of ``source`` after one with ``text``, which waits for the first of them: an error comes alone."""
    started = False
    async with closing(source):
        async for chunk in source:
            if not started:
                started = True
                yield AIMessageChunk(parts=(TextPart(text, _text_index(chunk)),))
            yield chunk


def _text_index(chunk: AIMessageChunk) -> int | None:
    return next((part.index for part in chunk.parts if isinstance(part, TextPart)), 0)
