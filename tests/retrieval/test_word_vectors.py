"""Vectors of words: where they stand, what they mean there, and from embedders that take whole texts only."""

from __future__ import annotations

import numpy as np
import pytest

from app.retrieval.embedder import Embedder
from app.retrieval.word_vectors import word_vectors, words_alone
from tests.grounding.conftest import WordEmbedder

TEXTS = ["Ships up to 33.5 metres wide may pass.", "Naïve café-goers don't pay €5.", "", "How wide are the locks?"]


@pytest.mark.parametrize("engine", ["int8_embedder", "fp32_embedder"])
def test_words_stand_where_their_spans_say(engine: str, request: pytest.FixtureRequest) -> None:
    embedder = request.getfixturevalue(engine)

    found = word_vectors(embedder, TEXTS)

    assert [TEXTS[0][start:end] for start, end in found[0].spans[:3]] == ["Ships", "up", "to"]
    assert [TEXTS[1][start:end] for start, end in found[1].spans[:2]] == ["Naïve", "café"]
    assert found[2].spans == ()
    for each in found:
        assert each.words.shape == (len(each.spans), embedder.dimension)
        assert np.linalg.norm(each.words, axis=1) == pytest.approx(1, abs=1e-3)
    whole = embedder.embed_passages(TEXTS)
    assert [float(a @ b.text) for a, b in zip(whole, found, strict=True)] == pytest.approx([1] * 4, abs=1e-3)


@pytest.mark.parametrize("engine", ["int8_embedder", "fp32_embedder"])
def test_a_word_is_nearest_to_the_one_that_means_the_same(engine: str, request: pytest.FixtureRequest) -> None:
    asked, said = word_vectors(
        request.getfixturevalue(engine), ["how broad are boats", "Ships of that width may pass."]
    )

    nearest = said.spans[int((asked.words[3] @ said.words.T).argmax())]

    assert "Ships of that width may pass."[slice(*nearest)] == "Ships"


def test_text_beyond_the_window_has_no_words(int8_embedder: Embedder) -> None:
    [found] = word_vectors(int8_embedder, ["word " * 2_000])

    assert 0 < len(found.spans) < int8_embedder.max_tokens


def test_an_embedder_of_whole_texts_is_given_each_word() -> None:
    embedder = WordEmbedder()

    [found] = words_alone(embedder, ["Locks are wide."], query=False)

    assert [found.spans[0], found.spans[2]] == [(0, 5), (10, 14)]
    assert float(found.words[2] @ embedder.embed_query("wide")) == pytest.approx(1)
