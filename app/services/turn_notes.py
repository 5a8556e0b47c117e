"""Gathers the details of a turn while it runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

from app.chat_models.profiles import Cost
from app.chat_models.token_estimate import estimate_prompt, estimate_tokens
from app.domain.messages import AIMessageChunk, FilePart, ImagePart, Message, ToolCallPart, ToolResultPart, Usage
from app.domain.passages import Passage
from app.domain.turn_details import AttachedNote, NearMiss, PromptMessage, SentPassage, ToolUse, TurnDetails, UnreadFile
from app.domain.turn_options import Strictness
from app.services.turn_seams import Remembered, Turn

LONGEST_TOOL_RESULT = 4_000
MOST_NEAR_MISSES = 5
_SHORTEST_RATE_SECONDS = 0.02
"""Below this a rate of tokens says more about the clock than about the model."""


class TurnNotes:
    """What is known so far. ``clock`` counts seconds and never goes back."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = clock()
        self._first: float | None = None
        self._last = self._began
        self._turn: Turn | None = None
        self._query = ""
        self._remembered = Remembered()
        self._room = self._reserve = 0
        self._prompt: Sequence[Message] = ()
        self._passages: dict[str, Passage] = {}
        self._near: list[NearMiss] = []
        self._unread: tuple[Sequence[UnreadFile], int] = ((), 0)
        self._tools: list[ToolUse] = []
        self._notes: list[str] = []
        self._attached: tuple[AttachedNote, ...] = ()
        self._reasoning: list[str] = []
        self._usage: Usage | None = None
        self._answer_characters = 0
        self._finish = ""

    def began(self, turn: Turn) -> None:
        """The turn and what was chosen for it."""
        self._turn = turn

    def attached(self, files: Sequence[AttachedNote]) -> None:
        """The files that came with the question."""
        self._attached = tuple(files)

    def searched(self, query: str, near: Iterable[NearMiss] = ()) -> None:
        """What was searched, and what was found and left out."""
        self._query = query
        self._near.extend(near)

    def budgeted(self, room: int, reserve: int) -> None:
        """How many tokens were for passages and earlier turns, and for everything else."""
        self._room, self._reserve = room, reserve

    def prompted(self, messages: Sequence[Message], passages: dict[str, Passage], remembered: Remembered) -> None:
        """What the model is sent. ``passages`` may grow afterwards."""
        self._prompt, self._passages, self._remembered = messages, passages, remembered

    def received(self, chunk: AIMessageChunk) -> None:
        """The next part of the model's answer."""
        text, reasoning = chunk.text, chunk.reasoning
        if text or reasoning:
            self._last = self._clock()
            self._first = self._last if self._first is None else self._first
            self._answer_characters += len(text) + len(reasoning)
            self._reasoning.append(reasoning)
        if chunk.usage is not None:
            self._usage = chunk.usage if self._usage is None else self._usage + chunk.usage
        self._finish = chunk.finish or self._finish

    def used_tool(self, use: ToolUse) -> None:
        """A tool that ran, or was not allowed to."""
        self._tools.append(use)

    def remark(self, text: str) -> None:
        """A note for the user."""
        self._notes.append(text)

    def unread(self, files: Sequence[UnreadFile], count: int) -> None:
        """The first of the files that could not be searched, and how many there are."""
        self._unread = files, count

    def details(self, prices: Cost | None, *, answered: bool = True) -> TurnDetails:
        """All of it. Where nothing was answered, the best passages that were sent are near misses too."""
        usage, remembered = self._usage or self._estimated(), self._remembered
        return TurnDetails(
            query=self._query,
            strictness=self._turn.strictness if self._turn else Strictness.STRICT,
            memory=remembered.kind,
            used=remembered.used,
            dropped=remembered.dropped,
            summary=remembered.summary,
            room=self._room,
            reserve=self._reserve,
            prompt=tuple(PromptMessage(each.role, prompt_text(each)) for each in self._prompt),
            passages=tuple(sent_passage(each, passage_id) for passage_id, each in self._passages.items()),
            near_misses=tuple(self.near_misses(answered=answered)),
            unread=tuple(self._unread[0]),
            unread_count=self._unread[1],
            tools=tuple(self._tools),
            model=self._turn.model if self._turn else "",
            finish=self._finish,
            usage=usage,
            cost=prices.of(usage) if prices is not None and usage is not None else None,
            first_token_seconds=None if self._first is None else self._first - self._began,
            tokens_per_second=self._rate(usage),
            reasoning="".join(self._reasoning),
            notes=tuple(self._notes),
            attached=self._attached,
        )

    def near_misses(self, *, answered: bool) -> list[NearMiss]:
        """What came close, best first."""
        if answered:
            return self._near[:MOST_NEAR_MISSES]
        sent = [NearMiss(sent_passage(each, name), NOT_IN_IT) for name, each in self._passages.items()]
        return [*sent[:MOST_NEAR_MISSES], *self._near[:MOST_NEAR_MISSES]]

    def _estimated(self) -> Usage | None:
        """Tokens by rule of thumb, for servers that count none; None if nothing was sent."""
        if not self._prompt:
            return None
        output = estimate_tokens("x" * self._answer_characters)
        return Usage(input=estimate_prompt(self._prompt), output=output, estimated=True)

    def _rate(self, usage: Usage | None) -> float | None:
        seconds = self._last - self._first if self._first is not None else 0.0
        if usage is None or not usage.output or seconds < _SHORTEST_RATE_SECONDS:
            return None
        return usage.output / seconds


NOT_IN_IT = "It was given to the model, which found no answer in it."
NO_ROOM = "It was found, but there was no more room for it in the prompt."


def sent_passage(passage: Passage, passage_id: str = "") -> SentPassage:
    """A passage as details keep it."""
    return SentPassage(
        passage_id,
        passage.document_id,
        passage.path,
        passage.title,
        passage.page,
        passage.start,
        passage.end,
        passage.text,
        passage.score,
    )


def prompt_text(message: Message) -> str:
    """What stands in a message; a note in the place of what is no text."""
    pieces: list[str] = []
    for part in message.parts:
        if isinstance(part, ImagePart):
            pieces.append("(an image)\n")
        elif isinstance(part, FilePart):
            pieces.append("(a file)\n")
        elif isinstance(part, ToolCallPart):
            pieces.append(f"(calls {part.name} with {part.arguments})\n")
        elif isinstance(part, ToolResultPart):
            pieces.append(part.text)
        else:
            pieces.append(part.text)
    return "".join(pieces)
