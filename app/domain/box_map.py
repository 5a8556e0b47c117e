"""Where the words of a text stand on a page, kept as rectangles: for text that no PDF glyph stands behind."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from app.domain.documents import Box

_ROW = struct.Struct("<3i4f")


class PlacedWord(NamedTuple):
    """The characters ``[start, end)`` of a text and the rectangle they fill; words of one ``line`` share a number.

    Units as in ``Box``: points on the displayed page, pixels for a picture, origin top left.
    """

    start: int
    end: int
    line: int
    left: float
    top: float
    right: float
    bottom: float


class BoxMap:
    """The rectangles of a text's words, in the order of the text."""

    __slots__ = ("_words",)

    def __init__(self, words: Iterable[PlacedWord] = ()) -> None:
        """``words`` are sorted by ``start`` and don't overlap in the text."""
        self._words = tuple(words)

    @classmethod
    def from_bytes(cls, data: bytes) -> BoxMap:
        """Read what ``to_bytes`` wrote. Raises ``ValueError`` if that can't be."""
        if len(data) % _ROW.size:
            raise ValueError("not a stored box map")
        return cls(PlacedWord(*row) for row in _ROW.iter_unpack(data))

    def to_bytes(self) -> bytes:
        """Return 28 bytes a word: start, end and line as 32-bit integers, the rectangle as 32-bit floats."""
        return b"".join(_ROW.pack(*word) for word in self._words)

    def boxes_between(self, start: int, end: int) -> tuple[Box, ...]:
        """Return one rectangle for each line that ``[start, end)`` touches, in the order of the text."""
        from app.domain.documents import Box

        lines: dict[int, Box] = {}
        for word in self._words:
            if word.start < end and word.end > start:
                box = lines.get(word.line, Box(*word[3:]))
                lines[word.line] = Box(
                    min(box.left, word.left),
                    min(box.top, word.top),
                    max(box.right, word.right),
                    max(box.bottom, word.bottom),
                )
        return tuple(lines.values())

    def fits(self, length: int) -> bool:
        """Whether the words lie in order inside a text of ``length`` characters."""
        position = 0
        for word in self._words:
            if not position <= word.start < word.end <= length:
                return False
            position = word.end
        return True

    def __iter__(self) -> Iterator[PlacedWord]:
        return iter(self._words)

    def __len__(self) -> int:
        return len(self._words)

    def __eq__(self, other: object) -> bool:
        return self._words == other._words if isinstance(other, BoxMap) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._words)

    def __repr__(self) -> str:
        return f"BoxMap({len(self._words)} words)"
