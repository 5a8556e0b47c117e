"""Plain text."""

from __future__ import annotations

from pathlib import Path

from app.domain.documents import Section
from app.loaders.document_loader import DocumentLoader, LoadedDocument
from app.loaders.text_decoding import read_text


class PlainTextLoader(DocumentLoader):
    """Text files in any encoding."""

    extensions = frozenset({".txt", ".text", ".log", ".nfo", ".me", ".1st"})
    names = frozenset({"readme", "license", "copying", "authors", "changelog", "changes", "news", "notice", "todo"})
    plain_text = True

    def media_type(self, path: Path) -> str:
        """Return ``text/plain``."""
        del path
        return "text/plain"

    def load(self, path: Path) -> LoadedDocument:
        """Read the whole file as one section."""
        return LoadedDocument([Section(read_text(path))])
