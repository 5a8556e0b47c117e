"""The values of settings."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from app.domain.errors import BadInputError
from app.settings.setting import Setting
from app.storage.database import Database

T = TypeVar("T")
Listener = Callable[[Setting[Any]], None]


class SettingsStore:
    """Settings kept in ``chats.db``: ``settings[SETTING]`` is typed. Thread-safe; reading never touches the disk.

    A stored value that is not allowed (any more) counts as the default and is told in ``problems``.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._stored: dict[str, str] = {}
        self._values: dict[str, Any] = {}
        self._declared: dict[str, Setting[Any]] = {}
        self._problems: dict[str, str] = {}
        self._listeners: dict[int, Listener] = {}
        self._next_listener = 0
        self.reload()

    @property
    def problems(self) -> list[str]:
        """Stored values that could not be used, in words, as far as they were asked for."""
        with self._lock:
            return list(self._problems.values())

    @property
    def unusable(self) -> frozenset[str]:
        """Keys of the settings that ``problems`` tells of."""
        with self._lock:
            return frozenset(self._problems)

    def __getitem__(self, setting: Setting[T]) -> T:
        """The stored value, under the setting's key or one it had before, else its default."""
        with self._lock:
            if setting.key not in self._values:
                self._values[setting.key] = self._read(setting)
            self._declared[setting.key] = setting
            value: T = self._values[setting.key]
        return value

    def set(self, setting: Setting[T], value: T) -> None:
        """Store a value and tell the listeners. Raises ``BadInputError`` naming the label and what is allowed."""
        if setting.secret:
            raise ValueError(f"{setting.key} is secret and belongs in the keyring")
        typed = setting.validate(value)
        text = json.dumps(setting.to_plain(typed))
        with self._database.write() as connection:
            connection.executemany("DELETE FROM settings WHERE key = ?", [(key,) for key in setting.was])
            connection.execute("INSERT OR REPLACE INTO settings VALUES (?, ?, ?)", (setting.key, text, time.time()))
        with self._lock:
            self._forget(setting)
            self._stored[setting.key] = text
        self._tell(setting)

    def reset(self, setting: Setting[Any]) -> None:
        """Forget the stored value, so that the default holds again."""
        with self._database.write() as connection:
            keys = [(key,) for key in (setting.key, *setting.was)]
            connection.executemany("DELETE FROM settings WHERE key = ?", keys)
        with self._lock:
            self._forget(setting)
        self._tell(setting)

    def is_set(self, setting: Setting[Any]) -> bool:
        """Whether the user chose a value."""
        with self._lock:
            return any(key in self._stored for key in (setting.key, *setting.was))

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` with each setting that changes, on the thread that changes it. Returns how to stop that."""
        with self._lock:
            key = self._next_listener
            self._next_listener += 1
            self._listeners[key] = listener
        return lambda: self._unsubscribe(key)

    def reload(self) -> None:
        """Read what other processes stored, and tell the listeners what changed."""
        with self._database.read() as connection:
            stored = dict(connection.execute("SELECT key, value FROM settings").fetchall())
        with self._lock:
            changed = {key for key in stored.keys() | self._stored.keys() if stored.get(key) != self._stored.get(key)}
            self._stored = stored
            concerned = [each for each in self._declared.values() if changed & {each.key, *each.was}]
            for setting in concerned:
                self._values.pop(setting.key, None)
                self._problems.pop(setting.key, None)
        for setting in concerned:
            self._tell(setting)

    def _read(self, setting: Setting[T]) -> T:
        text = next((self._stored[key] for key in (setting.key, *setting.was) if key in self._stored), None)
        if text is None or setting.secret:
            return setting.default
        try:
            return setting.validate(json.loads(text))
        except (BadInputError, json.JSONDecodeError) as error:
            reason = (
                str(error) if isinstance(error, BadInputError) else f"{setting.label}: the stored value is damaged."
            )
            self._problems[setting.key] = f"{reason} {setting.to_plain(setting.default)!r} is used instead."
            return setting.default

    def _forget(self, setting: Setting[Any]) -> None:
        self._declared[setting.key] = setting
        self._values.pop(setting.key, None)
        self._problems.pop(setting.key, None)
        for key in (setting.key, *setting.was):
            self._stored.pop(key, None)

    def _tell(self, setting: Setting[Any]) -> None:
        with self._lock:
            listeners = list(self._listeners.values())
        for listener in listeners:
            listener(setting)

    def _unsubscribe(self, key: int) -> None:
        with self._lock:
            self._listeners.pop(key, None)
