"""The archive itself as a document: its table of contents. What is in it becomes documents of their own."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from app.domain.documents import Section
from app.loaders.archive_names import ARCHIVE_EXTENSIONS
from app.loaders.archives import ArchiveListing, LeftOut, list_members
from app.loaders.document_loader import DocumentLoader, LoadedDocument

NAMES_SHOWN = 200
LEFT_OUT_SHOWN = 50
_TYPES = {".zip": "application/zip", ".7z": "application/x-7z-compressed"}


class ArchiveLoader(DocumentLoader):
    """Lists what an archive holds, and what was left out of it and why."""

    extensions = ARCHIVE_EXTENSIONS

    def media_type(self, path: Path) -> str:
        """Return the media type of ``path``, told from its name."""
        return _TYPES.get(path.suffix.lower(), "application/x-tar")

    def load(self, path: Path) -> LoadedDocument:
        """Read the table of contents. Raises ``DocumentError``: ``damaged``, ``encrypted`` or ``too_large``."""
        listing = list_members(path)
        sections = [Section(_contents(path, listing), headings=(path.name,))]
        metadata = {}
        if listing.left_out:
            sections.append(Section(_left_out(listing.left_out, LEFT_OUT_SHOWN), headings=(path.name, "Left out")))
            metadata["warning"] = _left_out(listing.left_out, 3).replace("\n", " ")
        return LoadedDocument(sections, path.name, metadata=metadata)


def _contents(path: Path, listing: ArchiveListing) -> str:
    names = [member.name for member in listing.members]
    count = "nothing" if not names else "1 file" if len(names) == 1 else f"{len(names):,} files"
    shown = [_harmless(name) for name in names[:NAMES_SHOWN]]
    more = [f"… and {len(names) - NAMES_SHOWN:,} more"] if len(names) > NAMES_SHOWN else []
    return "\n".join([f"The archive {path.name} holds {count}.", *shown, *more])


def _left_out(entries: tuple[LeftOut, ...], most: int) -> str:
    lines = [f"“{_shortened(entry.name)}”: {entry.why}." for entry in entries[:most]]
    more = [f"… and {len(entries) - most:,} more."] if len(entries) > most else []
    return "\n".join(["Left out:", *lines, *more])


def _shortened(name: str) -> str:
    harmless = _harmless(name)
    return harmless if len(harmless) <= 120 else harmless[:119] + "…"


def _harmless(name: str) -> str:
    """A name on one line, whatever it holds."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in str(PurePosixPath(name)))
