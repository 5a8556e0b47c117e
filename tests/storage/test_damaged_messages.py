"""Chats whose rows are damaged: they open, they say what could not be read, and every word that is there is shown."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest

from app.domain.citations import AnswerSentence, Citation
from app.domain.turns import MessageStatus, StoredMessage
from app.storage.database import Database
from app.storage.session_store import SessionStore
from tests.storage.test_session_store import citation

Damage = Callable[[str], list[StoredMessage]]
TEXTS = ["When?", "In March. [1][2]", "Why?"]


@pytest.fixture
def damaged(sessions: SessionStore, chats: Database) -> Damage:
    """Runs a statement on a chat of three messages, the second with footnotes, and reads the chat."""
    chat = sessions.create("Pumps").id
    sessions.add_message(chat, "user", TEXTS[0])
    sessions.add_message(
        chat,
        "assistant",
        TEXTS[1],
        citations=[citation(1), citation(2)],
        sentences=[AnswerSentence(TEXTS[1], 0, 16, (1, 2))],
        timings={"finished": 1.0},
    )
    sessions.add_message(chat, "user", TEXTS[2])

    def run(statement: str) -> list[StoredMessage]:
        with closing(sqlite3.connect(chats.path, isolation_level=None)) as connection:
            assert connection.execute(statement).rowcount > 0
        return sessions.messages(chat)

    return run


@pytest.mark.parametrize(
    "column", ["'{'", "'[[1]]'", "'7'", "x'ff'", "'[[\"a\", 0, 1, 2]]'", "'[[\"a\", null, 1, []]]'"]
)
def test_sentences(damaged: Damage, column: str) -> None:
    messages = damaged(f"UPDATE messages SET sentences = {column} WHERE role = 'assistant'")
    assert [each.text for each in messages] == TEXTS
    assert messages[1].sentences == ()
    assert messages[1].citations == (citation(1), citation(2))
    assert messages[1].damage == ("It could not be read which sentence rests on which footnote.",)
    assert [messages[0].damage, messages[2].damage] == [(), ()]


@pytest.mark.parametrize("column", ["'{'", "'[1]'", '\'{"a": "b"}\'', "x'ff'"])
def test_timings(damaged: Damage, column: str) -> None:
    answer = damaged(f"UPDATE messages SET timings = {column} WHERE role = 'assistant'")[1]
    assert (answer.text, answer.timings) == (TEXTS[1], {})
    assert answer.damage == ("It could not be read how long this answer took.",)


def test_a_status_that_does_not_exist(damaged: Damage) -> None:
    answer = damaged("UPDATE messages SET status = 'eaten' WHERE role = 'assistant'")[1]
    assert (answer.text, answer.status) == (TEXTS[1], MessageStatus.INTERRUPTED)
    assert answer.damage == ("It could not be read how this message ended.",)


@pytest.mark.parametrize("column", ["'{'", "'[[1, 2]]'", "'[1]'", "x'ff'", "'[[1, 2, 3, \"x\"]]'"])
def test_boxes_of_a_footnote(damaged: Damage, column: str) -> None:
    answer = damaged(f"UPDATE citations SET boxes = {column} WHERE number = 2")[1]
    assert answer.citations == (citation(1), citation(2, boxes=()))
    assert answer.damage == ("The place of footnote 2 on its page could not be read; its quote is whole.",)


@pytest.mark.parametrize("change", ["start = 'x'", "path = 7", "page = 'x'"])
def test_a_whole_footnote(damaged: Damage, change: str) -> None:
    answer = damaged(f"UPDATE citations SET {change} WHERE number = 1")[1]
    assert answer.citations == (citation(2),)
    assert answer.damage == ("Footnote 1 could not be read.",)


def test_text_that_is_not_unicode(damaged: Damage, sessions: SessionStore) -> None:
    messages = damaged("UPDATE messages SET text = CAST(x'496e20ff2e' AS TEXT), error = 'e' WHERE role = 'assistant'")
    assert [each.text for each in messages] == [TEXTS[0], "In \ufffd.", TEXTS[2]]
    assert messages[1].damage == ("Some characters of this message could not be read; \ufffd stands in their place.",)
    assert sessions.message(messages[1].id) == messages[1]
    assert sessions.search("march")[0].message.text == "In \ufffd."


@pytest.mark.parametrize("value", ["x'496e20ff2e'", "5"])
def test_text_that_is_no_text(damaged: Damage, value: str) -> None:
    answer = damaged(f"UPDATE messages SET text = {value}, role = {value}, created_at = 'x' WHERE role = 'assistant'")[
        1
    ]
    assert answer.text in {"In \ufffd.", "5"}
    assert answer.created_at == 0.0


def test_a_character_for_what_is_unknown_is_no_damage(sessions: SessionStore) -> None:
    chat = sessions.create().id
    assert sessions.add_message(chat, "user", "What is \ufffd?").damage == ()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE messages SET parent_id = 999 WHERE text = 'Why?'",
        "UPDATE messages SET parent_id = id WHERE text = 'Why?'",
        "UPDATE messages SET parent_id = 'x' WHERE text = 'Why?'",
    ],
)
def test_a_message_whose_parent_is_gone_is_shown_behind_the_one_before(
    damaged: Damage, sessions: SessionStore, statement: str
) -> None:
    messages = damaged(statement)
    assert [each.text for each in messages] == TEXTS
    assert [bool(each.damage) for each in messages] == [False, False, True]
    assert "may stand in the wrong place" in messages[2].damage[0]
    assert sessions.message(messages[2].id) == messages[2]
    sessions.show_branch(messages[0].id)
    assert [each.text for each in sessions.messages(messages[0].session_id)] == TEXTS


def test_a_lost_message_takes_no_other_with_it(damaged: Damage) -> None:
    messages = damaged("DELETE FROM messages WHERE text = 'When?'")
    assert [each.text for each in messages] == TEXTS[1:]
    assert messages[0].citations == (citation(1), citation(2))


def test_a_branch_on_show_that_is_gone(damaged: Damage) -> None:
    assert [each.text for each in damaged("UPDATE sessions SET leaf_id = 999")] == TEXTS
    assert [each.text for each in damaged("UPDATE sessions SET leaf_id = 'x'")] == TEXTS


def test_a_title_that_is_not_unicode(damaged: Damage, sessions: SessionStore) -> None:
    damaged("UPDATE sessions SET title = CAST(x'ff50' AS TEXT), folder = 5, created_at = 'x', pinned = 'x'")
    [record] = sessions.sessions()
    assert (record.title, record.folder, record.created_at) == ("\ufffdP", "5", 0.0)


def test_footnotes_are_read_when_they_are_looked_at(sessions: SessionStore) -> None:
    chat = sessions.create().id
    stored = sessions.add_message(chat, "assistant", "x [1]", citations=[citation(1)])
    [read] = sessions.messages(chat)
    assert read.citations is read.citations
    found: Citation = read.citations[0]
    assert found is read.citations[0]
    assert (len(read.citations), read.citations[:1], read.citations) == (1, (found,), stored.citations)
    assert read.citations != [found]
    assert hash(read.citations) == hash((found,))
    assert repr(read.citations) == repr((found,))
