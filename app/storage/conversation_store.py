"""Conversations of users with messages of every kind: one protocol for three stores, and the one that needs no disk.

Chats of the window live in ``SessionStore``; these are for programs and for the server, where many users talk and
sessions end by themselves.
"""

from __future__ import annotations

import json
import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from app.domain.chat_errors import ChatInputError
from app.domain.errors import BadInputError
from app.domain.message_json import message_from_json, message_to_json
from app.domain.messages import Message

log = logging.getLogger(__name__)

SESSION_SECONDS = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Conversation:
    """A session of ``user_id``, without its messages. Times are Unix times; ``expires_at`` None never comes."""

    session_id: str
    user_id: str
    created_at: float
    last_activity: float
    expires_at: float | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    message_count: int = 0


class ConversationStore(Protocol):
    """Where conversations are kept. Thread-safe.

    A session ends ``session_seconds`` after its last change or extension; from then on it is as unknown as one that
    never was. What a method stored is there whole or, if it raised, not at all. Stores of a disk or a server raise
    ``StorageError``. An entry that can't be read is left out of ``load_messages``, told in the log, and stays stored.
    """

    def create_session(self, user_id: str, metadata: Mapping[str, Any] | None = None) -> Conversation:
        """Begin a session with a random id (UUID 4). Raises ``BadInputError`` if ``metadata`` is no JSON object."""
        ...

    def session(self, session_id: str) -> Conversation | None:
        """The session with that id; None if it is unknown."""
        ...

    def load_messages(self, session_id: str) -> list[Message]:
        """Its messages, oldest first; none if it is unknown."""
        ...

    def save_messages(self, session_id: str, messages: Sequence[Message]) -> None:
        """Replace its messages. An unknown session is made, without a user. Raises ``BadInputError`` as ``add``."""
        ...

    def add_messages(self, session_id: str, messages: Sequence[Message]) -> int:
        """Add messages at the end; returns how many there are then.

        Raises ``BadInputError`` if the session is unknown, or a message holds what JSON can't.
        """
        ...

    def drop_oldest(self, session_id: str, count: int) -> None:
        """Take the first ``count`` messages out."""
        ...

    def clear_session(self, session_id: str) -> None:
        """Take all messages out; the session stays."""
        ...

    def extend_session(self, session_id: str) -> bool:
        """Let the session live for its full time again; False if it is unknown."""
        ...

    def user_sessions(self, user_id: str) -> list[str]:
        """The ids of a user's sessions, the one used last first."""
        ...

    def delete_session(self, session_id: str) -> bool:
        """Delete a session with its messages; False if it is unknown."""
        ...

    def close(self) -> None:
        """Let go of files and connections."""
        ...


def new_session_id() -> str:
    """A random session id."""
    return str(uuid.uuid4())


def unknown_session(session_id: str) -> BadInputError:
    """The error for a session that is unknown."""
    return BadInputError(f"There is no session {session_id!r}: it was deleted, it expired, or it never was.")


def entries_of(messages: Iterable[Message]) -> list[str]:
    """Messages as JSON texts. Raises ``BadInputError`` for what JSON can't hold, before anything is stored."""
    return [_plain(message_to_json(each), "The message") for each in messages]


def metadata_entry(metadata: Mapping[str, Any] | None) -> str:
    """Metadata as a JSON text. Raises ``BadInputError`` for what JSON can't hold."""
    return _plain(dict(metadata or {}), "The metadata of the session")


def _plain(value: Any, what: str) -> str:
    try:
        return json.dumps(value)  # escapes all but ASCII, so that lone surrogates survive in stores of UTF-8
    except (TypeError, ValueError, RecursionError) as error:
        raise BadInputError(f"{what} can't be stored: {error}. Use texts, numbers, lists and objects only.") from error


def messages_of(entries: Iterable[str | bytes], session_id: str) -> list[Message]:
    """The messages that ``entries_of`` wrote; what is damaged is left out."""
    found: list[Message] = []
    for number, entry in enumerate(entries, start=1):
        try:
            found.append(message_from_json(json.loads(entry)))
        except (ChatInputError, ValueError, AttributeError, RecursionError) as error:
            log.warning("message %d of session %s is damaged and left out: %s", number, session_id, error)
    return found


def metadata_of(entry: str | bytes, session_id: str) -> dict[str, Any]:
    """The metadata that ``metadata_entry`` wrote; none where it is damaged."""
    try:
        return dict(json.loads(entry))
    except (TypeError, ValueError, RecursionError) as error:
        log.warning("the metadata of session %s is damaged and left out: %s", session_id, error)
        return {}


class InMemoryConversationStore:
    """Conversations in memory, for as long as the program runs. Thread-safe."""

    def __init__(
        self, *, session_seconds: float | None = SESSION_SECONDS, now: Callable[[], float] = time.time
    ) -> None:
        self._session_seconds = session_seconds
        self._now = now
        self._lock = threading.Lock()
        self._sessions: dict[str, Conversation] = {}
        self._entries: dict[str, list[str]] = {}

    def create_session(self, user_id: str, metadata: Mapping[str, Any] | None = None) -> Conversation:
        """Begin a session."""
        kept = metadata_of(metadata_entry(metadata), "")
        with self._lock:
            return self._made(new_session_id(), user_id, kept)

    def session(self, session_id: str) -> Conversation | None:
        """The session with that id."""
        with self._lock:
            found = self._live(session_id)
            return found and replace(found, message_count=len(self._entries[session_id]))

    def load_messages(self, session_id: str) -> list[Message]:
        """Its messages."""
        with self._lock:
            entries = list(self._entries[session_id]) if self._live(session_id) else []
        return messages_of(entries, session_id)

    def save_messages(self, session_id: str, messages: Sequence[Message]) -> None:
        """Replace its messages."""
        entries = entries_of(messages)
        with self._lock:
            if self._live(session_id) is None:
                self._made(session_id, "", {})
            self._entries[session_id] = entries
            self._use(session_id)

    def add_messages(self, session_id: str, messages: Sequence[Message]) -> int:
        """Add messages."""
        entries = entries_of(messages)
        with self._lock:
            if self._live(session_id) is None:
                raise unknown_session(session_id)
            self._entries[session_id] += entries
            self._use(session_id)
            return len(self._entries[session_id])

    def drop_oldest(self, session_id: str, count: int) -> None:
        """Take the first messages out."""
        with self._lock:
            if self._live(session_id):
                del self._entries[session_id][:count]

    def clear_session(self, session_id: str) -> None:
        """Take all messages out."""
        with self._lock:
            if self._live(session_id):
                self._entries[session_id] = []

    def extend_session(self, session_id: str) -> bool:
        """Let the session live on."""
        with self._lock:
            if (found := self._live(session_id)) is None:
                return False
            self._sessions[session_id] = replace(found, expires_at=self._end())
            return True

    def user_sessions(self, user_id: str) -> list[str]:
        """The ids of a user's sessions, the one used last first."""
        with self._lock:
            mine = [each for key in list(self._sessions) if (each := self._live(key)) and each.user_id == user_id]
        return [each.session_id for each in sorted(mine, key=lambda each: each.last_activity, reverse=True)]

    def delete_session(self, session_id: str) -> bool:
        """Delete a session."""
        with self._lock:
            known = self._live(session_id) is not None
            self._forget(session_id)
            return known

    def close(self) -> None:
        """Nothing to let go of."""

    def _made(self, session_id: str, user_id: str, metadata: Mapping[str, Any]) -> Conversation:
        now = self._now()
        self._sessions[session_id] = Conversation(session_id, user_id, now, now, self._end(), metadata)
        self._entries[session_id] = []
        return self._sessions[session_id]

    def _use(self, session_id: str) -> None:
        found = self._sessions[session_id]
        self._sessions[session_id] = replace(found, last_activity=self._now(), expires_at=self._end())

    def _end(self) -> float | None:
        return None if self._session_seconds is None else self._now() + self._session_seconds

    def _live(self, session_id: str) -> Conversation | None:
        found = self._sessions.get(session_id)
        if found is not None and found.expires_at is not None and found.expires_at <= self._now():
            self._forget(session_id)
            return None
        return found

    def _forget(self, session_id: str) -> None:
        self._sessions.pop(session_id, None)
        self._entries.pop(session_id, None)
