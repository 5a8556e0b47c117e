"""What only a server can do to conversations: expire them itself, go away, come back, refuse."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from app.domain.errors import BadInputError, StorageError
from app.domain.messages import AIMessage, HumanMessage, Message
from app.storage.conversation_redis import RedisConversationStore
from tests.storage.redis_server import RedisServer, running_redis

REPOSITORY = Path(__file__).resolve().parents[2]
BEFORE: list[Message] = [HumanMessage("When was the pier built?"), AIMessage("In 1887.")]
AFTER: list[Message] = [HumanMessage("Who built it? " * 20), AIMessage("The town did. " * 20)]


@pytest.fixture
def namespace() -> str:
    return f"test:{uuid.uuid4()}"


@pytest.fixture
def client(redis_server: RedisServer) -> Iterator[Any]:
    import redis

    with redis.Redis.from_url(redis_server.url) as made:
        yield made


@pytest.fixture
def store(redis_server: RedisServer, namespace: str) -> Iterator[RedisConversationStore]:
    made = RedisConversationStore(redis_server.url, namespace=namespace)
    yield made
    made.close()


@pytest.mark.requirement("I4")
def test_every_key_expires_by_itself_a_day_after_the_last_change(
    store: RedisConversationStore, client: Any, namespace: str
) -> None:
    session_id = store.create_session("ann").session_id
    store.add_messages(session_id, BEFORE)
    keys = list(client.scan_iter(f"{namespace}:*"))
    assert len(keys) == 3
    assert all(86_000 < client.ttl(key) <= 86_400 for key in keys)
    for key in keys:
        client.expire(key, 100)
    assert store.extend_session(session_id)
    assert all(86_000 < client.ttl(key) <= 86_400 for key in keys)


@pytest.mark.requirement("I11")
def test_what_the_server_expired_is_not_listed_and_its_id_is_forgotten(
    store: RedisConversationStore, client: Any, namespace: str
) -> None:
    gone, kept = (store.create_session("ann").session_id for _ in range(2))
    client.pexpireat(f"{namespace}:session:{gone}", 1)
    assert store.user_sessions("ann") == [kept]
    assert client.zrange(f"{namespace}:user_sessions:ann", 0, -1) == [kept.encode()]


def test_sessions_without_an_end_stay(redis_server: RedisServer, client: Any, namespace: str) -> None:
    with closing(RedisConversationStore(redis_server.url, namespace=namespace, session_seconds=None)) as store:
        session = store.create_session("ann")
        store.add_messages(session.session_id, BEFORE)
        assert session.expires_at is None
        assert {client.ttl(key) for key in client.scan_iter(f"{namespace}:*")} == {-1}


@pytest.mark.requirement("I6")
def test_programs_with_different_namespaces_do_not_meet(redis_server: RedisServer, namespace: str) -> None:
    with (
        closing(RedisConversationStore(redis_server.url, namespace=f"{namespace}:a")) as one,
        closing(RedisConversationStore(redis_server.url, namespace=f"{namespace}:b")) as other,
    ):
        session_id = one.create_session("ann").session_id
        assert other.session(session_id) is None
        assert other.user_sessions("ann") == []


@pytest.mark.requirement("I5", "I13")
def test_a_server_that_is_killed_and_started_again_has_everything(namespace: str) -> None:
    with running_redis() as server, closing(RedisConversationStore(server.url, namespace=namespace)) as store:
        session_id = store.create_session("ann").session_id
        store.add_messages(session_id, BEFORE)
        server.kill()
        with pytest.raises(StorageError, match="can't be reached"):
            store.add_messages(session_id, AFTER)
        with pytest.raises(StorageError, match="can't be reached"):
            store.load_messages(session_id)
        server.start()
        assert store.load_messages(session_id) == BEFORE
        assert store.add_messages(session_id, AFTER) == 4
        assert store.user_sessions("ann") == [session_id]


class CuttingProxy:
    """Passes on what goes to a server until ``limit`` bytes went there, then cuts the line to both sides."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.limit = 1 << 30
        self.sent = 0
        self._thread = threading.Thread(target=self._serve, name="cutting-proxy")
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            with near, socket.socket(socket.AF_UNIX) as far:
                far.connect(str(self._target))
                back = threading.Thread(target=_pass_on, args=(far, near), name="proxy-back")
                back.start()
                while data := _received(near):
                    room = self.limit - self.sent
                    self.sent += len(data)
                    if room < len(data):
                        far.sendall(data[: max(0, room)])
                        break
                    far.sendall(data)
                for side in (near, far):
                    _shut(side)
                back.join()

    def close(self) -> None:
        _shut(self._listener)
        self._listener.close()
        self._thread.join()


def _received(source: socket.socket) -> bytes:
    try:
        return source.recv(65536)
    except OSError:
        return b""


def _shut(side: socket.socket) -> None:
    try:
        side.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the other side was faster


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    while data := _received(source):
        try:
            target.sendall(data)
        except OSError:
            return


@contextmanager
def cutting(target: Path) -> Iterator[CuttingProxy]:
    proxy = CuttingProxy(target)
    try:
        yield proxy
    finally:
        proxy.close()


@pytest.mark.requirement("I13")
def test_a_line_cut_at_any_byte_of_a_change_leaves_all_of_it_or_nothing(
    redis_server: RedisServer, store: RedisConversationStore, namespace: str
) -> None:
    session_id = store.create_session("ann").session_id
    outcomes = set()
    for limit in range(0, 3_000, 61):
        store.save_messages(session_id, BEFORE)
        with (
            cutting(redis_server.socket) as proxy,
            closing(RedisConversationStore(f"redis://127.0.0.1:{proxy.port}", namespace=namespace)) as cut,
        ):
            cut.session(session_id)
            proxy.limit = proxy.sent + limit
            try:
                cut.add_messages(session_id, AFTER)
                outcome = "stored"
            except StorageError:
                outcome = "refused"
        found = store.load_messages(session_id)
        assert found == (BEFORE + AFTER if outcome == "stored" else BEFORE)
        assert store.user_sessions("ann") == [session_id]
        outcomes.add(outcome)
    assert outcomes == {"stored", "refused"}


def test_nobody_at_the_address_is_said_with_the_address_and_without_the_password(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    address = f"redis://ann:hunter2@127.0.0.1:{port}/0"
    with closing(RedisConversationStore(address)) as store, pytest.raises(StorageError) as refusal:
        store.create_session("ann")
    assert f"127.0.0.1:{port}" in str(refusal.value)
    assert "hunter2" not in str(refusal.value)
    assert "Start the server" in str(refusal.value)


def test_a_wrong_password_is_said(redis_server: RedisServer) -> None:
    address = f"{redis_server.url}?username=ann&password=hunter2"
    refused = pytest.raises(StorageError, match="refuses the password")
    with closing(RedisConversationStore(address)) as store, refused as refusal:
        store.create_session("ann")
    assert "hunter2" not in str(refusal.value)


def test_what_another_program_left_under_our_key_is_an_error_in_words(
    store: RedisConversationStore, client: Any, namespace: str
) -> None:
    client.set(f"{namespace}:session:taken", "not ours")
    with pytest.raises(StorageError, match="refused: WRONGTYPE"):
        store.save_messages("taken", BEFORE)
    assert client.get(f"{namespace}:session:taken") == b"not ours"


def test_damaged_facts_cost_neither_the_session_nor_its_messages(
    store: RedisConversationStore, client: Any, namespace: str
) -> None:
    session_id = store.create_session("ann", {"system_prompt": "Be kind."}).session_id
    store.add_messages(session_id, BEFORE)
    damage = {"metadata": b"\xff{", "created_at": "yesterday", "last_activity": ""}
    client.hset(f"{namespace}:session:{session_id}", mapping=damage)
    found = store.session(session_id)
    assert found is not None
    assert (found.user_id, found.metadata, found.created_at) == ("ann", {}, 0.0)
    assert store.load_messages(session_id) == BEFORE


@pytest.mark.parametrize("url", ["http://127.0.0.1", "127.0.0.1:6379", ""])
def test_what_is_no_address_is_said(url: str) -> None:
    with pytest.raises(BadInputError, match="no address of a Redis server"):
        RedisConversationStore(url)


def test_without_the_package_its_name_and_the_way_to_get_it_are_said() -> None:
    program = (
        "import sys; sys.modules['redis'] = None\n"
        "from app.storage.conversation_redis import RedisConversationStore\n"
        "try: RedisConversationStore('redis://127.0.0.1')\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=REPOSITORY, check=True)
    assert said.stdout.startswith("BadInputError")
    assert "footnote-desktop[redis]" in said.stdout
