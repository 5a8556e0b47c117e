"""What a document loader is, and what it hands over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, Self

from app.domain.documents import Section
from app.loaders.ocr_reader import OcrReader
from app.loaders.parser_limits import ParserLimits


@dataclass(frozen=True, slots=True)
class LoadedDocument:
    """What a loader read from one file, before the sections are joined.

    ``title`` is what the file itself states, if anything. ``metadata["warning"]`` tells the user what is missing when
    only a part could be read.
    """

    sections: list[Section]
    title: str = ""
    page_count: int | None = None
    metadata: dict[str, str] = field(default_factory=dict)


class DocumentLoader(Protocol):
    """Reads one family of document formats. Subclass it in a module of this folder and the registry finds it.

    ``extensions`` are lower-case suffixes with their dot, ``names`` whole lower-case file names without an extension
    that matters (``makefile``). ``plain_text`` says that the whole file becomes text, so that the limit for text files
    applies to it.
    """

    extensions: frozenset[str]
    names: frozenset[str] = frozenset()
    plain_text: bool = False

    @classmethod
    def with_limits(cls, limits: ParserLimits) -> Self:
        """Make the loader of a process that has ``limits``; loaders that have options take them from there."""
        del limits
        return cls()

    @classmethod
    def with_ocr(cls, limits: ParserLimits, ocr: OcrReader) -> Self:
        """Make the loader of a process that has ``limits``, where ``ocr`` reads the text in pictures.

        Loaders of pictures take ``ocr``: a process has one, since its networks fill memory.
        """
        del ocr
        return cls.with_limits(limits)

    def media_type(self, path: Path) -> str:
        """Return the media type of ``path``, told from its name."""
        ...

    def load(self, path: Path) -> LoadedDocument:
        """Read ``path``. Raises ``DocumentError`` if it can't be read."""
        ...


def warned(stated: Mapping[str, str], *warnings: str) -> dict[str, str]:
    """Return metadata with ``warnings`` before the one that ``stated`` has already; empty ones and repeats left out."""
    every = dict.fromkeys(filter(None, (*warnings, stated.get("warning", ""))))
    return {**stated, "warning": " ".join(every)} if every else dict(stated)
