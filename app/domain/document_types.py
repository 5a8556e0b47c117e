"""Kinds of documents in plain words, over the media types that loaders give."""

from __future__ import annotations

from enum import StrEnum
from fnmatch import fnmatchcase


class DocumentType(StrEnum):
    """What people call a kind of document. Every media type belongs to one."""

    PDF = "pdf"
    WORD = "word"
    SLIDES = "slides"
    SHEETS = "sheets"
    MAIL = "mail"
    WEB = "web"
    BOOK = "book"
    CODE = "code"
    IMAGE = "image"
    TEXT = "text"


# Media types as GLOB patterns, in which * stands for anything. The first type with one that fits has the document.
_PATTERNS: tuple[tuple[DocumentType, tuple[str, ...]], ...] = (
    (DocumentType.PDF, ("application/pdf",)),
    (
        DocumentType.WORD,
        (
            "application/msword",
            "application/rtf",
            "application/vnd.ms-word*",
            "application/vnd.oasis.opendocument.text*",
            "application/vnd.openxmlformats-officedocument.wordprocessingml*",
        ),
    ),
    (
        DocumentType.SLIDES,
        (
            "application/vnd.ms-powerpoint*",
            "application/vnd.oasis.opendocument.presentation*",
            "application/vnd.openxmlformats-officedocument.presentationml*",
        ),
    ),
    (
        DocumentType.SHEETS,
        (
            "application/vnd.ms-excel*",
            "application/vnd.oasis.opendocument.spreadsheet*",
            "application/vnd.openxmlformats-officedocument.spreadsheetml*",
            "text/csv",
            "text/tab-separated-values",
        ),
    ),
    (DocumentType.MAIL, ("message/rfc822", "application/mbox", "application/vnd.ms-outlook")),
    (DocumentType.WEB, ("text/html", "multipart/related")),
    (DocumentType.BOOK, ("application/epub+zip", "application/x-fictionbook+xml")),
    (DocumentType.IMAGE, ("image/*",)),
    (
        DocumentType.TEXT,
        (
            "text/plain",
            "text/markdown",
            "text/asciidoc",
            "text/org",
            "text/vtt",
            "text/x-rst",
            "text/x-tex",
            "application/x-subrip",
        ),
    ),
    (
        DocumentType.CODE,
        ("text/*", "application/json", "application/xml", "application/x-ndjson", "application/x-ipynb+json"),
    ),
)


def glob_condition(kind: DocumentType) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """GLOB patterns of media types: (one of these fits, none of these does)."""
    before: list[str] = []
    for each, patterns in _PATTERNS:
        if each is kind:
            return patterns, tuple(before)
        before.extend(patterns)
    raise KeyError(kind)


def type_of(media_type: str) -> DocumentType | None:
    """The type that a document of ``media_type`` belongs to, None for one that no loader gives."""
    return next((kind for kind, patterns in _PATTERNS if any(fnmatchcase(media_type, each) for each in patterns)), None)
