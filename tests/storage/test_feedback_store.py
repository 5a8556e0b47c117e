"""Judgements and opened footnotes in a real database."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.domain.citations import Citation
from app.domain.errors import BadInputError
from app.domain.feedback import Judgement
from app.domain.turns import StoredMessage
from app.storage.database import Database
from app.storage.feedback_store import FeedbackStore
from app.storage.session_store import SessionStore

QUOTES = ("It closes at sunset.", "The gate stays locked.")


@pytest.fixture
def feedback(chats: Database) -> FeedbackStore:
    return FeedbackStore(chats)


def answer(sessions: SessionStore, session_id: str, question: str, *, cited: bool = True) -> StoredMessage:
    sessions.add_message(session_id, "user", question)
    citations = [
        Citation(number, 7, Path("/papers/rules.pdf"), "Rules", "hash", 10 * number, 10 * number + 5, quote, number)
        for number, quote in enumerate(QUOTES, 1)
    ]
    return sessions.add_message(session_id, "assistant", "At sunset. [1]", citations=citations if cited else ())


def test_a_thumb_keeps_every_place_that_the_answer_cites(sessions: SessionStore, feedback: FeedbackStore) -> None:
    session = sessions.create()
    answer(sessions, session.id, "An earlier question?")
    message = answer(sessions, session.id, "When does it close?")
    feedback.judge(message.id, Judgement.UP)
    kept = feedback.examples()
    assert [(each.number, each.page, each.quote) for each in kept] == [(1, 1, QUOTES[0]), (2, 2, QUOTES[1])]
    assert {each.question for each in kept} == {"When does it close?"}
    assert {(each.path, each.file_hash) for each in kept} == {(Path("/papers/rules.pdf"), "hash")}
    assert all(each.at >= message.created_at for each in kept)
    assert feedback.judgements(session.id) == {message.id: Judgement.UP}


def test_a_thumb_is_replaced_and_taken_back_while_what_was_opened_stays(
    sessions: SessionStore, feedback: FeedbackStore
) -> None:
    session = sessions.create()
    message = answer(sessions, session.id, "When?")
    feedback.open_citation(message.id, 2)
    feedback.open_citation(message.id, 2)
    feedback.judge(message.id, Judgement.UP)
    feedback.judge(message.id, Judgement.DOWN)
    assert feedback.judgements(session.id) == {message.id: Judgement.DOWN}
    feedback.judge(message.id, None)
    assert [(each.number, each.judgement) for each in feedback.examples()] == [(2, Judgement.OPENED)]


def test_an_answer_without_footnotes_can_be_judged(sessions: SessionStore, feedback: FeedbackStore) -> None:
    session = sessions.create()
    message = answer(sessions, session.id, "Why?", cited=False)
    feedback.judge(message.id, Judgement.DOWN)
    assert [(each.number, each.quote) for each in feedback.examples()] == [(0, "")]
    assert feedback.judgements(session.id) == {message.id: Judgement.DOWN}


def test_examples_go_with_their_session_and_only_they(sessions: SessionStore, feedback: FeedbackStore) -> None:
    one, two = sessions.create(), sessions.create()
    feedback.judge(answer(sessions, one.id, "One?").id, Judgement.UP)
    feedback.open_citation(answer(sessions, two.id, "Two?").id, 1)
    sessions.delete(one.id)
    assert [each.question for each in feedback.examples()] == ["Two?"]


def test_clearing_forgets_all_but_the_chats(sessions: SessionStore, feedback: FeedbackStore) -> None:
    session = sessions.create()
    feedback.judge(answer(sessions, session.id, "One?").id, Judgement.UP)
    assert feedback.clear() == 2
    assert feedback.examples() == []
    assert feedback.judgements(session.id) == {}
    assert len(sessions.messages(session.id)) == 2
    assert feedback.clear() == 0


def test_what_is_gone_or_no_answer_is_refused(sessions: SessionStore, feedback: FeedbackStore) -> None:
    session = sessions.create()
    question = sessions.add_message(session.id, "user", "When?")
    message = answer(sessions, session.id, "When?")
    for wrong in (question.id, message.id + 1000):
        with pytest.raises(BadInputError):
            feedback.judge(wrong, Judgement.UP)
    with pytest.raises(BadInputError):
        feedback.open_citation(message.id, 9)
    with pytest.raises(ValueError, match="opened"):
        feedback.judge(message.id, Judgement.OPENED)
    assert feedback.examples() == []
