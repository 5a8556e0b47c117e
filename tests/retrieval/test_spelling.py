"""Words, file names and folders are found in spite of typing errors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.retrieval.keyword_build import stem_words
from app.retrieval.keyword_index import KeywordIndex
from app.retrieval.keyword_query import parse_query
from app.retrieval.spelling import forgiven, is_near
from tests.retrieval.small_library import SmallLibrary

TEXTS = (
    "The municipal library opens on Tuesdays.",
    "Photosynthesis turns light into sugar.",
    "Parking costs two euros an hour.",
    "The invoice 40817 was paid late.",
)


@pytest.fixture(params=[True, False], ids=["indexed", "read one by one"])
def index(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[tuple[SmallLibrary, KeywordIndex]]:
    library = SmallLibrary(tmp_path)
    index = KeywordIndex(library.store, tmp_path / "index")
    if not request.param:
        index.open()
    (tmp_path / "Steuererklaerung").mkdir()
    library.put("texts.txt", TEXTS)
    library.put("Steuererklaerung/quarterly-balance.txt", ["Nothing else."], title="Untitled")
    if request.param:
        index.open()
    else:
        index.follow()
    yield library, index
    index.close()
    library.close()


def found(given_index: tuple[SmallLibrary, KeywordIndex], query: str) -> list[str]:
    library, index = given_index
    ids = [chunk_id for chunk_id, score in index.search(query, 10) if 0 < score <= 1]
    passages = library.store.passages(ids)
    return [passages[chunk_id].text for chunk_id in ids]


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("libary", TEXTS[0]),
        ("municpial libraries", TEXTS[0]),
        ("fotosynthesis", TEXTS[1]),
        ("photosyntesys", TEXTS[1]),
        ("euors", TEXTS[2]),
        ("quartely balance", "Nothing else."),
        ("quartrely", "Nothing else."),
        ("steuererklaerung", "Nothing else."),
        ("steuererklarung", "Nothing else."),
    ],
)
def test_typing_errors_are_forgiven(index: tuple[SmallLibrary, KeywordIndex], query: str, text: str) -> None:
    assert found(index, query)[:1] == [text]


@pytest.mark.parametrize("query", ["40818", "40187", '"libary"', "prk", "qqqqqqqq"])
def test_figures_quotes_and_short_words_are_taken_as_they_are(
    index: tuple[SmallLibrary, KeywordIndex], query: str
) -> None:
    assert found(index, query) == []


def test_a_word_that_exists_is_not_corrected(index: tuple[SmallLibrary, KeywordIndex]) -> None:
    library, keywords = index
    library.put("more.txt", ["A barking dog."])
    keywords.refresh()
    assert found(index, "barking") == ["A barking dog."]
    assert found(index, "parking") == [TEXTS[2]]


def test_a_query_of_known_words_asks_for_nothing_more() -> None:
    known = parse_query("the library opens", stem_words, lambda term: 3, 10)
    assert known.misspelt == ()
    named = parse_query("the library opens", stem_words, lambda term: 0, 10, (), lambda term: True)
    assert named.misspelt == ()
    assert parse_query("libary", stem_words, lambda term: 0, 10).misspelt


@given(st.text("abcd", min_size=4, max_size=9), st.data())
def test_one_error_is_near(word: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(word) - 2))
    for changed in (
        word[:place] + word[place + 1 :],
        word[:place] + "x" + word[place:],
        word[:place] + "x" + word[place + 1 :],
        word[:place] + word[place + 1] + word[place] + word[place + 2 :],
    ):
        assert is_near(word, changed, 1)
        assert is_near(changed, word, 1)
    assert not is_near(word, "xyz" + word, 2)


def test_long_words_may_differ_in_two_letters() -> None:
    assert [each.distance for each in forgiven("librari")] == [1]
    assert [each.distance for each in forgiven("photosynthesi")] == [1, 2]
    assert forgiven("abc") == forgiven("mp3s") == forgiven("法院法院") == ()
