"""The splitter: exact places, nothing lost, never too long, cut where a reader would cut."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.documents import Chunk, ParsedDocument, Section, SectionKind, assemble
from app.retrieval.model_files import ModelFiles
from app.retrieval.model_tokenizer import ModelTokenizer
from app.retrieval.text_splitter import TextSplitter

Counter = Callable[[Sequence[str]], list[int]]


def words(texts: Sequence[str]) -> list[int]:
    """A tokenizer of words, with two special tokens."""
    return [len(text.split()) + 2 for text in texts]


def characters(texts: Sequence[str]) -> list[int]:
    """A tokenizer of UTF-8 bytes without special tokens."""
    return [len(text.encode("utf-8", "replace")) for text in texts]


def unruly(texts: Sequence[str]) -> list[int]:
    """A tokenizer that counts a whole as more than its parts."""
    return [len(text.split()) + len(text) // 7 + 1 for text in texts]


@pytest.fixture(scope="module")
def tokens(default_model: ModelFiles) -> Counter:
    """The default model's tokenizer."""
    return ModelTokenizer(default_model.tokenizer.read_bytes(), 256).count


def document(*sections: Section, title: str = "Harbour log") -> ParsedDocument:
    return assemble(list(sections), title=title, media_type="text/plain")


def split(*sections: Section, target: int = 20, window: int = 40, title: str = "Harbour log") -> list[Chunk]:
    return TextSplitter(words, max_tokens=window, target_tokens=target).split(document(*sections, title=title))


def check(parsed: ParsedDocument, chunks: Sequence[Chunk], count: Counter, window: int) -> None:
    """Everything that holds for every document and every tokenizer."""
    covered = [False] * len(parsed.text)
    pages = {place.start: place for place in parsed.sections}
    end = 0
    for chunk in chunks:
        assert parsed.text[chunk.start : chunk.end] == chunk.text == chunk.text.strip() != ""
        assert chunk.start >= end
        end = chunk.end
        covered[chunk.start : end] = [True] * (end - chunk.start)
        held = [place for place in pages.values() if place.start < chunk.end and chunk.start < place.end]
        assert {place.section.page for place in held} == {chunk.page}
        assert all(place.section.kind is not SectionKind.REPEATED for place in held)
        assert all(place.section.headings[: len(chunk.headings)] == chunk.headings for place in held)
        assert chunk.token_count == count([chunk.embedded_text])[0]
        assert chunk.token_count <= window or (len(chunk.text) == 1 and chunk.context == "")
    for place in pages.values():
        if place.section.kind is SectionKind.REPEATED:
            covered[place.start : place.end] = [True] * (place.end - place.start)
    assert all(known or character.isspace() for known, character in zip(covered, parsed.text, strict=True))


TEXTS = st.one_of(
    st.text(alphabet=st.characters(), max_size=120),
    st.text(alphabet="ab .,;:!?\n\t|#-。、()\u200b\u200d👩", max_size=200),
    st.lists(st.sampled_from(["The boat is in. ", "ice\n\n", "- item\n", "a | b\n", "x" * 50, " def f():\n"])).map(
        "".join
    ),
)
SECTIONS = st.builds(
    Section,
    text=TEXTS,
    page=st.one_of(st.none(), st.integers(1, 3)),
    headings=st.lists(st.sampled_from(["One", "Two", "Deep " * 30]), max_size=3).map(tuple),
    kind=st.sampled_from(SectionKind),
)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(SECTIONS, max_size=6),
    st.sampled_from([words, characters, unruly]),
    st.integers(4, 60),
    st.integers(1, 60),
    st.text(max_size=40),
)
def test_properties_with_any_tokenizer(
    sections: list[Section], count: Counter, window: int, target: int, title: str
) -> None:
    parsed = document(*sections, title=title)
    check(parsed, TextSplitter(count, max_tokens=window, target_tokens=target).split(parsed), count, window)


@settings(max_examples=150, deadline=None)
@given(sections=st.lists(SECTIONS, max_size=5), title=st.text(alphabet=st.characters(), max_size=40))
def test_properties_with_the_default_model(tokens: Counter, sections: list[Section], title: str) -> None:
    parsed = document(*sections, title=title)
    for window, target in ((256, 180), (16, 8)):
        check(parsed, TextSplitter(tokens, max_tokens=window, target_tokens=target).split(parsed), tokens, window)


@pytest.mark.parametrize(
    "text",
    [
        base64.b64encode(bytes(range(256)) * 300).decode(),
        "日本語の文字列には空白がありません" * 800,
        "港は凍った。船は出ない。" * 500,
        "👩‍👩‍👧‍👦" * 2000,
        "e\u0301" * 5000,
        "\u200b" * 4000,
        "." * 20_000,
        ".)" * 10_000,
        "1\n" * 20_000,
        "1\n\n" * 10_000,
        " " * 300_000 + "x",
        "The harbour froze. " * 8000,
        "a;" * 10_000,
    ],
    ids=lambda text: repr(text[:6]),
)
def test_long_and_odd_texts_take_time_in_proportion(text: str, tokens: Counter) -> None:
    splitter = TextSplitter(tokens, max_tokens=256, target_tokens=180)
    started = time.process_time()
    for sections in ([Section(text)], [Section(text, kind=SectionKind.CODE)], [Section(text, kind=SectionKind.TABLE)]):
        parsed = document(*sections)
        check(parsed, splitter.split(parsed), tokens, 256)
    assert time.process_time() - started < 60  # minutes if any step were quadratic


def test_a_short_document_is_one_chunk_with_its_title() -> None:
    (chunk,) = split(Section("The boat is in."))
    assert (chunk.text, chunk.start, chunk.end, chunk.context) == ("The boat is in.", 0, 15, "Harbour log")
    assert chunk.embedded_text == "Harbour log\nThe boat is in."


def test_an_empty_document_has_no_chunks() -> None:
    assert split() == []


def test_cuts_are_made_between_sentences() -> None:
    text = " ".join(f"On day {day} the ferry crossed the sound with nine cars." for day in range(12))
    chunks = split(Section(text), target=24)
    assert len(chunks) > 3
    assert all(chunk.text.startswith("On day") and chunk.text.endswith("cars.") for chunk in chunks)


def test_cuts_prefer_paragraphs_to_sentences() -> None:
    paragraph = "One two three four five six. Seven eight nine ten eleven twelve."
    chunks = split(Section("\n\n".join([paragraph] * 6)), target=15)
    assert [chunk.text for chunk in chunks] == [paragraph] * 6


def test_chunks_are_of_like_size_without_a_small_rest() -> None:
    text = " ".join(f"Number {number} is a sentence of eight words." for number in range(16))
    sizes = [len(chunk.text.split()) for chunk in split(Section(text), target=30, window=60)]
    assert max(sizes) - min(sizes) <= 8


def test_chunks_never_cross_a_page() -> None:
    chunks = split(*(Section(f"Page {page}.", page=page) for page in (1, 2, 3)))
    assert [(chunk.page, chunk.text) for chunk in chunks] == [(1, "Page 1."), (2, "Page 2."), (3, "Page 3.")]


def test_short_sections_of_a_page_share_a_chunk() -> None:
    chunks = split(
        Section("# Tides\nHigh at six.", headings=("Log", "Tides")),
        Section("# Wind\nFrom the west.", headings=("Log", "Wind")),
    )
    assert [chunk.text for chunk in chunks] == ["# Tides\nHigh at six.\n\n# Wind\nFrom the west."]
    assert (chunks[0].headings, chunks[0].context) == (("Log",), "Harbour log › Log")


def test_long_sections_keep_to_themselves() -> None:
    tides, wind = ("high water and low water " * 3).strip(), ("gusts from the west all day " * 3).strip()
    chunks = split(Section(tides, headings=("Tides",)), Section(wind, headings=("Wind",)), target=16)
    assert [chunk.headings for chunk in chunks] == [("Tides",), ("Wind",)]


def test_every_chunk_of_a_long_section_knows_its_headings() -> None:
    text = "## Ice report\n" + " ".join(f"In week {week} the ice grew by two inches." for week in range(9))
    first, *others = split(Section(text, headings=("Winter", "Ice report")))
    assert first.context == "Harbour log › Winter"  # the text itself begins with the last heading
    assert others
    assert {chunk.context for chunk in others} == {"Harbour log › Winter › Ice report"}


def test_a_title_that_is_also_the_heading_stands_once() -> None:
    (chunk,) = split(Section("All is well.", headings=("Harbour log", "Today")))
    assert chunk.context == "Harbour log › Today"


def test_long_headings_leave_room_for_the_text() -> None:
    headings = tuple(f"{'very ' * 10}deep {level}" for level in range(6))
    chunks = split(Section("The text is what matters here. " * 10, headings=headings), window=40)
    assert all(len(chunk.text.split()) >= 12 for chunk in chunks[:-1])
    assert all(chunk.token_count <= 40 for chunk in chunks)


def test_table_rows_stay_whole_and_know_their_header() -> None:
    header = "Boat | Owner | Berth"
    rows = [f"Boat {number} | Owner {number} | B{number}" for number in range(12)]
    chunks = split(Section("\n".join([header, *rows]), kind=SectionKind.TABLE), target=25)
    assert len(chunks) > 2
    assert chunks[0].text.startswith(header)
    assert chunks[0].context == "Harbour log"
    assert [line for chunk in chunks for line in chunk.text.split("\n")] == [header, *rows]
    assert all(chunk.context == f"Harbour log\n{header}" for chunk in chunks[1:])


def test_the_header_of_a_table_goes_on_below_its_title() -> None:
    rows = [f"Boat {number} | Owner {number}" for number in range(12)]
    chunks = split(Section("\n".join(["Berths of 2024", "Boat | Owner", *rows]), kind=SectionKind.TABLE), target=20)
    assert len(chunks) > 2
    assert all(chunk.context == "Harbour log\nBerths of 2024 Boat | Owner" for chunk in chunks[1:])


def test_a_row_that_fits_no_chunk_is_cut_between_words() -> None:
    row = " | ".join(f"cell {number}" for number in range(60))
    chunks = split(Section(f"A | B\n{row}", kind=SectionKind.TABLE))
    assert all(chunk.token_count <= 40 for chunk in chunks)
    assert " ".join(chunk.text for chunk in chunks).split() == f"A | B {row}".split()


def test_code_is_cut_at_definitions() -> None:
    functions = [
        f"def move_{name}(boat):\n    boat.go('{name}')\n    return boat.place" for name in ("in", "out", "up")
    ]
    chunks = split(Section("\n\n".join(functions), kind=SectionKind.CODE), target=9, window=20)
    assert [chunk.text for chunk in chunks] == functions


def test_a_text_without_spaces_is_cut_between_whole_characters() -> None:
    family = "👩\u200d👩\u200d👧"
    chunks = TextSplitter(characters, max_tokens=60, target_tokens=40).split(document(Section(family * 30), title=""))
    assert len(chunks) > 3
    assert all(not chunk.text.startswith("\u200d") and not chunk.text.endswith("\u200d") for chunk in chunks)


def test_sentences_in_chinese_are_found() -> None:
    chunks = TextSplitter(characters, max_tokens=120, target_tokens=60).split(
        document(Section("港口结冰了。渡船今天不开。请明天再来。" * 4), title="")
    )
    assert len(chunks) > 2
    assert all(chunk.text.endswith("。") for chunk in chunks)
