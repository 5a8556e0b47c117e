"""Questions are asked with the words that documents use for the same."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.passages import SearchMode
from app.retrieval.keyword_index import KeywordIndex
from app.retrieval.query_vocabulary import MOST_WORDS, widened
from app.retrieval.retriever import Retriever
from app.retrieval.vector_index import VectorIndex
from app.settings.setting import Setting
from tests.retrieval.small_library import DIMENSION, MODEL, SmallLibrary

T = TypeVar("T")
STATEMENT = "Purchases of property and equipment 11,955 10,058"
OTHER = "The company moved its headquarters in that year."


class Defaults:
    """Settings as they are without a user."""

    def __getitem__(self, setting: Setting[T]) -> T:
        return setting.default


@pytest.mark.parametrize(
    ("query", "added"),
    [
        ("How high was capex?", "purchases of property"),
        ("EPS in 2021", "earnings per share"),
        ("R&D per employee", "research and development expenses"),
        ("What is the quick ratio?", "total current liabilities"),
    ],
)
def test_a_question_gets_the_words_of_the_statements(query: str, added: str) -> None:
    assert widened(query).startswith(query)
    assert added in widened(query)


@pytest.mark.parametrize("query", ["When do tomatoes need water?", "wheelspin", "steps to take", "H&R Block", ""])
def test_other_questions_stay_as_they_are(query: str) -> None:
    assert widened(query) == query


def test_a_term_that_two_words_call_for_is_added_once() -> None:
    assert widened("income statement and statement of operations").count("statements of earnings") == 1


def test_a_pasted_page_is_not_made_longer() -> None:
    page = "capex " * (MOST_WORDS + 1)
    assert widened(page) == page


def test_the_form_of_the_answer_is_not_searched_for() -> None:
    asked = widened("What was the EPS? Answer in USD and round to two decimals.")
    assert not any(word in asked for word in ("Answer", "USD", "round", "decimals"))
    assert widened("Round tables cost two dollars") == "Round tables cost two dollars"


def test_quoted_words_stay_as_they_are() -> None:
    assert widened('EPS "please answer"').startswith('EPS "please answer"')


@given(st.text(alphabet="xyz ?\n\0é"))
def test_words_that_say_something_are_never_lost(query: str) -> None:
    assert widened(query) == query
    assert set(query.replace("\0", " ").split()) <= set(widened(f"{query} EBIT").replace("\0", " ").split())


def test_a_statement_is_found_by_what_people_call_its_lines(tmp_path: Path) -> None:
    library = SmallLibrary(tmp_path)
    library.put("report.txt", [OTHER, STATEMENT])
    vectors = VectorIndex(library.store, tmp_path / "index", MODEL, DIMENSION)
    keywords = KeywordIndex(library.store, tmp_path / "index")
    vectors.open()
    keywords.open()
    retriever = Retriever(library.store, lambda: library.embedder, vectors, keywords, Defaults())
    (found,) = retriever.search("How much capex was there?", mode=SearchMode.KEYWORD)
    assert found.text == STATEMENT
    vectors.close()
    keywords.close()
    library.close()
