"""Word 97 to 2003 ([MS-DOC]): headings, lists and tables; older Word files through ``kreuzberg``."""

from __future__ import annotations

import re
import struct
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from app.loaders.archive_guard import COMPOUND_FILE, damaged, encrypted
from app.loaders.compound import compound_file
from app.loaders.document_loader import DocumentLoader, LoadedDocument
from app.loaders.drawings import image_mark
from app.loaders.kreuzberg_seam import extract
from app.loaders.section_builder import SectionBuilder

_MAGIC, _OLDEST_VERSION = 0xA5EC, 0x00C1
_ENCRYPTED, _SECOND_TABLE = 0x0100, 0x0200
# Places in the file information block: counts of characters, paragraph properties, the table of pieces.
_AT_FLAGS, _AT_COUNTS, _AT_PARAGRAPHS, _AT_PIECES = 0x0A, 0x4C, 0x102, 0x1A2
_BODY, _FOOTNOTES, _HEADERS, _MACROS, _COMMENTS, _ENDNOTES, _BOXES = range(7)
_SPOKEN = (_FOOTNOTES, _COMMENTS, _ENDNOTES, _BOXES)
_PAGE = 512
DEEPEST_FIELD = 20
_COMPRESSED = 0x4000_0000
# Property modifiers of paragraphs, and how long the operand of a modifier is, by its upper three bits.
_IN_TABLE, _ROW_END, _LIST = 0x2416, 0x2417, 0x460B
_OPERAND_BYTES = (1, 1, 2, 4, 2, 2, 0, 3)
_LONG_OPERANDS = frozenset({0xD608, 0xC615})
_CELL, _PARAGRAPH = "\x07", "\r"
_FIELD = re.compile(r"\x13[^\x13\x14\x15]*(?:\x14([^\x13\x14\x15]*))?\x15")
_SIGNS = str.maketrans(
    {"\x0b": "\n", "\x0c": "\n", "\x1e": "-", "\x1f": None, "\x02": None, "\x05": None, "\x08": None, "\x00": None}
    | {"\x13": None, "\x14": None, "\x15": None, "\x03": None, "\x04": None, "\x0e": "\n"}
)
_RTF = b"{\\rtf"


@dataclass(frozen=True, slots=True)
class _Properties:
    style: int = 0
    in_table: bool = False
    row_end: bool = False
    in_list: bool = False


class OldWordLoader(DocumentLoader):
    """Word before 2007. Many files of that name are RTF, which is read as such."""

    extensions = frozenset({".doc", ".dot"})

    def media_type(self, path: Path) -> str:
        """Return ``application/msword``."""
        del path
        return "application/msword"

    def load(self, path: Path) -> LoadedDocument:
        """Read the document, then its notes, comments and text boxes. Raises ``DocumentError``."""
        with path.open("rb") as file:
            head = file.read(len(COMPOUND_FILE))
        if head.startswith(_RTF):
            return extract(path, "application/rtf")
        main, table = _streams(path)
        if table is None:
            return extract(path, self.media_type(path))
        try:
            document = _Document(main, table)
            builder = SectionBuilder()
            for part in (_BODY, *_SPOKEN):
                _write(builder, document.paragraphs(part))
        except (struct.error, IndexError) as error:
            raise damaged(path) from error
        return LoadedDocument(builder.finish())


def _streams(path: Path) -> tuple[bytes, bytes | None]:
    """The main stream and the one with the tables; None for the second in files of Word 95 and before."""
    with compound_file(path) as container:
        main = container.openstream("WordDocument").read()
        magic, version = struct.unpack_from("<HH", main)
        flags = struct.unpack_from("<H", main, _AT_FLAGS)[0]
        if flags & _ENCRYPTED:
            raise encrypted(path)
        if magic != _MAGIC or version < _OLDEST_VERSION:
            return main, None
        return main, container.openstream("1Table" if flags & _SECOND_TABLE else "0Table").read()


def _write(builder: SectionBuilder, paragraphs: Iterator[tuple[str, _Properties]]) -> None:
    """Add paragraphs; those of tables end with the mark of their cell or row."""
    rows: list[list[str]] = []
    cells: list[str] = []
    cell: list[str] = []
    for text, properties in paragraphs:
        if properties.row_end:
            rows.append(cells)
            cells = []
        elif properties.in_table:
            cell.append(_readable(text))
            if text.endswith(_CELL):
                cells.append(" ".join(part for part in cell if part))
                cell = []
        else:
            builder.table(rows)
            rows = []
            _add(builder, _readable(text), properties)
    builder.table([*rows, cells])


def _add(builder: SectionBuilder, text: str, properties: _Properties) -> None:
    if 1 <= properties.style <= 9 and text:  # the first styles of every document are its headings
        builder.heading(properties.style, text)
    elif properties.in_list and text:
        builder.line(f"- {text}")
    else:
        builder.paragraph(text)


def _readable(text: str) -> str:
    """A paragraph without field codes and marks, pictures marked as in other documents."""
    for _ in range(DEEPEST_FIELD):
        shown = _FIELD.sub(lambda match: match.group(1) or "", text)
        if shown == text:
            break
        text = shown
    return text.rstrip(_PARAGRAPH + _CELL).replace("\x01", f"{image_mark()} ").translate(_SIGNS).strip()


class _Document:
    """The text of a document lies in pieces; which paragraph has which properties is stored by place in the file."""

    def __init__(self, main: bytes, table: bytes) -> None:
        """Raises ``struct.error`` or ``IndexError`` if the tables are broken."""
        self._main = main
        self._counts = struct.unpack_from("<7I", main, _AT_COUNTS)
        self._text, self._places = self._read_pieces(table)
        self._starts: list[int] = []
        self._properties: list[_Properties] = []
        for start, properties in sorted(self._read_properties(table), key=lambda pair: pair[0]):
            self._starts.append(start)
            self._properties.append(properties)

    def paragraphs(self, part: int) -> Iterator[tuple[str, _Properties]]:
        """Yield the paragraphs of a part of the text, each with the mark that ends it."""
        start = sum(self._counts[:part])
        end = min(start + self._counts[part], len(self._text))
        while start < end:
            stop = next((place for place in range(start, end) if self._text[place] in _ENDS), end - 1) + 1
            yield self._text[start:stop], self._properties_at(stop - 1)
            start = stop

    def _properties_at(self, position: int) -> _Properties:
        piece = bisect_right(self._places, position, key=lambda row: row[0]) - 1
        first, place, width = self._places[piece]
        found = bisect_right(self._starts, place + (position - first) * width) - 1
        return self._properties[found] if found >= 0 else _Properties()

    def _read_pieces(self, table: bytes) -> tuple[str, list[tuple[int, int, int]]]:
        """The whole text, and for each piece: its first position, its place in the file, bytes a character."""
        offset, length = struct.unpack_from("<II", self._main, _AT_PIECES)
        end = offset + length
        while offset < end and table[offset] == 1:
            offset += 3 + struct.unpack_from("<H", table, offset + 1)[0]
        size = struct.unpack_from("<I", table, offset + 1)[0]
        count = (size - 4) // 12
        positions = struct.unpack_from(f"<{count + 1}I", table, offset + 5)
        if positions[-1] > len(self._main) or any(one > other for one, other in pairwise(positions)):
            raise struct.error("the same characters over and over")
        texts: list[str] = []
        places: list[tuple[int, int, int]] = []
        first = 0
        for number in range(count):
            stored = struct.unpack_from("<I", table, offset + 5 + 4 * (count + 1) + 8 * number + 2)[0]
            characters = positions[number + 1] - positions[number]
            place, width = ((stored & ~_COMPRESSED) // 2, 1) if stored & _COMPRESSED else (stored, 2)
            data = self._main[place : place + characters * width]
            text = data.decode("cp1252" if width == 1 else "utf-16-le", "replace")
            places.append((first, place, width))
            texts.append(text)
            first += len(text)
        return "".join(texts), places

    def _read_properties(self, table: bytes) -> Iterator[tuple[int, _Properties]]:
        offset, length = struct.unpack_from("<II", self._main, _AT_PARAGRAPHS)
        count = (length - 4) // 8
        for page in struct.unpack_from(f"<{max(count, 0)}I", table, offset + 4 * (count + 1)):
            start = (page & 0x3FFFFF) * _PAGE
            data = self._main[start : start + _PAGE]
            runs = data[_PAGE - 1]
            places = struct.unpack_from(f"<{runs + 1}I", data)
            for number in range(runs):
                yield places[number], _properties(data, data[4 * (runs + 1) + 13 * number] * 2)


_ENDS = frozenset({_PARAGRAPH, _CELL, "\x0c"})


def _properties(page: bytes, offset: int) -> _Properties:
    """The properties of a paragraph, which stand at ``offset`` of a page of them; 0 stands for the usual ones."""
    if not offset:
        return _Properties()
    size = page[offset] * 2 - 1 if page[offset] else page[offset + 1] * 2
    start = offset + (1 if page[offset] else 2)
    data = page[start : start + size]
    set_values = dict(_modifiers(data[2:]))
    return _Properties(
        struct.unpack_from("<H", data)[0],
        bool(set_values.get(_IN_TABLE)),
        bool(set_values.get(_ROW_END)),
        bool(set_values.get(_LIST)),
    )


def _modifiers(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield each modifier with its operand, as far as that is a number."""
    place = 0
    while place + 2 <= len(data):
        code = struct.unpack_from("<H", data, place)[0]
        size = _OPERAND_BYTES[code >> 13]
        start = place + 2
        if code in _LONG_OPERANDS:
            return  # their length has a form of its own, and nothing of interest follows them
        if not size:
            size, start = (data[start] if start < len(data) else 0), start + 1
        yield code, int.from_bytes(data[start : start + size], "little")
        place = start + size
