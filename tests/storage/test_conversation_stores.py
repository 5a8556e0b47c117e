"""One suite for the three stores of conversations; Redis is a real server."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain.errors import BadInputError
from app.domain.messages import (
    AIMessage,
    FilePart,
    FunctionMessage,
    HumanMessage,
    ImagePart,
    Message,
    ReasoningPart,
    SystemMessage,
    TextPart,
    ToolCallPart,
    ToolMessage,
    Usage,
)
from app.storage.conversation_redis import RedisConversationStore
from app.storage.conversation_sqlite import SqliteConversationStore
from app.storage.conversation_store import ConversationStore, InMemoryConversationStore
from app.storage.database import Database
from app.storage.session_store import open_chats
from tests.storage.redis_server import RedisServer

REPOSITORY = Path(__file__).resolve().parents[2]
DAY = 24 * 3600.0
ALL_KINDS: list[Message] = [
    SystemMessage("Be brief."),
    HumanMessage([TextPart("What is this? \ud800 猫"), ImagePart(data=b"\x00\xffpng", media_type="image/png")]),
    AIMessage(
        parts=(
            ReasoningPart("A picture.", extras={"signature": "s=="}),
            TextPart("Let me look."),
            ToolCallPart("call-1", "look", '{"closer": true}'),
        ),
        id="msg-1",
        usage=Usage(12, 7),
        finish="tool_calls",
        model="some-model",
        response_metadata={"finish_reason": "tool_use"},
    ),
    ToolMessage("A cat.", tool_call_id="call-1", name="look"),
    ToolMessage("No such file.", tool_call_id="call-2", status="error"),
    FunctionMessage("42", name="answer"),
    HumanMessage(FilePart(data=b"%PDF", media_type="application/pdf", name="a.pdf"), additional_kwargs={"n": [1, 2]}),
    AIMessage("A cat."),
]


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.time = 1_800_000_000.0

    def __call__(self) -> float:
        self.time += 0.001  # no two events at once
        return self.time


@dataclass
class Place:
    """A store under test; ``raw`` appends an entry as another program, or a failing disk, might have left it."""

    store: ConversationStore
    clock: Clock
    raw: Callable[[str, str | bytes], None]
    another: Callable[[], ConversationStore]


@pytest.fixture(params=["memory", "sqlite", "redis"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def place(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    clock = Clock()
    if kind == "memory":
        yield _memory_place(clock)
    elif kind == "sqlite":
        database = open_chats(tmp_path / "chats.db")
        yield _sqlite_place(database, clock)
        database.close()
    else:
        server: RedisServer = request.getfixturevalue("redis_server")
        made = _redis_place(server.url, f"test:{uuid.uuid4()}", clock)
        yield made
        made.store.close()


def _memory_place(clock: Clock) -> Place:
    store = InMemoryConversationStore(now=clock)

    def raw(session_id: str, entry: str | bytes) -> None:
        store._entries[session_id].append(entry)  # type: ignore[arg-type]  # damage is of any type

    return Place(store, clock, raw, lambda: store)


def _sqlite_place(database: Database, clock: Clock) -> Place:
    def raw(session_id: str, entry: str | bytes) -> None:
        with database.write() as connection:
            connection.execute(
                "INSERT INTO conversation_messages (conversation_id, message) VALUES (?, ?)", (session_id, entry)
            )

    return Place(
        SqliteConversationStore(database, now=clock), clock, raw, lambda: SqliteConversationStore(database, now=clock)
    )


def _redis_place(url: str, namespace: str, clock: Clock) -> Place:
    import redis

    def raw(session_id: str, entry: str | bytes) -> None:
        with redis.Redis.from_url(url) as client:
            client.rpush(f"{namespace}:messages:{session_id}", entry)

    def another() -> ConversationStore:
        return RedisConversationStore(url, namespace=namespace, now=clock)

    return Place(another(), clock, raw, another)


@pytest.mark.requirement("I3", "I13")
def test_every_kind_of_message_comes_back_as_it_was(place: Place) -> None:
    session = place.store.create_session("ann")
    assert place.store.add_messages(session.session_id, ALL_KINDS[:3]) == 3
    assert place.store.add_messages(session.session_id, ALL_KINDS[3:]) == len(ALL_KINDS)
    loaded = place.store.load_messages(session.session_id)
    assert loaded == ALL_KINDS
    assert [type(each) for each in loaded] == [type(each) for each in ALL_KINDS]


@pytest.mark.requirement("I3", "I13")
def test_save_replaces_load_returns_and_clear_empties(place: Place) -> None:
    place.store.save_messages("my-own-id", ALL_KINDS)
    place.store.save_messages("my-own-id", [HumanMessage("Again.")])
    assert place.store.load_messages("my-own-id") == [HumanMessage("Again.")]
    place.store.clear_session("my-own-id")
    assert place.store.load_messages("my-own-id") == []
    place.store.save_messages("my-own-id", [])
    assert place.store.session("my-own-id") is not None


@pytest.mark.requirement("I3", "I13")
def test_an_unknown_session_has_no_messages_and_takes_none(place: Place) -> None:
    assert place.store.load_messages("nobody") == []
    assert place.store.session("nobody") is None
    assert not place.store.extend_session("nobody")
    place.store.clear_session("nobody")
    place.store.drop_oldest("nobody", 3)
    with pytest.raises(BadInputError, match="nobody"):
        place.store.add_messages("nobody", ALL_KINDS)
    assert place.store.session("nobody") is None


@pytest.mark.requirement("I8", "I13")
def test_a_new_session_has_a_random_id_its_user_its_times_and_its_metadata(place: Place) -> None:
    before = place.clock()
    made = place.store.create_session("ann", {"system_prompt": "Be kind.", "tags": ["a", 1]})
    assert uuid.UUID(made.session_id).version == 4
    found = place.store.session(made.session_id)
    assert found == made
    assert (made.user_id, made.message_count) == ("ann", 0)
    assert before < made.created_at == made.last_activity < place.clock()
    assert made.metadata == {"system_prompt": "Be kind.", "tags": ["a", 1]}
    place.store.add_messages(made.session_id, [HumanMessage("Hello.")])
    used = place.store.session(made.session_id)
    assert used is not None
    assert used.last_activity > made.last_activity
    assert (used.created_at, used.message_count) == (made.created_at, 1)


@pytest.mark.requirement("I4", "I13")
def test_a_session_ends_a_day_after_its_last_use(place: Place) -> None:
    session_id = place.store.create_session("ann").session_id
    place.clock.time += DAY - 60
    place.store.add_messages(session_id, [HumanMessage("Still here.")])
    place.clock.time += DAY - 60
    assert len(place.store.load_messages(session_id)) == 1
    place.clock.time += 120
    assert place.store.load_messages(session_id) == []
    assert place.store.session(session_id) is None
    assert not place.store.extend_session(session_id)
    assert not place.store.delete_session(session_id)
    with pytest.raises(BadInputError):
        place.store.add_messages(session_id, [HumanMessage("Too late.")])


@pytest.mark.requirement("I4", "I13")
def test_extending_a_session_begins_its_day_anew(place: Place) -> None:
    session_id = place.store.create_session("ann").session_id
    place.clock.time += DAY - 60
    assert place.store.extend_session(session_id)
    place.clock.time += DAY - 60
    assert place.store.session(session_id) is not None
    place.clock.time += 120
    assert place.store.session(session_id) is None


@pytest.mark.requirement("I4", "I13")
def test_an_id_whose_session_has_expired_can_be_used_again_and_starts_empty(place: Place) -> None:
    place.store.save_messages("mine", ALL_KINDS)
    place.clock.time += DAY + 1
    place.store.save_messages("mine", [HumanMessage("New.")])
    assert place.store.load_messages("mine") == [HumanMessage("New.")]


@pytest.mark.requirement("I6", "I13")
def test_two_users_who_talk_in_turns_never_meet(place: Place) -> None:
    ann, bob = place.store.create_session("ann"), place.store.create_session("bob")
    for number in range(5):
        place.store.add_messages(ann.session_id, [HumanMessage(f"Ann {number}")])
        place.store.add_messages(bob.session_id, [HumanMessage(f"Bob {number}")])
    assert [each.text for each in place.store.load_messages(ann.session_id)] == [f"Ann {n}" for n in range(5)]
    assert [each.text for each in place.store.load_messages(bob.session_id)] == [f"Bob {n}" for n in range(5)]
    assert place.store.user_sessions("ann") == [ann.session_id]
    assert place.store.user_sessions("bob") == [bob.session_id]
    place.store.clear_session(ann.session_id)
    place.store.delete_session(ann.session_id)
    assert len(place.store.load_messages(bob.session_id)) == 5


@pytest.mark.requirement("I11", "I13")
def test_the_sessions_of_a_user_come_by_last_use_and_without_expired_ones(place: Place) -> None:
    old = place.store.create_session("ann").session_id
    place.clock.time += DAY / 2
    first, second = (place.store.create_session("ann").session_id for _ in range(2))
    place.store.add_messages(first, [HumanMessage("Hello.")])
    assert place.store.user_sessions("ann") == [first, second, old]
    place.clock.time += DAY / 2 + 1
    assert place.store.user_sessions("ann") == [first, second]
    assert place.store.user_sessions("nobody") == []
    place.clock.time += DAY
    assert place.store.user_sessions("ann") == []


@pytest.mark.requirement("I12", "I13")
def test_deleting_says_whether_there_was_one_and_takes_it_off_the_list(place: Place) -> None:
    kept, gone = (place.store.create_session("ann").session_id for _ in range(2))
    place.store.add_messages(gone, ALL_KINDS)
    assert place.store.delete_session(gone)
    assert not place.store.delete_session(gone)
    assert place.store.user_sessions("ann") == [kept]
    assert place.store.load_messages(gone) == []


@pytest.mark.requirement("I10", "I13")
def test_the_oldest_messages_can_be_dropped(place: Place) -> None:
    session_id = place.store.create_session("ann").session_id
    place.store.add_messages(session_id, ALL_KINDS)
    place.store.drop_oldest(session_id, 0)
    place.store.drop_oldest(session_id, 3)
    assert place.store.load_messages(session_id) == ALL_KINDS[3:]
    place.store.drop_oldest(session_id, 100)
    assert place.store.load_messages(session_id) == []


@pytest.mark.parametrize(
    "entry",
    [
        "{",
        "[]",
        "null",
        b"\xff\xfe",
        '{"type": "os.system", "parts": []}',
        '{"type": "human", "parts": [{"type": "text"}]}',
        '{"type": "human", "parts": 7}',
        '{"type": "human", "parts": [], "surprise": 1}',
        "[" * 3000,
    ],
)
@pytest.mark.requirement("I13")
def test_a_damaged_entry_costs_only_itself_and_is_told(
    place: Place, entry: str | bytes, caplog: pytest.LogCaptureFixture
) -> None:
    session_id = place.store.create_session("ann").session_id
    place.store.add_messages(session_id, [HumanMessage("Before.")])
    place.raw(session_id, entry)
    place.store.add_messages(session_id, [HumanMessage("After.")])
    with caplog.at_level(logging.WARNING):
        loaded = place.store.load_messages(session_id)
    assert [each.text for each in loaded] == ["Before.", "After."]
    assert f"message 2 of session {session_id} is damaged" in caplog.text
    session = place.store.session(session_id)
    assert session is not None
    assert session.message_count == 3  # it stays stored


@pytest.mark.requirement("I13")
def test_what_json_cannot_hold_is_refused_before_anything_is_stored(place: Place) -> None:
    session_id = place.store.create_session("ann").session_id
    odd = HumanMessage("?", additional_kwargs={"lock": threading.Lock()})
    with pytest.raises(BadInputError, match="can't be stored"):
        place.store.add_messages(session_id, [HumanMessage("First."), odd])
    with pytest.raises(BadInputError, match="can't be stored"):
        place.store.save_messages(session_id, [odd])
    with pytest.raises(BadInputError, match="metadata"):
        place.store.create_session("ann", {"of": object()})
    assert place.store.load_messages(session_id) == []
    assert place.store.user_sessions("ann") == [session_id]


@pytest.mark.requirement("I13")
def test_many_threads_lose_no_message(place: Place) -> None:
    session_id = place.store.create_session("ann").session_id

    def add(number: int) -> None:
        place.store.add_messages(session_id, [HumanMessage(f"{number} a"), AIMessage(f"{number} b")])

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(add, range(24)))
    texts = [each.text for each in place.store.load_messages(session_id)]
    assert sorted(texts) == sorted(f"{number} {each}" for number in range(24) for each in "ab")
    assert all(texts[at][:-2] == texts[at + 1][:-2] for at in range(0, 48, 2))  # pairs stay together


@pytest.mark.requirement("I13")
def test_another_store_of_the_same_place_sees_what_was_stored(place: Place) -> None:
    session = place.store.create_session("ann")
    place.store.add_messages(session.session_id, ALL_KINDS)
    other = place.another()
    assert other.load_messages(session.session_id) == ALL_KINDS
    assert other.user_sessions("ann") == [session.session_id]
    other.close()


TEXTS = st.text(max_size=12)
MESSAGES = st.one_of(
    TEXTS.map(HumanMessage),
    TEXTS.map(SystemMessage),
    st.builds(lambda text, call: AIMessage([TextPart(text), ToolCallPart(call, "f", text)]), TEXTS, TEXTS),
    st.builds(lambda text, call: ToolMessage(text, tool_call_id=call), TEXTS, TEXTS),
)


@settings(
    max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
@given(user=TEXTS, batches=st.lists(st.lists(MESSAGES, max_size=4), max_size=3))
@pytest.mark.requirement("I3", "I13")
def test_any_text_of_any_user_survives(place: Place, user: str, batches: list[list[Message]]) -> None:
    session_id = place.store.create_session(user).session_id
    for batch in batches:
        place.store.add_messages(session_id, batch)
    assert place.store.load_messages(session_id) == [each for batch in batches for each in batch]
    assert session_id in place.store.user_sessions(user)
    place.store.delete_session(session_id)


WRITER = """
import sys
from pathlib import Path
from app.domain.message_json import message_from_json
from app.storage.conversation_redis import RedisConversationStore
from app.storage.conversation_sqlite import SqliteConversationStore
from app.storage.session_store import open_chats
import json, os
kind, where, namespace = sys.argv[1:]
if kind == "redis":
    store = RedisConversationStore(where, namespace=namespace)
else:
    store = SqliteConversationStore(open_chats(Path(where)))
session = store.create_session("ann", {"system_prompt": "Be kind."})
store.add_messages(session.session_id, [message_from_json(each) for each in json.load(sys.stdin)])
print(session.session_id, flush=True)
os._exit(0)  # nothing is tidied up
"""


@pytest.mark.parametrize("kind", ["sqlite", "redis"], indirect=True)
@pytest.mark.requirement("I5", "I13")
def test_what_one_process_stored_another_loads(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    from app.domain.message_json import message_to_json

    namespace = f"test:{uuid.uuid4()}"
    where = request.getfixturevalue("redis_server").url if kind == "redis" else str(tmp_path / "chats.db")
    written = subprocess.run(
        [sys.executable, "-c", WRITER, kind, where, namespace],
        input=json.dumps([message_to_json(each) for each in ALL_KINDS]),
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        check=True,
    )
    session_id = written.stdout.strip()
    if kind == "redis":
        store: ConversationStore = RedisConversationStore(where, namespace=namespace)
        assert store.load_messages(session_id) == ALL_KINDS
        assert store.user_sessions("ann") == [session_id]
        store.close()
        return
    database = open_chats(Path(where))
    store = SqliteConversationStore(database)
    assert store.load_messages(session_id) == ALL_KINDS
    assert store.user_sessions("ann") == [session_id]
    database.close()
