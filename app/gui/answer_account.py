"""The account of an answer in words: what was searched, sent, remembered and used."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.domain.citations import AnswerSentence, Citation
from app.domain.turn_details import SentPassage, TurnDetails
from app.domain.turn_options import MemoryKind, Strictness
from app.gui.wording import counted, elapsed

STRICTNESS_WORDS = {
    Strictness.STRICT: "Only your documents",
    Strictness.OPEN: "Documents first, general knowledge marked",
}
MEMORY_WORDS = {
    MemoryKind.BUFFER: "The whole chat, as far as it fits",
    MemoryKind.WINDOW: "The last messages",
    MemoryKind.TOKENS: "As many messages as fit a fixed room",
    MemoryKind.SUMMARY: "The last messages and a summary of those before",
    MemoryKind.RETRIEVAL: "The last messages and earlier ones that fit the question",
}
MARKER = re.compile(r"\s*\[\d{1,3}\]")
ROLES = {"system": "Instructions", "user": "You", "assistant": "Model", "tool": "Tool"}


@dataclass(frozen=True, slots=True)
class Account:
    """What is told of one answer. ``details`` is None where nothing was noted when it was written."""

    question: str
    sentences: Sequence[AnswerSentence]
    citations: Sequence[Citation]
    model: str
    details: TurnDetails | None


def footnotes_on(passage: SentPassage, citations: Sequence[Citation]) -> list[int]:
    """The numbers of the footnotes whose quotes lie in a passage."""
    return [
        citation.number
        for citation in citations
        if citation.document_id == passage.document_id and citation.start < passage.end and citation.end > passage.start
    ]


def cited_passages(citations: Sequence[Citation]) -> list[SentPassage]:
    """The quotes of an answer as passages, for answers of which no more is known."""
    return [
        SentPassage(
            "", each.document_id, each.path, each.title, each.page, each.start, each.end, each.quote, each.score
        )
        for each in citations
    ]


def search_facts(account: Account) -> Iterator[tuple[str, str]]:
    """How the question was searched and what of the chat went along, as (name, value)."""
    details = account.details
    if details is None:
        return
    if details.query:
        rewritten = " ".join(details.query.split()) != " ".join(account.question.split())
        yield ("Completed to" if rewritten else "Searched for"), details.query
    yield "Answers from", STRICTNESS_WORDS[details.strictness]
    if details.memory is not None:
        yield "Remembers", MEMORY_WORDS[details.memory]
    if details.used or details.dropped:
        left_out = f", {counted(details.dropped, 'message')} left out" if details.dropped else ""
        yield "Chat so far", f"{counted(details.used, 'message')} sent{left_out}"
    if details.summary:
        yield "Summary sent", details.summary


def model_facts(account: Account) -> Iterator[tuple[str, str]]:
    """Which model answered, how fast and for how much, as (name, value)."""
    details = account.details
    model = (details.model if details else "") or account.model
    if model:
        yield "Model", "Built-in answerer" if model == "extractive" else model
    if details is None:
        return
    if details.usage is not None:
        about = "about " if details.usage.estimated else ""
        yield "Tokens", f"{about}{details.usage.input:,} in, {details.usage.output:,} out"
    if details.first_token_seconds is not None:
        yield "First words after", elapsed(details.first_token_seconds)
    if details.tokens_per_second is not None:
        yield "Speed", f"{details.tokens_per_second:.0f} tokens a second"
    if details.cost is not None:
        yield "Cost", f"${details.cost:.4f}" if details.cost else "free"
    if details.finish and details.finish != "stop":
        yield "Ended because", FINISHES.get(details.finish, details.finish)


FINISHES = {
    "length": "the answer reached its longest length",
    "content_filter": "the provider's filter stopped it",
    "tool_calls": "it asked for a tool",
    "error": "of an error",
    "unknown": "the server did not say why",
}


def prompt_text(details: TurnDetails) -> str:
    """The exact prompt, a heading before each message."""
    return "\n\n".join(f"── {ROLES.get(each.role, each.role)} ──\n{each.text}" for each in details.prompt)


def without_footnotes(text: str) -> str:
    """A sentence without the markers in it."""
    return MARKER.sub("", text)
