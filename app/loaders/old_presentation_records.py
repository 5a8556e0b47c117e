"""The records of PowerPoint 97 to 2003 ([MS-PPT] 2.3.1): a header of eight bytes, then data or further records."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

CHARACTERS, BYTES, OUTLINE_REFERENCE, TEXT_HEADER = 0x0FA0, 0x0FA8, 0x0F9E, 0x0F9F
TEXT_STYLE, TEXT_BOX, SHAPES, SHAPE = 0x0FA1, 0xF00D, 0xF003, 0xF004
_VERTICAL_TAB = "\x0b"


@dataclass(frozen=True, slots=True)
class Record:
    """What a record is, and where in the stream its data ``[start, end)`` stands."""

    kind: int
    instance: int
    is_container: bool
    start: int
    end: int


class RecordStream:
    """The stream of a presentation. Reading outside of it raises ``struct.error``."""

    def __init__(self, stream: bytes) -> None:
        self._stream = stream

    def record(self, offset: int) -> Record:
        """Return the record whose header stands at ``offset``; what is said to go beyond the end ends there."""
        version, kind, length = struct.unpack_from("<HHI", self._stream, offset)
        end = min(offset + 8 + length, len(self._stream))
        return Record(kind, version >> 4, version & 0xF == 0xF, offset + 8, end)

    def children(self, parent: Record) -> Iterator[Record]:
        """Return the records that stand in ``parent``."""
        place = parent.start
        while place + 8 <= parent.end:
            record = self.record(place)
            yield record
            place = record.end

    def descendants(self, parent: Record, deepest: int = 8) -> Iterator[Record]:
        """Return the records that stand in ``parent`` or in what it contains, down to ``deepest`` levels."""
        for each in self.children(parent):
            yield each
            if each.is_container and deepest:
                yield from self.descendants(each, deepest - 1)

    def data(self, record: Record) -> bytes:
        """Return what a record holds."""
        return self._stream[record.start : record.end]

    def number(self, record: Record, place: int = 0) -> int:
        """Return the unsigned 32-bit number ``place`` bytes into the data of a record."""
        return int(struct.unpack_from("<I", self._stream, record.start + place)[0])

    def raw_text(self, record: Record) -> str:
        """Return the characters of a text record; ``\\r`` ends a paragraph, a vertical tab a line of it."""
        encoding = "utf-16-le" if record.kind == CHARACTERS else "latin-1"
        return self.data(record).decode(encoding, "replace")


def shown(raw: str) -> str:
    """Return raw text as it reads: a line for each of its lines, without what stands for nothing."""
    return raw.replace("\r", "\n").replace(_VERTICAL_TAB, "\n").replace("\x00", "").strip()
