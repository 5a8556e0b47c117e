"""Follow-up questions become standalone; standalone ones stay as they are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.turns import StoredMessage
from app.grounding.follow_ups import may_lean, standalone_question
from app.grounding.terms import terms

DIALOGUES = [
    row
    for row in map(json.loads, (Path(__file__).parent / "data" / "dialogues.jsonl").read_text("utf-8").splitlines())
    if "question" in row
]


def history(*turns: Sequence[str], answered: bool = True) -> list[StoredMessage]:
    messages: list[StoredMessage] = []
    for question, answer in turns:
        messages.append(StoredMessage(len(messages) + 1, "s", "user", question))
        messages.append(StoredMessage(len(messages) + 1, "s", "assistant", answer, answered=answered))
    return messages


WARRANTY = ("How long is the warranty of a product?", "For products it runs for 24 months.")
TOWER = ("How tall is the Halden lighthouse?", "It is a tower of 41 metres.")


@pytest.mark.parametrize(
    ("turn", "question", "searched"),
    [
        (WARRANTY, "What about a service?", "How long is the warranty of a service?"),
        (("What was Nordwerk's revenue in 2018?", "310."), "and in 2019?", "What was Nordwerk's revenue in 2019?"),
        (("How long do tomato seeds keep?", "Five years."), "And beans?", "How long do beans keep?"),
        (("How long does coffee keep?", "A month."), "What about tea?", "How long does tea keep?"),
        (("How long can I keep books?", "A month."), "And films?", "How long can I keep films?"),
        (("For how long are books lent?", "A month."), "What about films?", "For how long are films lent?"),
        (
            ("What if someone is stung in the mouth?", "Call."),
            "How do I contact them?",
            "How do I contact them: someone is stung in the mouth?",
        ),
        (TOWER, "When was it built?", "When was the Halden lighthouse built?"),
        (TOWER, "How far can its light be seen?", "How far can Halden lighthouse's light be seen?"),
        (("Who led the work?", "It was led by Ada Kessler."), "When was she born?", "When was Ada Kessler born?"),
        (("Who led the work?", "It was led by Ada Kessler."), "What are her plans?", "What are Ada Kessler's plans?"),
        (("Which river is it?", "The Danube."), "How long is it?", "How long is Danube?"),
        (("What can Lorvane cause?", "A rash."), "What is the dose?", "What is the dose: Lorvane?"),
        (TOWER, "Why?", "Why: tall is the Halden lighthouse?"),
        (
            ("Wann wurde die Brücke von Ruhn gebaut?", "1888."),
            "Wie lang ist sie?",
            "Wie lang ist die Brücke von Ruhn?",
        ),
        (("¿Cuándo se construyó el molino?", "1740."), "¿Y quién lo hizo?", "¿Y quién lo hizo: molino?"),
        (("望海塔有多高？", "五十二米。"), "它是什么时候建的？", "望海塔 是什么时候建的？"),
        (("2018年收入是多少？", "三亿。"), "那2019年呢？", "2019年收入是多少？"),
    ],
)
def test_what_a_follow_up_leaves_out_is_carried_over(turn: tuple[str, str], question: str, searched: str) -> None:
    assert standalone_question(question, history(turn)) == searched


@pytest.mark.parametrize("row", [each for each in DIALOGUES if each.get("stands")], ids=lambda row: row["question"])
def test_a_question_that_stands_alone_is_left_as_it_is(row: dict[str, Any]) -> None:
    assert standalone_question(row["question"], history(*row["turns"])) == row["question"]


def test_most_follow_ups_of_the_dialogues_are_completed() -> None:
    follow_ups = [each for each in DIALOGUES if not each.get("stands")]
    completed = [
        each
        for each in follow_ups
        if standalone_question(each["question"], history(*each["turns"])) != each["question"]
    ]
    assert len(completed) >= 0.95 * len(follow_ups)


def test_a_chain_of_follow_ups_keeps_the_topic() -> None:
    chat = history(WARRANTY, ("What about a service?", "90 days."))
    assert standalone_question("When is it void?", chat) == "When is the warranty of a service void?"


def test_an_unanswered_turn_lends_no_names() -> None:
    chat = history(("Who led the work?", "Your documents don't say. Nearest: Terms of Bolt."), answered=False)
    assert "Bolt" not in standalone_question("When was she born?", chat)


def test_without_a_chat_nothing_is_changed() -> None:
    assert standalone_question("When was it built?", []) == "When was it built?"
    assert not may_lean("When was it built?", [])


def test_only_questions_that_may_lean_are_worth_a_model() -> None:
    assert may_lean("When was it built?", history(TOWER))
    assert may_lean("Opening hours?", history(TOWER))
    assert not may_lean("What is the notice period of the lease in Elm Street?", history(TOWER))


@given(st.text(max_size=80), st.text(max_size=80), st.text(max_size=80))
def test_any_text_can_be_asked_and_the_words_of_the_question_are_kept(question: str, asked: str, answer: str) -> None:
    searched = standalone_question(question, history((asked, answer)))
    assert bool(searched.strip()) or not question.strip()
    if searched == question:
        return
    assert standalone_question(question, history((asked, answer))) == searched
    lost = {each for each in terms(question) if each not in terms(searched)}
    assert len(lost) <= 3  # openers, links, and the pronoun that was replaced
