"""What a question asks for, and what a sentence offers."""

from __future__ import annotations

import pytest

from app.grounding.questions import AnswerKind, answer_kind, holds_kind


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("When was it built?", AnswerKind.TIME),
        ("what year did it open", AnswerKind.TIME),
        ("How many keys does it have?", AnswerKind.NUMBER),
        ("how often should I clean it", AnswerKind.NUMBER),
        ("who wrote it", AnswerKind.PERSON),
        ("Where is it now?", AnswerKind.PLACE),
        ("in which country is it", AnswerKind.PLACE),
        ("Why is it green?", AnswerKind.REASON),
        ("how does it work", AnswerKind.OPEN),
        ("tell me about it", AnswerKind.OPEN),
        ("Wann wurde es gebaut?", AnswerKind.TIME),
        ("", AnswerKind.OPEN),
    ],
)
def test_the_kind_of_a_question(question: str, kind: AnswerKind) -> None:
    assert answer_kind(question) is kind


@pytest.mark.parametrize(
    ("sentence", "kind", "holds"),
    [
        ("It opened in 1887.", AnswerKind.TIME, True),
        ("It opens on weekdays.", AnswerKind.TIME, True),
        ("It opened long ago.", AnswerKind.TIME, False),
        ("It has eighty-eight keys.", AnswerKind.NUMBER, True),
        ("It has 88 keys.", AnswerKind.NUMBER, True),
        ("It has keys.", AnswerKind.NUMBER, False),
        ("It was written by Otway.", AnswerKind.PERSON, True),
        ("It was written by a poet.", AnswerKind.PERSON, False),
        ("It hangs in the Louvre.", AnswerKind.PLACE, True),
        ("It hangs behind glass.", AnswerKind.PLACE, False),
        ("It is green because copper is.", AnswerKind.REASON, True),
        ("It is green.", AnswerKind.REASON, False),
    ],
)
def test_what_a_sentence_offers(sentence: str, kind: AnswerKind, holds: bool) -> None:
    assert holds_kind(sentence, kind, ()) is holds


def test_a_name_in_the_question_is_no_answer_to_who() -> None:
    assert not holds_kind("It was by Otway.", AnswerKind.PERSON, {"otwa"})
