"""E-mail messages (RFC 5322, MIME), and web pages saved as one (MHTML, RFC 2557)."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterator, Sequence
from email.errors import MessageError
from email.message import EmailMessage
from pathlib import Path
from typing import Self

from app.domain.errors import DocumentError, FailureReason
from app.loaders.archive_guard import damaged
from app.loaders.attachments import Attachment, AttachmentReader
from app.loaders.document_loader import DocumentLoader, LoadedDocument
from app.loaders.html import add_html
from app.loaders.html_tree import parse_html
from app.loaders.mail_text import HEADERS, Body, Mail, add_mail
from app.loaders.ocr_reader import OcrReader
from app.loaders.parser_limits import ParserLimits
from app.loaders.regular_file import error_for
from app.loaders.section_builder import SectionBuilder
from app.loaders.text_decoding import decode

MOST_PARTS = 500
_PROTECTED = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime", "multipart/encrypted"})
# Parts that only the mail programs of both sides understand.
_MACHINERY = frozenset({"application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature"})


class EmailLoader(DocumentLoader):
    """Messages as mail programs save them, with what is attached to them."""

    extensions = frozenset({".eml"})

    def __init__(self, limits: ParserLimits | None = None, ocr: OcrReader | None = None) -> None:
        """``limits`` hold for attachments too, ``ocr`` reads attached pictures."""
        self._limits = limits or ParserLimits()
        self._ocr = ocr

    @classmethod
    def with_ocr(cls, limits: ParserLimits, ocr: OcrReader) -> Self:
        """Make the loader of a process that has ``limits``, where ``ocr`` reads the text in pictures."""
        return cls(limits, ocr)

    def media_type(self, path: Path) -> str:
        """Return ``message/rfc822``."""
        del path
        return "message/rfc822"

    def load(self, path: Path) -> LoadedDocument:
        """Read the message and its attachments. Raises ``DocumentError``; attachments that can't be read are named in
        the metadata."""
        message = _parsed(path)
        if message.get_content_type() in _PROTECTED:
            raise encrypted_message(path)
        mail = read_mail(message)
        builder, attachments = SectionBuilder(), AttachmentReader(self._limits, self._ocr)
        add_mail(builder, mail, attachments)
        metadata = {**mail.headers, **attachments.metadata}
        return LoadedDocument(builder.finish(), metadata.get("subject", ""), metadata=metadata)


class WebArchiveLoader(DocumentLoader):
    """Web pages that a browser saved with all their parts in one file; the page is read, its parts are not."""

    extensions = frozenset({".mht", ".mhtml"})

    def media_type(self, path: Path) -> str:
        """Return ``multipart/related``."""
        del path
        return "multipart/related"

    def load(self, path: Path) -> LoadedDocument:
        """Read the page. Raises ``DocumentError``; ``damaged`` if there is none inside."""
        mail = read_mail(_parsed(path))
        builder = SectionBuilder()
        title = ""
        for body in mail.bodies[:1]:
            if body.is_html:
                title = add_html(builder, parse_html(body.text))
            else:
                builder.paragraph(body.text)
        if not mail.bodies:
            raise damaged(path)
        return LoadedDocument(builder.finish(), title or mail.headers.get("subject", ""))


def encrypted_message(path: Path) -> DocumentError:
    """Return what to say of a message that only its receiver's mail program can open."""
    what = f"“{path.name}” is an encrypted message. Save it unencrypted in your mail program and add that."
    return DocumentError(FailureReason.UNSUPPORTED, what)


def parse_message(data: bytes) -> EmailMessage:
    """Return the message in ``data``. Raises ``ValueError`` if the library gives up on it."""
    try:
        return email.message_from_bytes(data, policy=email.policy.default)
    except (MessageError, LookupError) as error:
        raise ValueError(str(error)) from error


def _parsed(path: Path) -> EmailMessage:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise error_for(path, error) from error
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in data[:64]:
        data = decode(data, path.name).encode()
    try:
        return parse_message(data)
    except ValueError as error:
        raise damaged(path) from error


def read_mail(message: EmailMessage) -> Mail:
    """Return what a message says and carries, its headers in plain words."""
    mail = Mail({key: value for key, value in _headers(message).items() if value})
    for part in _leaves(message):
        kind = part.get_content_type()
        attached = part.get_content_disposition() == "attachment"
        if kind == "message/rfc822" and not attached:
            mail.inner.extend(read_mail(each) for each in part.iter_parts() if isinstance(each, EmailMessage))
        elif kind.startswith("text/") and not attached:
            mail.bodies.append(Body(_content(part), kind == "text/html"))
        elif kind not in _MACHINERY and kind not in _PROTECTED:
            mail.attachments.extend(_attachments(part, attached and not _is_shown(part, mail.bodies)))
    return mail


def _is_shown(part: EmailMessage, bodies: Sequence[Body]) -> bool:
    """Whether a picture is shown within the page that the mail has as its text, as logos are."""
    identifier = str(part.get("Content-ID", "")).strip().strip("<>")
    return bool(identifier) and any(each.is_html and f"cid:{identifier}" in each.text for each in bodies)


def _leaves(message: EmailMessage) -> Iterator[EmailMessage]:
    """Yield the parts that hold content, messages inside it among them, in order."""
    stack = [message]
    for _ in range(MOST_PARTS):
        if not stack:
            return
        part = stack.pop()
        if part.is_multipart() and part.get_content_type() != "message/rfc822":
            stack.extend(reversed([each for each in part.iter_parts() if isinstance(each, EmailMessage)]))
        else:
            yield part


def _attachments(part: EmailMessage, attached: bool) -> Iterator[Attachment]:
    name = _file_name(part)
    if part.get_content_type() == "message/rfc822":
        for each in part.iter_parts():
            if isinstance(each, EmailMessage):
                yield Attachment(name or f"{_headers(each)['subject'] or 'message'}.eml", each.as_bytes())
    elif name:
        payload = part.get_payload(decode=True)
        decoration = not attached and part.get_content_maintype() == "image"
        yield Attachment(name, payload if isinstance(payload, bytes) else b"", not decoration)


def _file_name(part: EmailMessage) -> str:
    try:
        return " ".join((part.get_filename() or "").split())
    except (ValueError, LookupError, TypeError, AttributeError):
        return ""  # the email library gives up on some broken headers in ways of its own


def _content(part: EmailMessage) -> str:
    try:
        content = part.get_content()
    except (LookupError, ValueError, MessageError):
        payload = part.get_payload(decode=True)
        return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""
    return content.replace("\r\n", "\n") if isinstance(content, str) else ""


def _headers(message: EmailMessage) -> dict[str, str]:
    found = {}
    for name in HEADERS:
        try:
            found[name] = " ".join(str(message.get(name, "")).split())
        except (ValueError, LookupError, AttributeError, IndexError, TypeError):
            found[name] = ""  # see _file_name
    return found
