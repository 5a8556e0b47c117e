"""PDF files made to hang or fill a reader: each ends in time with a reason, and the next file is read."""

from __future__ import annotations

import re
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.domain.errors import DocumentError, FailureReason
from app.loaders.parser_limits import MEBIBYTE, ParserLimits
from app.loaders.parser_pool import ParserPool
from tests.loaders.pdf_writer import Page, Run, pdf_bytes, write_pdf

LIMITS = ParserLimits(seconds=30, cpu_seconds=25, memory_bytes=300 * MEBIBYTE, output_chars=5_000_000)
PAGES = [Page([Run(72, 700, f"Text of page {number}.")]) for number in (1, 2, 3)]
PLAIN = pdf_bytes(PAGES, outline=[(0, "First", 1), (0, "Second", 2)])


def with_object(number: int, body: bytes, data: bytes = PLAIN) -> bytes:
    """Replace an object by a later one of the same number; the table of objects must be rebuilt."""
    broken = re.sub(rb"startxref\n\d+\n%%EOF", b"", data)
    return broken + b"%d 0 obj\n%s\nendobj\ntrailer\n<< /Root 1 0 R >>\nstartxref\n0\n%%%%EOF\n" % (number, body)


def stream(data: bytes, entries: bytes = b"") -> bytes:
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(data), entries, data)


def packed(unit: bytes, times: int) -> bytes:
    packer = zlib.compressobj(9)
    return b"".join(packer.compress(unit) for _ in range(times)) + packer.flush()


FORM = stream(
    b"/F Do /G Do", b"/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /F 30 0 R /G 30 0 R >> >>"
)
CASES = {
    "outline in a circle": re.sub(rb"/Next (\d+) 0 R", lambda found: b"/Next %d 0 R" % (int(found[1]) - 1), PLAIN),
    "pages in a circle": with_object(2, b"<< /Type /Pages /Kids [5 0 R 2 0 R 2 0 R] /Count 100 >>"),
    "pages that are not there": with_object(2, b"<< /Type /Pages /Kids [5 0 R] /Count 50000 >>"),
    "one page very often": with_object(2, b"<< /Type /Pages /Kids [%s] /Count 9000 >>" % (b"5 0 R " * 9000)),
    "forms in a circle": with_object(6, stream(b"/F Do"), with_object(30, FORM)),
    "deep arrays": with_object(2, b"[" * 100_000),
    "tables in a circle": PLAIN.replace(b"trailer\n<<", b"trailer\n<< /Prev %d " % PLAIN.rindex(b"xref\n0 ")),
    "stream of zeros": with_object(6, stream(packed(bytes(MEBIBYTE), 512), b"/Filter /FlateDecode")),
    "text without end": with_object(
        6,
        stream(
            packed(b"BT /F1 12 Tf 72 700 Td (aaaaaaaaaaaaaaaaaaaaaaaa) Tj ET " * 1000, 600), b"/Filter /FlateDecode"
        ),
    ),
}


# A reader of broken files may give up at different points; what it must not do is go on.
STOPPED = {FailureReason.CRASHED, FailureReason.OUT_OF_MEMORY, FailureReason.TIMEOUT, FailureReason.TOO_LARGE}
EXPECTED: dict[str, set[FailureReason | None]] = {
    "deep arrays": {FailureReason.DAMAGED},
    "stream of zeros": {None, *STOPPED},
    "text without end": {None, *STOPPED},
}


def read(pool: ParserPool, path: Path) -> FailureReason | None:
    try:
        pool.parse(path)
    except DocumentError as error:
        return error.reason
    return None


@pytest.fixture(scope="module")
def pool() -> Iterator[ParserPool]:
    with ParserPool(1, LIMITS) as shared:
        yield shared


@pytest.mark.parametrize("name", CASES)
def test_hostile_files_end_in_time_and_harm_no_other(pool: ParserPool, tmp_path: Path, name: str) -> None:
    path = tmp_path / "hostile.pdf"
    path.write_bytes(CASES[name])
    begun = time.monotonic()

    outcome = read(pool, path)

    assert outcome in EXPECTED.get(name, {None})
    assert time.monotonic() - begun < LIMITS.seconds + 10
    sound = pool.parse(write_pdf(tmp_path / "sound.pdf", PAGES))
    assert sound.page_count == 3
