"""What the thread that follows folders is told by others."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from app.domain.ingestion import FileOutcome, IngestSummary
from app.services.ingest_job import IngestEvent

log = logging.getLogger(__name__)


@dataclass(slots=True)
class News:
    """What came since the last look: paths that something happened to, files that were read.

    ``limited`` are folders that the system can't watch; ``everything`` says that events were lost, ``ended`` that an
    ingestion has ended.
    """

    changed: set[str] = field(default_factory=set)
    outcomes: list[FileOutcome] = field(default_factory=list)
    limited: set[str] = field(default_factory=set)
    everything: bool = False
    ended: bool = False

    def __bool__(self) -> bool:
        return bool(self.changed or self.outcomes or self.limited or self.everything or self.ended)


class FolderNews:
    """A mailbox: any thread puts in and returns at once, one waits and takes out."""

    def __init__(self) -> None:
        self._lock = threading.Condition()
        self._news = News()
        self._closed = False

    def on_changed(self, path: str) -> None:
        """Something happened to a path."""
        self._post(lambda news: news.changed.add(path))

    def on_overflow(self) -> None:
        """Events were lost."""
        log.warning("events of changed files were lost; all folders are looked through")
        self.look_at_everything()

    def on_limit(self, path: str) -> None:
        """A folder can't be watched."""
        self._post(lambda news: news.limited.add(path))

    def on_ingest_event(self, event: IngestEvent) -> None:
        """Something happened in ingestion."""
        if isinstance(event, FileOutcome):
            self._post(lambda news: news.outcomes.append(event))
        elif isinstance(event, IngestSummary):
            self._post(_note_end)

    def look_at_everything(self) -> None:
        """All folders have to be looked through."""

        def note(news: News) -> None:
            news.everything = True

        self._post(note)

    def close(self) -> None:
        """Nothing more will be taken out."""
        with self._lock:
            self._closed = True
            self._lock.notify_all()

    def wait(self, deadline: float) -> bool:
        """Wait for news, or until ``deadline`` (``time.monotonic``). False once closed."""
        with self._lock:
            while not (self._closed or self._news):
                left = deadline - time.monotonic()
                if left <= 0:
                    break
                self._lock.wait(left)
            return not self._closed

    def take(self) -> News:
        """All that came since the last time."""
        with self._lock:
            news, self._news = self._news, News()
        return news

    def _post(self, note: Callable[[News], None]) -> None:
        with self._lock:
            note(self._news)
            self._lock.notify_all()


def _note_end(news: News) -> None:
    news.ended = True
