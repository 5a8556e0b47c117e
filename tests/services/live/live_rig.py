"""A library whose folders stay live, with everything real but the embedding model."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from app.domain.documents import DocumentState
from app.domain.folders import ChangeKind, FolderChange
from app.services.ingest_job import IngestEvent
from app.services.live_folders import LiveFolders
from app.settings.setting import Setting
from tests.services.conftest import Rig

T = TypeVar("T")
DEADLINE_SECONDS = 20.0
LONG = "\n\n".join(f"Paragraph number {number} tells about subject {number * 7}. " * 6 for number in range(12))


class DefaultSettings:
    """Every setting as declared, unless it was given."""

    def __init__(self, changed: dict[str, object] | None = None) -> None:
        self._changed = changed or {}

    def __getitem__(self, setting: Setting[T]) -> T:
        return setting.validate(self._changed.get(setting.key, setting.default))


@dataclass
class LiveRig:
    """Live folders over an ingest rig. Waiting means: until an event after which a condition holds."""

    rig: Rig
    folders: LiveFolders
    changes: list[FolderChange] = field(default_factory=list)
    news: threading.Condition = field(default_factory=threading.Condition)

    def __post_init__(self) -> None:
        self.folders.subscribe(self.note)
        self.rig.service.subscribe(self.note)

    def note(self, event: FolderChange | IngestEvent) -> None:
        with self.news:
            if isinstance(event, FolderChange):
                self.changes.append(event)
            self.news.notify_all()

    def until(self, condition: Callable[[], object], what: str = "") -> None:
        """Wait for an event after which ``condition`` holds; fail after a deadline."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        with self.news:
            while not condition():
                left = deadline - time.monotonic()
                seen = "\n".join(f"{each.kind} {each.path} {each.message}" for each in self.changes[-20:])
                states = "\n".join(f"{name}: {state}" for name, state in self.states().items())
                assert left > 0, f"{what or 'it'} did not happen\n{seen}\n{states}"
                self.news.wait(left)

    def states(self) -> dict[str, DocumentState]:
        return {record.path.name: record.state for record in self.rig.store.documents()}

    def is_ready(self, *paths: Path) -> bool:
        records = [self.rig.store.document_by_path(path) for path in paths]
        return all(
            record is not None
            and record.state is DocumentState.READY
            and is_current(record.path, record.stamp.mtime_ns)
            for record in records
        )

    def is_gone(self, *paths: Path) -> bool:
        return all(self.rig.store.document_by_path(path) is None for path in paths)

    def is_offline(self, *paths: Path) -> bool:
        records = [self.rig.store.document_by_path(path) for path in paths]
        return all(record is not None and record.state is DocumentState.OFFLINE for record in records)

    def text_of(self, path: Path) -> str:
        record = self.rig.store.document_by_path(path)
        return self.rig.store.document_text(record.id) if record else ""

    def happened(self, kind: ChangeKind, path: Path) -> bool:
        return any(each.kind is kind and each.path == path for each in self.changes)

    @property
    def embedded(self) -> int:
        """How many texts were embedded so far."""
        return len(self.rig.embedder.embedded)


def is_current(path: Path, mtime_ns: int) -> bool:
    return path.stat().st_mtime_ns == mtime_ns
