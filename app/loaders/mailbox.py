"""Mailboxes in mbox format (RFC 4155 and its relatives): all messages of a folder in one file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Self

from app.loaders.archive_guard import damaged
from app.loaders.attachments import AttachmentReader
from app.loaders.document_loader import DocumentLoader, LoadedDocument
from app.loaders.email_message import parse_message, read_mail
from app.loaders.mail_text import add_mail
from app.loaders.ocr_reader import OcrReader
from app.loaders.parser_limits import MEBIBYTE, ParserLimits
from app.loaders.regular_file import error_for
from app.loaders.section_builder import SectionBuilder

MOST_MESSAGES = 100_000
LARGEST_MESSAGE = 64 * MEBIBYTE
_SEPARATOR = re.compile(rb"^From \S+.*\d{4}")
_QUOTED = re.compile(rb"^>+From ", re.MULTILINE)


class MailboxLoader(DocumentLoader):
    """Mailboxes; the number of a message counts as its page."""

    extensions = frozenset({".mbox", ".mbx"})

    def __init__(self, limits: ParserLimits | None = None, ocr: OcrReader | None = None) -> None:
        """``limits`` hold for attachments too, ``ocr`` reads attached pictures."""
        self._limits = limits or ParserLimits()
        self._ocr = ocr

    @classmethod
    def with_ocr(cls, limits: ParserLimits, ocr: OcrReader) -> Self:
        """Make the loader of a process that has ``limits``, where ``ocr`` reads the text in pictures."""
        return cls(limits, ocr)

    def media_type(self, path: Path) -> str:
        """Return ``application/mbox``."""
        del path
        return "application/mbox"

    def load(self, path: Path) -> LoadedDocument:
        """Read all messages with their attachments. Raises ``DocumentError``; ``damaged`` if it holds no message."""
        builder, attachments = SectionBuilder(), AttachmentReader(self._limits, self._ocr)
        count = broken = 0
        try:
            with path.open("rb") as file:
                for count, data in enumerate(messages(file), start=1):
                    builder.leave(1)
                    builder.page = count
                    try:
                        message = parse_message(data)
                    except ValueError:
                        broken += 1
                        continue
                    add_mail(builder, read_mail(message), attachments)
        except OSError as error:
            raise error_for(path, error) from error
        if count == broken:
            raise damaged(path)
        return LoadedDocument(builder.finish(), "", count, _told(attachments.metadata, broken))


def _told(metadata: dict[str, str], broken: int) -> dict[str, str]:
    if broken:
        lost = f"{broken} of the messages could not be read."
        metadata["warning"] = f"{lost} {metadata.get('warning', '')}".strip()
    return metadata


def messages(file: BinaryIO) -> Iterator[bytes]:
    """Yield each message without its "From " line; what is longer than ``LARGEST_MESSAGE`` is cut there.

    A "From " line counts as a separator at the start and after an empty line, as programs that write mailboxes see it.
    """
    lines: list[bytes] = []
    size, started, after_blank, found = 0, False, True, 0
    for line in file:
        if after_blank and _SEPARATOR.match(line):
            if started:
                yield _unquoted(lines)
                found += 1
            if found >= MOST_MESSAGES:
                return
            lines, size, started = [], 0, True
        elif started and size < LARGEST_MESSAGE:
            lines.append(line)
            size += len(line)
        after_blank = not line.strip()
    if started:
        yield _unquoted(lines)


def _unquoted(lines: list[bytes]) -> bytes:
    return _QUOTED.sub(lambda match: match.group(0)[1:], b"".join(lines))
