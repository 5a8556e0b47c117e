"""Messages of Outlook ([MS-OXMSG]): a compound file with a stream for each property."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Self

from app.loaders.attachments import Attachment, AttachmentReader
from app.loaders.compound import compound_file
from app.loaders.document_loader import DocumentLoader, LoadedDocument
from app.loaders.email_message import encrypted_message
from app.loaders.html_tree import decode_html
from app.loaders.mail_text import DEEPEST_MAIL, Body, Mail, add_mail
from app.loaders.ocr_reader import OcrReader
from app.loaders.parser_limits import MEBIBYTE, ParserLimits
from app.loaders.section_builder import SectionBuilder
from app.loaders.text_decoding import decode

if TYPE_CHECKING:
    from olefile import OleFileIO

LARGEST_STREAM = 64 * MEBIBYTE
MOST_ATTACHMENTS = 500
# Identifiers of properties, [MS-OXPROPS].
_CLASS, _SUBJECT, _BODY, _HTML = 0x001A, 0x0037, 0x1000, 0x1013
_SENDER, _SENDER_ADDRESS, _SENDER_SMTP, _TO, _CC = 0x0C1A, 0x0C1F, 0x5D01, 0x0E04, 0x0E03
_SENT, _DELIVERED, _CODE_PAGE, _INTERNET_CODE_PAGE = 0x0039, 0x0E06, 0x3FFD, 0x3FDE
_DATA, _LONG_NAME, _SHORT_NAME, _DISPLAY_NAME, _HIDDEN = 0x3701, 0x3707, 0x3704, 0x3001, 0x7FFE
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
# Length of the header of a properties stream: in the message itself, in one inside another, in an attachment.
_OUTER, _INNER, _ATTACHMENT = 32, 24, 8
_PROTECTED_CLASS = "ipm.note.smime"
_PROTECTED_FILES = (".pgp-encrypted", ".p7m")


class OutlookLoader(DocumentLoader):
    """Messages that were dragged out of Outlook, with what is attached to them."""

    extensions = frozenset({".msg"})

    def __init__(self, limits: ParserLimits | None = None, ocr: OcrReader | None = None) -> None:
        """``limits`` hold for attachments too, ``ocr`` reads attached pictures."""
        self._limits = limits or ParserLimits()
        self._ocr = ocr

    @classmethod
    def with_ocr(cls, limits: ParserLimits, ocr: OcrReader) -> Self:
        """Make the loader of a process that has ``limits``, where ``ocr`` reads the text in pictures."""
        return cls(limits, ocr)

    def media_type(self, path: Path) -> str:
        """Return ``application/vnd.ms-outlook``."""
        del path
        return "application/vnd.ms-outlook"

    def load(self, path: Path) -> LoadedDocument:
        """Read the message and its attachments. Raises ``DocumentError``."""
        with compound_file(path) as container:
            mail = _Message(container, "", _OUTER).mail(path)
        builder, attachments = SectionBuilder(), AttachmentReader(self._limits, self._ocr)
        add_mail(builder, mail, attachments)
        metadata = {**mail.headers, **attachments.metadata}
        return LoadedDocument(builder.finish(), metadata.get("subject", ""), metadata=metadata)


class _Message:
    """One message: the container itself, or a storage inside it."""

    def __init__(self, container: OleFileIO, storage: str, header: int) -> None:
        self._container = container
        self._storage = storage
        self._fixed = self._properties(storage, header)
        self._encoding = f"cp{self._number(_CODE_PAGE) or self._number(_INTERNET_CODE_PAGE) or 1252}"

    def mail(self, path: Path, depth: int = 0) -> Mail:
        """Return what it says and carries. Raises ``DocumentError`` if it is encrypted."""
        if not depth and self._text(_CLASS).lower() == _PROTECTED_CLASS:
            raise encrypted_message(path)
        mail = Mail({key: value for key, value in self._headers().items() if value})
        text = self._text(_BODY)
        # Outlook makes the plain text from the page itself, so that the page says nothing else.
        mail.bodies.append(Body(text) if text.strip() else Body(self._html(path), is_html=True))
        for storage in self._attachments():
            self._attach(mail, storage, path, depth)
        if not depth and any(each.name.lower().endswith(_PROTECTED_FILES) for each in mail.attachments):
            raise encrypted_message(path)
        return mail

    def _attach(self, mail: Mail, storage: str, path: Path, depth: int) -> None:
        inner = f"{storage}/__substg1.0_{_DATA:04X}000D"
        if self._container.exists(f"{inner}/__properties_version1.0"):
            if depth < DEEPEST_MAIL:
                mail.inner.append(_Message(self._container, inner, _INNER).mail(path, depth + 1))
            return
        data = self._stream(f"{storage}/__substg1.0_{_DATA:04X}0102")
        name = next((n for tag in (_LONG_NAME, _SHORT_NAME, _DISPLAY_NAME) if (n := self._text(tag, storage))), "")
        if data is not None and name:
            hidden = bool(self._properties(storage, _ATTACHMENT).get(_HIDDEN, b"\x00")[0])
            mail.attachments.append(Attachment(name, data, not hidden))

    def _headers(self) -> dict[str, str]:
        name, address = self._text(_SENDER), self._text(_SENDER_SMTP) or self._text(_SENDER_ADDRESS)
        shown = f"{name} <{address}>" if name and "@" in address and address != name else name or address
        return {
            "subject": " ".join(self._text(_SUBJECT).split()),
            "from": shown,
            "to": self._text(_TO),
            "cc": self._text(_CC),
            "date": self._time(_SENT) or self._time(_DELIVERED),
        }

    def _html(self, path: Path) -> str:
        data = self._stream(f"{self._prefix()}__substg1.0_{_HTML:04X}0102")
        return decode_html(data, path.name) if data else self._text(_HTML)

    def _prefix(self) -> str:
        return f"{self._storage}/" if self._storage else ""

    def _attachments(self) -> list[str]:
        depth = self._storage.count("/") + 1 if self._storage else 0
        found = {
            "/".join(entry[: depth + 1])
            for entry in self._container.listdir(streams=True, storages=True)
            if "/".join(entry[:depth]) == self._storage
            and len(entry) > depth
            and entry[depth].startswith("__attach_version1.0_#")
        }
        return sorted(found)[:MOST_ATTACHMENTS]

    def _text(self, tag: int, storage: str | None = None) -> str:
        base = f"{storage}/" if storage else self._prefix()
        wide = self._stream(f"{base}__substg1.0_{tag:04X}001F")
        if wide is not None:
            return wide.decode("utf-16-le", "replace").replace("\x00", "").replace("\r\n", "\n")
        narrow = self._stream(f"{base}__substg1.0_{tag:04X}001E")
        if narrow is None:
            return ""
        try:
            text = narrow.decode(self._encoding)
        except (LookupError, UnicodeDecodeError):
            text = decode(narrow, "message.txt")
        return text.replace("\x00", "").replace("\r\n", "\n")

    def _stream(self, name: str) -> bytes | None:
        if not self._container.exists(name) or self._container.get_size(name) > LARGEST_STREAM:
            return None
        return bytes(self._container.openstream(name).read())

    def _properties(self, storage: str, header: int) -> dict[int, bytes]:
        """The values of eight bytes that stand in the properties stream itself, by tag."""
        name = f"{storage}/__properties_version1.0" if storage else "__properties_version1.0"
        data = (self._stream(name) or b"")[header:]
        rows = (data[start : start + 16] for start in range(0, len(data) - 15, 16))
        return {struct.unpack_from("<H", row, 2)[0]: row[8:] for row in rows}

    def _number(self, tag: int) -> int:
        return int.from_bytes(self._fixed.get(tag, b"")[:4], "little")

    def _time(self, tag: int) -> str:
        ticks = int.from_bytes(self._fixed.get(tag, b""), "little")
        try:
            return (_EPOCH + timedelta(microseconds=ticks // 10)).isoformat(" ", "minutes") if ticks else ""
        except OverflowError:
            return ""
