"""How an answer came about is kept beside it; strict and open answers; going on with and repeating answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from app.chat_models.profiles import Capabilities, Cost, Limits, ModelProfile
from app.domain.citations import Support
from app.domain.errors import BadInputError
from app.domain.messages import AIMessageChunk, ReasoningPart, TextPart, Usage
from app.domain.passages import Scope
from app.domain.session_choices import SessionChoices
from app.domain.turn_details import Task, TaskKind, TurnDetails, UnreadFile
from app.domain.turn_options import Strictness, TurnOptions
from app.domain.turns import MessageStatus, NoteAdded, ReasoningAdded, TurnFailed, TurnFinished, TurnStopped
from app.grounding.prompts import NOT_FOUND
from app.grounding.support import SupportChecker
from app.grounding.why_not import NOT_FROM_DOCUMENTS
from app.services.chat_service import CONTEXT_TOKENS
from app.services.turn_parts import ModelFacts
from app.storage.turn_details_json import details_from_json, details_to_json
from tests.services.scripted_chat import DOCUMENT, PASSAGES, Room, last, open_room, passage

LARGE = ModelProfile("large", "acme", capabilities=Capabilities(tool_call=True), limits=Limits(context=200_000))
PRICES = Cost(input_per_million=2.0, output_per_million=10.0)
UNREAD = [UnreadFile(Path("/docs/scan.pdf"), "It holds only pictures.")]


def facts(name: str) -> ModelFacts:
    return ModelFacts(LARGE, PRICES) if name.startswith("acme:") else ModelFacts()


def unread(scope: Scope) -> tuple[Sequence[UnreadFile], int]:
    return UNREAD, 3


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with open_room(tmp_path, model_facts=facts, unread=unread, check=SupportChecker().check) as room:
        yield room


def details(room: Room, message_id: int) -> TurnDetails:
    found = room.sessions.turn_details(message_id)
    assert found is not None
    return found


def test_details_hold_what_was_sent_what_came_back_and_what_it_cost(room: Room) -> None:
    thought = AIMessageChunk(parts=(ReasoningPart("The pier… "), TextPart("")))
    usage = Usage(input=1_000, output=200, reasoning=50)
    room.says(thought, "The pier fell ", "in 1903 [p1].", AIMessageChunk(finish="stop", usage=usage))

    events = room.ask(model="acme:large")

    message = last(events, TurnFinished)
    found = details(room, message.id)
    assert (found.query, found.model, found.finish) == ("What happened?", "acme:large", "stop")
    assert [each.role for each in found.prompt] == ["system", "user"]
    assert found.prompt[1].text == room.model.asked[0][1].text
    assert [(each.id, each.text) for each in found.passages] == [("p1", PASSAGES[0].text), ("p2", PASSAGES[1].text)]
    assert all(each.text == DOCUMENT[each.start : each.end] for each in found.passages)
    assert found.usage == usage
    assert found.cost == pytest.approx((1_000 * 2 + 200 * 10) / 1e6)
    assert found.first_token_seconds is not None
    assert found.reasoning == "The pier… "
    assert [each.text for each in events if isinstance(each, ReasoningAdded)] == ["The pier… "]
    assert (found.unread, found.unread_count) == (tuple(UNREAD), 3)
    assert room.sessions.turn_details(room.stored[0].id) is None


def test_tokens_are_estimated_and_the_cost_unknown_where_nobody_tells(room: Room) -> None:
    room.says("The pier fell in 1903 [p1].")
    found = details(room, last(room.ask(), TurnFinished).id)
    assert found.usage is not None
    assert found.usage.estimated
    assert found.usage.input > found.usage.output > 0
    assert found.cost is None


def test_what_does_not_fit_is_a_near_miss_with_its_reason(room: Room) -> None:
    long = replace(passage("The ferry runs every hour.", 9), token_count=900, document_id=8)
    room.settings.set(CONTEXT_TOKENS, 1_000)
    room.retriever.passages = [PASSAGES[0], long]
    room.says("The pier fell in 1903 [p1].")
    found = details(room, last(room.ask(), TurnFinished).id)
    assert [each.id for each in found.passages] == ["p1"]
    assert [each.passage.document_id for each in found.near_misses] == [8]
    assert "room" in found.near_misses[0].reason


@pytest.mark.parametrize("words", [NOT_FOUND, "Die Textstellen erwähnen keine Kosten."])
def test_a_refusal_says_what_came_near_and_what_could_not_be_read(room: Room, words: str) -> None:
    room.says(words)
    message = last(room.ask(), TurnFinished)
    assert not message.answered
    assert message.text.startswith(words)
    assert "“Bay”, page 1" in message.text
    assert "3 files" in message.text
    assert "“scan.pdf”" in message.text
    assert {each.support for each in message.sentences} == {Support.UNCHECKED}
    assert [each.passage.id for each in details(room, message.id).near_misses] == ["p1", "p2"]


def test_a_strict_answer_that_rests_on_no_document_says_so(room: Room) -> None:
    room.says("Elephants weigh six tons. They eat grass and bark.")
    strict = room.ask()
    assert [each.text for each in strict if isinstance(each, NoteAdded)] == [NOT_FROM_DOCUMENTS]
    assert details(room, last(strict, TurnFinished).id).notes == (NOT_FROM_DOCUMENTS,)
    open_answer = room.ask(options=TurnOptions(strictness=Strictness.OPEN))
    room.says("A storm destroyed the pier in 1903 [p1]. Elephants weigh six tons.")
    partly = room.ask()
    room.says("You are welcome!")
    polite = room.ask()
    assert not any(isinstance(each, NoteAdded) for each in (*open_answer, *partly, *polite))


def test_every_sentence_is_checked_and_what_is_altered_is_marked(room: Room) -> None:
    room.says("A storm destroyed the pier in 1903 [p1]. The harbour was opened in 1897 [p1]. Cats like fish a lot.")
    first, second, third = last(room.ask(), TurnFinished).sentences
    assert first.support is Support.SUPPORTED
    assert second.support is Support.PARTLY
    assert "“1897”" in second.reason
    assert third.support is Support.UNSUPPORTED
    assert [each.support for each in room.stored[-1].sentences] == [first.support, second.support, third.support]


def test_an_open_answer_is_told_so_and_marks_general_knowledge(room: Room) -> None:
    room.says("A storm destroyed the pier in 1903 [p1]. Piers were often made of iron [g]. Cats [g] like fish a lot.")
    options = TurnOptions(strictness=Strictness.OPEN)
    message = last(room.ask(options=options), TurnFinished)
    assert "[g]" in room.model.asked[0][0].text
    assert message.text == (
        "A storm destroyed the pier in 1903 [1]. Piers were often made of iron. Cats like fish a lot."
    )
    assert [each.support for each in message.sentences] == [Support.SUPPORTED, Support.GENERAL, Support.GENERAL]
    assert details(room, message.id).strictness is Strictness.OPEN


def test_the_session_chooses_where_the_question_does_not(room: Room) -> None:
    choices = SessionChoices(model="acme:large", strictness=Strictness.OPEN, scope=Scope(document_ids=frozenset({7})))
    room.sessions.organise([room.session_id], choices=choices)
    room.says("The pier fell in 1903 [p1].")
    found = details(room, last(room.ask(), TurnFinished).id)
    assert (found.model, found.strictness) == ("acme:large", Strictness.OPEN)
    assert room.retriever.asked[-1][2] == choices.scope
    found = details(room, last(room.ask(options=TurnOptions(strictness=Strictness.STRICT)), TurnFinished).id)
    assert found.strictness is Strictness.STRICT


def test_large_models_get_the_full_rules_and_unknown_ones_the_short(room: Room) -> None:
    room.says("The pier fell in 1903 [p1].")
    room.ask(model="acme:large", options=TurnOptions(instructions="Answer like a captain."))
    room.ask(model="tiny")
    full, short = (asked[0].text for asked in room.model.asked)
    assert full.startswith("Answer like a captain.")
    assert len(full) > 1.5 * len(short)
    assert all("[p1]" in each and NOT_FOUND in each for each in (full, short))


def test_a_stored_question_is_answered_once_more_beside_the_first_answer(room: Room) -> None:
    room.says("The ferry runs every hour [p2].")
    first = last(room.ask("How often?"), TurnFinished)
    question = room.stored[0]
    room.says("Every hour [p2].")
    second = last(room.ask("", options=TurnOptions(question_id=question.id)), TurnFinished)
    assert [each.id for each in room.stored] == [question.id, second.id]
    assert room.stored[-1].siblings == (first.id, second.id)
    assert room.model.asked[-1][-1].text.endswith("Question: How often?")
    assert len(room.model.asked[-1]) == 2  # the first answer is no history


def test_a_question_may_follow_an_earlier_message(room: Room) -> None:
    room.says("The ferry runs every hour [p2].")
    first = last(room.ask("How often?"), TurnFinished)
    room.ask("And the pier?")
    other = last(room.ask("And the harbour?", options=TurnOptions(parent_id=first.id)), TurnFinished)
    assert [each.text for each in room.stored if each.role == "user"] == ["How often?", "And the harbour?"]
    assert room.stored[-1].id == other.id
    assert [each.role for each in room.model.asked[-1]] == ["system", "user", "assistant", "user"]


def test_an_answer_that_was_cut_off_goes_on_with_its_footnotes(room: Room) -> None:
    room.says("The pier fell in 1903 [p1]. The fer", ConnectionWordsError("The connection broke."))
    failed = last(room.ask("What happened?"), TurnFailed)
    assert failed.text == "The pier fell in 1903 [1]. The fer"
    room.says("ry runs every hour [p2].")
    message = last(room.ask("", options=TurnOptions(continue_id=failed.id)), TurnFinished)
    assert message.id == failed.id
    assert message.text == "The pier fell in 1903 [1]. The ferry runs every hour [2]."
    assert (message.status, message.error) == (MessageStatus.COMPLETE, "")
    assert [DOCUMENT[each.start : each.end] for each in message.citations] == [each.quote for each in message.citations]
    assert len(message.citations) == 2
    before, ask = room.model.asked[-1][-2:]
    assert before.role == "assistant"
    assert "[p" in before.text
    assert ask.role == "user"


class ConnectionWordsError(BadInputError):
    """An error in the user's words."""


def test_what_cannot_be_taken_up_is_refused_in_words(room: Room) -> None:
    room.says("Hourly [p2].")
    answer = last(room.ask(), TurnFinished)
    for options in (TurnOptions(question_id=answer.id), TurnOptions(continue_id=room.stored[0].id)):
        with pytest.raises(BadInputError):
            room.ask("", options=options)
    assert len(room.stored) == 2


def test_a_stopped_turn_keeps_its_details(room: Room) -> None:
    room.says("The pier fell in 1903 [p1].", ConnectionWordsError("Broken."))
    message = last(room.ask(), TurnFailed)
    assert [each.id for each in details(room, message.id).passages] == ["p1", "p2"]
    assert not isinstance(message, TurnStopped)


def test_details_survive_json_and_names_that_are_no_unicode() -> None:
    found = TurnDetails(
        query="q",
        unread=(UnreadFile(Path("/docs/\udcff.pdf"), "broken"),),
        usage=Usage(input=1),
        strictness=Strictness.OPEN,
        notes=("one",),
        task=Task(TaskKind.SUMMARISE, 7),
    )
    assert details_from_json(details_to_json(found)) == found
    assert details_from_json('{"query": "q", "later": 1}') == TurnDetails(query="q")
    assert details_from_json('{"query": "q", "task": {"kind": "of a later version"}}') == TurnDetails(query="q")
