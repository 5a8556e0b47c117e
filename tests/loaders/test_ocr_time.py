"""A long scan gets time for each page; a file that hangs, or only says that it works, does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.domain.box_map import BoxMap, PlacedWord
from app.domain.documents import Section, assemble
from app.domain.errors import DocumentError, FailureReason
from app.loaders.parser_limits import ParserLimits
from app.loaders.parser_messages import MalformedReplyError, decode_reply, encode_document
from app.loaders.parser_pool import ParserPool
from tests.loaders.hostile_reader import make_reader

# A page of the hostile reader takes 0.4 seconds.
LIMITS = ParserLimits(seconds=2, page_seconds=2, ocr_pages=100)


def told(tmp_path: Path, command: str) -> Path:
    path = tmp_path / "told.txt"
    path.write_text(command)
    return path


def test_pages_extend_the_time_of_a_file(tmp_path: Path) -> None:
    with ParserPool(1, LIMITS, make_reader) as pool:
        pool.parse(told(tmp_path, "say warm"))
        assert pool.parse(told(tmp_path, "pages 8")).text == "8 pages"


def test_a_file_cannot_ask_for_ever(tmp_path: Path) -> None:
    limits = ParserLimits(seconds=2, page_seconds=1.5, ocr_pages=3)
    with ParserPool(1, limits, make_reader) as pool:
        pool.parse(told(tmp_path, "say warm"))
        with pytest.raises(DocumentError) as caught:
            pool.parse(told(tmp_path, "pages 100"))
        assert caught.value.reason is FailureReason.TIMEOUT
        assert pool.parse(told(tmp_path, "say next")).text == "next"


def test_confidence_and_places_come_through_as_they_were_sent() -> None:
    words = BoxMap([PlacedWord(0, 5, 0, 1.0, 2.0, 3.0, 4.0), PlacedWord(6, 10, 0, 5.0, 2.0, 7.0, 4.0)])
    sections = [Section("plain"), Section("grain ship", 2, confidence=0.75, box_map=words)]
    document = assemble(sections, title="t", media_type="image/png")
    received = decode_reply(encode_document(document))
    assert received == document
    assert received.sections[0].section.confidence is None


@pytest.mark.parametrize(
    "section",
    [
        Section("short", confidence=0.5, box_map=BoxMap([PlacedWord(0, 9, 0, 0, 0, 1, 1)])),
        Section("short", confidence=0.5, box_map=BoxMap([PlacedWord(3, 2, 0, 0, 0, 1, 1)])),
        Section("short", confidence=1.5, box_map=BoxMap()),
        Section("short", confidence=float("nan"), box_map=BoxMap()),
    ],
    ids=["beyond the text", "backwards", "surer than sure", "no number"],
)
def test_places_that_cannot_be_are_no_reply(section: Section) -> None:
    frames = encode_document(assemble([section], title="t", media_type="image/png"))
    with pytest.raises(MalformedReplyError):
        decode_reply(frames)
