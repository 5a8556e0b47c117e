"""Spreadsheets, through ``kreuzberg``: each sheet is a page and a table under its name."""

from __future__ import annotations

from pathlib import Path

from app.loaders.archive_guard import require_sane_archive
from app.loaders.document_loader import DocumentLoader, LoadedDocument
from app.loaders.kreuzberg_seam import extract_sheets

_CONTAINERS = {
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".xlsm": "application/vnd.ms-excel.sheet.macroEnabled.12",
    ".xlsb": "application/vnd.ms-excel.sheet.binary.macroEnabled.12",
    ".ods": "application/vnd.oasis.opendocument.spreadsheet",
}
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
        return extract_sheets(path, self.media_type(path))
