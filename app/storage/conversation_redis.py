"""Conversations in Redis, for several programs that share them. Needs the extra ``redis``.

Keys below a namespace: ``session:ID`` is a hash of facts, ``messages:ID`` a list of JSON texts, ``user_sessions:USER``
a sorted set of session ids by last activity. All of them expire with the sessions. Every change is one MULTI/EXEC
transaction, which a server that goes away runs as a whole or not at all.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import urlsplit

from app.domain.errors import BadInputError, StorageError
from app.domain.messages import Message
from app.storage.conversation_store import (
    SESSION_SECONDS,
    Conversation,
    entries_of,
    messages_of,
    metadata_entry,
    metadata_of,
    new_session_id,
    unknown_session,
)
from app.storage.rows import clean

if TYPE_CHECKING:
    from redis import Redis
    from redis.client import Pipeline

T = TypeVar("T")
NAMESPACE = "footnote:chat"
CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 10.0


class RedisConversationStore:
    """Conversations in the Redis server at ``url`` (``redis://``, ``rediss://`` or ``unix://``). Thread-safe.

    Programs that share a server and must not see each other's conversations take different namespaces. The connection
    is made at the first use and again whenever it was lost. Raises ``BadInputError`` for an address that is none and
    where the package is missing; every method raises ``StorageError`` while the server can't be reached or refuses.
    """

    def __init__(
        self,
        url: str,
        *,
        namespace: str = NAMESPACE,
        session_seconds: float | None = SESSION_SECONDS,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._place = _without_secrets(url)
        self._client = _client(url, self._place)
        self._namespace = namespace
        self._session_seconds = session_seconds
        self._now = now

    def create_session(self, user_id: str, metadata: Mapping[str, Any] | None = None) -> Conversation:
        """Begin a session."""
        session_id, now, entry = new_session_id(), self._now(), metadata_entry(metadata)
        user_id = clean(user_id)
        with self._reachable(), self._client.pipeline() as transaction:
            self._write_facts(transaction, session_id, user_id, now, entry)
            self._touch(transaction, session_id, user_id, now)
            transaction.execute()
        return Conversation(session_id, user_id, now, now, self._end(now), metadata_of(entry, session_id))

    def session(self, session_id: str) -> Conversation | None:
        """The session with that id."""
        with self._reachable(), self._client.pipeline() as transaction:
            transaction.hgetall(self._facts_key(session_id))
            transaction.llen(self._messages_key(session_id))
            facts, count = transaction.execute()
        return self._live(session_id, facts, count)

    def load_messages(self, session_id: str) -> list[Message]:
        """Its messages."""
        with self._reachable(), self._client.pipeline() as transaction:
            transaction.hgetall(self._facts_key(session_id))
            transaction.lrange(self._messages_key(session_id), 0, -1)
            facts, entries = transaction.execute()
        return messages_of(entries, session_id) if self._live(session_id, facts, len(entries)) else []

    def save_messages(self, session_id: str, messages: Sequence[Message]) -> None:
        """Replace its messages."""
        entries = entries_of(messages)

        def replace(transaction: Pipeline) -> None:
            found, now = self._watched(transaction, session_id), self._now()
            transaction.multi()
            transaction.delete(self._messages_key(session_id))
            if found is None:
                self._write_facts(transaction, session_id, "", now, metadata_entry(None))
            self._push(transaction, session_id, entries)
            self._touch(transaction, session_id, found.user_id if found else "", now)

        self._change(session_id, replace)

    def add_messages(self, session_id: str, messages: Sequence[Message]) -> int:
        """Add messages."""
        entries = entries_of(messages)

        def add(transaction: Pipeline) -> int:
            found = self._watched(transaction, session_id)
            if found is None:
                raise unknown_session(session_id)
            transaction.multi()
            self._push(transaction, session_id, entries)
            self._touch(transaction, session_id, found.user_id, self._now())
            return found.message_count + len(entries)

        return self._change(session_id, add)

    def drop_oldest(self, session_id: str, count: int) -> None:
        """Take the first messages out."""
        with self._reachable():
            self._client.ltrim(self._messages_key(session_id), max(0, count), -1)

    def clear_session(self, session_id: str) -> None:
        """Take all messages out."""
        with self._reachable():
            self._client.delete(self._messages_key(session_id))

    def extend_session(self, session_id: str) -> bool:
        """Let the session live on."""

        def extend(transaction: Pipeline) -> bool:
            found = self._watched(transaction, session_id)
            transaction.multi()
            if found is not None:
                self._live_on(transaction, session_id, found.user_id, self._now())
            return found is not None

        return self._change(session_id, extend)

    def user_sessions(self, user_id: str) -> list[str]:
        """The ids of a user's sessions, the one used last first. Ids of sessions that have expired are forgotten."""
        key = self._user_key(clean(user_id))
        with self._reachable():
            found: Any = self._client.zrevrange(key, 0, -1)
            ids = [each.decode() for each in found]
            with self._client.pipeline() as transaction:
                for each in ids:
                    transaction.hgetall(self._facts_key(each))
                facts = transaction.execute() if ids else []
            live = {each for each, known in zip(ids, facts, strict=True) if self._live(each, known, 0)}
            if gone := [each for each in ids if each not in live]:
                self._client.zrem(key, *gone)
        return [each for each in ids if each in live]

    def delete_session(self, session_id: str) -> bool:
        """Delete a session."""

        def delete(transaction: Pipeline) -> bool:
            found = self._watched(transaction, session_id)
            transaction.multi()
            transaction.delete(self._facts_key(session_id), self._messages_key(session_id))
            if found is not None:
                transaction.zrem(self._user_key(found.user_id), session_id)
            return found is not None

        return self._change(session_id, delete)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _facts_key(self, session_id: str) -> str:
        return f"{self._namespace}:session:{session_id}"

    def _messages_key(self, session_id: str) -> str:
        return f"{self._namespace}:messages:{session_id}"

    def _user_key(self, user_id: str) -> str:
        return f"{self._namespace}:user_sessions:{user_id}"

    def _change(self, session_id: str, work: Callable[[Pipeline], T]) -> T:
        """Run ``work`` as a transaction, again where another program changed the session meanwhile."""
        with self._reachable():
            key, run = self._facts_key(session_id), cast("Callable[[Pipeline], None]", work)  # its type forgets results
            return cast("T", self._client.transaction(run, key, value_from_callable=True))

    def _watched(self, transaction: Pipeline, session_id: str) -> Conversation | None:
        """The session as it is now; the transaction fails if it changes before the end."""
        facts: Any = transaction.hgetall(self._facts_key(session_id))
        count: Any = transaction.llen(self._messages_key(session_id))
        return self._live(session_id, facts, count)

    def _write_facts(self, transaction: Pipeline, session_id: str, user_id: str, now: float, metadata: str) -> None:
        facts: dict[Any, Any] = {"user_id": user_id, "created_at": repr(now), "metadata": metadata}
        transaction.hset(self._facts_key(session_id), mapping=facts)

    def _push(self, transaction: Pipeline, session_id: str, entries: Sequence[str]) -> None:
        if entries:
            transaction.rpush(self._messages_key(session_id), *entries)

    def _touch(self, transaction: Pipeline, session_id: str, user_id: str, now: float) -> None:
        transaction.hset(self._facts_key(session_id), "last_activity", repr(now))
        transaction.zadd(self._user_key(user_id), {session_id: now})
        self._live_on(transaction, session_id, user_id, now)

    def _live_on(self, transaction: Pipeline, session_id: str, user_id: str, now: float) -> None:
        """Let the keys of a session, and the list of its user, end with its time."""
        if self._session_seconds is None:
            return
        transaction.hset(self._facts_key(session_id), "expires_at", repr(now + self._session_seconds))
        milliseconds = round(self._session_seconds * 1000)
        for key in (self._facts_key(session_id), self._messages_key(session_id), self._user_key(user_id)):
            transaction.pexpire(key, milliseconds)

    def _live(self, session_id: str, facts: Mapping[bytes, bytes], count: int) -> Conversation | None:
        if not facts:
            return None
        expires_at = _time(facts, b"expires_at")
        if expires_at is not None and expires_at <= self._now():
            return None
        return Conversation(
            session_id,
            facts.get(b"user_id", b"").decode("utf-8", "replace"),
            _time(facts, b"created_at") or 0.0,
            _time(facts, b"last_activity") or 0.0,
            expires_at,
            metadata_of(facts.get(b"metadata", b"{}"), session_id),
            count,
        )

    def _end(self, now: float) -> float | None:
        return None if self._session_seconds is None else now + self._session_seconds

    @contextmanager
    def _reachable(self) -> Iterator[None]:
        from redis.exceptions import AuthenticationError, ConnectionError, RedisError, TimeoutError

        try:
            yield
        except AuthenticationError as error:
            raise StorageError(f"The Redis server at {self._place} refuses the password: {error}.") from error
        except (ConnectionError, TimeoutError) as error:
            raise StorageError(
                f"The Redis server at {self._place} can't be reached. What was stored before is safe; the last step "
                "may not be. Start the server again, or choose another place for conversations in the settings."
            ) from error
        except RedisError as error:
            raise StorageError(
                f"The Redis server at {self._place} refused: {error}. What was stored before is safe; the last step is "
                "not stored."
            ) from error


def _client(url: str, place: str) -> Redis:
    try:
        from redis import Redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry
    except ImportError as error:
        raise BadInputError(
            'Conversations in Redis need its package: pip install "footnote-desktop[redis]", or choose another place.'
        ) from error
    try:
        # No silent retries: a transaction whose answer was lost may have run, and must not run twice.
        return Redis.from_url(
            url,
            retry=Retry(NoBackoff(), 0),
            socket_connect_timeout=CONNECT_SECONDS,
            socket_timeout=ANSWER_SECONDS,
        )
    except ValueError as error:
        raise BadInputError(f"{place!r} is no address of a Redis server: {error}") from error


def _without_secrets(url: str) -> str:
    """An address without user name and password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _time(facts: Mapping[bytes, bytes], name: bytes) -> float | None:
    try:
        return float(facts[name])
    except (KeyError, ValueError):
        return None
