"""Filters on the text of a stream that may hold text back."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from app.domain.messages import AIMessageChunk, Part, TextPart


class TextFilter(Protocol):
    """Takes text in pieces of any size and gives out what is decided."""

    def feed(self, text: str) -> str:
        """Take more text; return what can go out."""

    def flush(self) -> str:
        """The text has ended: what was held back."""


class ChunkFilter:
    """Applies a text filter to chunks. Held-back text goes out before anything else, in the block it came from."""

    def __init__(self, texts: TextFilter) -> None:
        self._texts = texts
        self._index: int | None = None

    def apply(self, chunk: AIMessageChunk) -> AIMessageChunk | None:
        """``chunk`` with its text filtered; None if nothing is left to hand on."""
        parts: list[Part] = []
        for part in chunk.parts:
            if isinstance(part, TextPart):
                self._index = part.index
                text = self._texts.feed(part.text)
                if text or not part.text:
                    parts.append(replace(part, text=text))
            else:
                parts += [*self._flushed(), part]
        if chunk.finish is not None:
            parts += self._flushed()
        if not parts and chunk.parts and not _says_more(chunk):
            return None
        return replace(chunk, parts=tuple(parts))

    def rest(self) -> list[AIMessageChunk]:
        """The stream has ended: what was held back, if anything was."""
        return [AIMessageChunk(parts=(part,)) for part in self._flushed()]

    def _flushed(self) -> list[TextPart]:
        rest = self._texts.flush()
        return [TextPart(rest, self._index)] if rest else []


def _says_more(chunk: AIMessageChunk) -> bool:
    return bool(chunk.usage or chunk.finish or chunk.response_metadata or chunk.additional_kwargs or chunk.model)
