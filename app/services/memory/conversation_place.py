"""Where conversations are kept, and how long, by the settings."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, TypeVar

from app.settings.setting import Setting
from app.storage.conversation_sqlite import SqliteConversationStore
from app.storage.conversation_store import ConversationStore, InMemoryConversationStore

if TYPE_CHECKING:
    from app.storage.database import Database

T = TypeVar("T")
REDIS_VARIABLE = "FOOTNOTE_REDIS_URL"
_SECONDS_AN_HOUR = 3600.0


class ConversationPlace(StrEnum):
    """A kind of store."""

    SQLITE = "sqlite"
    REDIS = "redis"
    MEMORY = "memory"


PLACE = Setting(
    "conversations.place",
    ConversationPlace.SQLITE,
    "Conversations of programs",
    "Where conversations through the programming interface are kept. sqlite: beside your chats. redis: in a Redis "
    "server, for several computers. memory: until Footnote is closed.",
    restart=True,
)
REDIS_ADDRESS = Setting(
    "conversations.redis",
    "redis://localhost:6379",
    "Redis server",
    f"Its address. One with a password belongs in the environment variable {REDIS_VARIABLE} instead.",
    restart=True,
)
SESSION_HOURS = Setting(
    "conversations.hours",
    24.0,
    "Hours a conversation lives",
    "How long after its last use a conversation through the programming interface ends.",
    minimum=0.1,
    maximum=24.0 * 366,
    restart=True,
)
LONGEST_HISTORY = Setting(
    "conversations.turns",
    50,
    "Turns a conversation keeps",
    "How many turns of a conversation through the programming interface are kept; the oldest go.",
    minimum=1,
    maximum=10_000,
    restart=True,
)


class Settings(Protocol):
    """Where values of settings come from."""

    def __getitem__(self, setting: Setting[T]) -> T: ...


def open_conversations(
    settings: Settings, database: Database, environ: Mapping[str, str], profile: str
) -> ConversationStore:
    """The store that the settings ask for; profiles never share one. Raises ``BadInputError`` as the stores do."""
    seconds = settings[SESSION_HOURS] * _SECONDS_AN_HOUR
    place = settings[PLACE]
    if place is ConversationPlace.MEMORY:
        return InMemoryConversationStore(session_seconds=seconds)
    if place is ConversationPlace.SQLITE:
        return SqliteConversationStore(database, session_seconds=seconds)
    from app.storage.conversation_redis import NAMESPACE, RedisConversationStore

    namespace = f"{NAMESPACE}:{profile}" if profile else NAMESPACE
    url = environ.get(REDIS_VARIABLE) or settings[REDIS_ADDRESS]
    return RedisConversationStore(url, namespace=namespace, session_seconds=seconds)
