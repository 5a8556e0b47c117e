"""The real services with two parts exchanged, which tell what they do and embed in no time."""

from __future__ import annotations

import errno
import hashlib
import os
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from app.bootstrap import Services
from app.domain.cancellation import CancelToken
from app.domain.documents import FileStamp, ParsedDocument
from app.loaders.parser_limits import ParserLimits
from app.loaders.parser_pool import ParserPool
from app.loaders.registry import load_document, loaders
from app.settings.paths import AppPaths
from app.storage.database import Database
from app.storage.library_store import LibraryStore

if TYPE_CHECKING:
    from app.retrieval.embedder import Embedder

MODEL = "stand-in-24"
DIMENSION = 24

Tell = Callable[[str], None]


def text_key(text: str) -> str:
    """Identifies an embedded text."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:24]


class EmbeddedTexts:
    """A file with a line for each text that was ever embedded; a kill loses none of them."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def note(self, texts: Sequence[str]) -> None:
        lines = "".join(f"{text_key(text)}\n" for text in texts).encode()
        descriptor = os.open(self._path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
        try:
            before = os.fstat(descriptor).st_size
            if os.write(descriptor, lines) < len(lines):  # the disk was full in the middle of it
                os.ftruncate(descriptor, before)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        finally:
            os.close(descriptor)

    def keys(self) -> list[str]:
        return self._path.read_text().split() if self._path.exists() else []


class StandInEmbedder:
    """Adds up a vector per word drawn from the word's hash: equal texts are equal, similar ones near each other."""

    model_key = MODEL
    dimension = DIMENSION
    max_tokens = 128

    def __init__(self, embedded: EmbeddedTexts, tell: Tell) -> None:
        self._embedded = embedded
        self._tell = tell

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self._tell("embed")
        self._embedded.note(texts)
        vectors = [self.embed_query(text) for text in texts]
        self._tell("embedded")
        return np.stack(vectors) if vectors else np.empty((0, DIMENSION), np.float32)

    def embed_query(self, text: str) -> NDArray[np.float32]:
        total = np.full(DIMENSION, 1e-3, dtype=np.float64)
        for word in text.lower().split():
            digest = hashlib.blake2b(word.encode("utf-8", "replace"), digest_size=DIMENSION).digest()
            total += np.frombuffer(digest, dtype=np.uint8).astype(np.float64) - 127.5
        return np.asarray(total / np.linalg.norm(total), dtype=np.float32)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) + 2 for text in texts]

    def close(self) -> None:
        pass


class RecordedEmbedder:
    """The real embedding model, with a line for each text it embeds."""

    def __init__(self, real: Embedder, embedded: EmbeddedTexts, tell: Tell) -> None:
        self._real = real
        self._embedded = embedded
        self._tell = tell

    @property
    def model_key(self) -> str:
        return self._real.model_key

    @property
    def dimension(self) -> int:
        return self._real.dimension

    @property
    def max_tokens(self) -> int:
        return self._real.max_tokens

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self._tell("embed")
        self._embedded.note(texts)
        vectors = self._real.embed_passages(texts)
        self._tell("embedded")
        return vectors

    def embed_query(self, text: str) -> NDArray[np.float32]:
        return self._real.embed_query(text)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self._real.count_tokens(texts)

    def close(self) -> None:
        self._real.close()


class ToldParser(ParserPool):
    """The real parser processes; ``here`` reads in this process instead, which saves starting them."""

    def __init__(self, limits: ParserLimits, tell: Tell, *, here: bool) -> None:
        super().__init__(limits=limits)
        self._told = tell
        self._here = loaders(limits=limits) if here else None
        self._own_limits = limits
        self._one_at_a_time = threading.Lock()  # PDFium knows no threads

    def parse(self, path: Path, cancel: CancelToken | None = None) -> ParsedDocument:
        self._told("parse")
        if self._here is not None:
            with self._one_at_a_time:
                return load_document(path, self._own_limits, self._here)
        return super().parse(path, cancel)


class ToldStore(LibraryStore):
    """The real store."""

    def __init__(self, database: Database, tell: Tell) -> None:
        super().__init__(database)
        self._tell = tell

    def enqueue_many(self, files: Iterable[tuple[Path, FileStamp]], **options: Any) -> None:
        super().enqueue_many(files, **options)
        self._tell("queued")


class FaultServices(Services):
    """The services of a library, told of. ``real`` keeps the real embedding model; ``pool`` the parser processes."""

    def __init__(
        self,
        paths: AppPaths,
        *,
        writer: bool,
        tell: Tell = lambda event: None,
        real: bool = False,
        pool: bool = True,
        busy_seconds: float | None = None,
    ) -> None:
        self._tell_event = tell
        self._real = real
        self._pool = pool
        super().__init__(paths, writer=writer)
        self._store = ToldStore(self._library_database, tell)
        if busy_seconds is not None:
            self._library_database._busy_seconds = busy_seconds  # for the connections of other threads

    @property
    def embedded(self) -> EmbeddedTexts:
        return EmbeddedTexts(self.paths.data.parent / "embedded.txt")

    def _make_embedder(self) -> Embedder:
        if self._real:
            return RecordedEmbedder(super()._make_embedder(), self.embedded, self._tell_event)
        return StandInEmbedder(self.embedded, self._tell_event)

    def _make_parser(self) -> ParserPool:
        return ToldParser(ParserLimits.from_settings(self.settings), self._tell_event, here=not self._pool)


def paths_in(home: Path) -> AppPaths:
    """The folders of a library in ``home``."""
    return AppPaths.from_environment({"FOOTNOTE_HOME": str(home)})
