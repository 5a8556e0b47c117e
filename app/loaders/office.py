"""Word processing, old presentations, Outlook messages: through ``kreuzberg``."""

from __future__ import annotations

from pathlib import Path

from app.loaders.archive_guard import damaged, require_sane_archive
from app.loaders.document_loader import DocumentLoader, LoadedDocument
from app.loaders.kreuzberg_seam import extract

_OPEN_XML = "application/vnd.openxmlformats-officedocument."
_CONTAINERS = {
    ".docx": _OPEN_XML + "wordprocessingml.document",
    ".docm": "application/vnd.ms-word.document.macroEnabled.12",
    ".dotx": _OPEN_XML + "wordprocessingml.template",
}
_OTHERS = {
    ".doc": "application/msword",
    ".ppt": "application/vnd.ms-powerpoint",
    ".rtf": "application/rtf",
    ".msg": "application/vnd.ms-outlook",
    ".fb2": "application/x-fictionbook+xml",
}


class OfficeLoader(DocumentLoader):
    """Office documents: headings, lists and tables are kept."""

    extensions = frozenset(_CONTAINERS) | frozenset(_OTHERS)

    def media_type(self, path: Path) -> str:
        """Return the registered type of the extension."""
        extension = path.suffix.lower()
        return _CONTAINERS.get(extension) or _OTHERS.get(extension, "application/octet-stream")

    def load(self, path: Path) -> LoadedDocument:
        """Read the document. Raises ``DocumentError``; containers that unpack to too much are never opened."""
        if path.suffix.lower() in _CONTAINERS:
            require_sane_archive(path)
        elif path.suffix.lower() == ".rtf":
            _require_rtf(path)
        return extract(path, self.media_type(path))


def _require_rtf(path: Path) -> None:
    """The library reads anything as RTF, and makes text of it."""
    with path.open("rb") as file:
        if not file.read(64).lstrip().startswith(b"{\\rtf"):
            raise damaged(path)
