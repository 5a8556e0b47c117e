"""Searching messages: any text may be asked for, and the answer is right."""

from __future__ import annotations

import sqlite3
import unicodedata
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.storage.database import Database
from app.storage.message_search import indexed_terms, match_expression, query_terms, search_text, words
from app.storage.session_store import SessionStore, open_chats

SYNTAX = ['AND "', "title:", "don't", "C++", '"', "", " ", "\0", "a AND (b", "-x", "nosuch:y", "a*b", "NEAR(a b, 2)"]
SYNTAX += [
    "OR",
    "NOT",
    "^a",
    "{a b}:c",
    "a + b",
    "''",
    '""',
    "a\0b",
    "😀",
    "\ud800",
    "́",
    "*",
    "(",
    "a" * 5000,
    "x " * 500,
]
ALPHABET = st.sampled_from(list("abAé ß_-'\"*():+^{}\0\n.,ıİǅ１½ﬁ한국東京都ひらがな゙ｶﾞ́😀"))
TEXTS = st.one_of(st.text(ALPHABET, max_size=30), st.text(max_size=30))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SessionStore]:
    """Shared by the examples of a property; each takes its session away again."""
    database = open_chats(tmp_path_factory.mktemp("search") / "chats.db")
    yield SessionStore(database)
    database.close()


def matches(text: str, query: str) -> bool:
    """The reference: every term of the query is a term of the text, or begins one where it may."""
    terms = [term for word in words(text) for term in indexed_terms(word)]
    wanted = query_terms(query)
    return bool(wanted) and all(
        any(term == each or (prefix and each.startswith(term)) for each in terms) for term, prefix in wanted
    )


def category(character: str) -> str:
    return unicodedata.category(character)[0]


@given(text=TEXTS)
@example("Äpfel, ＡＢ１２; x_y; e\u0301t\u00e9東京x\u0301 a\u0301" + "w" * 100)
def test_words_are_runs_of_letters_and_digits_with_their_marks(text: str) -> None:
    """Nothing that is a letter or digit is left out but marks, and all else separates."""
    found = list(words(text))
    covered = {place for word in found for place in range(word.start, word.end)}
    assert sorted(covered) == [place for word in found for place in range(word.start, word.end)]
    assert all(category(text[place]) in "LNM" for place in covered)
    assert all(category(text[word.start]) in "LN" for word in found)
    left = {text[place] for place in range(len(text)) if place not in covered and category(text[place]) in "LN"}
    assert not left or all(not list(words(character)) for character in left)
    assert search_text(text) == " ".join(term for word in found for term in indexed_terms(word))


@pytest.mark.parametrize("query", SYNTAX, ids=lambda query: ascii(query)[:20])
def test_query_syntax_is_only_text(sessions: SessionStore, query: str) -> None:
    session = sessions.create()
    sessions.add_message(session.id, "user", "and now: don't use C++, nosuch title; a b x")
    for hit in sessions.search(query):
        assert matches(hit.message.text, query)


@settings(max_examples=1000, deadline=None)
@given(st.text())
def test_an_expression_is_always_accepted(query: str) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE VIRTUAL TABLE f USING fts5 (x, tokenize = 'ascii')")
        expression = match_expression(query)
        if expression is not None:
            connection.execute("SELECT rowid FROM f WHERE f MATCH ?", (expression,)).fetchall()


@settings(max_examples=150, deadline=None)
@given(
    texts=st.lists(TEXTS, min_size=1, max_size=6), query=TEXTS, cut=st.tuples(st.integers(0, 30), st.integers(0, 30))
)
@example(texts=['AND "'], query="and", cut=(0, 0))
@example(texts=["東京都"], query="京都", cut=(0, 0))
def test_exactly_the_messages_with_all_words_are_found(
    store: SessionStore, texts: list[str], query: str, cut: tuple[int, int]
) -> None:
    session = store.create()
    try:
        stored = [store.add_message(session.id, "user", text) for text in texts]
        for asked in (query, texts[0][cut[0] : cut[1]], texts[-1]):
            found = [hit.message for hit in store.search(asked, limit=100)]
            assert found == [message for message in reversed(stored) if matches(message.text, asked)]
    finally:
        store.delete(session.id)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("The Café is open", "cafe"),
        ("The cafe is open", "CAFÉ"),
        ("Straße", "strasse"),
        ("ＦＵＬＬ width", "full"),
        ("don't panic", "don't"),
        ("C++ and C#", "c++"),
        ("東京都庁", "京都"),
        ("東京都庁", "庁"),
        ("東京 and more", "more 東"),
        ("ﬁne ligature", "fine"),
        ("a_b snake_case", "case"),
        ("unfinished business", "unfinished bus"),
        ("version 3.11.7", "3.11"),
        ("हिन्दी भाषा", "हिन्दी"),
        ("한국어 문장", "한국"),
    ],
)
def test_what_people_expect_to_find(sessions: SessionStore, text: str, query: str) -> None:
    session = sessions.create("Chat")
    sessions.add_message(session.id, "user", "something else entirely")
    sessions.add_message(session.id, "user", text)
    (hit,) = sessions.search(query)
    assert hit.message.text == text
    assert hit.session_title == "Chat"


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("cat", "cats"),
        ("unfinished business", "unfin business"),
        ("東京", "京東"),
        ("one two", "one three"),
        ("x", "!?"),
    ],
)
def test_what_people_do_not_expect_to_find(sessions: SessionStore, text: str, query: str) -> None:
    sessions.add_message(sessions.create().id, "user", text)
    assert sessions.search(query) == []


def test_newest_messages_come_first_up_to_the_limit(sessions: SessionStore) -> None:
    session = sessions.create()
    for number in range(5):
        sessions.add_message(session.id, "user", f"hello {number}")
    assert [hit.message.text for hit in sessions.search("hello", limit=3)] == ["hello 4", "hello 3", "hello 2"]


def test_the_words_found_are_marked(sessions: SessionStore) -> None:
    text = "A café, the CAFÉS of 東京都."
    sessions.add_message(sessions.create().id, "user", text)
    (hit,) = sessions.search("京都 cafe")
    assert [text[start:end] for start, end in hit.spans] == ["café", "CAFÉS", "東京都"]


@given(st.text())
def test_words_are_spans_of_the_text_in_order(text: str) -> None:
    end = 0
    for word in words(text):
        assert end <= word.start < word.end <= len(text)
        assert word.folded
        end = word.end


def test_changed_and_deleted_messages_are_searched_as_they_are(sessions: SessionStore) -> None:
    session = sessions.create()
    message = sessions.add_message(session.id, "assistant", "first draft")
    sessions.update_message(message.id, text="final words")
    assert sessions.search("draft") == []
    assert [hit.message.text for hit in sessions.search("final")] == ["final words"]
    assert sessions.integrity() == []
    sessions.delete(session.id)
    assert sessions.search("final") == []
    assert sessions.integrity() == []


def test_the_check_sees_an_index_that_does_not_match(sessions: SessionStore, chats: Database) -> None:
    session = sessions.create()
    message = sessions.add_message(session.id, "user", "hello")
    with chats.write() as connection:
        connection.execute("DROP TRIGGER messages_fts_update")
        connection.execute("UPDATE messages SET search_text = 'other' WHERE id = ?", (message.id,))
    assert sessions.integrity() == ["the search index of the messages does not match them"]


def test_the_check_of_a_chat_database_open_for_reading_works(tmp_path: Path) -> None:
    open_chats(tmp_path / "chats.db").close()
    database = open_chats(tmp_path / "chats.db", read_only=True)
    assert SessionStore(database).integrity() == []
    database.close()
