"""Sessions, messages and their footnotes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.domain.citations import AnswerSentence, Citation
from app.domain.documents import Box
from app.domain.errors import BadInputError
from app.domain.turns import MessageStatus
from app.storage.database import Database
from app.storage.session_store import SessionStore, open_chats

AWKWARD = 'Don\'t "quote" C++ `x`\r\n\tnew line 😀 東京\0 end'


def citation(number: int, **changes: object) -> Citation:
    values: dict[str, object] = {
        "number": number,
        "document_id": 7,
        "path": Path('/a/it\'s "b"\n😀.pdf'),
        "title": "Größe",
        "file_hash": "ab" * 32,
        "start": 3,
        "end": 9,
        "quote": AWKWARD,
        "page": 2,
        "boxes": (Box(1.5, 2.25, 3.0, 4.0), Box(0.0, 0.1, 0.2, 0.3)),
        "score": 0.75,
    }
    return Citation(**(values | changes))  # type: ignore[arg-type]  # a table of values


def test_messages_come_back_as_stored_also_after_a_restart(tmp_path: Path) -> None:
    database = open_chats(tmp_path / "chats.db")
    store = SessionStore(database)
    session = store.create("Größe 😀")
    question = store.add_message(session.id, "user", AWKWARD)
    answer = store.add_message(
        session.id,
        "assistant",
        "It is [1].",
        model="extractive",
        answered=False,
        error="None",
        citations=[citation(1), citation(2, page=None, boxes=())],
        sentences=[AnswerSentence("It is [1].", 0, 10, (1, 2)), AnswerSentence("So.", 11, 14)],
        timings={"first_token": 0.25},
    )
    database.close()
    database = open_chats(tmp_path / "chats.db")
    store = SessionStore(database)
    assert store.messages(session.id) == [question, answer]
    assert store.message(answer.id) == answer
    assert question.text == AWKWARD
    assert answer.citations == (citation(1), citation(2, page=None, boxes=()))
    assert answer.sentences[0].citations == (1, 2)
    assert answer.timings == {"first_token": 0.25}
    assert (answer.model, answer.answered, answer.error) == ("extractive", False, "None")
    assert store.session(session.id).title == "Größe 😀"
    database.close()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_a_footnote_to_a_file_whose_name_is_not_unicode(sessions: SessionStore) -> None:
    path = Path(os.fsdecode(b"/caf\xe9.txt"))
    session = sessions.create()
    stored = sessions.add_message(session.id, "assistant", "a", citations=[citation(1, path=path)])
    assert sessions.message(stored.id).citations[0].path == path


def test_sessions_come_in_the_order_of_their_use(sessions: SessionStore) -> None:
    first, second, third = (sessions.create(name) for name in ("first", "second", "third"))
    sessions.add_message(first.id, "user", "hello")
    sessions.add_message(first.id, "assistant", "hi")
    assert [record.title for record in sessions.sessions()] == ["first", "third", "second"]
    sessions.add_message(second.id, "user", "hello")
    assert [record.title for record in sessions.sessions()] == ["second", "first", "third"]
    assert [record.message_count for record in sessions.sessions()] == [1, 2, 0]
    assert third.message_count == 0
    assert sessions.session(first.id).updated_at >= first.created_at


def test_the_order_does_not_depend_on_the_clock(sessions: SessionStore, chats: Database) -> None:
    old = sessions.create("used last")
    sessions.create("newer")
    sessions.add_message(old.id, "user", "first")
    sessions.add_message(old.id, "user", "second")
    with chats.write() as connection:
        connection.execute("UPDATE sessions SET updated_at = 1, created_at = 1 WHERE id = ?", (old.id,))
        connection.execute("UPDATE messages SET created_at = -id")
    assert [record.title for record in sessions.sessions()] == ["used last", "newer"]
    assert [message.text for message in sessions.messages(old.id)] == ["first", "second"]


def test_renaming_and_deleting(sessions: SessionStore, chats: Database) -> None:
    session, other = sessions.create("old"), sessions.create("other")
    message = sessions.add_message(session.id, "user", "hello", citations=[citation(1)])
    sessions.rename(session.id, "new 'title'")
    assert sessions.session(session.id).title == "new 'title'"
    sessions.delete(session.id)
    sessions.delete(session.id)
    assert [record.id for record in sessions.sessions()] == [other.id]
    assert sessions.messages(session.id) == []
    assert sessions.search("hello") == []
    with chats.read() as connection:
        assert connection.execute("SELECT count(*) FROM citations").fetchone() == (0,)
    with pytest.raises(BadInputError, match="This message no longer exists"):
        sessions.message(message.id)


def test_what_is_gone_is_told(sessions: SessionStore) -> None:
    for use in (
        lambda: sessions.session("gone"),
        lambda: sessions.rename("gone", "x"),
        lambda: sessions.add_message("gone", "user", "x"),
    ):
        with pytest.raises(BadInputError, match="This chat no longer exists"):
            use()
    with pytest.raises(BadInputError, match="This message no longer exists"):
        sessions.update_message(99, text="x", citations=[citation(1)])
    assert sessions.integrity() == []


def test_updating_changes_only_what_is_given(sessions: SessionStore) -> None:
    session = sessions.create()
    message = sessions.add_message(
        session.id, "assistant", "", status=MessageStatus.STREAMING, model="m", citations=[citation(1)]
    )
    updated = sessions.update_message(message.id, text="part")
    assert (updated.text, updated.status, updated.citations) == ("part", MessageStatus.STREAMING, (citation(1),))
    updated = sessions.update_message(
        message.id,
        status=MessageStatus.COMPLETE,
        answered=False,
        citations=[citation(2)],
        sentences=[AnswerSentence("part", 0, 4, (2,))],
        timings={"total": 1.5},
    )
    assert (updated.text, updated.status, updated.answered) == ("part", MessageStatus.COMPLETE, False)
    assert (updated.citations, updated.timings) == ((citation(2),), {"total": 1.5})
    assert sessions.update_message(message.id, citations=[], error="Oh.").citations == ()
    final = sessions.update_message(message.id, answered=True, sentences=[], model="n")
    assert (final.answered, final.sentences, final.error, final.model) == (True, (), "Oh.", "n")
    assert sessions.messages(session.id) == [final]


def test_answers_cut_off_by_the_end_of_the_program_are_marked(sessions: SessionStore) -> None:
    session = sessions.create()
    done = sessions.add_message(session.id, "user", "q")
    cut = sessions.add_message(session.id, "assistant", "the part so far", status=MessageStatus.STREAMING)
    stopped = sessions.add_message(session.id, "assistant", "x", status=MessageStatus.STOPPED)
    sessions.close()
    assert sessions.mark_interrupted() == 1
    assert sessions.mark_interrupted() == 0
    statuses = {message.id: message.status for message in sessions.messages(session.id)}
    assert statuses == {
        done.id: MessageStatus.COMPLETE,
        cut.id: MessageStatus.INTERRUPTED,
        stopped.id: MessageStatus.STOPPED,
    }
    assert sessions.message(cut.id).text == "the part so far"


def test_text_that_is_not_unicode_is_stored_without_moving_offsets(sessions: SessionStore) -> None:
    session = sessions.create("\ud800")
    message = sessions.add_message(
        session.id, "user", "a\udfffb", citations=[citation(1, quote="q\ud800", title="\ud800")]
    )
    assert message.text == "a?b"
    assert message.citations[0].quote == "q?"
    assert sessions.session(session.id).title == "?"
