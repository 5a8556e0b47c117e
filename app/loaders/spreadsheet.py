"""Spreadsheets: each sheet is a page and a table under its name. Cells are read by ``kreuzberg``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.loaders.archive_guard import require_sane_archive
from app.loaders.document_loader import DocumentLoader, LoadedDocument
from app.loaders.kreuzberg_seam import read_sheets
from app.loaders.open_xml import OpenXmlPackage
from app.loaders.section_builder import SectionBuilder
from app.loaders.tables import separate_tables
from app.loaders.workbook import Workbook

_CONTAINERS = {
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".xlsm": "application/vnd.ms-excel.sheet.macroEnabled.12",
    ".xlsb": "application/vnd.ms-excel.sheet.binary.macroEnabled.12",
    ".ods": "application/vnd.oasis.opendocument.spreadsheet",
}
_IN_XML = frozenset({".xlsx", ".xlsm"})
_OTHERS = {".xls": "application/vnd.ms-excel"}


class SpreadsheetLoader(DocumentLoader):
    """Excel and OpenDocument spreadsheets; values as they are shown, formulas by their results."""

    extensions = frozenset(_CONTAINERS) | frozenset(_OTHERS)

    def media_type(self, path: Path) -> str:
        """Return the registered type of the extension."""
        extension = path.suffix.lower()
        return _CONTAINERS.get(extension) or _OTHERS.get(extension, "application/octet-stream")

    def load(self, path: Path) -> LoadedDocument:
        """Read the sheets. Raises ``DocumentError``; containers that unpack to too much are never opened."""
        if path.suffix.lower() in _CONTAINERS:
            require_sane_archive(path)
        builder = SectionBuilder()
        sheets, metadata = read_sheets(path, self.media_type(path))
        with _workbook(path) as workbook:
            for sheet in sheets:
                builder.leave(1)
                builder.page = sheet.number
                builder.heading(1, sheet.name, written=any(map(any, sheet.cells)))
                cells = workbook.filled(sheet.name, sheet.cells) if workbook else sheet.cells
                for table in separate_tables(cells):
                    builder.table(table)
                if workbook:
                    workbook.add_extras(builder, sheet.name)
        return LoadedDocument(builder.finish(), metadata.get("title", ""), len(sheets) or None, metadata)


@contextmanager
def _workbook(path: Path) -> Iterator[Workbook | None]:
    """The parts of an Excel workbook in XML; None for workbooks of other kinds."""
    if path.suffix.lower() not in _IN_XML:
        yield None
        return
    with OpenXmlPackage(path) as package:
        yield Workbook(package)
