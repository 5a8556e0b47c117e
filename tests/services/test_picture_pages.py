"""A picture is shown as pages of a PDF, made in a parser process, so that rectangles in its pixels fit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from pypdf import PdfReader

from app.domain.errors import DocumentError
from app.loaders.parser_limits import ParserLimits
from app.loaders.parser_pool import ParserPool
from app.services.picture_pages import KEPT, PicturePages


@pytest.fixture(scope="module")
def pool() -> Iterator[ParserPool]:
    with ParserPool(1, ParserLimits(ocr=False)) as shared:
        yield shared


@pytest.fixture
def pictures(pool: ParserPool, tmp_path: Path) -> PicturePages:
    return PicturePages(tmp_path / "cache", lambda: pool)


def page_sizes(path: Path) -> list[tuple[float, float]]:
    return [(float(page.mediabox.width), float(page.mediabox.height)) for page in PdfReader(path).pages]


def test_a_point_of_the_page_is_a_pixel_of_the_upright_picture(pictures: PicturePages, tmp_path: Path) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.new("RGB", (300, 200), "red").save(tmp_path / "phone.jpg", exif=turned)
    first, second = Image.new("1", (400, 100)), Image.new("RGBA", (150, 250))
    first.save(tmp_path / "fax.tif", save_all=True, append_images=[second])
    assert page_sizes(pictures.pdf(tmp_path / "phone.jpg")) == [(200, 300)]
    assert page_sizes(pictures.pdf(tmp_path / "fax.tif")) == [(400, 100), (150, 250)]


def test_a_changed_picture_is_shown_as_it_is_now(pictures: PicturePages, tmp_path: Path) -> None:
    path = tmp_path / "note.png"
    Image.new("L", (40, 30)).save(path)
    before = pictures.pdf(path)
    assert pictures.pdf(path) == before
    Image.new("L", (500, 300)).save(path)
    assert page_sizes(pictures.pdf(path)) == [(500, 300)]


def test_what_is_no_picture_leaves_nothing_behind(pictures: PicturePages, tmp_path: Path) -> None:
    path = tmp_path / "note.png"
    path.write_bytes(b"no picture")
    with pytest.raises(DocumentError, match=r"note\.png"):
        pictures.pdf(path)
    assert list((tmp_path / "cache").iterdir()) == []


def test_only_the_pictures_shown_last_are_kept(pictures: PicturePages, tmp_path: Path) -> None:
    for number in range(KEPT + 3):
        path = tmp_path / f"{number}.png"
        Image.new("L", (20, 20)).save(path)
        last = pictures.pdf(path)
    assert last.is_file()
    assert len(list((tmp_path / "cache").iterdir())) == KEPT
