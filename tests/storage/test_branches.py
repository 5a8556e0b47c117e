"""Messages as a tree: alternatives, the branch on show, and chats from before there were branches."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.errors import BadInputError
from app.domain.turns import ROOT, StoredMessage
from app.storage.chats_schema import CHATS_SCHEMA
from app.storage.database import Database
from app.storage.session_store import SessionStore


def texts(messages: list[StoredMessage]) -> list[str]:
    return [message.text for message in messages]


@pytest.fixture
def chat(sessions: SessionStore) -> str:
    """A chat of two questions and answers: q1 a1 q2 a2."""
    ident = sessions.create("Pumps").id
    for text in ("q1", "a1", "q2", "a2"):
        sessions.add_message(ident, "user" if text[0] == "q" else "assistant", text)
    return ident


def test_a_chat_without_alternatives_is_a_line(sessions: SessionStore, chat: str) -> None:
    messages = sessions.messages(chat)
    assert texts(messages) == ["q1", "a1", "q2", "a2"]
    assert [each.parent_id for each in messages] == [None, *(each.id for each in messages[:-1])]
    assert [each.siblings for each in messages] == [(), (), (), ()]
    assert sessions.siblings(messages[0].id) == []


def test_a_second_answer_stands_beside_the_first(sessions: SessionStore, chat: str) -> None:
    question, answer = sessions.messages(chat)[2:]
    other = sessions.add_message(chat, "assistant", "a2 again", parent_id=question.id)
    assert other.siblings == (answer.id, other.id)
    assert texts(sessions.messages(chat)) == ["q1", "a1", "q2", "a2 again"]
    assert sessions.messages(chat)[-1] == other
    sessions.show_branch(answer.id)
    assert texts(sessions.messages(chat)) == ["q1", "a1", "q2", "a2"]
    assert sessions.messages(chat)[-1].siblings == (answer.id, other.id)
    assert sessions.siblings(answer.id) == [answer.id, other.id]


def test_an_edited_question_begins_a_branch_that_is_gone_on_with(sessions: SessionStore, chat: str) -> None:
    first = sessions.messages(chat)
    edited = sessions.add_message(chat, "user", "q2 edited", parent_id=first[1].id)
    sessions.add_message(chat, "assistant", "a2 edited")
    assert texts(sessions.messages(chat)) == ["q1", "a1", "q2 edited", "a2 edited"]
    sessions.show_branch(first[2].id)
    sessions.add_message(chat, "user", "q3")
    assert texts(sessions.messages(chat)) == ["q1", "a1", "q2", "a2", "q3"]
    sessions.show_branch(edited.id)
    assert texts(sessions.messages(chat)) == ["q1", "a1", "q2 edited", "a2 edited"]
    assert texts(sessions.path_to(first[3].id)) == ["q1", "a1", "q2", "a2"]
    assert texts(sessions.all_messages(chat)) == ["q1", "a1", "q2", "a2", "q2 edited", "a2 edited", "q3"]
    assert sessions.session(chat).message_count == 7


def test_the_first_question_can_be_edited_too(sessions: SessionStore, chat: str) -> None:
    first = sessions.messages(chat)[0]
    other = sessions.add_message(chat, "user", "q1 edited", parent_id=ROOT)
    assert (other.parent_id, other.siblings) == (None, (first.id, other.id))
    assert texts(sessions.messages(chat)) == ["q1 edited"]
    sessions.show_branch(first.id)
    assert texts(sessions.messages(chat)) == ["q1", "a1", "q2", "a2"]


def test_a_parent_must_be_in_the_same_chat(sessions: SessionStore, chat: str) -> None:
    other = sessions.create("other")
    stranger = sessions.messages(chat)[0].id
    with pytest.raises(BadInputError, match="no longer exists"):
        sessions.add_message(other.id, "user", "x", parent_id=stranger)
    with pytest.raises(BadInputError, match="no longer exists"):
        sessions.add_message(chat, "user", "x", parent_id=999)
    with pytest.raises(BadInputError, match="no longer exists"):
        sessions.show_branch(999)
    assert sessions.messages(other.id) == []


def test_the_branch_on_show_is_kept_over_a_restart(sessions: SessionStore, chat: str, chats: Database) -> None:
    question, answer = sessions.messages(chat)[2:]
    sessions.add_message(chat, "assistant", "a2 again", parent_id=question.id)
    sessions.show_branch(answer.id)
    again = Database(chats.path, CHATS_SCHEMA)
    assert texts(SessionStore(again).messages(chat)) == ["q1", "a1", "q2", "a2"]
    again.close()


def test_deleting_a_chat_takes_all_of_its_branches(sessions: SessionStore, chat: str, chats: Database) -> None:
    sessions.add_message(chat, "user", "q1 edited", parent_id=ROOT)
    sessions.delete(chat)
    with chats.read() as connection:
        assert connection.execute("SELECT count(*) FROM messages").fetchone() == (0,)
    assert sessions.integrity() == []


def test_chats_from_before_branches_are_lines(tmp_path: Path) -> None:
    """What the fourth schema wrote: two chats whose messages were stored in turns."""
    path = tmp_path / "chats.db"
    old = Database(path, replace(CHATS_SCHEMA, migrations=CHATS_SCHEMA.migrations[:4]))
    with old.write() as connection:
        for used, name in enumerate("ab", start=1):
            connection.execute("INSERT INTO sessions VALUES (?, ?, 1, 1, ?)", (name, name, used))
        connection.execute("INSERT INTO sessions VALUES ('empty', '', 1, 1, 3)")
        for number in range(6):
            connection.execute(
                "INSERT INTO messages (session_id, role, text, search_text, status, created_at, model, answered, "
                "error, sentences, timings) VALUES (?, 'user', ?, ?, 'complete', 1, '', 1, '', "
                """'[["One.", 0, 4, [1]]]', '')""",
                ("ab"[number % 2], f"m{number}", f"m{number}"),
            )
    old.close()
    database = Database(path, CHATS_SCHEMA)
    store = SessionStore(database)
    assert texts(store.messages("a")) == ["m0", "m2", "m4"]
    assert texts(store.messages("b")) == ["m1", "m3", "m5"]
    assert store.messages("empty") == []
    assert all(each.siblings == () for each in store.messages("a"))
    store.add_message("a", "user", "m6")
    assert texts(store.messages("a")) == ["m0", "m2", "m4", "m6"]
    assert database.integrity() == []
    database.close()


@settings(deadline=None)
@given(data=st.data(), size=st.integers(1, 12))
def test_every_message_can_be_put_on_show(
    data: st.DataObject, size: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    database = Database(tmp_path_factory.mktemp("chats") / "chats.db", CHATS_SCHEMA)
    store = SessionStore(database)
    chat = store.create().id
    parents: dict[int, int] = {}
    for number in range(size):
        parent = data.draw(st.sampled_from([ROOT, *parents]))
        parents[store.add_message(chat, "user", str(number), parent_id=parent).id] = parent
    for ident in parents:
        store.show_branch(ident)
        shown = [each.id for each in store.messages(chat)]
        assert ident in shown
        assert [parents[each] for each in shown] == [ROOT, *shown[:-1]]
        assert shown[-1] not in parents.values()
        for message in store.messages(chat):
            alternatives = tuple(each for each, parent in parents.items() if parent == parents[message.id])
            assert message.siblings == (alternatives if len(alternatives) > 1 else ())
            assert message == store.message(message.id)
    database.close()
