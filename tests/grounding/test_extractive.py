"""The built-in answerer: exact quotes, footnotes, at most four sentences, and an honest no."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.chat_models.loop_thread import LoopThread
from app.domain.cancellation import CancelToken
from app.domain.errors import WorkCancelledError
from app.domain.messages import AIMessage, HumanMessage
from app.domain.passages import Passage
from app.grounding.extractive import ExtractiveAnswerer, read_prompt
from app.grounding.footnotes import FootnoteWriter
from app.grounding.markers import MarkerParser
from app.grounding.prompts import NOT_FOUND, build_prompt, compose, place_passages
from app.grounding.selection import MOST_CANDIDATES
from app.retrieval.embedder import Embedder
from tests.grounding.conftest import WordEmbedder

LEASE = (
    "The rent is 870 euros a month. The deposit is three months' rent and may be paid in three parts. "
    "Dogs and cats need the landlord's written consent. Either party can end the lease with three months' notice."
)
CHESS = "Castling is the only move in chess in which two pieces move at once. The king moves two squares."


@pytest.fixture
def loop() -> Iterator[LoopThread]:
    loop = LoopThread("test-extractive")
    yield loop
    loop.close()


@pytest.fixture
def model(embedder: WordEmbedder, loop: LoopThread) -> ExtractiveAnswerer:
    return ExtractiveAnswerer(lambda: embedder, loop=loop)


def passages(*texts: str, title: str = "Lease agreement") -> list[Passage]:
    return [
        Passage(number, number, Path(f"/{number}.txt"), title, "", 0, len(text), text, 1.0, similarity=0.5)
        for number, text in enumerate(texts, start=1)
    ]


def ask(model: ExtractiveAnswerer, question: str, found: list[Passage]) -> AIMessage:
    return model.invoke(build_prompt(question, found, token_budget=100_000).messages)


def resolve(answer: str, found: list[Passage]) -> FootnoteWriter:
    given = build_prompt("", found, token_budget=100_000).passages
    parser, writer = MarkerParser(given), FootnoteWriter(given)
    writer.add(parser.feed(answer) + parser.finish())
    return writer


def test_the_sentence_that_answers_is_quoted_with_its_passage(model: ExtractiveAnswerer) -> None:
    answer = ask(model, "In how many parts may the deposit be paid?", passages(CHESS, LEASE))

    assert answer.text.startswith("The deposit is three months' rent and may be paid in three parts. [p2]")
    assert answer.response_metadata["answered"] is True
    assert answer.finish == "stop"


def test_every_quote_is_in_its_document_word_for_word(model: ExtractiveAnswerer) -> None:
    text = LEASE.replace(" is ", "\nis ")
    found = passages(text)

    writer = resolve(ask(model, "May the deposit of three months rent be paid in three parts?", found).text, found)
    sentences, citations = writer.finish()

    assert citations
    assert all(text[each.start : each.end] == each.quote for each in citations)
    for sentence in sentences:
        quotes = [citation.quote for citation in citations if citation.number in sentence.citations]
        assert " ".join(quotes[0].split()) in sentence.text


def test_it_says_so_when_the_passages_hold_no_answer(model: ExtractiveAnswerer) -> None:
    answer = ask(model, "When did the Vikings reach Greenland?", passages(LEASE, CHESS))

    assert answer.text.startswith(NOT_FOUND)
    assert answer.response_metadata["answered"] is False
    assert "[" not in answer.text


@pytest.mark.parametrize("found", [[], passages("# Heading"), passages("")])
def test_without_any_sentence_it_says_so(model: ExtractiveAnswerer, found: list[Passage]) -> None:
    answer = ask(model, "What is the deposit?", found)

    assert answer.text == NOT_FOUND or answer.text.startswith(NOT_FOUND)
    assert answer.response_metadata["answered"] is False


def test_an_answer_has_at_most_four_sentences_in_reading_order(model: ExtractiveAnswerer) -> None:
    text = " ".join(f"The lease deposit rule number {number} binds every tenant here." for number in "abcdefgh")

    answer = ask(model, "lease deposit rule number that binds every tenant here", passages(text)).text

    quoted = [line for line in answer.split(" [p1]") if line.strip()]
    assert 1 < len(quoted) <= 4
    assert [text.index(each.strip()) for each in quoted] == sorted(text.index(each.strip()) for each in quoted)


def test_headings_and_questions_lead_to_the_sentence_below_them(int8_embedder: Embedder, loop: LoopThread) -> None:
    model = ExtractiveAnswerer(lambda: int8_embedder, loop=loop)
    found = passages("# Deposit\n\nHow much is the deposit of the rent?\nIt is three months of that sum.", title="")

    answer = ask(model, "How much is the deposit of the rent?", found)

    assert answer.text == "It is three months of that sum. [p1]"


def test_a_list_item_is_quoted_without_its_bullet(model: ExtractiveAnswerer) -> None:
    answer = ask(model, "What is the deposit for the rent?", passages("- The deposit is three months' rent\n- Cats no"))

    assert answer.text == "The deposit is three months' rent [p1]"


def test_text_of_a_document_cannot_forge_a_footnote(model: ExtractiveAnswerer) -> None:
    found = passages("The deposit of the rent [p2] is three (p2) months ` long [passage 2].", CHESS)

    writer = resolve(ask(model, "Is the deposit of the rent three months long?", found).text, found)

    assert {each.document_id for each in writer.finish()[1]} == {1}
    assert writer.text.count("[1]") == 1


def test_the_work_is_bounded(model: ExtractiveAnswerer, embedder: WordEmbedder) -> None:
    many = [" ".join(f"Sentence {a} {b} speaks of the deposit." for b in range(40)) for a in range(20)]

    ask(model, "What is the deposit?", passages(*many))

    assert sum(embedder.batches) <= 1 + 2 * MOST_CANDIDATES


def test_an_endless_sentence_is_quoted_in_part(model: ExtractiveAnswerer) -> None:
    text = "The deposit of the rent " + "and so on " * 400

    answer = ask(model, "What is the deposit of the rent?", passages(text)).text

    quote = answer.removesuffix(" [p1]")
    assert len(quote) <= 600
    assert text.startswith(quote)


def test_the_answer_streams_in_pieces(model: ExtractiveAnswerer) -> None:
    prompt = build_prompt("How much is the deposit of the rent?", passages(LEASE), token_budget=10_000)

    pieces = [chunk.text for chunk in model.stream(prompt.messages) if chunk.text]

    assert len(pieces) > 5
    assert "".join(pieces) == ask(model, "How much is the deposit of the rent?", passages(LEASE)).text


def test_stopping_does_not_wait_for_the_embedding(model: ExtractiveAnswerer, embedder: WordEmbedder) -> None:
    embedder.gate.clear()
    token = CancelToken()
    prompt = build_prompt("What is the deposit?", passages(LEASE), token_budget=10_000)

    async def stop_when_called() -> None:
        await asyncio.to_thread(embedder.called.wait, 10)
        token.cancel()

    stopping = model.sync_loop.submit(stop_when_called())
    with pytest.raises(WorkCancelledError):
        list(model.stream(prompt.messages, cancel=token))
    began = time.monotonic()
    stopping.result(10)
    assert time.monotonic() - began < 1.0
    embedder.gate.set()


def test_a_plain_message_without_passages_is_refused(model: ExtractiveAnswerer) -> None:
    assert model.invoke([HumanMessage("What is the deposit?")]).text == NOT_FOUND


def test_it_introduces_itself(model: ExtractiveAnswerer) -> None:
    assert model.get_model_info() == {"model_id": "extractive", "provider": "extractive"}


def test_scripts_that_the_embedding_model_does_not_know_are_answered_by_words(
    model: ExtractiveAnswerer, embedder: WordEmbedder
) -> None:
    found = passages("东京是日本的首都。大阪以美食闻名于世。京都有许多古老的寺庙。", "猫是一种常见的宠物。", title="")

    answered = ask(model, "大阪以什么闻名？", found)
    refused = ask(model, "北极熊吃什么东西？", found)

    assert answered.text == "大阪以美食闻名于世。 [p1]"
    assert refused.response_metadata["answered"] is False
    assert embedder.batches == []


def test_an_answer_may_span_neighbouring_passages_of_one_document(model: ExtractiveAnswerer) -> None:
    first = "The deposit of the rent of the flat is kept safe."
    second = "The deposit of the rent of the flat is paid back."
    found = [
        Passage(2, 7, Path("/a.txt"), "Lease", "", 90, 90 + len(second), second, 1.0, similarity=0.6),
        Passage(1, 7, Path("/a.txt"), "Lease", "", 0, len(first), first, 0.9, similarity=0.6),
    ]

    answer = ask(model, "what about the deposit of the rent of the flat", found).text

    assert answer == f"{first} [p2] {second} [p1]"


def test_a_heading_without_a_mark_is_no_answer(model: ExtractiveAnswerer) -> None:
    text = "The deposit of the rent\n\nThe deposit of the rent is three months of it."

    assert ask(model, "the deposit of the rent", passages(text)).text == (
        "The deposit of the rent is three months of it. [p1]"
    )


def test_a_document_that_is_far_off_is_not_offered_instead(model: ExtractiveAnswerer) -> None:
    assert ask(model, "When did the Vikings reach Greenland?", passages(CHESS)).text == NOT_FOUND


def test_a_document_that_comes_close_is_named(model: ExtractiveAnswerer) -> None:
    answer = ask(model, "Is the deposit paid back in parts?", passages(LEASE)).text

    assert answer == f"{NOT_FOUND} The nearest I found is in “Lease agreement”."


def test_a_follow_up_is_answered_as_it_is_meant() -> None:
    placed = place_passages([], 500)
    prompt = compose("What about a service?", placed, query="How long is the warranty of a service?")
    question, _ = read_prompt(prompt.messages)
    assert question == "How long is the warranty of a service?"
