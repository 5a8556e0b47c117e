"""Reads with pypdf what PDFium can't: other notions of a broken file, and a second chance for single pages."""

from __future__ import annotations

import logging
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from app.domain.errors import DocumentError, FailureReason

if TYPE_CHECKING:
    from pypdf import PdfReader

MOST_PAGES = 5_000
# What pypdf lets through from broken files besides its own errors.
_BROKEN = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)


def encrypted_error(path: Path) -> DocumentError:
    """Return what to say of a file that needs a password."""
    return DocumentError(
        FailureReason.ENCRYPTED,
        f"“{path.name}” is protected by a password. Remove the password and add it again.",
    )


def damaged_error(path: Path) -> DocumentError:
    """Return what to say of a file that no reader makes sense of."""
    return DocumentError(
        FailureReason.DAMAGED,
        f"“{path.name}” is damaged or incomplete: no page of it could be read. Get a fresh copy and add it again.",
    )


@contextmanager
def opened_reader(path: Path) -> Iterator[PdfReader]:
    """Open ``path`` with pypdf. Raises ``DocumentError``: ``encrypted`` or ``damaged``."""
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it reports each flaw of a broken file
    with path.open("rb") as stream:
        yield _reader(path, stream)


def _reader(path: Path, stream: object) -> PdfReader:
    from pypdf import PdfReader
    from pypdf.errors import DependencyError, PyPdfError

    try:
        reader = PdfReader(stream, strict=False)  # type: ignore[arg-type]  # an open binary file
        if reader.is_encrypted and not reader.decrypt(""):
            raise encrypted_error(path)
        if len(reader.pages) == 0:
            raise damaged_error(path)
    except DependencyError as error:
        raise encrypted_error(path) from error
    except (PyPdfError, *_BROKEN) as error:
        raise damaged_error(path) from error
    return reader


def page_text(reader: PdfReader, index: int) -> str | None:
    """Return the text of page ``index`` (from 0), or None if pypdf can't read it either."""
    from pypdf.errors import PyPdfError

    try:
        text = reader.pages[index].extract_text()
    except (PyPdfError, *_BROKEN):
        return None  # the caller counts unread pages and says so
    return text.encode("utf-8", "replace").decode("utf-8").replace("\x00", "")


def page_texts(path: Path) -> tuple[list[str | None], dict[str, str]]:
    """Return the text of every page and what the file states of itself. Raises ``DocumentError``."""
    with opened_reader(path) as reader:
        count = min(len(reader.pages), MOST_PAGES)
        return [page_text(reader, index) for index in range(count)], _stated(reader)


def _stated(reader: PdfReader) -> dict[str, str]:
    from pypdf.errors import PyPdfError

    try:
        found = reader.metadata
        title = found.title if found else None
        author = found.author if found else None
    except (PyPdfError, *_BROKEN):
        return {}
    return {key: str(value) for key, value in (("title", title), ("author", author)) if value}
