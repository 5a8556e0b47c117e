"""Exchanges: a message of the user with everything that answers it. Memory keeps or drops them as a whole.

So a tool call is never torn from its result, and no answer from its question, whatever the limits are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from app.chat_models.token_estimate import MESSAGE_OVERHEAD, estimate_tokens
from app.domain.messages import (
    AIMessage,
    HumanMessage,
    ImagePart,
    Message,
    SystemMessage,
    ToolCallPart,
    ToolMessage,
)
from app.domain.turns import StoredMessage
from app.grounding.recent_turns import finished_turns, plain_answer
from app.grounding.sentences import split_sentences

IMAGE_TOKENS = 800  # about what providers charge for a picture of one megapixel
_CUT = " …"


@dataclass(frozen=True)
class Exchange:
    """Messages that belong together; ``count`` is how many stored messages they stand for."""

    messages: tuple[Message, ...]
    count: int

    @cached_property
    def tokens(self) -> int:
        """About how many tokens the messages are."""
        return sum(message_tokens(each) for each in self.messages)

    @cached_property
    def text(self) -> str:
        """What was said, a line for each speaker."""
        return "\n".join(f"{speaker}: {text}" for speaker, text in self.lines())

    @cached_property
    def digest(self) -> bytes:
        """A hash of who said what."""
        return hashlib.blake2b(self.text.encode("utf-8", "replace"), digest_size=16).digest()

    def lines(self) -> list[tuple[str, str]]:
        """Speaker and text of every message that has text."""
        return [(_speaker(each), each.text.strip()) for each in self.messages if each.text.strip()]


def message_tokens(message: Message) -> int:
    """About how many tokens a message takes in a prompt: its text, its tool calls, its images."""
    tokens = MESSAGE_OVERHEAD + estimate_tokens(message.text)
    for part in message.parts:
        if isinstance(part, ToolCallPart):
            tokens += estimate_tokens(part.name + part.arguments)
        elif isinstance(part, ImagePart):
            tokens += IMAGE_TOKENS
    return tokens


_SPEAKERS = {"user": "User", "assistant": "Assistant", "tool": "Tool", "system": "System"}


def _speaker(message: Message) -> str:
    return _SPEAKERS[message.role]


def tokens_of(exchanges: Iterable[Exchange]) -> int:
    """About how many tokens exchanges are together."""
    return sum(each.tokens for each in exchanges)


def stored_exchanges(history: Sequence[StoredMessage]) -> list[Exchange]:
    """The finished turns of a stored chat, oldest first; answers without the numbers of their footnotes."""
    return [
        Exchange((HumanMessage(question.text), AIMessage(plain_answer(answer))), 2)
        for question, answer in finished_turns(history)
    ]


def message_exchanges(messages: Sequence[Message]) -> list[Exchange]:
    """The exchanges of a list of messages, oldest first. System messages are left out: they are no part of the talk.

    A tool call without its result is left out with what it came from, and so is a result without its call: providers
    refuse both.
    """
    groups: list[list[Message]] = []
    for message in messages:
        if isinstance(message, SystemMessage):
            continue
        if isinstance(message, HumanMessage) or not groups:
            groups.append([])
        groups[-1].append(message)
    whole = ((_without_torn_calls(group), len(group)) for group in groups)
    return [Exchange(tuple(kept), count) for kept, count in whole if kept]


def _without_torn_calls(messages: Sequence[Message]) -> list[Message]:
    kept: list[Message] = []
    position = 0
    while position < len(messages):
        message = messages[position]
        end = position + 1
        while end < len(messages) and isinstance(messages[end], ToolMessage):
            end += 1
        if not isinstance(message, ToolMessage) and (results := _answers(message, messages[position + 1 : end])):
            kept += [message, *results[1:]]
        position = end
    return kept


def _answers(message: Message, results: Sequence[Message]) -> list[Message]:
    """``message`` and one result for each of its calls from those behind it; nothing where a call has no result."""
    waiting = {part.id for part in message.parts if isinstance(part, ToolCallPart)}
    kept = [message]
    for each in results:
        answered = {part.call_id for part in each.results} if isinstance(each, ToolMessage) else set()
        if answered and answered <= waiting:
            kept.append(each)
            waiting -= answered
    return [] if waiting else kept


def newest_within(exchanges: Sequence[Exchange], budget: int) -> list[Exchange]:
    """The newest exchanges that fit into ``budget`` tokens, oldest first.

    Where not even the last one fits, its answer is shortened at the end of a sentence: a follow-up question needs it.
    """
    kept: list[Exchange] = []
    left = budget
    for exchange in reversed(exchanges):
        if exchange.tokens > left:
            break
        kept.insert(0, exchange)
        left -= exchange.tokens
    if not kept and exchanges and (short := _shortened(exchanges[-1], budget)):
        return [short]
    return kept


def _shortened(exchange: Exchange, budget: int) -> Exchange | None:
    if len(exchange.messages) != 2 or not all(len(each.parts) == 1 for each in exchange.messages):
        return None  # calls and results stay as they are
    question, answer = exchange.messages
    room = budget - message_tokens(question) - MESSAGE_OVERHEAD - estimate_tokens(_CUT)
    text = fitting_sentences(answer.text, room)
    if not text or not isinstance(answer, AIMessage):
        return None
    return replace(exchange, messages=(question, AIMessage(text + _CUT)))


def fitting_sentences(text: str, budget: int) -> str:
    """The first sentences of ``text`` that fit into ``budget`` tokens; nothing where not even one does."""
    end = 0
    for _, after in split_sentences(text):
        if estimate_tokens(text[:after]) > budget:
            break
        end = after
    return text[:end]
