"""What the window needs of the services below it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from app.domain.cancellation import CancelToken
from app.domain.documents import Box, DocumentRecord, SectionKind
from app.domain.ingestion import FileOutcome, IngestProgress, IngestSummary
from app.domain.passages import Scope
from app.domain.turns import SessionRecord, StoredMessage, TurnEvent
from app.settings.setting import Setting, T

IngestEvent = IngestProgress | FileOutcome | IngestSummary


class SectionView(Protocol):
    """A section of a stored document: ``text[start:end]``."""

    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...
    @property
    def page(self) -> int | None: ...
    @property
    def kind(self) -> SectionKind: ...


class SourceView(Protocol):
    """A document with its extracted text."""

    @property
    def record(self) -> DocumentRecord: ...
    @property
    def text(self) -> str: ...
    @property
    def sections(self) -> Sequence[SectionView]: ...
    @property
    def changed(self) -> bool: ...
    @property
    def file(self) -> Path | None: ...


class RunningIngest(Protocol):
    """One ingestion under way."""

    @property
    def progress(self) -> IngestProgress: ...

    def cancel(self) -> None: ...


class Ingest(Protocol):
    """Files in, searchable passages out. Events come on worker threads."""

    @property
    def active_jobs(self) -> Sequence[RunningIngest]: ...

    def add(self, paths: Sequence[Path], *, priority: int = 0) -> RunningIngest: ...
    def resume_pending(self) -> RunningIngest | None: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def subscribe(self, listener: Callable[[IngestEvent], None]) -> Callable[[], None]: ...


class Library(Protocol):
    """The documents."""

    @property
    def supported_extensions(self) -> frozenset[str]: ...

    def documents(self) -> Sequence[DocumentRecord]: ...
    def remove(self, what: int) -> Any: ...
    def source(self, document_id: int) -> SourceView: ...
    def file(self, path: Path) -> Path | None: ...
    def boxes(self, document_id: int, start: int, end: int) -> tuple[int | None, tuple[Box, ...]]: ...


class Chat(Protocol):
    """Answers with footnotes."""

    def stream_answer(
        self,
        session_id: str,
        question: str,
        *,
        model: str | None = None,
        scope: Scope = ...,
        cancel: CancelToken | None = None,
        replace: bool = False,
    ) -> Iterator[TurnEvent]: ...


class Sessions(Protocol):
    """Chat sessions and their messages."""

    def create(self, title: str = "") -> SessionRecord: ...
    def sessions(self) -> Sequence[SessionRecord]: ...
    def rename(self, session_id: str, title: str) -> Any: ...
    def delete(self, session_id: str) -> Any: ...
    def messages(self, session_id: str) -> Sequence[StoredMessage]: ...
    def recover(self) -> int: ...


class Settings(Protocol):
    """Typed settings."""

    def __getitem__(self, setting: Setting[T]) -> T: ...
    def set(self, setting: Setting[T], value: T) -> Any: ...
    def reset(self, setting: Setting[Any]) -> Any: ...


class Services(Protocol):
    """Everything the window talks to."""

    @property
    def settings(self) -> Settings: ...
    @property
    def library(self) -> Library: ...
    @property
    def ingest(self) -> Ingest: ...
    @property
    def chat(self) -> Chat: ...
    @property
    def sessions(self) -> Sessions: ...

    def close(self) -> None: ...
