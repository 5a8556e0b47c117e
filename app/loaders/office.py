"""RTF and FictionBook: through ``kreuzberg``."""

from __future__ import annotations

from pathlib import Path

from app.loaders.archive_guard import damaged
from app.loaders.document_loader import DocumentLoader, LoadedDocument
from app.loaders.kreuzberg_seam import extract

_TYPES = {
    ".rtf": "application/rtf",
    ".fb2": "application/x-fictionbook+xml",
}


class OfficeLoader(DocumentLoader):
    """Documents in rich text format and e-books of FictionBook."""

    extensions = frozenset(_TYPES)

    def media_type(self, path: Path) -> str:
        """Return the registered type of the extension."""
        return _TYPES.get(path.suffix.lower(), "application/octet-stream")

    def load(self, path: Path) -> LoadedDocument:
        """Read the document. Raises ``DocumentError``."""
        if path.suffix.lower() == ".rtf":
            _require_rtf(path)
        return extract(path, self.media_type(path))


def _require_rtf(path: Path) -> None:
    """The library reads anything as RTF, and makes text of it."""
    with path.open("rb") as file:
        if not file.read(64).lstrip().startswith(b"{\\rtf"):
            raise damaged(path)
