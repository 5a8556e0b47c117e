"""What the viewer paints yellow is the quote, whatever the page looks like."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QImage
from pytestqt.qtbot import QtBot

from app.domain.documents import Box
from app.domain.errors import DocumentError, FailureReason
from app.gui.colors import ThemeMode
from app.gui.pdf_file import PdfFile, open_pdf
from app.gui.theme import Appearance
from app.gui.widgets.pdf_view import PdfView
from app.loaders.parser_limits import ParserLimits
from app.loaders.pdf_geometry import boxes_for_span
from app.loaders.registry import load_document, loaders
from tests.loaders.pdf_oracle import text_under
from tests.loaders.pdf_writer import Page, Run, pdf_bytes

LEFT = ["The harbour was opened", "by the mayor in 1887.", "A storm destroyed the", "old pier in 1903."]
RIGHT = ["The ferry runs every", "hour from the new pier", "until eight in the", "evening, all year."]
QUOTES = [
    ("A storm destroyed the\nold pier in 1903.", "A storm destroyed the old pier in 1903."),
    ("hour from the new pier", "hour from the new pier"),
    ("opened\nby the mayor", "opened by the mayor"),
]


def columns() -> list[Run]:
    left = [Run(60, 700 - 16 * row, line) for row, line in enumerate(LEFT)]
    return left + [Run(330, 700 - 16 * row, line) for row, line in enumerate(RIGHT)]


def turned(run: Run, rotation: int) -> Run:
    """The run on a page that is displayed turned, placed so that the reader sees it upright, as scanners do."""
    width, height = 612, 792
    places = {90: (width - run.y, run.x), 180: (width - run.x, height - run.y), 270: (run.y, height - run.x)}
    x, y = places[rotation]
    return Run(x, y, run.text, run.size, angle={90: 90, 180: 180, 270: -90}[rotation])


def upright(rotation: int, crop_box: tuple[float, float, float, float] | None = None) -> Page:
    lower = [Run(run.x, run.y - 150, run.text) for run in columns()]
    return Page([turned(run, rotation) for run in lower], rotation=rotation, crop_box=crop_box)


PAGES = {
    "two columns": Page(columns()),
    "turned right": upright(90),
    "upside down": upright(180),
    "turned left": upright(270),
    "lying on its side": Page(columns(), rotation=270),
    "cropped": Page(columns(), crop_box=(40, 600, 560, 740)),
    "cropped and turned": upright(90, (20, 30, 600, 700)),
    "shifted": Page(columns(), media_box=(-100, -50, 612, 792)),
}


@pytest.fixture
def view(qtbot: QtBot, appearance: Appearance) -> PdfView:
    view = PdfView(appearance)
    qtbot.addWidget(view, before_close_func=lambda each: each.close_file())
    view.resize(820, 900)
    view.show()
    return view


def opened(path: Path, view: PdfView) -> PdfFile:
    """Open it as the program does: on another thread."""
    results: list[PdfFile] = []
    thread = threading.Thread(target=lambda: results.append(open_pdf(path, view.thread())))
    thread.start()
    thread.join(10)
    return results[0]


def quoted(path: Path, quote: str) -> tuple[int, tuple[Box, ...]]:
    """Page and rectangles of a quote as the library finds them. Lines in the quote are where the page has lines."""
    document = load_document(path, ParserLimits(), loaders())
    for placed in document.sections:
        section = placed.section
        for spelling in (quote, quote.replace("\n", " ")):
            start = section.text.find(spelling)
            if start >= 0:
                assert section.char_map is not None
                assert section.page is not None
                char_map = [section.char_map[index] for index in range(start, start + len(spelling))]
                return section.page, boxes_for_span(path, section.page, char_map)
    raise AssertionError(f"{quote!r} is not in the text")


def painted(view: PdfView, page: int, color: QColor) -> list[QRectF]:
    """Rectangles of highlighted pixels, found in the picture alone, in points of the page."""
    image = view.viewport().grab().toImage()
    ratio = image.devicePixelRatio()
    rows = [_runs(image, y, color) for y in range(image.height())]
    found: list[QRectF] = []
    for y, runs in enumerate(rows):
        for left, right in runs:
            for known in found:
                near = abs(known.left() - left) <= 2 and abs(known.right() - right) <= 2 and known.bottom() >= y - 1
                if near:
                    known.setBottom(y + 1)
                    break
            else:
                found.append(QRectF(left, y, right - left, 1))
    origin = view.page_rectangle(page).topLeft()
    scale = view.scale
    return [
        QRectF(
            (QPointF(each.left(), each.top()) / ratio - origin) / scale,
            (QPointF(each.right(), each.bottom()) / ratio - origin) / scale,
        )
        for each in found
    ]


def _runs(image: QImage, y: int, color: QColor) -> list[tuple[int, int]]:
    """Stretches of one row from the first to the last highlighted pixel; letters are narrow gaps in them."""
    lit = [x for x in range(image.width()) if image.pixelColor(x, y) == color]
    runs: list[tuple[int, int]] = []
    for x in lit:
        if runs and x - runs[-1][1] <= 24:
            runs[-1] = (runs[-1][0], x + 1)
        else:
            runs.append((x, x + 1))
    return runs


def as_boxes(rectangles: list[QRectF]) -> list[Box]:
    return [Box(each.left(), each.top(), each.right(), each.bottom()) for each in rectangles]


@pytest.mark.parametrize("kind", PAGES)
@pytest.mark.parametrize(("quote", "words"), QUOTES, ids=[words[:12] for _, words in QUOTES])
def test_the_text_under_the_highlight_is_the_quote(
    qtbot: QtBot, view: PdfView, tmp_path: Path, kind: str, quote: str, words: str
) -> None:
    path = tmp_path / "page.pdf"
    path.write_bytes(pdf_bytes([Page([Run(60, 700, "A page before.")]), PAGES[kind]]))
    page, boxes = quoted(path, quote)
    view.show_file(opened(path, view), page, boxes)
    origin = view.page_rectangle(page).topLeft()
    shown = [
        QRectF((each.topLeft() - origin) / view.scale, (each.bottomRight() - origin) / view.scale)
        for each in view.highlight_rectangles(page)
    ]
    assert page == 2
    assert text_under(path, page, as_boxes(shown)) == "".join(words.split())
    assert all(view.viewport().rect().contains(each.center().toPoint()) for each in view.highlight_rectangles(page))


@pytest.mark.parametrize("kind", ["two columns", "cropped and turned"])
def test_the_yellow_pixels_are_those_rectangles(
    qtbot: QtBot, view: PdfView, appearance: Appearance, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "page.pdf"
    path.write_bytes(pdf_bytes([PAGES[kind]]))
    page, boxes = quoted(path, QUOTES[0][0])
    view.show_file(opened(path, view), page, boxes)
    qtbot.waitUntil(lambda: view.rendered(page))
    found = painted(view, page, appearance.theme.color("highlight"))
    pixel = 1.5 / view.scale
    for box in boxes:
        assert any(
            abs(each.left() - box.left) < pixel + 1
            and abs(each.right() - box.right) < pixel + 1
            and each.top() > box.top - pixel
            and each.bottom() < box.bottom + pixel
            for each in found
        ), (box, found)
    outside = [each for each in found if not any(_holds(box, each, pixel) for box in boxes)]
    assert not outside


def test_what_was_found_stays_readable_in_the_dark(
    qtbot: QtBot, view: PdfView, appearance: Appearance, tmp_path: Path
) -> None:
    path = tmp_path / "page.pdf"
    path.write_bytes(pdf_bytes([Page([Run(60, 700, "The harbour was opened"), Run(60, 660, "in the harbour")])]))
    page, boxes = quoted(path, "harbour")
    appearance.set_mode(ThemeMode.DARK)
    view.show_file(opened(path, view), page, ())
    qtbot.waitUntil(lambda: view.rendered(page))
    found = QRectF(QPointF(boxes[0].left, boxes[0].top), QPointF(boxes[0].right, boxes[0].bottom))
    other = found.translated(0, 40)
    view.show_matches({page: [found, other]}, (page, found))
    grounds = []
    for place in (found, other):
        shot = view.viewport().grab().toImage()
        sheet = view.page_rectangle(page)
        left, top = sheet.left() + place.left() * view.scale, sheet.top() + place.top() * view.scale
        size = place.size() * view.scale
        pixels = Counter(
            shot.pixelColor(round(left + x), round(top + y)).name()
            for x in range(1, int(size.width()) - 1)
            for y in range(1, int(size.height()) - 1)
        )
        grounds.append(pixels.most_common(1)[0][0])  # most of a word's place is ground
        assert QColor(grounds[-1]).lightness() > 150, grounds[-1]
    assert len(set(grounds)) == 2, "the current place looks like the others"
    appearance.set_mode(ThemeMode.LIGHT)


def _holds(box: Box, rectangle: QRectF, margin: float) -> bool:
    outer = QRectF(QPointF(box.left, box.top), QPointF(box.right, box.bottom)).adjusted(
        -margin, -margin, margin, margin
    )
    return outer.contains(rectangle)


def test_qtpdf_selects_the_quote_at_the_highlight(qtbot: QtBot, view: PdfView, tmp_path: Path) -> None:
    path = tmp_path / "page.pdf"
    path.write_bytes(pdf_bytes([PAGES["two columns"]]))
    page, boxes = quoted(path, "hour from the new pier")
    file = opened(path, view)
    view.show_file(file, page, boxes)
    box = boxes[0]
    middle = (box.top + box.bottom) / 2
    selection = file.document.getSelection(page - 1, QPointF(box.left + 1, middle), QPointF(box.right - 1, middle))
    assert selection.text() == "hour from the new pier"


def test_the_passage_comes_into_view_at_any_zoom(qtbot: QtBot, view: PdfView, tmp_path: Path) -> None:
    path = tmp_path / "long.pdf"
    path.write_bytes(pdf_bytes([Page([Run(60, 700, f"Page {number}")]) for number in range(1, 60)] + [Page(columns())]))
    page, boxes = quoted(path, "until eight in the")
    file = opened(path, view)
    for zoom in (view.fit_width, view.zoom_in, view.zoom_in, view.zoom_out):
        zoom()
        view.show_file(file, page, boxes)
        place = view.highlight_rectangles(page)[0]
        assert view.viewport().rect().contains(place.center().toPoint())
        assert view.page == page


def test_pages_are_rendered_and_only_near_ones_kept(qtbot: QtBot, view: PdfView, tmp_path: Path) -> None:
    path = tmp_path / "long.pdf"
    path.write_bytes(pdf_bytes([Page([Run(60, 700, f"Page {number}")]) for number in range(1, 41)]))
    view.show_file(opened(path, view))
    for page in range(1, 41):
        view.go_to_page(page)
        qtbot.waitUntil(lambda page=page: view.rendered(page))  # type: ignore[misc]  # bound early on purpose
    assert not view.rendered(1)
    assert view.rendered(40)


def test_going_about(qtbot: QtBot, view: PdfView, tmp_path: Path) -> None:
    path = tmp_path / "three.pdf"
    path.write_bytes(pdf_bytes([Page(columns()), Page(columns(), rotation=90), Page(columns())]))
    pages: list[int] = []
    view.page_changed.connect(pages.append)
    view.show_file(opened(path, view))
    assert view.page_count == 3
    view.go_to_page(3)
    view.go_to_page(99)
    assert view.page == 3
    view.go_to_page(1)
    assert pages[-1] == 1
    before = view.scale
    view.zoom_in()
    assert view.scale > before
    view.fit_width()
    assert view.scale == pytest.approx(before)


@pytest.mark.parametrize(
    ("content", "reason"), [(b"not a PDF at all", FailureReason.DAMAGED), (b"", FailureReason.DAMAGED)]
)
def test_a_file_that_is_no_pdf_is_refused_in_words(
    view: PdfView, tmp_path: Path, content: bytes, reason: FailureReason
) -> None:
    path = tmp_path / "broken.pdf"
    path.write_bytes(content)
    with pytest.raises(DocumentError) as caught:
        open_pdf(path, view.thread())
    assert caught.value.reason is reason


def test_an_open_file_is_used_again_unless_it_changed(
    view: PdfView, tmp_path: Path, touch: Callable[[Path], None]
) -> None:
    path = tmp_path / "page.pdf"
    path.write_bytes(pdf_bytes([Page(columns())]))
    first = open_pdf(path, view.thread())
    assert open_pdf(path, view.thread(), first) is first
    touch(path)
    second = open_pdf(path, view.thread(), first)
    assert second is not first
    for each in (first, second):
        each.document.deleteLater()
