"""What each kind of memory gives a model, what it leaves out, and that nothing is worked out twice."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

from app.chat_models.profiles import Limits, ModelProfile
from app.chat_models.registry import ModelRegistry
from app.chat_models.token_estimate import estimate_prompt, estimate_tokens
from app.domain.cancellation import CancelToken
from app.domain.chat_errors import APIConnectionError
from app.domain.errors import BadInputError, ModelFileError
from app.domain.messages import AIMessage, HumanMessage
from app.domain.passages import Scope
from app.domain.turn_options import MemoryKind, Strictness, TurnOptions
from app.services.memory.conversation_memory import LONGEST_MEMORY, MEMORY_KIND, NOTES_HEAD, WINDOW_TURNS
from app.services.turn_seams import Turn
from app.storage.memory_store import StoredSummary
from tests.services.memory.conftest import Bench, texts

TURNS = [
    (f"Question {number} about the town?", f"Answer {number}. " + "It is told at length. " * 6) for number in range(12)
]


def test_buffer_gives_everything_whatever_the_room_for_passages(bench: Bench) -> None:
    bench.say(*TURNS)
    found = bench.remember(MemoryKind.BUFFER, budget=10)
    assert (found.used, found.dropped, found.kind) == (24, 0, MemoryKind.BUFFER)
    assert found.messages[:2] == (HumanMessage(TURNS[0][0]), AIMessage(TURNS[0][1]))


def test_buffer_stops_at_the_setting_and_at_a_third_of_what_the_model_holds(bench: Bench) -> None:
    bench.say(*TURNS)
    bench.settings.set(LONGEST_MEMORY, 256)
    found = bench.remember(MemoryKind.BUFFER, budget=10)
    assert estimate_prompt(found.messages) <= 256
    assert (found.used + found.dropped, found.dropped > 0) == (24, True)
    assert texts(found.messages)[-1].startswith("Answer 11.")
    bench.settings.set(LONGEST_MEMORY, 4_000)
    bench.model.profile = ModelProfile("small", "test", limits=Limits(context=600))
    assert 0 < estimate_prompt(bench.remember(MemoryKind.BUFFER, budget=10).messages) <= 200


def test_buffer_knows_what_a_provider_says_that_its_model_holds(bench: Bench) -> None:
    bench.say(*TURNS)
    small = ModelProfile("small", "test", limits=Limits(context=600))
    registry = ModelRegistry()
    registry.learn(registry.provider("lmstudio"), {"small": small})
    model = registry.model("lmstudio:small")
    options = TurnOptions(memory=MemoryKind.BUFFER)
    turn = Turn(bench.session_id, "And then?", "lmstudio:small", options, Strictness.STRICT, Scope(), lambda: model)
    found = bench.loop.run(bench.memory(turn, bench.sessions.messages(bench.session_id), "And then?", 10))
    assert 0 < estimate_prompt(found.messages) <= 200


def test_window_gives_the_last_turns(bench: Bench) -> None:
    bench.say(*TURNS)
    bench.settings.set(WINDOW_TURNS, 2)
    found = bench.remember(MemoryKind.WINDOW, budget=10)
    assert texts(found.messages)[::2] == [TURNS[10][0], TURNS[11][0]]
    assert (found.used, found.dropped) == (4, 20)


def test_tokens_gives_as_many_of_the_last_turns_as_fit(bench: Bench) -> None:
    bench.say(*TURNS)
    found = bench.remember(MemoryKind.TOKENS, budget=200)
    assert 100 < estimate_prompt(found.messages) <= 200
    assert texts(found.messages)[-2] == TURNS[11][0]
    assert found.used == len(found.messages) == 24 - found.dropped


def test_no_room_means_no_memory(bench: Bench) -> None:
    bench.say(*TURNS)
    for kind in (MemoryKind.TOKENS, MemoryKind.SUMMARY, MemoryKind.RETRIEVAL):
        found = bench.remember(kind, budget=0, model="extractive")
        assert (found.messages, found.used, found.dropped) == ((), 0, 24)


def test_the_first_question_has_nothing_to_remember(bench: Bench) -> None:
    for kind in MemoryKind:
        found = bench.remember(kind)
        assert (found.messages, found.used, found.dropped, found.summary) == ((), 0, 0, "")
    assert bench.prompts == []


def test_the_question_decides_then_the_session_then_the_setting(bench: Bench) -> None:
    assert bench.remember(None).kind is MemoryKind.TOKENS
    bench.settings.set(MEMORY_KIND, MemoryKind.BUFFER)
    assert bench.remember(None).kind is MemoryKind.BUFFER
    bench.chosen[bench.session_id] = MemoryKind.WINDOW
    assert bench.remember(None).kind is MemoryKind.WINDOW
    assert bench.remember(MemoryKind.RETRIEVAL).kind is MemoryKind.RETRIEVAL


def test_a_summary_by_the_model_stands_for_what_no_longer_fits(bench: Bench) -> None:
    bench.say(*TURNS)
    bench.model.script = ["The user asks ", "about the town."]
    found = bench.remember(MemoryKind.SUMMARY, budget=200)
    assert found.summary == "The user asks about the town."
    assert texts(found.messages)[0] == f"{NOTES_HEAD}\nThe user asks about the town."
    assert [each.role for each in found.messages[:4]] == ["user", "assistant", "user", "assistant"]
    assert texts(found.messages)[-2] == TURNS[11][0]
    assert found.used + found.dropped == 24
    assert estimate_prompt(found.messages) <= 200 + 30  # the words around the summary
    (prompt,) = bench.prompts
    assert "Question 0" in prompt
    assert "Question 11" not in prompt


def test_a_short_chat_needs_no_summary(bench: Bench) -> None:
    bench.say(("Short?", "Yes."))
    found = bench.remember(MemoryKind.SUMMARY)
    assert (found.summary, found.used, bench.prompts) == ("", 2, [])


def test_a_summary_is_stored_and_carried_on_never_written_anew(open_bench: Callable[[], Bench]) -> None:
    bench = open_bench()
    bench.say(*TURNS)
    bench.model.script = ["First notes."]
    first = bench.remember(MemoryKind.SUMMARY, budget=400)
    again = bench.remember(MemoryKind.SUMMARY, budget=400)
    assert (again, len(bench.prompts)) == (first, 1)
    bench = open_bench()  # the program was started again
    bench.model.script = ["Second notes."]
    assert bench.remember(MemoryKind.SUMMARY, budget=400) == first
    bench.say(("A new question?", "A new answer."))
    assert (bench.remember(MemoryKind.SUMMARY, budget=400).summary, bench.prompts) == ("First notes.", [])
    bench.say(*((f"More {number}?", "It is told at length. " * 6) for number in range(8)))
    later = bench.remember(MemoryKind.SUMMARY, budget=400)
    (prompt,) = bench.prompts
    assert later.summary == "Second notes."
    assert "First notes." in prompt
    assert "Question 0" not in prompt  # the first turns are in the notes, and are not read again


def test_most_turns_cost_no_summary(bench: Bench) -> None:
    bench.model.script = ["Notes."]
    for number in range(40):
        bench.say((f"Question {number}?", "It is told at length. " * 6))
        bench.remember(MemoryKind.SUMMARY, budget=600)
    assert 1 <= len(bench.prompts) <= 10


def test_an_edited_or_branched_chat_gets_no_summary_of_what_it_does_not_hold(bench: Bench) -> None:
    bench.say(*TURNS)
    bench.model.script = ["Notes of the one branch."]
    bench.remember(MemoryKind.SUMMARY)
    bench.model.script = ["Notes of the other."]
    second = bench.sessions.messages(bench.session_id)[1]
    bench.sessions.update_message(second.id, text="Something else was said.")
    found = bench.remember(MemoryKind.SUMMARY)
    assert found.summary == "Notes of the other."
    assert "Notes of the one branch." not in bench.prompts[-1]
    part = bench.sessions.messages(bench.session_id)[:4]
    assert bench.remember(MemoryKind.SUMMARY, history=part).summary == ""


def test_where_the_model_fails_or_says_nothing_sentences_are_extracted(bench: Bench) -> None:
    bench.say(("Who built the pier in 1887?", "The town built it with 40 men."), *TURNS)
    for script in ([APIConnectionError("down")], [""], [asyncio.Event()]):
        bench.model.script = script
        found = bench.remember(MemoryKind.SUMMARY, budget=150)
        assert "1887" in found.summary
        with bench.database.write() as connection:
            connection.execute("DELETE FROM summaries")


def test_without_a_chat_model_the_summary_quotes_the_chat(bench: Bench) -> None:
    bench.say(("Who built the pier in 1887?", "The town of Wick built it with 40 men. Fine."), *TURNS)
    found = bench.remember(MemoryKind.SUMMARY, budget=200, model="extractive")
    assert bench.prompts == []
    assert "1887" in found.summary
    lines = found.summary.splitlines()
    said = "\n".join(each.text for each in bench.sessions.messages(bench.session_id))
    assert all(line.partition(": ")[2] in said for line in lines)
    assert estimate_tokens(found.summary) <= 80


def test_stopping_while_a_summary_is_written_stops_the_model(bench: Bench) -> None:
    bench.say(*TURNS)
    gate = asyncio.Event()
    bench.model.script = ["Notes", gate]
    cancel = CancelToken()
    asked = threading.Timer(0.05, cancel.cancel)
    asked.start()
    from app.domain.errors import WorkCancelledError

    turn = Turn(
        bench.session_id,
        "?",
        "m",
        TurnOptions(memory=MemoryKind.SUMMARY),
        Strictness.OPEN,
        Scope(),
        lambda: bench.model,
    )
    history = bench.sessions.messages(bench.session_id)
    with pytest.raises(WorkCancelledError):
        bench.loop.run(bench.memory(turn, history, "?", 200), cancel)
    asked.join()
    assert bench.model.closed.wait(5)


def test_a_summary_for_a_deleted_chat_is_an_error_in_words(bench: Bench) -> None:
    from app.storage.memory_store import MemoryStore

    store = MemoryStore(bench.database)
    with pytest.raises(BadInputError, match="deleted"):
        store.add_summary("gone", StoredSummary(b"d", 1, "Notes.", "m"))
    with pytest.raises(BadInputError, match="deleted"):
        store.add_vectors("gone", "m", {b"d": bench.embedder.embed_passages(["a"])})


def test_summaries_and_vectors_go_with_their_chat(bench: Bench) -> None:
    bench.say(*TURNS)
    bench.remember(MemoryKind.SUMMARY, model="extractive")
    bench.remember(MemoryKind.RETRIEVAL, budget=100)
    bench.sessions.delete(bench.session_id)
    with bench.database.read() as connection:
        for table in ("summaries", "exchange_vectors"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)


ABOUT = [
    ("Who built the pier?", "The town did, with 40 men."),
    ("What is the rent?", "900 a month."),
    *((f"Chatter {number}?", "It goes on and on. " * 6) for number in range(8)),
]


def test_retrieval_finds_the_old_turn_by_meaning_and_keeps_the_last(bench: Bench) -> None:
    bench.say(*ABOUT)
    found = bench.remember(MemoryKind.RETRIEVAL, question="How much do I pay for rent?", budget=150)
    asked = texts(found.messages)[::2]
    assert asked[0] == "What is the rent?"
    assert asked[-1] == "Chatter 7?"
    assert "Who built the pier?" not in asked
    assert found.used + found.dropped == 20
    assert estimate_prompt(found.messages) <= 150


def test_retrieval_finds_by_words_what_the_vectors_do_not_know(bench: Bench) -> None:
    bench.say(("Where is Zanzibar 7?", "On gate 12."), *ABOUT)
    found = bench.remember(MemoryKind.RETRIEVAL, question="Where was Zanzibar?", budget=150)
    assert texts(found.messages)[0] == "Where is Zanzibar 7?"


def test_each_turn_is_embedded_once_also_after_a_restart(open_bench: Callable[[], Bench]) -> None:
    bench = open_bench()
    bench.say(*ABOUT)
    bench.remember(MemoryKind.RETRIEVAL, budget=150)
    first = list(bench.embedder.embedded)
    assert len(first) == len(set(first))
    bench.remember(MemoryKind.RETRIEVAL, budget=150)
    assert bench.embedder.embedded == first
    bench = open_bench()
    bench.say(("New?", "Yes."))
    bench.remember(MemoryKind.RETRIEVAL, budget=150)
    assert not set(first) & set(bench.embedder.embedded)


def test_without_an_embedding_model_words_decide(bench: Bench) -> None:
    bench.say(*ABOUT)
    bench.embedder.failure = ModelFileError("gone")
    found = bench.remember(MemoryKind.RETRIEVAL, question="What was the rent a month?", budget=150)
    assert texts(found.messages)[0] == "What is the rent?"


def test_a_chat_that_fits_is_given_whole_without_searching(bench: Bench) -> None:
    bench.say(*ABOUT[:2])
    found = bench.remember(MemoryKind.RETRIEVAL, budget=500)
    assert (found.used, found.dropped, bench.embedder.embedded) == (4, 0, [])
