"""Every sentence of an answer is checked against its passages."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from app.domain.citations import Support
from app.domain.errors import ModelFileError
from app.domain.passages import Passage
from app.domain.turn_options import Strictness
from app.grounding.footnotes import Claim
from app.grounding.support import FROM_KNOWLEDGE, SWAPPED, UNRELATED, SupportChecker, Verdict
from tests.grounding.conftest import WordEmbedder

DATA = Path(__file__).parent / "data"
CANAL = (
    "The Panama Canal joins the Atlantic and the Pacific and is about eighty-two kilometres long. A French company "
    "began digging in 1881 under Ferdinand de Lesseps but gave up after eight years. The United States took the work "
    "over in 1904 and opened the canal on 15 August 1914. The canal was handed to Panama on 31 December 1999."
)
FERRY = "The ferry from Dover to Calais takes ninety minutes. Dogs stay in the car."


def passage(text: str, number: int = 1, title: str = "Canals") -> Passage:
    return Passage(number, number, Path(f"/{number}.txt"), title, "hash", 0, len(text), text, 1.0)


PASSAGES = {"p1": passage(CANAL, 1, "Panama Canal"), "p2": passage(FERRY, 2, "Ferries")}


@pytest.fixture
def checker(embedder: WordEmbedder) -> SupportChecker:
    return SupportChecker(lambda: embedder)


def verdict(
    checker: SupportChecker, sentence: str, ids: Sequence[str] = ("p1",), question: str = "", **options: Strictness
) -> Verdict:
    return checker.verdicts(question, [Claim(sentence, tuple(ids))], PASSAGES, **options)[0]


@pytest.mark.parametrize(
    "sentence",
    [
        "The canal was handed to Panama on 31 December 1999.",
        "Panama received the canal on December 31, 1999.",
        "The Panama Canal is about 82 kilometres long.",
        "The US opened the canal on August 15, 1914.",
        "Ferdinand de Lesseps' French company began digging in 1881 and gave up after 8 years.",
        "**Opening:** the United States opened the canal on 15 August 1914.",
        "- The canal is eighty-two kilometres long",
    ],
)
def test_what_a_passage_says_is_supported_however_it_is_put(checker: SupportChecker, sentence: str) -> None:
    assert verdict(checker, sentence) == Verdict(Support.SUPPORTED)


@pytest.mark.parametrize(
    ("sentence", "said", "instead"),
    [
        ("The canal was handed to Panama on 31 December 1989.", "1989", "1999"),
        ("The canal is about 92 kilometres long.", "92", "eighty-two"),
        ("The French company gave up after nine years.", "nine", "eight"),
    ],
)
def test_an_altered_number_is_named_with_what_the_passage_says(
    checker: SupportChecker, sentence: str, said: str, instead: str
) -> None:
    found = verdict(checker, sentence)
    assert found.support is Support.PARTLY
    assert f"“{said}”" in found.reason
    assert f"“{instead}”" in found.reason


def test_a_number_of_another_sentence_does_not_bear_out_this_one(checker: SupportChecker) -> None:
    found = verdict(checker, "A French company began digging in 1904 under Ferdinand de Lesseps.")
    assert found.support is Support.PARTLY
    assert "“1904”" in found.reason


@pytest.mark.parametrize(
    ("sentence", "name"),
    [
        ("The canal was handed to Colombia on 31 December 1999.", "Colombia"),
        ("A French company began digging in 1881 under Gustave Eiffel.", "Gustave Eiffel"),
        ("Colombia was handed the canal on 31 December 1999.", "Colombia"),
    ],
)
def test_an_altered_name_is_named(checker: SupportChecker, sentence: str, name: str) -> None:
    found = verdict(checker, sentence)
    assert found.support is Support.PARTLY
    assert f"“{name}”" in found.reason


def test_a_name_of_another_passage_does_not_bear_out_this_one(checker: SupportChecker) -> None:
    found = verdict(checker, "The canal was handed to Calais on 31 December 1999.")
    assert found.support is Support.PARTLY
    assert "“Calais”" in found.reason


def test_names_in_the_question_and_in_titles_are_known(checker: SupportChecker) -> None:
    sentence = "The Ferries of Stena take ninety minutes from Dover to Calais."
    assert verdict(checker, sentence, ("p2",), question="How long do Stena ferries take?").support is Support.SUPPORTED
    assert verdict(checker, sentence, ("p2",)).support is Support.PARTLY


def test_an_exchanged_subject_is_noticed(checker: SupportChecker) -> None:
    found = verdict(checker, "The ferry from Calais to Dover takes ninety minutes.", ("p2",))
    assert found == Verdict(Support.PARTLY, SWAPPED)


def test_what_no_passage_says_is_unsupported(checker: SupportChecker) -> None:
    found = verdict(checker, "Green tea contains less caffeine than coffee beans.")
    assert found == Verdict(Support.UNSUPPORTED, UNRELATED)


def test_what_another_passage_says_is_not_borne_out_by_the_cited_one(checker: SupportChecker) -> None:
    found = verdict(checker, "Dogs stay in the car on the ferry from Dover to Calais.", ("p1",))
    assert found.support is Support.PARTLY
    assert "another" in found.reason
    assert verdict(checker, "Dogs stay in the car.", ()).support is Support.SUPPORTED


@pytest.mark.parametrize(
    "text",
    [
        "Here is what I found:",
        "## Opening of the canal",
        "Do you want to know more about the canal?",
        "Your documents don't hold an answer to this question.",
        "Yes.",
        "|---|---|",
    ],
)
def test_what_claims_nothing_is_not_checked(checker: SupportChecker, text: str) -> None:
    assert verdict(checker, text, ()) == Verdict(Support.UNCHECKED)


def test_an_open_answer_marks_what_is_general_knowledge(checker: SupportChecker) -> None:
    strange = "Bananas are rich in potassium and fibre."
    claims = [Claim(strange), Claim(strange, ("p1",)), Claim(strange, (), general=True)]
    found = [each.support for each in checker.verdicts("", claims, PASSAGES, Strictness.OPEN)]
    assert found == [Support.GENERAL, Support.UNSUPPORTED, Support.GENERAL]
    assert checker.verdicts("", claims[:1], PASSAGES, Strictness.OPEN)[0].reason == FROM_KNOWLEDGE
    assert checker.verdicts("", claims[:1], PASSAGES)[0].support is Support.UNSUPPORTED


def test_without_a_search_model_words_decide() -> None:
    def missing() -> WordEmbedder:
        raise ModelFileError("The search model is not there.")

    for checker in (SupportChecker(), SupportChecker(missing)):
        assert verdict(checker, "The canal opened in August 1914, on the 15th.").support is Support.SUPPORTED
        assert verdict(checker, "Bananas are rich in potassium.").support is Support.UNSUPPORTED


def test_quotes_need_no_vectors(checker: SupportChecker, embedder: WordEmbedder) -> None:
    assert verdict(checker, "Dogs stay in the car.", ("p2",)).support is Support.SUPPORTED
    assert embedder.batches == []


def test_without_passages_nothing_is_supported(checker: SupportChecker) -> None:
    found = checker.verdicts("", [Claim("The canal was opened in 1914.")], {})[0]
    assert found.support is Support.UNSUPPORTED


def test_our_own_examples_are_told_apart(checker: SupportChecker) -> None:
    rows = [json.loads(line) for line in (DATA / "tuning.jsonl").read_text(encoding="utf-8").splitlines()]
    texts = {row["passage"]: passage(row["text"], 1, row["title"]) for row in rows if "text" in row}
    examples = [json.loads(line) for line in (DATA / "support.jsonl").read_text(encoding="utf-8").splitlines()]
    supported = [row for row in examples if row["kind"] == "supported"]
    marked = [
        row["sentence"]
        for row in supported
        if checker.verdicts("", [Claim(row["sentence"], ("p1",))], {"p1": texts[row["passage"]]})[0].support
        is not Support.SUPPORTED
    ]
    assert len(marked) <= 0.1 * len(supported), marked  # words alone; the real model marks none
