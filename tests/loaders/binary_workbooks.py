"""Makes Excel's binary workbooks ([MS-XLSB]) by hand: records of a number, a size and their data."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.loaders.containers import relations

_TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="bin" ContentType="application/vnd.ms-excel.sheet.binary.macroEnabled.main"/></Types>'
)
_BOOK, _BOOK_END, _SHEETS, _SHEETS_END, _SHEET_NAME = 131, 132, 143, 144, 156
_SHEET, _SHEET_END, _CELLS, _CELLS_END, _SIZE, _ROW, _NUMBER, _TEXT = 129, 130, 145, 146, 148, 0, 5, 6


def write_xlsb(path: Path, sheets: Mapping[str, Sequence[Sequence[str | float]]]) -> Path:
    """A workbook of these sheets, each of rows of texts and numbers."""
    names = [
        _record(_SHEET_NAME, struct.pack("<II", 0, number) + _string(f"r{number}") + _string(name))
        for number, name in enumerate(sheets, start=1)
    ]
    book = [_record(_BOOK), _record(_SHEETS), *names, _record(_SHEETS_END), _record(_BOOK_END)]
    targets = [(f"r{number}", "worksheet", f"worksheets/sheet{number}.bin") for number in range(1, len(sheets) + 1)]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", _TYPES)
        archive.writestr("_rels/.rels", relations(("r1", "officeDocument", "xl/workbook.bin")))
        archive.writestr("xl/_rels/workbook.bin.rels", relations(*targets))
        archive.writestr("xl/workbook.bin", b"".join(book))
        for number, rows in enumerate(sheets.values(), start=1):
            archive.writestr(f"xl/worksheets/sheet{number}.bin", _sheet(rows))
    return path


def _sheet(rows: Sequence[Sequence[str | float]]) -> bytes:
    area = struct.pack("<IIII", 0, len(rows) - 1, 0, max(map(len, rows)) - 1)
    made = [_record(_SHEET), _record(_SIZE, area), _record(_CELLS)]
    for number, row in enumerate(rows):
        made.append(_record(_ROW, struct.pack("<IIHHBI", number, 0, 300, 0, 0, 0)))
        made += [_cell(column, value) for column, value in enumerate(row)]
    return b"".join([*made, _record(_CELLS_END), _record(_SHEET_END)])


def _cell(column: int, value: str | float) -> bytes:
    place = struct.pack("<II", column, 0)
    if isinstance(value, str):
        return _record(_TEXT, place + _string(value))
    return _record(_NUMBER, place + struct.pack("<d", value))


def _record(kind: int, data: bytes = b"") -> bytes:
    number = bytes([kind]) if kind < 128 else bytes([kind & 0x7F | 0x80, kind >> 7])
    size, length = b"", len(data)
    while length >= 128:
        size, length = size + bytes([length & 0x7F | 0x80]), length >> 7
    return number + size + bytes([length]) + data


def _string(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")
