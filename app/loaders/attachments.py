"""Reads files that come inside other files, such as what is attached to a mail, with the loaders for their names."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from app.domain.documents import Section
from app.domain.errors import DocumentError, FailureReason
from app.loaders.parser_limits import MEBIBYTE, ParserLimits

if TYPE_CHECKING:
    from app.loaders.ocr_reader import OcrReader
    from app.loaders.registry import Registry

MOST_ATTACHMENTS = 500
MOST_BYTES = 256 * MEBIBYTE
FEWEST_LETTERS = 4
LARGEST = 64 * MEBIBYTE
_UNSAFE = re.compile(r"[^\w.-]")
_LONGEST_SUFFIX = 12


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file inside a file. ``expected`` is False for decoration, such as a logo shown within a mail: nobody misses
    its text."""

    name: str
    data: bytes
    expected: bool = True


class AttachmentReader:
    """Reads the attachments of one document, up to ``MOST_BYTES`` in all; their own attachments as deep as
    ``limits.nesting`` says."""

    def __init__(self, limits: ParserLimits, ocr: OcrReader | None = None) -> None:
        """``ocr`` reads attached pictures: a process has one, since its networks fill memory."""
        self._limits = limits
        self._ocr = ocr
        self._registry: Registry | None = None
        self._count = 0
        self._bytes = 0
        self.names: list[str] = []
        self._unread: list[str] = []

    @property
    def metadata(self) -> dict[str, str]:
        """The names of all attachments, and a warning about those whose text is missing."""
        found = {"attachments": ", ".join(self.names)} if self.names else {}
        if self._unread:
            found["warning"] = f"Attachments without their text: {'; '.join(self._unread)}."
        return found

    def read(self, attachment: Attachment) -> list[Section]:
        """Return what an attachment says, nothing if it can't be read; ``metadata`` then tells why."""
        if not attachment.expected:
            return []
        self.names.append(attachment.name)
        self._count += 1
        self._bytes += len(attachment.data)
        try:
            self._require_room(attachment)
            return self._loaded(attachment)
        except DocumentError as error:
            if error.reason not in {FailureReason.NO_TEXT, FailureReason.EMPTY}:
                self._unread.append(f"“{attachment.name}” ({_WHY.get(error.reason, 'it could not be read')})")
            return []

    def _require_room(self, attachment: Attachment) -> None:
        too_many = self._count > MOST_ATTACHMENTS or self._bytes > MOST_BYTES or len(attachment.data) > LARGEST
        if too_many or self._limits.nesting <= 0:
            raise DocumentError(FailureReason.TOO_LARGE, f"“{attachment.name}” is beyond the limits for attachments.")

    def _loaded(self, attachment: Attachment) -> list[Section]:
        from app.loaders.registry import load_document, loaders  # it imports all loaders, this one too

        inner = replace(self._limits, nesting=self._limits.nesting - 1)
        self._registry = self._registry or loaders(limits=inner, ocr=self._ocr)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / safe_file_name(attachment.name)
            path.write_bytes(attachment.data)
            document = load_document(path, inner, self._registry)
        if all(placed.section.confidence is not None for placed in document.sections) and _is_noise(document.text):
            return []
        return [_inside(placed.section) for placed in document.sections]


_WHY = {
    FailureReason.UNSUPPORTED: "files of this kind can't be read",
    FailureReason.ENCRYPTED: "it is protected by a password",
    FailureReason.TOO_LARGE: "it is too large, or attached too deep inside others",
    FailureReason.DAMAGED: "it is damaged",
    FailureReason.BINARY: "it is no text",
}


def _is_noise(text: str) -> bool:
    """Whether OCR saw a letter or two where there is a logo."""
    return sum(map(str.isalnum, text)) < FEWEST_LETTERS


def _inside(section: Section) -> Section:
    """A section as part of another document: its page becomes a heading, and places on a page mean nothing there."""
    page = (f"Page {section.page}",) if section.page else ()
    return replace(section, page=None, headings=(*page, *section.headings), char_map=None, box_map=None)


def safe_file_name(name: str) -> str:
    """Return a name for a temporary file that keeps what loaders look at: a name like ``makefile``, a suffix."""
    plain = _UNSAFE.sub("_", Path(name.replace("\\", "/")).name)
    stem, dot, suffix = plain.rpartition(".")
    if not dot or len(suffix) > _LONGEST_SUFFIX:
        return plain[:60] or "attachment"
    return f"{stem[:60] or 'attachment'}.{suffix}"
