"""Changing the embedding model: everything is embedded beside the old vectors, which answer until that is done."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from app.domain.cancellation import CancelToken
from app.domain.errors import UserFacingError, WorkCancelledError
from app.domain.rebuilding import RebuildNews, Rebuilt, TellRebuild, nobody
from app.retrieval.embedder import Embedder
from app.retrieval.embedding_models import open_embedder
from app.retrieval.vector_index import KIND
from app.services.serving_model import ChangedSettings, Settings, model_choice
from app.settings.paths import AppPaths
from app.storage.library_store import LibraryStore

log = logging.getLogger(__name__)

CHUNKS_AT_ONCE = 64
SAMPLE = 48
"""Chunks embedded to estimate how long all will take."""

BUSY_PAUSE_SECONDS = 0.5
REMOVED_AT_ONCE = 500
"""Vectors deleted in one transaction, so that no other write waits long."""


@dataclass(frozen=True, slots=True)
class ModelChangePlan:
    """What a change of the embedding model costs. ``seconds`` is an estimate; 0 where nothing is left to embed."""

    serving: str
    wanted: str
    documents: int
    chunks: int
    seconds: float

    @property
    def needed(self) -> bool:
        """Whether another model is wanted than answers now."""
        return self.serving != self.wanted


class ModelChange:
    """Embeds the library with the wanted model, then lets it answer. Takes up where it was ended.

    ``serve`` opens the new index, waits until it is complete, and makes every later search use it; ``choice`` is how
    the wanted model is opened after a restart. ``busy`` tells that files are being read: their chunks come first, and
    the switch waits for them.
    """

    def __init__(
        self,
        store: LibraryStore,
        open_serving: Callable[[], Embedder],
        open_wanted: Callable[[], Embedder],
        serve: Callable[[Embedder], None],
        choice: Mapping[str, object],
        index_dir: Path,
        busy: Callable[[], bool] = lambda: False,
        *,
        busy_pause: float = BUSY_PAUSE_SECONDS,
    ) -> None:
        self._busy_pause = busy_pause
        self._store = store
        self._open_serving = open_serving
        self._open_wanted = open_wanted
        self._serve = serve
        self._choice = dict(choice)
        self._index_dir = index_dir
        self._busy = busy
        self._token = CancelToken()
        self._thread: threading.Thread | None = None

    @property
    def needed(self) -> bool:
        """Whether another model is wanted than answers now."""
        return self._open_serving().model_key != self._open_wanted().model_key

    def plan(self) -> ModelChangePlan:
        """What the change would cost. Opens the wanted model and embeds a few chunks with it, storing nothing.

        Raises ``ModelFileError`` for a model that can't be used.
        """
        serving, wanted = self._open_serving().model_key, self._open_wanted().model_key
        if serving == wanted:
            return ModelChangePlan(serving, wanted, 0, 0, 0.0)
        work = self._store.embedding_work(wanted)
        return ModelChangePlan(serving, wanted, work.documents, work.chunks, work.chunks * self._seconds_a_chunk())

    def run(self, progress: Callable[[int, int], None] = lambda done, total: None) -> None:
        """Embed what is missing and switch. ``progress`` gets (chunks done, chunks in all).

        Raises ``WorkCancelledError`` after ``close``, ``ModelFileError`` and ``StorageError``. Whatever ends it, what
        was embedded is kept, and the old model goes on answering.
        """
        wanted = self._open_wanted()
        total = self._store.embedding_work(wanted.model_key).chunks
        before, done = -1, 0
        while done != before or self._busy():  # files that were added meanwhile need another round
            self._pause_while_busy()
            before, done = done, self._embed_missing(wanted, done, lambda count: progress(count, max(count, total)))
        if self.needed:
            self._serve(wanted)
        self._store.set_serving_model(wanted.model_key, self._choice)
        self._remove_old(wanted.model_key)

    def start(self, tell: TellRebuild = nobody) -> None:
        """Run in the background. ``tell`` is called there."""
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._run_in_background, args=(tell,), name="model-change", daemon=True
            )
            self._thread.start()

    def close(self) -> None:
        """Stop; the next ``run`` goes on from here."""
        self._token.cancel()
        if self._thread is not None:
            self._thread.join()

    def discard(self) -> None:
        """Free the wanted model after a plan that nobody carries out, or a run that was stopped."""
        wanted = self._open_wanted()
        if wanted is not self._open_serving():
            wanted.close()

    def _embed_missing(self, wanted: Embedder, done: int, progress: Callable[[int], None]) -> int:
        """One round over all chunks. Returns ``done`` and those of this round."""
        after = 0
        while chunks := self._store.chunks_to_embed(wanted.model_key, after, CHUNKS_AT_ONCE):
            self._token.raise_if_cancelled()
            vectors = wanted.embed_passages([chunk.embed_text for chunk in chunks]).astype("<f2")
            rows = [(chunk.chunk_id, vector.tobytes()) for chunk, vector in zip(chunks, vectors, strict=True)]
            self._store.store_vectors(wanted.model_key, rows)
            after = chunks[-1].chunk_id
            done += len(chunks)
            progress(done)
            self._pause_while_busy()
        return done

    def _pause_while_busy(self) -> None:
        """Files that the user has just added come first."""
        while self._busy():
            self._token.raise_if_cancelled()
            time.sleep(self._busy_pause)

    def _seconds_a_chunk(self) -> float:
        wanted = self._open_wanted()
        chunks = self._store.chunks_to_embed(wanted.model_key, 0, SAMPLE)
        if not chunks:
            return 0.0
        wanted.embed_passages([chunks[0].embed_text])  # the first opens the engine
        started = time.perf_counter()
        wanted.embed_passages([chunk.embed_text for chunk in chunks])
        return (time.perf_counter() - started) / len(chunks)

    def _remove_old(self, serving: str) -> None:
        for model_key in self._store.other_models(serving):
            after: int | None = 0
            while after is not None:
                self._token.raise_if_cancelled()
                after = self._store.remove_vectors(model_key, serving, after, REMOVED_AT_ONCE)
            segments = self._store.index_segments(KIND, model_key)
            self._store.delete_segments(KIND, model_key)
            for segment in segments:
                with suppress(PermissionError):  # Windows keeps what another process still reads
                    (self._index_dir / segment.file_name).unlink(missing_ok=True)

    def _run_in_background(self, tell: TellRebuild) -> None:
        try:
            self.run(lambda done, total: tell(RebuildNews(Rebuilt.MODEL, done, total)))
            end = RebuildNews(Rebuilt.MODEL, ended=True)
        except WorkCancelledError:
            log.info("the change of the search model goes on at the next start")
            end = RebuildNews(Rebuilt.MODEL, ended=True, stopped=True)
        except UserFacingError as error:  # the edge of a thread; the old model goes on answering
            log.warning("the search model could not be changed: %s", error)
            end = RebuildNews(Rebuilt.MODEL, ended=True, problem=str(error))
        tell(end)


def make_model_change(
    store: LibraryStore,
    settings: Settings,
    paths: AppPaths,
    changed: Mapping[str, object] | None,
    open_serving: Callable[[], Embedder],
    open_wanted: Callable[[], Embedder],
    serve: Callable[[Embedder], None],
    *,
    busy: Callable[[], bool],
) -> ModelChange:
    """The change to the model of the settings, which ``open_wanted`` opens, or to other values of them, by key."""
    if changed is None:
        return ModelChange(store, open_serving, open_wanted, serve, model_choice(settings), paths.index_dir, busy)
    wanted = ChangedSettings(settings, changed)
    embedder = open_embedder(wanted, paths)
    return ModelChange(store, open_serving, lambda: embedder, serve, model_choice(wanted), paths.index_dir, busy)
