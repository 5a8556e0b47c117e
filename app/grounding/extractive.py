"""The built-in answerer: a chat model without a model. It quotes the sentences that answer, word for word."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any

from app.chat_models.call import Call
from app.chat_models.model import ChatModel
from app.domain.messages import AIMessageChunk, HumanMessage, Message, TextPart
from app.grounding.candidates import Candidate, GivenPassage
from app.grounding.markers import WORD_JOINER
from app.grounding.prompts import NOT_FOUND
from app.grounding.selection import NO_EVIDENCE, Selection, select_sentences
from app.retrieval.embedder import Embedder

NAME = "extractive"
_LOOKS_LIKE_MARKER = re.compile(
    r"([\[【［〔])(?=[\s^#@]*(?:[a-z]+[\s:=#.]*)?p?\s?\d)|([(（])(?=\s*(?:[a-z]+[\s:=]*)?p\d)", re.IGNORECASE
)
_SENTENCE_END = re.compile(r"[.!?…。！？।॥؟۔][\"'”’»)\]]*\Z")
_PIECE = re.compile(r"\S+\s*|\s+")


class ExtractiveAnswerer(ChatModel):
    """Answers from the passages in the last message, offline, in at most four sentences, each with its footnote.

    Where the passages hold no answer it says so; the last chunk then has ``response_metadata["answered"]`` false.
    ``open_embedder`` is called in a thread at the first answer, since it may have to load the model.
    """

    def __init__(self, open_embedder: Callable[[], Embedder], **settings: Any) -> None:
        super().__init__(model=NAME, **settings)
        self._open_embedder = open_embedder

    @property
    def _llm_type(self) -> str:
        return NAME

    async def _astream(self, messages: Sequence[Message], call: Call) -> AsyncIterator[AIMessageChunk]:
        """Stream the answer word by word. Choosing the sentences runs in a thread; cancelling doesn't wait for it."""
        question, passages = read_prompt(messages)
        selection = await asyncio.to_thread(self._select, question, passages)
        for piece in _PIECE.findall(write_answer(selection)):
            yield AIMessageChunk(piece)
            await asyncio.sleep(0)  # lets a stop through between two words
        answered = bool(selection.sentences)
        facts = {"answered": answered, "evidence": round(selection.evidence, 4)}
        yield AIMessageChunk(finish="stop", model=NAME, response_metadata=facts)

    def _select(self, question: str, passages: Sequence[GivenPassage]) -> Selection:
        if not passages or not question.strip():
            return Selection((), NO_EVIDENCE)
        return select_sentences(question, passages, self._open_embedder())


def read_prompt(messages: Sequence[Message]) -> tuple[str, list[GivenPassage]]:
    """Take question and passages out of a prompt as ``app.grounding.prompts`` builds it.

    In any other prompt the last message of the user is the question, and there are no passages.
    """
    last = next((each for each in reversed(messages) if isinstance(each, HumanMessage)), None)
    parts = [part for part in last.parts if isinstance(part, TextPart)] if last else []
    passages = [_given(part) for part in parts if "passage_id" in part.extras]
    asked = [part.extras.get("query", part.text) for part in parts if part.extras.get("question")]
    rest = [part.text for part in parts if "passage_id" not in part.extras]
    return "\n".join(asked or rest).removeprefix("Question: "), passages


def write_answer(selection: Selection) -> str:
    """Write the chosen sentences, each followed by the id of its passage."""
    if not selection.sentences:
        return NOT_FOUND + _nearest(selection.nearest)
    return "".join(_written(selection.sentences)).rstrip()


def _written(sentences: Sequence[Candidate]) -> Iterator[str]:
    for each in sentences:
        quote = " ".join(each.text.split())
        # A lone backtick would open code that swallows the next marker; an unfinished line would run into the next.
        apart = quote.count("`") % 2 or not _SENTENCE_END.search(quote)
        yield f"{harmless(quote)} [{each.passage.id}]" + ("\n\n" if apart else " ")


def harmless(quote: str) -> str:
    """Keep characters of a document that look like one of our markers from being taken for one."""
    return _LOOKS_LIKE_MARKER.sub(lambda match: match[0] + WORD_JOINER, quote)


def _nearest(candidate: Candidate | None) -> str:
    if candidate is None or not candidate.passage.context:
        return ""
    return f" The nearest I found is in “{candidate.passage.context}”."


def _given(part: TextPart) -> GivenPassage:
    extras = part.extras
    above = dict.fromkeys((extras.get("title", ""), *extras.get("headings", ())))
    context = ". ".join(each for each in above if each)
    return GivenPassage(
        id=extras["passage_id"],
        text=extras.get("text", part.text),
        context=context,
        similarity=extras.get("similarity"),
        document=extras.get("document") or extras["passage_id"],
        start=extras.get("start", 0),
    )
