"""What "find in every document" looks for, and what of it a passage holds."""

from __future__ import annotations

import pytest

from app.grounding.sweeping import share, sought, terms_in, weights_of
from app.grounding.terms import terms


@pytest.mark.parametrize(
    ("question", "text", "mention"),
    [
        ("Which contracts mention asbestos?", "asbestos", True),
        ("find all documents that contain the word penalty clause", "the word penalty clause", True),
        ("Which of my letters are about the garden fence?", "the garden fence", True),
        ("Welche Verträge erwähnen Asbest?", "Asbest", True),
        ("Who signed the lease?", "Who signed the lease?", False),
        ("Which river is the longest?", "Which river is the longest?", False),
    ],
)
def test_a_question_about_documents_is_taken_apart(question: str, text: str, mention: bool) -> None:
    wanted = sought(question)
    assert (wanted.text, wanted.mention) == (text, mention)


def test_words_are_found_by_their_stems_and_never_inside_others() -> None:
    wanted = sought("Which reports mention companies?").terms
    assert terms_in("two companies were sold", wanted) == frozenset(wanted)
    assert terms_in("an accompanying letter", wanted) == frozenset()


def test_either_side_of_an_or_is_enough() -> None:
    wanted = sought("Which documents say something about the water supply or asbestos?")
    weights = dict.fromkeys(wanted.terms, 1.0)
    assert len(wanted.alternatives) == 2
    assert wanted.fit(frozenset(terms("asbestos")), weights) == 1.0
    assert wanted.fit(frozenset(terms("water")), weights) == 0.5
    assert sought("Which documents mention the water supply?").fit(frozenset(), weights) == 0.0


def test_rare_words_weigh_more() -> None:
    common, rare = frozenset({"lease"}), frozenset({"asbestos"})
    weights = weights_of(("lease", "asbestos"), [common] * 9 + [rare])
    assert share(rare, weights) > share(common, weights)
    assert share(common | rare, weights) == pytest.approx(1.0)
    assert share(frozenset(), weights) == 0.0
