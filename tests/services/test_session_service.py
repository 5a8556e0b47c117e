"""Organising chats, their trash, and searching over all of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.domain.errors import BadInputError
from app.domain.turns import MessageStatus
from app.services.session_service import SessionService
from app.storage.database import Database
from app.storage.session_store import SessionStore, open_chats
from tests.services.chats_rig import rich_chat, told


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_chats(tmp_path / "chats.db")
    yield database
    database.close()


@pytest.fixture
def store(database: Database) -> SessionStore:
    return SessionStore(database)


@pytest.fixture
def service(store: SessionStore) -> SessionService:
    return SessionService(store)


def test_a_duplicate_is_whole_and_apart(service: SessionService, store: SessionStore) -> None:
    chat = rich_chat(store)
    copy = service.duplicate(chat.id)
    assert (copy.title, copy.folder, copy.tags, copy.pinned) == (f"{chat.title} (copy)", "Work", ("wet", "deep"), False)
    assert copy.choices == chat.choices
    assert [told(each) for each in store.messages(copy.id)] == [told(each) for each in store.messages(chat.id)]
    assert [told(each) for each in store.all_messages(copy.id)] == [told(each) for each in store.all_messages(chat.id)]
    answers = store.messages(chat.id)[1].id, store.messages(copy.id)[1].id
    assert service.details(answers[0]) == service.details(answers[1])
    store.add_message(copy.id, "user", "only here")
    assert len(store.all_messages(chat.id)) == 4
    service.trash([chat.id])
    service.delete_for_good([chat.id])
    assert len(service.messages(copy.id)) == 4
    assert store.integrity() == []
    with pytest.raises(BadInputError):
        service.duplicate(chat.id)


def test_folders_exist_with_their_chats(service: SessionService) -> None:
    one, two, three = (service.create(name).id for name in ("one", "two", "three"))
    service.move([one, two], "  Work   stuff ")
    service.move([three], "Home")
    assert service.session(one).folder == "Work stuff"
    service.rename_folder("Work stuff", "Home")
    assert {each.folder for each in service.sessions()} == {"Home"}
    service.move([one], "")
    assert service.session(one).folder == ""


def test_tags_are_words_each_once(service: SessionService) -> None:
    chat = service.create("a").id
    service.tag(chat, ["#Tax", "tax", "  ", "two  words", "TAX", "b"])
    assert service.session(chat).tags == ("Tax", "two words", "b")


def test_a_chat_without_a_name_is_named_after_its_first_question(service: SessionService, store: SessionStore) -> None:
    chat = service.create("Old")
    store.add_message(chat.id, "user", "Which of the pumps in the north orchard was repaired last year, and by whom?")
    assert service.rename(chat.id, "  ").title == "Which of the pumps in the north orchard was repaired last…"
    assert service.rename(chat.id, " New ").title == "New"
    assert service.rename(service.create("x").id, "").title == ""


def test_trash_is_listed_restored_and_emptied(service: SessionService, store: SessionStore, database: Database) -> None:
    one, two, kept = (service.create(name).id for name in ("one", "two", "kept"))
    service.trash([one])
    service.trash([two])
    assert [each.id for each in service.trashed()] == [two, one]
    service.restore([one])
    service.delete_for_good([kept, two, "gone"])
    assert {each.id for each in service.sessions()} == {one, kept}
    assert service.trashed() == []
    service.trash([one, kept])
    with database.write() as connection:
        connection.execute("UPDATE sessions SET deleted_at = deleted_at - 31 * 86400 WHERE id = ?", (one,))
    answer = store.add_message(kept, "assistant", "", status=MessageStatus.STREAMING)
    assert service.recover() == 0  # it is being written
    assert [each.id for each in service.trashed()] == [kept]
    assert store.message(answer.id).status is MessageStatus.STREAMING


def test_hits_come_as_one_line_with_marks(service: SessionService, store: SessionStore) -> None:
    chat = service.create("Pumps").id
    text = "First line.\n" + "word " * 30 + "the Größe\tof a pump " + "more " * 60
    message = store.add_message(chat, "user", text)
    service.archive([chat])
    [hit] = service.search("grosse pum")
    assert (hit.session_id, hit.session_title, hit.message_id, hit.archived) == (chat, "Pumps", message.id, True)
    assert [hit.excerpt[start:end] for start, end in hit.spans] == ["Größe", "pump"]
    assert "\n" not in hit.excerpt
    assert "\t" not in hit.excerpt
    assert (hit.excerpt[0], hit.excerpt[-1]) == ("…", "…")
    assert len(hit.excerpt) < 200
    assert service.search("") == []


def test_a_short_message_is_shown_as_a_whole(service: SessionService, store: SessionStore) -> None:
    store.add_message(service.create("a").id, "user", "Pumps?")
    assert [(hit.excerpt, hit.spans) for hit in service.search("pumps")] == [("Pumps?", ((0, 5),))]
