"""The moderation log."""

from __future__ import annotations

from app.storage.database import Database
from app.storage.moderation_log import ModerationLog
from app.storage.session_store import SessionStore


def test_decisions_come_back_newest_first_up_to_the_limit(chats: Database, sessions: SessionStore) -> None:
    log = ModerationLog(chats)
    session = sessions.create()
    log.record("question", "pii", "block", "It's an e-mail\n😀", session.id)
    log.record("answer", "length", "pass", "")
    newest, oldest = log.entries()
    assert (newest.stage, newest.rule, newest.decision, newest.session_id) == ("answer", "length", "pass", None)
    assert (oldest.reason, oldest.session_id) == ("It's an e-mail\n😀", session.id)
    assert 0 < oldest.at <= newest.at
    assert log.entries(1) == [newest]


def test_entries_outlive_their_session(chats: Database, sessions: SessionStore) -> None:
    log = ModerationLog(chats)
    session = sessions.create()
    log.record("question", "pii", "block", "why", session.id)
    sessions.delete(session.id)
    log.record("answer", "pii", "block", "late", session.id)
    assert [(entry.reason, entry.session_id) for entry in log.entries()] == [("late", None), ("why", None)]
