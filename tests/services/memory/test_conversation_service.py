"""Chats of many users over each of the three stores."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.chat_models.call import Call
from app.chat_models.loop_thread import LoopThread
from app.chat_models.model import ChatModel
from app.domain.chat_errors import APIConnectionError
from app.domain.errors import StorageError
from app.domain.messages import AIMessage, HumanMessage, Message, ToolCallPart, ToolMessage
from app.services.memory.conversation_service import ConversationService, surplus
from app.storage.conversation_redis import RedisConversationStore
from app.storage.conversation_sqlite import SqliteConversationStore
from app.storage.conversation_store import ConversationStore, InMemoryConversationStore
from app.storage.session_store import open_chats
from tests.storage.redis_server import RedisServer, running_redis


class Echo(ChatModel):
    """Repeats what was said last; notes every prompt."""

    asked: list[Sequence[Message]] = field(default_factory=list)
    fails: bool = False

    async def _agenerate(self, messages: Sequence[Message], call: Call) -> AIMessage:
        self.asked.append(messages)
        await asyncio.sleep(0)
        if self.fails:
            raise APIConnectionError("down")
        return AIMessage(f"You said: {messages[-1].text}")


@dataclass
class Room:
    store: ConversationStore
    service: ConversationService
    model: Echo
    loop: LoopThread


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    with running_redis() as server:
        yield server


@pytest.fixture(params=["memory", "sqlite", "redis"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ConversationStore]:
    if request.param == "memory":
        yield InMemoryConversationStore()
    elif request.param == "sqlite":
        database = open_chats(tmp_path / "chats.db")
        yield SqliteConversationStore(database)
        database.close()
    else:
        url = request.getfixturevalue("redis_server").url
        made = RedisConversationStore(url, namespace=f"test:{uuid.uuid4()}")
        yield made
        made.close()


@pytest.fixture
def room(store: ConversationStore) -> Iterator[Room]:
    loop, model = LoopThread("test-loop"), Echo()
    yield Room(store, ConversationService(store, lambda: model, loop, max_history=3), model, loop)
    loop.close()


@pytest.mark.requirement("I9")
def test_a_turn_gives_response_session_count_latency_and_status(room: Room) -> None:
    session_id = room.service.create_session("ann")
    result = room.service.chat(session_id, "Hello.")
    latency = result.pop("latency_ms")
    assert result == {
        "response": "You said: Hello.",
        "session_id": session_id,
        "message_count": 2,
        "status": "success",
    }
    assert type(latency) is int
    assert latency >= 0
    assert room.service.chat(session_id, "Again.")["message_count"] == 4


@pytest.mark.requirement("I9")
def test_an_unknown_session_is_an_error_and_asks_no_model(room: Room) -> None:
    assert room.service.chat("nobody", "Hello.") == {"error": "Session not found", "status": "error"}
    assert room.model.asked == []


@pytest.mark.requirement("I8")
def test_a_session_has_its_own_system_prompt_and_metadata(room: Room) -> None:
    plain = room.service.create_session("ann")
    own = room.service.create_session("ann", system_prompt="You are a pirate.", metadata={"theme": "sea"})
    assert uuid.UUID(own).version == 4
    kept = room.store.session(own)
    assert kept is not None
    assert (kept.user_id, kept.metadata["theme"]) == ("ann", "sea")
    room.service.chat(own, "Hello.")
    room.service.chat(plain, "Hello.")
    assert [asked[0].text == "You are a pirate." for asked in room.model.asked] == [True, False]
    assert all(asked[0].role == "system" for asked in room.model.asked)


@pytest.mark.requirement("I7")
def test_a_history_is_a_list_of_roles_and_contents(room: Room) -> None:
    session_id = room.service.create_session("ann")
    assert room.service.get_session_history(session_id) == []
    room.service.chat(session_id, "Hello.")
    expected = [{"role": "user", "content": "Hello."}, {"role": "assistant", "content": "You said: Hello."}]
    assert room.service.get_session_history(session_id) == expected
    assert room.service.get_history(session_id) == expected
    assert room.service.get_session_history("nobody") is None
    assert room.service.get_history("nobody") == []


@pytest.mark.requirement("I6")
def test_users_who_talk_in_turns_hear_nothing_of_each_other(room: Room) -> None:
    ann, bob = room.service.create_session("ann"), room.service.create_session("bob")
    for number in range(2):
        room.service.chat(ann, f"Ann's secret {number}")
        room.service.chat(bob, f"Bob's secret {number}")
    for asked in room.model.asked:
        said = " ".join(each.text for each in asked)
        assert ("Ann's" in said) != ("Bob's" in said)
    assert room.service.chat(ann, "Mine?", user_id="bob") == {"error": "Session not found", "status": "error"}
    assert room.service.get_session_history(ann, user_id="bob") is None
    assert not room.service.delete_session(ann, user_id="bob")
    assert not room.service.clear_history(ann, user_id="bob")
    assert not room.service.extend_session(ann, user_id="bob")
    assert len(room.service.get_history(ann, user_id="ann")) == 4


@pytest.mark.requirement("I10")
def test_a_session_keeps_twice_the_longest_history_and_the_newest(room: Room) -> None:
    session_id = room.service.create_session("ann")
    counts = [room.service.chat(session_id, f"Message {number}")["message_count"] for number in range(6)]
    assert counts == [2, 4, 6, 6, 6, 6]
    history = room.service.get_history(session_id)
    assert [each["content"] for each in history if each["role"] == "user"] == [f"Message {n}" for n in (3, 4, 5)]


@pytest.mark.requirement("I10")
def test_trimming_never_leaves_a_result_without_its_call(room: Room) -> None:
    session_id = room.service.create_session("ann")
    used_tools: list[Message] = [
        HumanMessage("Look it up."),
        AIMessage([ToolCallPart("a", "search", "{}")]),
        ToolMessage("Found.", tool_call_id="a"),
        AIMessage("Here it is."),
    ]
    room.store.add_messages(session_id, used_tools)
    room.service.chat(session_id, "Thanks.")
    room.service.chat(session_id, "More.")
    kept = [each.role for each in room.store.load_messages(session_id)]
    assert kept == ["user", "assistant", "user", "assistant"]
    assert room.model.asked[0][1:5] == used_tools


MESSAGES = st.lists(
    st.sampled_from([HumanMessage("?"), AIMessage("."), ToolMessage("r", tool_call_id="a")]), max_size=20
)


@settings(deadline=None)
@given(MESSAGES, st.integers(2, 12))
@pytest.mark.requirement("I10")
def test_what_is_kept_is_short_enough_and_begins_well(messages: list[Message], limit: int) -> None:
    kept = messages[surplus(messages, limit) :]
    assert len(kept) <= max(limit, 0)
    if len(messages) <= limit:
        assert kept == messages
    else:
        assert not kept or not isinstance(kept[0], ToolMessage)


@pytest.mark.requirement("I11", "I12")
def test_the_sessions_of_a_user_are_listed_until_they_are_deleted(room: Room) -> None:
    first, second = (room.service.create_session("ann") for _ in range(2))
    room.service.chat(first, "Hello.")
    assert room.service.get_user_sessions("ann") == [first, second]
    assert room.service.delete_session(first)
    assert not room.service.delete_session(first)
    assert room.service.get_user_sessions("ann") == [second]
    assert room.service.get_session_history(first) is None


def test_clearing_a_history_keeps_the_session(room: Room) -> None:
    session_id = room.service.create_session("ann", system_prompt="You are a pirate.")
    room.service.chat(session_id, "Hello.")
    assert room.service.clear_history(session_id)
    assert room.service.get_session_history(session_id) == []
    room.service.chat(session_id, "Again.")
    assert [each.text for each in room.model.asked[-1]] == ["You are a pirate.", "Again."]


def test_turns_of_one_session_wait_for_each_other(room: Room) -> None:
    session_id = room.service.create_session("ann")

    async def three() -> None:
        await asyncio.gather(*(room.service.achat(session_id, f"Message {number}") for number in range(3)))

    room.loop.run(three())
    assert sorted(len(asked) for asked in room.model.asked) == [2, 4, 6]
    assert [each["role"] for each in room.service.get_history(session_id)] == ["user", "assistant"] * 3


def test_a_model_that_fails_is_told_and_nothing_of_the_turn_is_stored(room: Room) -> None:
    session_id = room.service.create_session("ann")
    room.model.fails = True
    with pytest.raises(APIConnectionError):
        room.service.chat(session_id, "Hello.")
    assert room.service.get_history(session_id) == []


class Slow(Echo):
    """Ends the server while it answers."""

    server: RedisServer | None = None

    async def _agenerate(self, messages: Sequence[Message], call: Call) -> AIMessage:
        if self.server is not None:
            self.server.kill()
            self.server = None
        return await super()._agenerate(messages, call)


@pytest.mark.requirement("I13")
def test_an_answer_that_redis_could_not_take_is_given_and_stored_when_it_is_back() -> None:
    loop, model = LoopThread("test-loop"), Slow()
    with running_redis() as server:
        store = RedisConversationStore(server.url)
        service = ConversationService(store, lambda: model, loop)
        session_id = service.create_session("ann")
        service.chat(session_id, "First.")
        model.server = server
        result = service.chat(session_id, "Second.")
        assert (result["response"], result["status"]) == ("You said: Second.", "unsaved")
        assert "can't be reached" in result["error"]
        with pytest.raises(StorageError, match="can't be reached"):
            service.chat(session_id, "Third.")
        server.start()
        assert service.chat(session_id, "Fourth.")["message_count"] == 6
        said = [each["content"] for each in service.get_history(session_id) if each["role"] == "user"]
        assert said == ["First.", "Second.", "Fourth."]
        store.close()
    loop.close()


class LosesReplies(InMemoryConversationStore):
    """Stores what it is given, and then says that it could not be reached: the reply of a server was lost."""

    lost = False

    def add_messages(self, session_id: str, messages: Sequence[Message]) -> int:
        count = super().add_messages(session_id, messages)
        if self.lost:
            self.lost = False
            raise StorageError("The Redis server can't be reached.")
        return count


def test_a_turn_whose_reply_was_lost_is_not_stored_twice() -> None:
    loop, store, model = LoopThread("test-loop"), LosesReplies(), Echo()
    service = ConversationService(store, lambda: model, loop)
    session_id = service.create_session("ann")
    store.lost = True
    assert service.chat(session_id, "First.")["status"] == "unsaved"
    assert service.chat(session_id, "Second.")["message_count"] == 4
    said = [each["content"] for each in service.get_history(session_id) if each["role"] == "user"]
    assert said == ["First.", "Second."]
    loop.close()
