"""Pictures of text are read, page by page, inside the confined parser process, and every word has its place."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from PIL import Image
from pypdf import PdfWriter

from app.domain.cancellation import CancelToken
from app.domain.documents import Box, ParsedDocument, Section
from app.domain.errors import DocumentError, FailureReason, WorkCancelledError
from app.loaders import pdfium
from app.loaders.parser_limits import MEBIBYTE, ParserLimits
from app.loaders.parser_pool import ParserPool
from app.loaders.pdfium_pictures import rendered
from tests.loaders.pdf_writer import Page, Run, pdf_bytes
from tests.loaders.scans import DOTS_PER_INCH, draw_column, joined_pdf, line_middle, scan, scanned_pages
from tests.loaders.test_parser_pool import wait_until

LINES = (
    "The lighthouse keeper logs every ship",
    "that passes the northern channel.",
    "In October 1987 he counted 412 vessels,",
    "most of them carrying timber or grain.",
)
OTHER_LINES = (
    "Beekeepers inspect their hives in spring",
    "and weigh the honey left from winter.",
    "A strong colony needs 15 kilograms of food.",
)


@pytest.fixture(scope="module")
def pool() -> Iterator[ParserPool]:
    # It outlives a test, and so would the timer that ends a process which holds much.
    with ParserPool(1, ParserLimits(rest_bytes=1 << 40)) as shared:
        yield shared


def words(text: str) -> Counter[str]:
    return Counter(re.findall(r"\w+", text.lower()))


def recall(found: str, lines: tuple[str, ...]) -> float:
    wanted = words(" ".join(lines))
    return (wanted & words(found)).total() / wanted.total()


def page_section(document: ParsedDocument, page: int) -> Section:
    (section,) = [placed.section for placed in document.sections if placed.section.page == page]
    return section


def boxes_of(section: Section, words: str) -> tuple[Box, ...]:
    assert section.box_map is not None
    start = section.text.index(words)
    return section.box_map.boxes_between(start, start + len(words))


def test_a_mixed_pdf_is_read_page_by_page(pool: ParserPool, tmp_path: Path) -> None:
    printed = "Printed text stays as the file holds it, letter by letter."
    path = joined_pdf(
        tmp_path / "mixed.pdf",
        pdf_bytes([Page([Run(72, 700, printed)])]),
        scanned_pages(scan(LINES), scan(OTHER_LINES, quarters=1)),
    )
    document = pool.parse(path)
    assert [placed.section.page for placed in document.sections] == [1, 2, 3]
    first, second, third = (placed.section for placed in document.sections)
    assert first.confidence is None
    assert first.char_map is not None
    assert printed in first.text
    for section, lines in ((second, LINES), (third, OTHER_LINES)):
        assert recall(section.text, lines) >= 0.95
        assert section.confidence is not None
        assert 0.8 <= section.confidence <= 1
        assert section.char_map is None
    # Upright page: the rectangle of a passage lies on its line, in points.
    (box,) = boxes_of(second, "412 vessels")
    assert box.top < line_middle(2) * 72 / DOTS_PER_INCH < box.bottom
    assert box.bottom - box.top < 60 * 72 / DOTS_PER_INCH
    # The page turned counter-clockwise: what was above is now on the left, and lines run upwards.
    (box,) = boxes_of(third, "honey")
    assert box.left < line_middle(1) * 72 / DOTS_PER_INCH < box.right
    assert box.bottom - box.top > box.right - box.left


def test_boxes_follow_the_rotation_that_a_pdf_states(pool: ParserPool, tmp_path: Path) -> None:
    path = joined_pdf(tmp_path / "turned.pdf", scanned_pages(scan(LINES, quarters=1)), turned=[0])
    section = page_section(pool.parse(path), 1)
    assert recall(section.text, LINES) >= 0.95
    (box,) = boxes_of(section, "timber")
    assert box.top < line_middle(3) * 72 / DOTS_PER_INCH < box.bottom


@pytest.mark.parametrize(("quarters", "skew"), [(0, 3.0), (1, 0.0), (2, 0.0), (3, -2.0)])
def test_turned_and_slanted_scans_are_read(pool: ParserPool, tmp_path: Path, quarters: int, skew: float) -> None:
    path = tmp_path / "scan.png"
    scan(LINES, quarters=quarters, skew=skew).save(path)
    section = page_section(pool.parse(path), 1)
    assert recall(section.text, LINES) >= 0.95
    assert section.text.index("lighthouse") < section.text.index("northern") < section.text.index("grain")


@pytest.mark.parametrize("extension", ["png", "jpg", "jpeg", "tif", "tiff", "webp", "bmp", "gif"])
def test_every_kind_of_picture_is_read(pool: ParserPool, tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"note.{extension}"
    scan(["Kind regards from Oslo"], (620, 260)).save(path)
    document = pool.parse(path)
    assert "Kind regards from Oslo" in document.text
    assert document.media_type.startswith("image/")
    assert document.page_count == 1


def test_pictures_of_every_mode_look_as_they_are_meant(pool: ParserPool, tmp_path: Path) -> None:
    page = scan(["Meet at the harbour"], (620, 260))
    transparent = Image.new("RGBA", page.size, (0, 0, 0, 0))
    transparent.paste((0, 0, 0, 255), mask=page.convert("L").point(lambda value: 255 - value))
    transparent.save(tmp_path / "transparent.png")
    deep = Image.frombytes("I;16", page.size, b"".join(bytes([value, value]) for value in page.convert("L").tobytes()))
    deep.save(tmp_path / "deep.png")
    page.convert("CMYK").save(tmp_path / "print.jpg")
    page.convert("1").save(tmp_path / "fax.tif", compression="group4")
    orientation = Image.Exif()
    orientation[0x0112] = 6  # the camera was turned: show it a quarter clockwise
    page.rotate(90, expand=True).save(tmp_path / "phone.jpg", exif=orientation)
    for path in sorted(tmp_path.iterdir()):
        section = page_section(pool.parse(path), 1)
        assert "Meet at the harbour" in section.text, path.name
        (box,) = boxes_of(section, "harbour")
        assert box.top < line_middle(0) < box.bottom, path.name


def test_each_page_of_a_tiff_is_a_page(pool: ParserPool, tmp_path: Path) -> None:
    first, *others = (scan([f"This is sheet {name}"], (620, 260)) for name in ("alpha", "bravo", "delta"))
    first.save(tmp_path / "fax.tif", save_all=True, append_images=others)
    document = pool.parse(tmp_path / "fax.tif")
    assert document.page_count == 3
    assert [placed.section.page for placed in document.sections] == [1, 2, 3]
    assert "sheet bravo" in page_section(document, 2).text


def test_columns_are_read_one_after_the_other(pool: ParserPool, tmp_path: Path) -> None:
    left = [f"Left column line number {number} of this page" for number in range(1, 7)]
    right = [f"Right column line number {number} of this page" for number in range(1, 7)]
    page = Image.new("RGB", (1700, 700), "white")
    draw_column(page, ["A headline that spans the whole of the page from side to side, without a gap in it"], 90, 60)
    draw_column(page, left, 90, 190)
    draw_column(page, right, 900, 190)
    page.save(tmp_path / "columns.png")
    text = pool.parse(tmp_path / "columns.png").text
    places = [text.index("headline"), *(text.index(line) for line in left + right)]
    assert places == sorted(places)


def test_rows_of_a_table_stay_together(pool: ParserPool, tmp_path: Path) -> None:
    page = Image.new("RGB", (1100, 600), "white")
    draw_column(page, ["Apples", "Pears", "Plums"], 90)
    draw_column(page, ["120 kg", "80 kg", "45 kg"], 600)
    page.save(tmp_path / "table.png")
    assert pool.parse(tmp_path / "table.png").text.split("\n") == ["Apples 120 kg", "Pears 80 kg", "Plums 45 kg"]


def test_accents_are_read(pool: ParserPool, tmp_path: Path) -> None:
    wanted = "Zürich, Århus, façade, señor, Größe"
    pdf = pdf_bytes([Page([Run(40, 60, wanted, 18)], (0, 0, 420, 120))])
    with pdfium.opened_document(pdf) as document, pdfium.opened_page(document, 0) as (page, _):
        picture = rendered(page, DOTS_PER_INCH, 1_000_000)
    Image.fromarray(picture).save(tmp_path / "accents.png")
    assert recall(pool.parse(tmp_path / "accents.png").text, (wanted,)) == 1


def fails(pool: ParserPool, path: Path) -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        pool.parse(path)
    assert path.name in str(caught.value)
    return caught.value


def test_pictures_that_cannot_be_read_say_why(pool: ParserPool, tmp_path: Path) -> None:
    whole = tmp_path / "whole.png"
    scan(LINES).save(whole)
    cut = tmp_path / "cut.png"
    cut.write_bytes(whole.read_bytes()[:3000])
    renamed = tmp_path / "renamed.jpg"
    renamed.write_text("This is not a picture at all.")
    blank = tmp_path / "blank.png"
    Image.new("RGB", (600, 400), "white").save(blank)
    bomb = tmp_path / "bomb.png"
    Image.new("1", (30_000, 30_000)).save(bomb)
    assert fails(pool, cut).reason is FailureReason.DAMAGED
    assert fails(pool, renamed).reason is FailureReason.DAMAGED
    assert fails(pool, blank).reason is FailureReason.NO_TEXT
    assert fails(pool, bomb).reason is FailureReason.TOO_LARGE


def test_the_picture_of_a_phone_is_read(pool: ParserPool, tmp_path: Path) -> None:
    heron = Path(__file__).parent / "data" / "heron.heic"
    document = pool.parse(heron)
    assert " ".join(document.text.split()) == "The heron waits in shallow water until a fish comes near enough."
    assert document.media_type == "image/heic"
    cut = tmp_path / "cut.HEIC"
    cut.write_bytes(heron.read_bytes()[:2000])
    assert fails(pool, cut).reason is FailureReason.DAMAGED


def test_so_many_scanned_pages_are_read_and_the_rest_is_told_of(tmp_path: Path) -> None:
    sheets = [scan([f"This is sheet {name}"], (620, 260)) for name in ("alpha", "bravo", "delta")]
    printed = pdf_bytes([Page([Run(72, 700, "A printed page at the end, with a text of its own to read.")])])
    path = joined_pdf(tmp_path / "long.pdf", scanned_pages(*sheets), printed)
    with ParserPool(1, ParserLimits(ocr_pages=2)) as pool:
        document = pool.parse(path)
    assert [placed.section.page for placed in document.sections] == [1, 2, 4]
    assert document.metadata["warning"].startswith("1 scanned page")


def test_pages_left_out_are_told_of_beside_other_warnings(tmp_path: Path) -> None:
    path = joined_pdf(tmp_path / "long.pdf", scanned_pages(*(scan([f"Sheet {name}"], (620, 260)) for name in "ABC")))
    writer = PdfWriter(clone_from=path)
    writer.add_attachment("figures.csv", b"1,2")
    writer.write(path)
    with ParserPool(1, ParserLimits(ocr_pages=1)) as pool:
        warning = pool.parse(path).metadata["warning"]
    assert warning.startswith("2 scanned pages")
    assert "figures.csv" in warning


def test_who_switches_ocr_off_is_told_so(tmp_path: Path) -> None:
    scan(LINES).save(tmp_path / "scan.png")
    path = joined_pdf(tmp_path / "scan.pdf", scanned_pages(scan(LINES)))
    with ParserPool(1, ParserLimits(ocr=False)) as pool:
        for each in (path, tmp_path / "scan.png"):
            error = fails(pool, each)
            assert error.reason is FailureReason.NO_TEXT
            assert "switched off" in str(error)


def test_cancelling_ends_a_long_scan_in_the_middle(tmp_path: Path) -> None:
    first, *others = (scan(LINES) for _ in range(60))
    first.save(tmp_path / "long.tif", save_all=True, append_images=others)
    cancel = CancelToken()
    others_running = {child.pid for child in psutil.Process().children(recursive=True)}

    def reads() -> bool:
        mine = [each for each in psutil.Process().children(recursive=True) if each.pid not in others_running]
        return any(each.is_running() and each.memory_info().rss > 250 * MEBIBYTE for each in mine)

    with ParserPool(1) as pool, ThreadPoolExecutor(1) as threads:
        reading = threads.submit(pool.parse, tmp_path / "long.tif", cancel)
        wait_until(reads)
        cancel.cancel()
        with pytest.raises(WorkCancelledError):
            reading.result(timeout=10)


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of a process's memory is read from /proc")
def test_a_page_at_full_size_takes_less_than_a_gigabyte(tmp_path: Path) -> None:
    lines = [f"{number}. {LINES[number % 4]} {OTHER_LINES[number % 3]}" for number in range(16)]
    path = joined_pdf(tmp_path / "full.pdf", scanned_pages(scan(lines, (1654, 2339))))
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    with ParserPool(1) as pool:
        assert pool.parse(path).page_count == 1
        peaks = [
            int(found[1]) / 1024
            for child in psutil.Process().children(recursive=True)
            if child.pid not in before
            and (found := re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{child.pid}/status").read_text()))
        ]
    assert max(peaks) > 200  # the networks were in one of them
    assert max(peaks) <= 1024


def test_nothing_heavy_is_imported_before_a_picture_comes() -> None:
    script = (
        "import sys; from app.loaders.registry import loaders; assert '.png' in loaders().supported_extensions; "
        "print(sorted({'cv2', 'numpy', 'openvino', 'PIL', 'rapidocr'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_the_scan_among_the_reference_files_is_read(pool: ParserPool, test_data: Path) -> None:
    document = pool.parse(test_data / "formats" / "files" / "unstructured__loremipsum-flat.pdf")
    section = page_section(document, 1)
    assert section.confidence is not None
    assert section.confidence > 0.9
    assert "Lorem ipsum dolor sit amet, consectetur adipiscing elit." in section.text
