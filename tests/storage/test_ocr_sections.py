"""What OCR read keeps its confidence and its places, and passages tell of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.box_map import BoxMap, PlacedWord
from app.domain.documents import Box, Chunk, FileStamp, Section, assemble
from app.storage.library_store import LibraryStore

coordinates = st.floats(-1e6, 1e6, width=32)


@st.composite
def box_maps(draw: st.DrawFn) -> BoxMap:
    words: list[PlacedWord] = []
    position = 0
    for number in range(draw(st.integers(0, 12))):
        start = position + draw(st.integers(0, 3))
        position = start + draw(st.integers(1, 9))
        left, top = draw(coordinates), draw(coordinates)
        words.append(PlacedWord(start, position, number // 3, left, top, left, top))
    return BoxMap(words)


@given(box_maps())
def test_places_survive_being_stored(boxes: BoxMap) -> None:
    assert BoxMap.from_bytes(boxes.to_bytes()) == boxes


@given(box_maps(), st.integers(0, 150), st.integers(0, 150))
def test_a_span_has_one_rectangle_a_line_and_it_holds_every_word(boxes: BoxMap, start: int, end: int) -> None:
    touched = [word for word in boxes if word.start < end and word.end > start]
    found = boxes.boxes_between(start, end)
    assert len(found) == len({word.line for word in touched})
    for word in touched:
        assert any(
            box.left <= word.left <= word.right <= box.right and box.top <= word.top <= word.bottom <= box.bottom
            for box in found
        )


def test_bytes_of_something_else_are_refused() -> None:
    with pytest.raises(ValueError, match="not a stored box map"):
        BoxMap.from_bytes(b"12345")


def test_sections_and_passages_say_how_sure_ocr_was(library: LibraryStore) -> None:
    places = BoxMap([PlacedWord(0, 5, 0, 1, 2, 3, 4), PlacedWord(6, 11, 0, 5, 2, 7, 4)])
    sections = [
        Section("printed text", 1),
        Section("faded print", 2, confidence=0.75, box_map=places),
        Section("sharp print", 3, confidence=0.95, box_map=BoxMap()),
    ]
    parsed = assemble(sections, title="t", media_type="application/pdf", page_count=3)
    spans = [(0, 12), (14, 25), (14, 38)]
    chunks = [Chunk(parsed.text[start:end], start, end) for start, end in spans]
    record = library.enqueue(Path("/a/scan.pdf"), FileStamp(1, 1))
    new = library.replace_content(record.id, parsed, "hash", chunks, [chunk.text for chunk in chunks]).new
    library.store_vectors("m", [(chunk.chunk_id, b"\x00\x00") for chunk in new])
    library.finish(record.id)

    first, second, third = library.sections(record.id)
    assert (first.confidence, first.box_map) == (None, None)
    assert (second.confidence, third.confidence) == (0.75, 0.95)
    assert second.box_map is not None
    assert second.box_map.boxes_between(6, 11) == (Box(5, 2, 7, 4),)
    passages = library.passages([chunk.chunk_id for chunk in new])
    found = {(each.start, each.end): each.ocr_confidence for each in passages.values()}
    assert found == {(0, 12): None, (14, 25): 0.75, (14, 38): pytest.approx(0.85)}
