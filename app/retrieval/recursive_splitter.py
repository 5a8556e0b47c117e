"""The splitter of the common recipe: characters instead of tokens, chunks that overlap, separators tried in turn.

A text is cut at the first separator that it holds; a piece that is still too long is cut at the next one. Neighbouring
pieces are packed into chunks of at most ``chunk_size`` characters, and a chunk begins with up to ``chunk_overlap``
characters of whole pieces from the end of the one before. A separator stays with the piece that it ends.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import pairwise

from app.domain.documents import Chunk, ParsedDocument

SEPARATORS = ("\n\n", "\n", ". ", " ", "")
Span = tuple[int, int]
"""[start, end) in a text."""


class RecursiveSplitter:
    """Splits documents as ``TextSplitter`` does, by the recipe's rules. ``chunk_overlap`` must be below the size."""

    def __init__(
        self, chunk_size: int = 1000, chunk_overlap: int = 200, separators: Sequence[str] = SEPARATORS
    ) -> None:
        if not 0 <= chunk_overlap < chunk_size:
            raise ValueError(f"an overlap of {chunk_overlap} does not go with chunks of {chunk_size} characters")
        self._size = chunk_size
        self._overlap = chunk_overlap
        self._separators = tuple(separators)

    def split(self, document: ParsedDocument) -> list[Chunk]:
        """Chunks in order. ``document.text[start:end]`` is each chunk's text; it has no white space at its ends."""
        text = document.text
        spans = (_stripped(text, span) for span in self._spans(text, 0, len(text), self._separators))
        return [Chunk(text[start:end], start, end) for start, end in spans if start < end]

    def _spans(self, text: str, start: int, end: int, separators: Sequence[str]) -> Iterator[Span]:
        separator, finer = self._first_found(text, start, end, separators)
        short: list[Span] = []
        for piece in _cut(text, start, end, separator):
            if piece[1] - piece[0] <= self._size:
                short.append(piece)
                continue
            yield from self._packed(short)
            short = []
            yield from self._spans(text, *piece, finer)
        yield from self._packed(short)

    @staticmethod
    def _first_found(text: str, start: int, end: int, separators: Sequence[str]) -> tuple[str, Sequence[str]]:
        for index, separator in enumerate(separators):
            if not separator or text.find(separator, start, end) >= 0:
                return separator, separators[index + 1 :]
        return "", ()

    def _packed(self, pieces: Sequence[Span]) -> Iterator[Span]:
        """Neighbouring pieces as chunks."""
        held: deque[Span] = deque()
        for piece in pieces:
            if held and piece[1] - held[0][0] > self._size:
                yield held[0][0], held[-1][1]
                while held and (held[-1][1] - held[0][0] > self._overlap or piece[1] - held[0][0] > self._size):
                    held.popleft()
            held.append(piece)
        if held:
            yield held[0][0], held[-1][1]


def _cut(text: str, start: int, end: int, separator: str) -> list[Span]:
    """The pieces between separators, each with the separator behind it; single characters without a separator."""
    if not separator:
        return [(place, place + 1) for place in range(start, end)]
    cuts = [start]
    found = text.find(separator, start, end)
    while found >= 0:
        cuts.append(found + len(separator))
        found = text.find(separator, cuts[-1], end)
    if cuts[-1] < end:
        cuts.append(end)
    return list(pairwise(cuts))


def _stripped(text: str, span: Span) -> Span:
    start, end = span
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end
