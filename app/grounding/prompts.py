"""What a chat model is asked: short rules, the recent turns, the passages with short ids, and the question.

The passages travel as parts of their own in the last message, each between tags that the text itself can't close, and
are declared as quoted material, so that instructions inside a document stay quotations. Rules and ids are short:
small local models follow little, and what they see at the head of each passage, ``[p1]``, is what they write.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from app.chat_models.token_estimate import estimate_tokens
from app.domain.messages import HumanMessage, Message, Part, SystemMessage, TextPart
from app.domain.passages import Passage
from app.domain.turns import StoredMessage
from app.grounding.prompt_rules import NOT_FOUND, rules
from app.grounding.recent_turns import recent_turns
from app.grounding.refusals import is_refusal

NO_PASSAGES = "(No passage of the documents fits this question.)"
_TAG = re.compile(r"<(?=\s*/?\s*passage\b)", re.IGNORECASE)
_HISTORY_SHARE = 0.25

__all__ = ["NOT_FOUND", "PlacedPassages", "Prompt", "build_prompt", "compose", "is_refusal", "place_passages"]


@dataclass(frozen=True, slots=True)
class Prompt:
    """The messages of one question, and the passages in them by the ids a model cites them with.

    ``bare_numbers`` are the numbers that can only mean a passage: ``[2]`` for p2, where neither the question nor a
    passage holds the characters ``[2]``.
    """

    messages: tuple[Message, ...]
    passages: dict[str, Passage] = field(default_factory=dict)
    bare_numbers: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class PlacedPassages:
    """Passages with their ids, as parts of a message; ``left`` tokens of the budget remain."""

    parts: tuple[TextPart, ...]
    passages: dict[str, Passage]
    left: int


def build_prompt(
    question: str, passages: Sequence[Passage], history: Sequence[StoredMessage] = (), *, token_budget: int
) -> Prompt:
    """Build the prompt. ``token_budget`` limits passages and history together, by a rule-of-thumb count of tokens.

    Passages come best first; those that don't fit are left out from the end, the first always stays. At most a quarter
    of the budget goes to the latest turns of ``history`` (oldest first), which never push a passage out.
    """
    placed = place_passages(passages, token_budget)
    return compose(question, placed, recent_turns(history, history_budget(placed, token_budget)))


def place_passages(passages: Sequence[Passage], token_budget: int) -> PlacedPassages:
    """Give ids to the passages (best first) that fit, at least to the first."""
    parts: list[TextPart] = []
    given: dict[str, Passage] = {}
    left = token_budget
    for passage in passages:
        passage_id = f"p{len(given) + 1}"
        part = passage_part(passage_id, passage)
        cost = estimate_tokens(part.text)
        if given and cost > left:
            break
        parts.append(part)
        given[passage_id] = passage
        left -= cost
    return PlacedPassages(tuple(parts), given, max(left, 0))


def history_budget(placed: PlacedPassages, token_budget: int) -> int:
    """How many tokens earlier turns may take: what the passages leave, at most a quarter of all."""
    return min(placed.left, round(token_budget * _HISTORY_SHARE))


def compose(
    question: str,
    placed: PlacedPassages,
    earlier: Sequence[Message] = (),
    *,
    system: str = "",
    extra: Sequence[Part] = (),
    query: str = "",
) -> Prompt:
    """Put a prompt together: ``system`` (the short strict rules if empty), ``earlier`` messages, then one message of
    passages, ``extra`` parts and the question. ``query`` is the question made standalone, for the built-in answerer,
    which reads the last message only."""
    parts: list[Part] = [*(placed.parts or (TextPart(f"{NO_PASSAGES}\n\n"),)), *extra]
    standalone = {"query": query} if query and query != question else {}
    parts.append(TextPart(f"Question: {question}", extras={"question": True, **standalone}))
    messages = (SystemMessage(system or rules()), *earlier, HumanMessage(parts=tuple(parts)))
    return Prompt(messages, placed.passages, _bare_numbers(question, placed.passages))


def build_messages(
    question: str, passages: Sequence[Passage], history: Sequence[StoredMessage] = (), *, token_budget: int
) -> list[Message]:
    """Return the messages of ``build_prompt`` alone."""
    return list(build_prompt(question, passages, history, token_budget=token_budget).messages)


def passage_part(passage_id: str, passage: Passage) -> TextPart:
    """A passage as a part of a message, behind its id and place."""
    page = f", page {passage.page}" if passage.page is not None else ""
    place = " › ".join(part for part in (passage.title, *passage.headings) if part)
    head = _inert(f"[{passage_id}] {place}{page}")
    extras = {
        "passage_id": passage_id,
        "text": passage.text,
        "title": passage.title,
        "headings": list(passage.headings),
        "similarity": passage.similarity,
        "document": passage.document_id,
        "start": passage.start,
    }
    return TextPart(f"{head}\n<passage>\n{_inert(passage.text)}\n</passage>\n\n", extras=extras)


def _inert(text: str) -> str:
    """Keep a document from closing the tags around it."""
    return _TAG.sub("‹", text)


def _bare_numbers(question: str, passages: dict[str, Passage]) -> frozenset[int]:
    texts = [question, *(passage.text for passage in passages.values())]
    numbers = range(1, len(passages) + 1)
    return frozenset(each for each in numbers if not any(f"[{each}]" in text for text in texts))
