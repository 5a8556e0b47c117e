"""Documents as they are set for reading: every character knows its place, and no word is lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PySide6.QtGui import QTextDocument
from pytestqt.qtbot import QtBot

from app.domain.box_map import BoxMap, PlacedWord
from app.domain.document_types import DocumentType, type_of
from app.domain.documents import SECTION_SEPARATOR, SectionKind
from app.domain.page_text import PageText
from app.gui.pdf_selection import PagePlaces
from app.gui.reading.blocks import Block, BlockKind, Run, runs_of
from app.gui.reading.code import line_numbers
from app.gui.reading.document_reader import DocumentReader, DocumentText
from app.gui.reading.markdown import markdown_parts
from app.gui.reading.part_of import MOST, part_around
from app.gui.reading.reading_style import ReadingStyle
from app.gui.reading.reading_writer import ReadingWriter, utf16_length
from app.gui.theme import Appearance

MEDIA = ["text/plain", "text/markdown", "text/html", "text/csv", "text/x-python", "application/x-ipynb+json"]
WORDS = st.text(st.sampled_from("abc Z\n\t-*#>`|[](1).!_~&;🦊é\\"), max_size=60)


@dataclass(frozen=True)
class Part:
    start: int
    end: int
    kind: SectionKind
    page: int | None = None
    headings: tuple[str, ...] = ()
    confidence: float | None = None


def document(media_type: str, sections: Sequence[tuple[str, SectionKind]], name: str = "x.py") -> DocumentText:
    parts, position = [], 0
    for text, kind in sections:
        parts.append(Part(position, position + len(text), kind))
        position += len(text) + len(SECTION_SEPARATOR)
    return DocumentText(Path(name), media_type, SECTION_SEPARATOR.join(text for text, _ in sections), tuple(parts))


def agrees(run: Run, text: str) -> bool:
    """Whether a run says what stands at its place; line ends may have become spaces, a tab may part a list's mark."""
    if run.start < 0:
        return True
    return run.text.rstrip("\t").replace("\n", " ") == text[run.start : run.start + len(run.text.rstrip("\t"))].replace(
        "\n", " "
    )


@given(media=st.sampled_from(MEDIA), sections=st.lists(st.tuples(WORDS, st.sampled_from(SectionKind)), max_size=6))
def test_every_character_knows_its_place(media: str, sections: list[tuple[str, SectionKind]]) -> None:
    source = document(media, sections)
    for part in DocumentReader(source).read().parts:
        assert all(agrees(run, source.text) for run in runs_of(part))


@given(sections=st.lists(st.tuples(WORDS, st.sampled_from(SectionKind)), max_size=6))
def test_no_word_of_extracted_text_is_lost(sections: list[tuple[str, SectionKind]]) -> None:
    source = document("text/html", sections)
    placed: set[int] = set()
    for part in DocumentReader(source).read().parts:
        for run in runs_of(part):
            placed |= set(range(run.start, run.end)) if run.start >= 0 else set()
    missing = {at for at, character in enumerate(source.text) if not character.isspace()} - placed
    assert {source.text[at] for at in missing} <= {"|"}, "only what parts the cells of a table"


@given(text=WORDS)
def test_words_of_markdown_stand_where_they_are(text: str) -> None:
    for part in markdown_parts(text, 10):
        assert all(agrees(run, " " * 10 + text) for run in runs_of(part))


@given(
    place=st.integers(0, 400_000),
    sizes=st.lists(st.integers(1, 90_000), min_size=1, max_size=8),
    kinds=st.lists(st.sampled_from(SectionKind), min_size=8, max_size=8),
)
@example(place=1667, sizes=[4980], kinds=[SectionKind.TABLE] + [SectionKind.TEXT] * 7)  # begins within the first line
def test_the_part_around_a_place_holds_it_and_is_bounded(
    place: int, sizes: list[int], kinds: list[SectionKind]
) -> None:
    texts = [("x" * 59 + "\n") * (size // 60 + 1) for size in sizes]
    source = document("text/plain", list(zip(texts, kinds, strict=False)))
    place = min(place, len(source.text))
    first, last = part_around(place, source.text, source.sections, markdown=False)
    assert 0 <= first <= place <= last <= len(source.text)
    assert last - first <= MOST + 4200
    assert first == 0 or source.text[first - 1] == "\n"


def test_a_short_document_is_set_as_a_whole() -> None:
    source = document("text/plain", [("some words " * 900, SectionKind.TEXT), ("a | b\n" * 300, SectionKind.TABLE)])
    for place in (0, 5000, len(source.text)):
        assert part_around(place, source.text, source.sections, markdown=False) == (0, len(source.text))


@pytest.mark.parametrize("wanted", ["Anchor", "ANCHOR", "anchor"])
def test_searching_a_long_text_finds_every_place_once(wanted: str) -> None:
    text = ("x" * 499_997 + "anchor") * 3 + "an"
    reader = DocumentReader(document("text/plain", [(text, SectionKind.TEXT)]))
    places = [(500_003 * number + 499_997, 500_003 * (number + 1)) for number in range(3)]
    assert reader.find(wanted) == places
    assert reader.find("") == []
    assert reader.find("(") == []


def test_a_search_stops_when_nobody_waits_for_it() -> None:
    reader = DocumentReader(document("text/plain", [("anchor " * 200_000, SectionKind.TEXT)]))
    assert reader.find("anchor", lambda: True) == []


def test_line_numbers_are_those_of_the_file() -> None:
    file = "\n\nimport a\n\n\n\ndef f():\n    return 1   \n"
    assert line_numbers("import a\n\ndef f():\n    return 1", file) == [3, 4, 7, 8]
    assert line_numbers("import a\n\ndef g():", file) is None
    assert line_numbers("import a", "another file") is None


@pytest.mark.parametrize(
    ("media_type", "kind"),
    [
        ("application/pdf", DocumentType.PDF),
        ("text/csv", DocumentType.SHEETS),
        ("text/markdown", DocumentType.TEXT),
        ("text/x-python", DocumentType.CODE),
        ("image/png", DocumentType.IMAGE),
        ("nothing/known", None),
    ],
)
def test_media_types_belong_to_kinds(media_type: str, kind: DocumentType | None) -> None:
    assert type_of(media_type) is kind


def test_slides_are_divided_and_listed() -> None:
    sections = (
        Part(0, 9, SectionKind.TEXT, 1, ("Beginning",)),
        Part(11, 20, SectionKind.TEXT, 2, ("The end",)),
    )
    media = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
    reader = DocumentReader(DocumentText(Path("a.pptx"), media, "Beginning\n\nThe end!!", sections))
    blocks = [part for part in reader.read().parts if isinstance(part, Block)]
    dividers = [block.runs[0].text for block in blocks if block.kind is BlockKind.DIVIDER]
    assert dividers == ["Slide 1", "Slide 2"]
    assert [entry.title for entry in reader.outline] == ["Slide 1: Beginning", "Slide 2: The end"]


@given(text=st.text(st.sampled_from("ab \n🦊é"), max_size=60))
def test_qt_counts_what_is_beyond_the_basic_plane_twice(text: str) -> None:
    assert utf16_length(text) == len(text.encode("utf-16-le")) // 2


def test_marks_lie_on_the_quoted_characters(qtbot: QtBot, appearance: Appearance) -> None:
    text = "🦊 First **bold 🦊 words** and more.\n\n| a | b |\n|---|---|\n| one | two 🦊 |\n"
    reader = DocumentReader(document("text/markdown", [(text, SectionKind.TEXT)]))
    screen = QTextDocument()
    places = ReadingWriter(screen, ReadingStyle(appearance)).write(reader.read())
    for words in ("bold 🦊 words", "and more", "two 🦊"):
        start = text.index(words)
        (first, last), *rest = places.ranges(start, start + len(words))
        assert not rest
        shown = screen.toRawText().encode("utf-16-le")[2 * first : 2 * last].decode("utf-16-le")
        assert shown == words
        assert places.place_of(first) <= start


def test_a_pointer_between_two_lines_takes_the_nearer_one() -> None:
    from PySide6.QtCore import QPointF

    words = BoxMap([PlacedWord(0, 4, 0, 10, 10, 50, 20), PlacedWord(5, 9, 1, 10, 30, 50, 40)])
    page = PagePlaces(PageText("abcd\nefgh", words))
    assert page.position_at(QPointF(31, 15)) == 2
    assert page.position_at(QPointF(500, 22)) == 4
    assert page.position_at(QPointF(0, 35)) == 5
    assert page.word_at(6) == (5, 9)
    assert [each.width() for each in page.rectangles(1, 7)] == [30, 20]
    assert not page.hits(QPointF(60, 15))
    assert PagePlaces(PageText("", BoxMap())).position_at(QPointF(1, 1)) is None
