"""Writes small PDFs by hand, so that tests know exactly where every glyph stands."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

Rectangle = tuple[float, float, float, float]
LETTER: Rectangle = (0, 0, 612, 792)


@dataclass(frozen=True)
class Run:
    """Text that starts at ``(x, y)``, in points of the page's own coordinates (origin bottom left).

    ``angle`` is the direction in which it is written, in degrees counter-clockwise.
    """

    x: float
    y: float
    text: str
    size: float = 12
    angle: float = 0


@dataclass(frozen=True)
class Page:
    """One page. ``rotation`` in degrees clockwise, boxes as ``(left, bottom, right, top)`` in points."""

    runs: Sequence[Run] = ()
    media_box: Rectangle = LETTER
    crop_box: Rectangle | None = None
    rotation: int = 0
    field: Run | None = None  # what a form field of this page is filled with


def _escaped(text: str) -> bytes:
    raw = text.encode("cp1252")
    return raw.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")


def _content(page: Page) -> bytes:
    return b"\n".join(map(_shown, page.runs))


def _shown(run: Run) -> bytes:
    cosine, sine = round(math.cos(math.radians(run.angle)), 9), round(math.sin(math.radians(run.angle)), 9)
    place = (run.size, cosine, sine, -sine, cosine, run.x, run.y)
    return b"BT /F1 %g Tf %g %g %g %g %g %g Tm (%s) Tj ET" % (*place, _escaped(run.text))


def _to_unicode(mapping: dict[str, str]) -> bytes:
    rows = [
        b"<%02X> <%s>" % (source.encode("cp1252")[0], target.encode("utf-16-be").hex().upper().encode())
        for source, target in mapping.items()
    ]
    head = b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap\n"
    head += b"1 begincodespacerange <00> <FF> endcodespacerange\n"
    return head + b"%d beginbfchar\n%s\nendbfchar\nendcmap end end" % (len(rows), b"\n".join(rows))


def _stream(data: bytes, extra: bytes = b"") -> bytes:
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(data), extra, data)


def _field_objects(run: Run, number: int) -> dict[int, bytes]:
    width, height = 200, run.size + 6
    look = b"/Tx BMC BT /F1 %g Tf 2 4 Td (%s) Tj ET EMC" % (run.size, _escaped(run.text))
    place = (run.x - 2, run.y - 4, run.x - 2 + width, run.y - 4 + height)
    extra = b"/Type /XObject /Subtype /Form /BBox [0 0 %g %g] /Resources << /Font << /F1 3 0 R >> >>" % (width, height)
    widget = (
        b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (field) /V (%s) /F 4 /Rect [%g %g %g %g] /AP << /N %d 0 R >> >>"
    )
    return {number: widget % (_escaped(run.text), *place, number + 1), number + 1: _stream(look, extra)}


def _page_object(page: Page, content: int, field: int) -> bytes:
    crop = b"/CropBox [%g %g %g %g]" % page.crop_box if page.crop_box else b""
    return (
        b"<< /Type /Page /Parent 2 0 R /MediaBox [%g %g %g %g] %s /Rotate %d "
        b"/Resources << /Font << /F1 3 0 R >> >> /Contents %d 0 R %s >>"
    ) % (*page.media_box, crop, page.rotation, content, b"/Annots [%d 0 R]" % field if field else b"")


def pdf_bytes(
    pages: Sequence[Page],
    *,
    to_unicode: dict[str, str] | None = None,
    info: dict[str, str] | None = None,
    outline: Sequence[tuple[int, str, int]] = (),
) -> bytes:
    """Return a PDF in Helvetica.

    ``to_unicode`` gives a character of the content stream another meaning, e.g. ``{"A": "ffi"}`` for a ligature.
    ``info`` fills the document information. ``outline`` rows are ``(level from 0, title, page from 1)``.
    """
    first_page = 5
    objects: dict[int, bytes] = {}
    font_extra = b"/ToUnicode 4 0 R" if to_unicode else b""
    objects[3] = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding %s >>" % font_extra
    objects[4] = _stream(_to_unicode(to_unicode or {"A": "A"}))
    for index, page in enumerate(pages):
        number = first_page + 2 * index
        field = first_page + 2 * len(pages) + 2 * index if page.field else 0
        objects[number] = _page_object(page, number + 1, field)
        objects[number + 1] = _stream(_content(page))
        objects |= _field_objects(page.field, field) if page.field else {}
    kids = b" ".join(b"%d 0 R" % (first_page + 2 * index) for index in range(len(pages)))
    objects[2] = b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, len(pages))
    root_extra = b""
    if outline:
        root_extra = b"/Outlines %d 0 R" % _add_outline(objects, outline, first_page)
    objects[1] = b"<< /Type /Catalog /Pages 2 0 R %s >>" % root_extra
    info_number = 0
    if info:
        info_number = max(objects) + 1
        entries = b" ".join(
            b"/%s <FEFF%s>" % (k.encode(), v.encode("utf-16-be").hex().encode()) for k, v in info.items()
        )
        objects[info_number] = b"<< %s >>" % entries
    return _assembled(objects, info_number)


def _add_outline(objects: dict[int, bytes], outline: Sequence[tuple[int, str, int]], first_page: int) -> int:
    root = max(objects) + 1
    numbers = [root + 1 + index for index in range(len(outline))]
    levels = [level for level, _, _ in outline]

    def family(parent: int, level: int) -> list[int]:
        start = 0 if parent < 0 else parent + 1
        found = []
        for index in range(start, len(outline)):
            if levels[index] < level:
                break
            if levels[index] == level:
                found.append(index)
        return found

    def ends(parent: int, level: int) -> bytes:
        kin = family(parent, level)
        return b"/First %d 0 R /Last %d 0 R /Count %d" % (numbers[kin[0]], numbers[kin[-1]], len(kin)) if kin else b""

    objects[root] = b"<< /Type /Outlines %s >>" % ends(-1, 0)
    parents: dict[int, int] = {}
    for index, (level, title, page) in enumerate(outline):
        parents[level] = index
        parent = parents[level - 1] if level else -1
        kin = family(parent, level)
        place = kin.index(index)
        following = b"/Next %d 0 R" % numbers[kin[place + 1]] if place + 1 < len(kin) else b""
        preceding = b"/Prev %d 0 R" % numbers[kin[place - 1]] if place else b""
        objects[numbers[index]] = b"<< /Title <FEFF%s> /Parent %d 0 R /Dest [%d 0 R /Fit] %s %s %s >>" % (
            title.encode("utf-16-be").hex().encode(),
            numbers[parent] if level else root,
            first_page + 2 * (page - 1),
            following,
            preceding,
            ends(index, level + 1),
        )
    return root


def _assembled(objects: dict[int, bytes], info_number: int) -> bytes:
    out = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    offsets = {}
    for number in sorted(objects):
        offsets[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, objects[number])
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (max(objects) + 1)
    for number in range(1, max(objects) + 1):
        out += b"%010d 00000 n \n" % offsets[number]
    info = b"/Info %d 0 R" % info_number if info_number else b""
    out += b"trailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n" % (max(objects) + 1, info, start)
    return bytes(out)


def write_pdf(path: Path, pages: Sequence[Page], **options: object) -> Path:
    """Write ``pdf_bytes(pages, **options)`` to ``path`` and return it."""
    path.write_bytes(pdf_bytes(pages, **options))  # type: ignore[arg-type]  # the options are those of pdf_bytes
    return path
