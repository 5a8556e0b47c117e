"""Makes a follow-up stand alone with the help of the chat model, and without it where there is none or it is slow."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from app.chat_models.call import NO_OVERRIDES, CallOverrides
from app.domain.chat_errors import ChatError
from app.domain.messages import HumanMessage, Message, SystemMessage
from app.domain.turns import StoredMessage
from app.grounding.follow_ups import may_lean, standalone_question
from app.grounding.recent_turns import finished_turns, plain_answer
from app.grounding.terms import terms

if TYPE_CHECKING:
    from app.chat_models.model import ChatModel

log = logging.getLogger(__name__)

REWRITE_SECONDS = 6.0
RULES = """\
Rewrite the last question of a chat so that it can be understood without the chat: put in what its words refer to.
Keep its language and its meaning. Do not answer it. If it can be understood alone, repeat it.
Reply with the question only."""
_TURNS = 3
_ANSWER_CHARACTERS = 400
_MOST_TOKENS = 120
_LONGEST = 400
_LONGER_THAN_ASKED = 220
_MARKER = re.compile(r"\[p?\d+\]")
_QUOTES = "\"'“”«»„ "


async def standalone_by_model(
    question: str,
    history: Sequence[StoredMessage],
    open_model: Callable[[], ChatModel] | None,
    *,
    seconds: float = REWRITE_SECONDS,
) -> str:
    """Return ``question`` so that it can be searched without ``history`` (oldest first).

    ``open_model`` (None: there is no model) blocks and is called in a thread. The model is only asked about questions
    that may lean on the chat; when it fails, takes longer than ``seconds`` or answers with something else, the words of
    the chat decide.
    """
    if not may_lean(question, history):
        return question
    by_words = standalone_question(question, history)
    if open_model is None:
        return by_words
    try:
        async with asyncio.timeout(seconds):
            model = await asyncio.to_thread(open_model)
            answer = await model.ainvoke(_messages(question, history), **_limits(model))
    except (ChatError, TimeoutError) as error:
        log.info("the question was made standalone without the model: %s", error or type(error).__name__)
        return by_words
    return _checked(answer.text, question, history) or by_words


def _messages(question: str, history: Sequence[StoredMessage]) -> list[Message]:
    lines: list[str] = []
    for asked, answer in finished_turns(history)[-_TURNS:]:
        lines += [f"Question: {asked.text}", f"Answer: {plain_answer(answer)[:_ANSWER_CHARACTERS]}"]
    chat = "\n".join(lines)
    return [SystemMessage(RULES), HumanMessage(f"The chat:\n{chat}\n\nThe last question: {question}")]


def _limits(model: ChatModel) -> CallOverrides:
    """Few tokens and no chance; a model that thinks first needs room for that, and gets time only."""
    profile = model.profile_of(NO_OVERRIDES)
    reasons = profile is not None and profile.capabilities.reasoning
    return {} if reasons else {"temperature": 0.0, "max_tokens": _MOST_TOKENS}


def _checked(reply: str, question: str, history: Sequence[StoredMessage]) -> str | None:
    """The reply if it can be a question about what was asked, else None."""
    lines = [line.strip() for line in reply.strip().splitlines() if line.strip()]
    if len(lines) != 1:
        return None
    text = lines[0].removeprefix("Question:").strip().strip(_QUOTES)
    if not text or len(text) > min(_LONGEST, len(question) + _LONGER_THAN_ASKED):
        return None
    if _MARKER.search(text):  # an answer, not a question
        return None
    asked, said = set(terms(question)), {term for each in history for term in terms(each.text)}
    kept, carried = asked.intersection(terms(text)), said.intersection(terms(text))
    return text if kept or (carried and len(asked) <= 1) else None
