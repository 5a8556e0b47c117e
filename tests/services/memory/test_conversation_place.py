"""The settings say where conversations are kept; profiles never share a place."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.bootstrap import Services
from app.domain.messages import HumanMessage
from app.services.memory.conversation_place import (
    PLACE,
    REDIS_ADDRESS,
    SESSION_HOURS,
    ConversationPlace,
    open_conversations,
)
from app.settings.paths import AppPaths
from app.settings.profiles import Profiles
from app.storage.conversation_sqlite import SqliteConversationStore
from app.storage.conversation_store import InMemoryConversationStore
from app.storage.database import Database
from app.storage.session_store import open_chats
from app.storage.settings_store import SettingsStore
from tests.storage.redis_server import RedisServer, running_redis


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    with running_redis() as server:
        yield server


@pytest.fixture
def chats(tmp_path: Path) -> Iterator[Database]:
    database = open_chats(tmp_path / "chats.db")
    yield database
    database.close()


def test_conversations_are_beside_the_chats_unless_the_settings_say_otherwise(chats: Database) -> None:
    settings = SettingsStore(chats)
    assert isinstance(open_conversations(settings, chats, {}, ""), SqliteConversationStore)
    settings.set(PLACE, ConversationPlace.MEMORY)
    assert isinstance(open_conversations(settings, chats, {}, ""), InMemoryConversationStore)


def test_a_session_lives_as_long_as_the_settings_say(chats: Database) -> None:
    settings = SettingsStore(chats)
    settings.set(SESSION_HOURS, 2.0)
    made = open_conversations(settings, chats, {}, "").create_session("ann")
    assert made.expires_at is not None
    assert 7_190 < made.expires_at - made.created_at < 7_210


def test_redis_is_found_by_setting_or_environment_and_profiles_are_apart(
    chats: Database, redis_server: RedisServer
) -> None:
    settings = SettingsStore(chats)
    settings.set(PLACE, ConversationPlace.REDIS)
    settings.set(REDIS_ADDRESS, "redis://127.0.0.1:1")
    environ, profile = {"FOOTNOTE_REDIS_URL": redis_server.url}, uuid.uuid4().hex
    mine, theirs = (
        open_conversations(settings, chats, environ, profile),
        open_conversations(settings, chats, environ, ""),
    )
    session_id = mine.create_session("ann").session_id
    mine.add_messages(session_id, [HumanMessage("Hello.")])
    assert theirs.session(session_id) is None
    settings.set(REDIS_ADDRESS, redis_server.url)
    again = open_conversations(settings, chats, {}, profile)
    assert again.load_messages(session_id) == [HumanMessage("Hello.")]
    for each in (mine, theirs, again):
        each.close()


def test_the_services_of_two_profiles_know_nothing_of_each_other(tmp_path: Path) -> None:
    first = AppPaths.from_environment({"FOOTNOTE_HOME": str(tmp_path)})
    work = Profiles(first).create("Work").paths
    ours, theirs = Services(first, writer=True), Services(work, writer=True)
    try:
        session_id = ours.conversations.create_session("ann")
        chat = ours.sessions.create("Mine").id
        assert ours.conversations.get_user_sessions("ann") == [session_id]
        assert theirs.conversations.get_user_sessions("ann") == []
        assert theirs.conversations.chat(session_id, "Hello.") == {"error": "Session not found", "status": "error"}
        assert [each.id for each in ours.sessions.sessions()] == [chat]
        assert theirs.sessions.sessions() == []
    finally:
        ours.close()
        theirs.close()
