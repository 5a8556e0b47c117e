"""Which glyph of a PDF page each character of a text stands on, kept as runs."""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import overload

NO_GLYPH = -1


class CharMap(Sequence[int]):
    """A read-only sequence with one entry per character of a text.

    An entry is the index of the character in PDFium's text of the page, or ``NO_GLYPH`` (-1). Neighbouring characters
    nearly always have neighbouring indexes, so only runs ``(text_start, index_start, length)`` are stored: about
    twelve bytes a printed line instead of several a character.
    """

    __slots__ = ("_length", "_runs")

    def __init__(self, length: int, runs: Iterable[tuple[int, int, int]] = ()) -> None:
        """``length`` is the text's; ``runs`` are sorted by ``text_start``, don't overlap and may leave gaps."""
        self._length = length
        self._runs = array("i", (number for run in runs for number in run))

    @classmethod
    def from_indexes(cls, indexes: Iterable[int]) -> CharMap:
        """Make the map whose entries are ``indexes``."""
        runs: list[tuple[int, int, int]] = []
        length = 0
        for position, index in enumerate(indexes):
            length = position + 1
            if index < 0:
                continue
            if runs and runs[-1][0] + runs[-1][2] == position and runs[-1][1] + runs[-1][2] == index:
                runs[-1] = (*runs[-1][:2], runs[-1][2] + 1)
            else:
                runs.append((position, index, 1))
        return cls(length, runs)

    @classmethod
    def from_bytes(cls, data: bytes) -> CharMap:
        """Read what ``to_bytes`` wrote. Raises ``ValueError`` if that can't be."""
        numbers = array("i")
        numbers.frombytes(data)
        if sys.byteorder == "big":
            numbers.byteswap()
        if len(numbers) % 3 != 1:
            raise ValueError("not a stored character map")
        made = cls(numbers[0])
        made._runs = numbers[1:]
        return made

    def to_bytes(self) -> bytes:
        """Return length and runs as little-endian 32-bit integers."""
        numbers = array("i", [self._length]) + self._runs
        if sys.byteorder == "big":
            numbers.byteswap()
        return numbers.tobytes()

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[int]:
        return iter(self._between(0, self._length))

    @overload
    def __getitem__(self, place: int) -> int: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[int, ...]: ...
    def __getitem__(self, place: int | slice) -> int | tuple[int, ...]:
        if isinstance(place, slice):
            start, stop, step = place.indices(self._length)
            return self._between(start, stop) if step == 1 else tuple(map(self._at, range(start, stop, step)))
        position = place + self._length if place < 0 else place
        if not 0 <= position < self._length:
            raise IndexError(place)
        return self._at(position)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, CharMap):
            return self._length == other._length and (self._runs == other._runs or list(self) == list(other))
        if isinstance(other, tuple | list):
            return list(self) == list(other)
        return NotImplemented

    def __hash__(self) -> int:
        return hash((CharMap, self._length))

    def __repr__(self) -> str:
        return f"CharMap({self._length} characters, {len(self._runs) // 3} runs)"

    def runs(self) -> Iterator[tuple[int, int, int]]:
        """Yield the runs ``(text_start, index_start, length)`` in the order of the text."""
        numbers = iter(self._runs)
        return zip(numbers, numbers, numbers, strict=True)

    def runs_between(self, start: int, stop: int) -> Iterator[tuple[int, int, int]]:
        """Yield the runs, or parts of runs, inside ``[start, stop)``."""
        runs = self._runs
        for run in range(max(0, self._run_before(start)), len(runs) // 3):
            text_start, index_start, length = runs[3 * run : 3 * run + 3]
            if text_start >= stop:
                return
            first, last = max(start, text_start), min(stop, text_start + length)
            if first < last:
                yield first, index_start + first - text_start, last - first

    def _at(self, position: int) -> int:
        run = self._run_before(position)
        if run < 0:
            return NO_GLYPH
        text_start, index_start, length = self._runs[3 * run : 3 * run + 3]
        return index_start + position - text_start if position < text_start + length else NO_GLYPH

    def _between(self, start: int, stop: int) -> tuple[int, ...]:
        found = [NO_GLYPH] * max(0, stop - start)
        for text_start, index_start, length in self.runs_between(start, stop):
            found[text_start - start : text_start - start + length] = range(index_start, index_start + length)
        return tuple(found)

    def _run_before(self, position: int) -> int:
        """The number of the last run that starts at or before ``position``, or -1."""
        return bisect_right(range(len(self._runs) // 3), position, key=lambda run: self._runs[3 * run]) - 1
