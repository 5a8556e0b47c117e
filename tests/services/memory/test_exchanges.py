"""Exchanges stay whole: no call without its result, no answer without its question."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.citations import Citation
from app.domain.messages import (
    AIMessage,
    HumanMessage,
    Message,
    SystemMessage,
    TextPart,
    ToolCallPart,
    ToolMessage,
)
from app.domain.turns import MessageStatus, StoredMessage
from app.services.memory.exchanges import (
    Exchange,
    fitting_sentences,
    message_exchanges,
    newest_within,
    stored_exchanges,
    tokens_of,
)


def call(*ids: str) -> AIMessage:
    return AIMessage([ToolCallPart(each, "search", '{"q": "tide"}') for each in ids])


TALK: list[Message] = [
    SystemMessage("Be brief."),
    HumanMessage("When is high tide?"),
    call("a", "b"),
    ToolMessage("At noon.", tool_call_id="a"),
    ToolMessage("At midnight.", tool_call_id="b"),
    AIMessage("At noon and at midnight."),
    HumanMessage("Thank you."),
    AIMessage("You are welcome."),
]


def flat(exchanges: Sequence[Exchange]) -> list[Message]:
    return [message for each in exchanges for message in each.messages]


def test_a_question_and_all_that_answers_it_are_one_exchange() -> None:
    first, second = message_exchanges(TALK)
    assert list(first.messages) == TALK[1:6]
    assert list(second.messages) == TALK[6:]
    assert (first.count, second.count) == (5, 2)


def test_a_call_whose_result_is_missing_is_left_out_with_the_other_results_of_its_message() -> None:
    torn = [HumanMessage("When?"), call("a", "b"), ToolMessage("At noon.", tool_call_id="a"), AIMessage("Noon.")]
    assert flat(message_exchanges(torn)) == [torn[0], torn[3]]


def test_a_second_result_of_one_call_is_left_out() -> None:
    twice = [HumanMessage("When?"), call("a"), *[ToolMessage("At noon.", tool_call_id="a")] * 2, AIMessage("Noon.")]
    assert flat(message_exchanges(twice)) == [*twice[:3], twice[4]]


def test_a_result_without_its_call_is_left_out() -> None:
    orphan = [HumanMessage("When?"), ToolMessage("At noon.", tool_call_id="a"), AIMessage("Noon.")]
    assert flat(message_exchanges(orphan)) == [orphan[0], orphan[2]]


MESSAGES = st.lists(
    st.one_of(
        st.text(max_size=30).map(HumanMessage),
        st.text(max_size=30).map(AIMessage),
        st.text(max_size=9).map(SystemMessage),
        st.sets(st.sampled_from("abc"), min_size=1).map(lambda ids: call(*sorted(ids))),
        st.sampled_from("abc").map(lambda each: ToolMessage("result", tool_call_id=each)),
    ),
    max_size=25,
)


@settings(deadline=None)
@given(MESSAGES, st.integers(0, 120))
def test_whatever_is_kept_every_call_is_followed_by_its_results(messages: list[Message], budget: int) -> None:
    kept = flat(newest_within(message_exchanges(messages), budget))
    waiting: set[str] = set()
    for message in kept:
        if isinstance(message, ToolMessage):
            assert message.tool_call_id in waiting
            waiting.discard(message.tool_call_id)
            continue
        assert not waiting
        waiting = {part.id for part in message.parts if isinstance(part, ToolCallPart)}
    assert not waiting


@settings(deadline=None)
@given(MESSAGES, st.integers(0, 120))
def test_the_budget_holds_and_the_newest_are_kept_in_order(messages: list[Message], budget: int) -> None:
    exchanges = message_exchanges(messages)
    kept = newest_within(exchanges, budget)
    assert tokens_of(kept) <= budget
    assert kept == exchanges[len(exchanges) - len(kept) :] or len(kept) == 1


def test_a_last_answer_that_is_too_long_is_shortened_after_a_sentence() -> None:
    answer = "The pier is long. " * 40
    (kept,) = newest_within(message_exchanges([HumanMessage("How long?"), AIMessage(answer)]), 60)
    assert kept.tokens <= 60
    assert kept.messages[1].text.startswith("The pier is long.")
    assert kept.messages[1].text.endswith("long. …")


def test_sentences_that_do_not_fit_are_left_out() -> None:
    assert fitting_sentences("One two three. Four five six.", 5) == "One two three."
    assert fitting_sentences("One two three. Four five six.", 1) == ""


def stored(role: str, text: str, status: MessageStatus = MessageStatus.COMPLETE, **more: object) -> StoredMessage:
    return StoredMessage(1, "s", role, text, status, **more)  # type: ignore[arg-type]  # fields of any kind


def test_stored_turns_come_without_footnotes_and_without_failures() -> None:
    from pathlib import Path

    citation = Citation(1, 1, Path("a"), "A", "h", 0, 1, "q", None, (), 0.0)
    history = [
        stored("user", "When?"),
        stored("assistant", "In 1887 [1].", citations=(citation,)),
        stored("user", "Where?"),
        stored("assistant", "", MessageStatus.FAILED),
    ]
    assert flat(stored_exchanges(history)) == [HumanMessage("When?"), AIMessage("In 1887.")]


def test_text_in_several_parts_is_counted_and_never_shortened() -> None:
    parts = AIMessage([TextPart("Long sentence one. "), TextPart("And two. " * 50)])
    assert newest_within(message_exchanges([HumanMessage("?"), parts]), 40) == []
