"""Pictures of known text, as a scanner or a camera would hand them over."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from pypdf import PdfReader, PdfWriter

DOTS_PER_INCH = 200
MARGIN = 90
LINE_STEP = 60
LETTERS = 32


def scan(
    lines: Sequence[str], size: tuple[int, int] = (1100, 800), *, quarters: int = 0, skew: float = 0.0
) -> Image.Image:
    """Draw ``lines`` black on white, then turn the page counter-clockwise: by right angles, and by ``skew`` degrees."""
    page = Image.new("RGB", size, "white")
    draw_column(page, lines, MARGIN)
    return page.rotate(skew, fillcolor="white", resample=Image.Resampling.BICUBIC).rotate(90 * quarters, expand=True)


def draw_column(page: Image.Image, lines: Sequence[str], left: int, top: int = MARGIN) -> None:
    """Draw ``lines`` below each other."""
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(LETTERS)
    for number, line in enumerate(lines):
        pen.text((left, top + number * LINE_STEP), line, fill="black", font=font)


def line_middle(number: int) -> float:
    """The height of the middle of line ``number`` (from 0) of an upright scan, in pixels from the top."""
    return MARGIN + number * LINE_STEP + LETTERS * 0.6


def scanned_pages(*pictures: Image.Image) -> bytes:
    """A PDF that shows each picture on a page of its own and holds no text."""
    file = io.BytesIO()
    first, *others = pictures
    first.save(file, "PDF", save_all=True, append_images=others, resolution=DOTS_PER_INCH)
    return file.getvalue()


def joined_pdf(path: Path, *parts: bytes, turned: Sequence[int] = ()) -> Path:
    """Write one PDF with the pages of ``parts``; pages whose number (from 0) is in ``turned`` get ``/Rotate 90``."""
    writer = PdfWriter()
    for part in parts:
        for page in PdfReader(io.BytesIO(part)).pages:
            writer.add_page(page)
    for number in turned:
        writer.pages[number].rotate(90)
    with path.open("wb") as file:
        writer.write(file)
    return path
