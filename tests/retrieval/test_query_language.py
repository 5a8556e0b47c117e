"""How far an English embedding model is trusted depends on the language of the query."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.retrieval.query_language import LATIN, OTHER, query_language, query_script


@pytest.mark.parametrize(
    ("query", "language"),
    [
        ("What is the capital of France?", "en"),
        ("how do I water the roses", "en"),
        ("¿Cuál es la capital de Francia?", "es"),
        ("Quelle est la capitale de la France ?", "fr"),
        ("Wie heißt die Hauptstadt von Frankreich?", "de"),
        ("Qual è la capitale della Francia?", "it"),
        ("Wat is de hoofdstad van Frankrijk?", "nl"),
        ("Vilken är huvudstaden i Frankrike?", "sv"),
        ("Кто был первым президентом?", "ru"),
        ("IL-10 monocytes OER", None),
        ("MAPK1 inhibitor", None),
        ("2017", None),
        ("", None),
    ],
)
def test_language_by_function_words(query: str, language: str | None) -> None:
    assert query_language(query) in ({language} if language != "en" else {"en", None})


@pytest.mark.parametrize(
    ("query", "script"),
    [
        ("Compost", LATIN),
        ("Größe", LATIN),
        ("中国的首都", OTHER),
        ("столица", OTHER),
        ("iPhone ケース の 色", OTHER),
        ("42?", LATIN),
    ],
)
def test_script_by_most_letters(query: str, script: str) -> None:
    assert query_script(query) == script


@given(st.text(max_size=300))
def test_any_text_has_a_script_and_perhaps_a_language(query: str) -> None:
    assert query_script(query) in {LATIN, OTHER}
    language = query_language(query)
    assert language is None or len(language) == 2
