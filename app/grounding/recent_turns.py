"""The latest turns of a chat as messages for a prompt: what a model is given where nothing else chooses."""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.chat_models.token_estimate import estimate_tokens
from app.domain.messages import AIMessage, HumanMessage, Message
from app.domain.pictures import without_pictures
from app.domain.turns import MessageStatus, StoredMessage
from app.grounding.markers import WORD_JOINER

_FOOTNOTE = re.compile(r"\s?\[\d{1,3}\]")
_REMEMBERED = frozenset({MessageStatus.COMPLETE, MessageStatus.STOPPED})


def recent_turns(history: Sequence[StoredMessage], budget: int) -> list[Message]:
    """Return the latest whole turns of ``history`` (oldest first) that fit into ``budget`` tokens, oldest first."""
    messages: list[Message] = []
    for question, answer in reversed(finished_turns(history)):
        cost = estimate_tokens(question.text) + estimate_tokens(plain_answer(answer))
        if cost > budget:
            break
        budget -= cost
        messages[:0] = [HumanMessage(question.text), AIMessage(plain_answer(answer))]
    return messages


def finished_turns(history: Sequence[StoredMessage]) -> list[tuple[StoredMessage, StoredMessage]]:
    """Pair each question with the answer behind it, oldest first; what has no answer is left out."""
    turns: list[tuple[StoredMessage, StoredMessage]] = []
    question: StoredMessage | None = None
    for message in history:
        if message.role == "user":
            question = message
        elif message.role == "assistant" and question and message.text and message.status in _REMEMBERED:
            turns.append((question, message))
            question = None
    return turns


def plain_answer(message: StoredMessage) -> str:
    """An answer without the numbers of its footnotes, which models would copy and which mean nothing in a new turn, and
    without the bytes of its pictures.
    """
    text = without_pictures(message.text)
    return (_FOOTNOTE.sub("", text) if message.citations else text).replace(WORD_JOINER, "")
