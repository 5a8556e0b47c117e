"""E-mail messages: the subject as title, the body as text; who wrote to whom and when as heading."""

from __future__ import annotations

import email
import email.policy
import re
from collections import Counter
from email.errors import MessageError
from email.message import EmailMessage
from pathlib import Path

from app.domain.errors import DocumentError, FailureReason
from app.loaders.archive_guard import damaged
from app.loaders.document_loader import DocumentLoader, LoadedDocument
from app.loaders.html import add_html
from app.loaders.html_tree import parse_html
from app.loaders.regular_file import error_for
from app.loaders.section_builder import SectionBuilder
from app.loaders.text_decoding import decode

MOST_PARTS = 500
# A plain alternative that misses more than this part of the words is no rendering of the other one.
TOLERATED_LOSS = 0.3
_WORDS = re.compile(r"\w+")
_PROTECTED = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime", "multipart/encrypted"})


class EmailLoader(DocumentLoader):
    """Messages as mail programs save them."""

    extensions = frozenset({".eml"})
    plain_text = False

    def media_type(self, path: Path) -> str:
        """Return ``message/rfc822``."""
        del path
        return "message/rfc822"

    def load(self, path: Path) -> LoadedDocument:
        """Read the message; attachments are named, not read. Raises ``DocumentError``."""
        message = _parsed(path)
        builder = SectionBuilder()
        attachments: list[str] = []
        _add_message(builder, message, attachments)
        metadata = {key: value for key, value in _headers(message).items() if value}
        if attachments:
            metadata["attachments"] = ", ".join(attachments)
        return LoadedDocument(builder.finish(), metadata.get("subject", ""), metadata=metadata)


def _parsed(path: Path) -> EmailMessage:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise error_for(path, error) from error
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in data[:64]:
        data = decode(data, path.name).encode()
    try:
        message = email.message_from_bytes(data, policy=email.policy.default)
    except (MessageError, ValueError, LookupError) as error:
        raise damaged(path) from error
    if message.get_content_type() in _PROTECTED:
        what = f"“{path.name}” is an encrypted message. Save it unencrypted in your mail program and add that."
        raise DocumentError(FailureReason.UNSUPPORTED, what)
    return message


def _add_message(builder: SectionBuilder, message: EmailMessage, attachments: list[str], level: int = 1) -> None:
    headers = _headers(message)
    if headers["subject"]:
        builder.heading(level, headers["subject"])
    plain: list[str] = []
    rich: list[str] = []
    inner: list[EmailMessage] = []
    _sort_parts(message, plain, rich, inner, attachments)
    text = "\n\n".join(part.strip() for part in plain if part.strip())
    page = SectionBuilder()
    for part in rich:
        add_html(page, parse_html(part))
    sections = page.finish()
    if not text or _misses_much(text, "\n".join(section.text for section in sections)):
        builder.extend(sections)
    else:
        builder.paragraph(text)
    for each in inner:
        _add_message(builder, each, attachments, level + 1)


def _sort_parts(
    message: EmailMessage, plain: list[str], rich: list[str], inner: list[EmailMessage], attachments: list[str]
) -> None:
    stack = [message]
    for _ in range(MOST_PARTS):
        if not stack:
            return
        part = stack.pop()
        kind = part.get_content_type()
        if kind == "message/rfc822":
            inner.extend(each for each in part.iter_parts() if isinstance(each, EmailMessage))
        elif part.is_multipart():
            stack.extend(reversed([each for each in part.iter_parts() if isinstance(each, EmailMessage)]))
        elif part.get_content_disposition() == "attachment" or not kind.startswith("text/"):
            attachments.extend([part.get_filename() or ""] if part.get_filename() else [])
        else:
            (rich if kind == "text/html" else plain).append(_content(part))


def _content(part: EmailMessage) -> str:
    try:
        content = part.get_content()
    except (LookupError, ValueError, MessageError):
        payload = part.get_payload(decode=True)
        return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""
    return content.replace("\r\n", "\n") if isinstance(content, str) else ""


def _misses_much(text: str, other: str) -> bool:
    words, others = Counter(_WORDS.findall(text.lower())), Counter(_WORDS.findall(other.lower()))
    return (others - words).total() > TOLERATED_LOSS * others.total()


def _headers(message: EmailMessage) -> dict[str, str]:
    found = {}
    for name in ("Subject", "From", "To", "Cc", "Date"):
        try:
            found[name.lower()] = " ".join(str(message.get(name, "")).split())
        except (ValueError, LookupError, AttributeError, IndexError, TypeError):
            found[name.lower()] = ""  # the email library gives up on some broken headers in ways of its own
    return found
