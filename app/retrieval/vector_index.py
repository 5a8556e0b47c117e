"""The vector index: a cache of the library's vectors.

It is made of immutable segments (FAISS files) and of blocks in memory that have no file yet. Small ones are searched
exactly; large ones are quantised, and their best candidates compared with the vectors in the library's database. Which
rows count is decided by the database alone: opening compares the segments with it, takes what is missing from there
and ignores what is gone. So a damaged, missing or outdated file costs time, never a wrong answer, and nothing is
embedded again. Large amounts without a file wait until a segment was made of them in the background; searches go on
meanwhile with what there is.

A segment is written in numbered steps; a process may die between any two of them:
1. the vectors are committed in the database (by ingestion, long before);
2. the file is written aside;  3. it is made durable;  4. it gets its name;  5. the folder is made durable;
6. one transaction records the segment with its checksums and forgets those it replaces;
7. the files it replaces are deleted.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.domain.errors import StorageError, WorkCancelledError
from app.retrieval.segment_files import DamagedSegmentError, Step
from app.retrieval.segment_policy import IndexLimits, PartSize, parts_to_rewrite
from app.retrieval.vector_blocks import FaissBlock, MemoryBlock, pages
from app.retrieval.vector_parts import Part, cosines_in_parts, live_ids, reconcile, search_parts, set_live
from app.retrieval.vector_quantised import QuantisedBlock
from app.retrieval.vector_segments import KIND, VectorSegments
from app.storage.library_values import ChangesPrunedError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from app.storage.chunk_scope import ChunkScope
    from app.storage.library_store import LibraryStore

__all__ = ["KIND", "VectorIndex", "VectorIndexStatus"]

WORTH_A_FILE_AT_CLOSE = 256
"""Fewer new rows than this are read from the database at the next start just as quickly."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class VectorIndexStatus:
    """Searchable vectors, files, rows without a file, removed rows still in files, and the last problem with files.

    ``waiting`` are vectors that are not searched yet: a segment is being made of them. ``quantised`` counts files.
    """

    vectors: int
    segments: int
    unsaved: int
    tombstones: int
    sequence: int
    problem: str = ""
    waiting: int = 0
    quantised: int = 0


class VectorIndex:
    """Finds the chunks nearest to a query among those of one embedding model.

    ``writer`` is for the process that holds the library's lock; any other only reads, and takes from the database
    what the files lack. Searches never wait for anything: they use the parts as they were when they began. Every
    method may raise ``StorageError``. Without ``background`` nothing waits either: what has no file is loaded at
    once, and segments are written by ``maintain`` and ``close`` only. ``on_step`` is told each step of writing.
    """

    def __init__(
        self,
        store: LibraryStore,
        directory: Path,
        model_key: str,
        dimension: int,
        *,
        writer: bool = True,
        background: bool = True,
        limits: IndexLimits | None = None,
        on_step: Step = lambda step: None,
    ) -> None:
        self._store = store
        self._model_key = model_key
        self._dimension = dimension
        self._writer = writer
        self._background = background and writer
        self._limits = limits or IndexLimits()
        self._on_step = on_step
        self._segments = VectorSegments(store, directory, model_key, dimension, on_step)
        self._parts: tuple[Part, ...] = ()
        self._waiting: NDArray[np.int64] | None = None  # ids, ascending, that no part has yet
        self._sequence = 0
        self._problem = ""
        self._change_lock = threading.Lock()  # held while parts are exchanged
        self._rewrite_lock = threading.Lock()  # held while a segment is written
        self._closing = threading.Event()
        self._maintenance: threading.Thread | None = None

    @property
    def sequence(self) -> int:
        """The library's change that this index has reached; older ones may be pruned from the log."""
        return self._sequence

    @property
    def model_key(self) -> str:
        """The embedding model whose vectors these are."""
        return self._model_key

    def open(self) -> None:
        """Load the segments and catch up with the database."""
        with self._change_lock:
            self._reconcile(self._load_segments())
        if self._writer:
            self._segments.remove_leftovers(self._parts)
            self._start_maintenance()

    def refresh(self) -> None:
        """Take over what changed in the database since the last call."""
        with self._change_lock:
            self._catch_up()
        if self._writer:
            self._start_maintenance()

    def follow(self) -> None:
        """Take over changes as a search may: without waiting for one who is at it already."""
        if self._change_lock.acquire(blocking=False):
            try:
                self._catch_up()
            finally:
                self._change_lock.release()

    def search(self, query: NDArray[np.float32], k: int, scope: ChunkScope | None = None) -> list[tuple[int, float]]:
        """The at most ``k`` nearest chunks as (chunk id, cosine), best first, equal ones by id.

        ``query`` has shape (dimension,) and length one.
        """
        if query.shape != (self._dimension,):
            raise ValueError(f"a query of shape {query.shape} for vectors of {self._dimension} dimensions")
        return search_parts(self._parts, query, k, scope, self._stored)

    def cosines(self, query: NDArray[np.float32], chunk_ids: Sequence[int]) -> dict[int, float]:
        """Cosines of these chunks, as far as they have a vector."""
        return cosines_in_parts(self._parts, query, chunk_ids, self._stored)

    def maintain(self, *, save_all: bool = False) -> None:
        """Write what has no file yet (small amounts only if ``save_all``) and merge segments where that is due."""
        with self._rewrite_lock, suppress(WorkCancelledError):
            while not self._closing.is_set() and self._rewrite_next(save_all=save_all):
                pass

    def wait(self, timeout: float | None = None) -> None:
        """Wait until the work in the background has ended, at most ``timeout`` seconds."""
        maintenance = self._maintenance
        if maintenance is not None:
            maintenance.join(timeout)

    def status(self) -> VectorIndexStatus:
        """Figures for the doctor."""
        parts = self._parts
        return VectorIndexStatus(
            vectors=sum(part.live_count for part in parts),
            segments=sum(part.saved for part in parts),
            unsaved=sum(part.live_count for part in parts if not part.saved),
            tombstones=sum(len(part.block.ids) - part.live_count for part in parts),
            sequence=self._sequence,
            problem=self._problem,
            waiting=0 if self._waiting is None else len(self._waiting),
            quantised=sum(not part.block.exact for part in parts),
        )

    def retire(self) -> None:
        """Another index answers from now on: write no more. Searches under way may end."""
        self._closing.set()
        self.wait()
        self._writer = self._background = False

    def close(self) -> None:
        """End background work after the segment it is at, and save what is worth it."""
        self._closing.set()
        self.wait()
        self._closing.clear()
        if self._writer:
            self._waiting = None
            self._parts = tuple(part for part in self._parts if not part.saved)
            if sum(part.live_count for part in self._parts) >= WORTH_A_FILE_AT_CLOSE:
                self._maintain_or_note(save_all=True)
        self._parts = ()

    # Loading

    def _load_segments(self) -> tuple[Part, ...]:
        parts, damaged = self._segments.read_recorded()
        if damaged and not self._writer:
            # The owner may have merged these files away between our looking at the records and at the folder.
            parts, damaged = self._segments.read_recorded()
        for segment, problem in damaged:
            self._problem = problem
            _log.warning("rebuilding an index file from the library: %s", problem)
            if self._writer:
                self._store.delete_segment(KIND, self._model_key, segment.generation)
        return tuple(parts)

    def _reconcile(self, parts: Sequence[Part]) -> None:
        """Make ``parts`` show exactly the vectors in the database. The change lock is held."""
        sequence = self._store.current_sequence()  # first, so that later changes are applied again, not lost
        wanted = self._store.vector_ids(self._model_key)
        kept, missing = reconcile(parts, wanted)
        self._waiting = None
        self._parts = self._with_new_rows(tuple(kept), missing)
        self._sequence = sequence

    def _stored(self, ids: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float16]]:
        """The vectors that the database has of these chunks and shows."""
        import numpy as np

        found, vectors = self._store.vectors_of(self._model_key, ids.tolist())
        if not len(found):
            return found, np.empty((0, self._dimension), dtype=np.float16)
        if vectors.shape[1] != self._dimension:
            raise ValueError(f"stored vectors of {vectors.shape[1]} dimensions for {self._model_key}")
        return found, vectors

    def _all_stored(self, ids: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float16]]:
        """The same for any number of chunks, read in pages."""
        import numpy as np

        read = [self._stored(ids[rows]) for rows in pages(len(ids))] or [self._stored(ids)]
        return np.concatenate([each[0] for each in read]), np.concatenate([each[1] for each in read])

    # Changing

    def _catch_up(self) -> None:
        """The change lock is held."""
        if self._store.current_sequence() == self._sequence:
            return
        try:
            changes = self._store.changes_since(self._sequence, self._model_key)
        except ChangesPrunedError:
            self._reconcile(self._parts)
        else:
            self._apply(changes.added, changes.removed)
            self._sequence = changes.sequence

    def _apply(self, added: Sequence[int], removed: Sequence[int]) -> None:
        import numpy as np

        parts = self._parts
        if removed:
            gone = np.unique(np.array(removed, dtype=np.int64))
            parts, _ = set_live(parts, gone, live=False)
            if self._waiting is not None:
                self._waiting = np.setdiff1d(self._waiting, gone)
        if added:
            # A document that was hidden and is shown again has its rows in some part already.
            parts, unknown = set_live(parts, np.unique(np.array(added, dtype=np.int64)), live=True)
            parts = self._with_new_rows(parts, unknown)
        self._parts = parts

    def _with_new_rows(self, parts: tuple[Part, ...], unknown: NDArray[np.int64]) -> tuple[Part, ...]:
        """Add rows from the database, joined with the last rows in memory while these are few."""
        import numpy as np

        if self._background and len(unknown) > self._limits.at_once:
            self._waiting = unknown if self._waiting is None else np.union1d(self._waiting, unknown)
            return parts
        for start in range(0, len(unknown), self._limits.largest):
            parts = self._with_few_rows(parts, unknown[start : start + self._limits.largest])
        return parts

    def _with_few_rows(self, parts: tuple[Part, ...], unknown: NDArray[np.int64]) -> tuple[Part, ...]:
        import numpy as np

        ids, vectors = self._all_stored(unknown)
        last = parts[-1] if parts else None
        if last is not None and isinstance(last.block, MemoryBlock) and len(ids):
            rows = slice(None) if last.live is None else last.live
            ids, vectors = np.concatenate((last.live_ids, ids)), np.concatenate((last.block.vectors(rows), vectors))
            order = np.argsort(ids)
            ids, vectors, parts = ids[order], vectors[order], parts[:-1]
        if not len(ids):
            return parts
        small = len(ids) < self._limits.smallest
        return (*parts, Part(MemoryBlock(ids, vectors) if small else FaissBlock.build(ids, vectors)))

    def _block(self, ids: NDArray[np.int64]) -> FaissBlock | QuantisedBlock:
        """A block of what the database has of these chunks. Raises ``WorkCancelledError`` when the index closes."""
        if len(ids) >= self._limits.quantised:
            return QuantisedBlock.build(ids, self._stored_unless_closing, self._dimension)
        return FaissBlock.build(*self._all_stored(ids))

    def _stored_unless_closing(self, ids: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float16]]:
        if self._closing.is_set():
            raise WorkCancelledError
        return self._stored(ids)

    # Writing

    def _start_maintenance(self) -> None:
        """Write and merge on a thread of its own, if there is anything to do and none is at it."""
        running = self._maintenance is not None and self._maintenance.is_alive()
        if self._background and not running and (self._waiting is not None or self._chosen(save_all=False)):
            self._maintenance = threading.Thread(target=self._maintain_or_note, name="vector-index", daemon=True)
            self._maintenance.start()

    def _maintain_or_note(self, *, save_all: bool = False) -> None:
        try:
            self.maintain(save_all=save_all)
        except (OSError, StorageError, DamagedSegmentError) as error:
            # The disk is full, say. What could not be saved stays in memory and comes from the database next time.
            self._problem = f"the index can't be saved: {error}"
            _log.warning("%s", self._problem)

    def _chosen(self, *, save_all: bool) -> list[Part]:
        parts = [part for part in self._parts if save_all or not isinstance(part.block, MemoryBlock)]
        sizes = [PartSize(len(part.block.ids), part.live_count, part.saved) for part in parts]
        return [parts[index] for index in parts_to_rewrite(sizes, self._limits)]

    def _rewrite_next(self, *, save_all: bool) -> bool:
        """Make one segment: of rows that wait, else of parts that are due. False where nothing is left to do."""
        import numpy as np

        waiting = self._waiting
        if waiting is not None:
            self._rewrite([], waiting[: self._limits.largest])
            return True
        chosen = self._chosen(save_all=save_all)
        if chosen:
            self._rewrite(chosen, np.sort(np.concatenate([part.live_ids for part in chosen])))
        return bool(chosen)

    def _rewrite(self, sources: list[Part], ids: NDArray[np.int64]) -> None:
        """Put rows, those of ``sources`` or waiting ones, into one new segment, or into none if there are none left."""
        written = self._written(ids)
        # Not under the change lock: a search must never wait for the database's write lock.
        outdated = [part.segment for part in sources if part.segment is not None]
        if written is None or written.saved:
            self._segments.record(written, outdated)
            self._on_step("recorded")
        with self._change_lock:
            self._exchange(sources, ids, written)
        self._segments.remove_files(outdated)
        self._on_step("old files removed")

    def _written(self, ids: NDArray[np.int64]) -> Part | None:
        block = self._block(ids) if len(ids) else None
        if block is None or not len(block.ids):
            return None
        try:
            return self._segments.write(block, self._sequence)
        except OSError:
            if self._waiting is not None:  # searchable without a file is better than not at all
                with self._change_lock:
                    self._exchange([], ids, Part(block))
            raise

    def _exchange(self, sources: list[Part], ids: NDArray[np.int64], written: Part | None) -> None:
        """Show the new segment of ``ids`` instead of ``sources``. Rows may have come and gone while it was written."""
        import numpy as np

        replaced = {id(part.block) for part in sources}
        old = [part for part in self._parts if id(part.block) in replaced]
        kept = tuple(part for part in self._parts if id(part.block) not in replaced)
        wanted = live_ids(old)
        if self._waiting is not None:
            wanted = np.union1d(wanted, np.intersect1d(self._waiting, ids))
            self._waiting = np.setdiff1d(self._waiting, ids)
            self._waiting = self._waiting if len(self._waiting) else None
        # Rows of a source in memory may have been joined with newer ones in another block.
        fresh = tuple(part for part in kept if isinstance(part.block, MemoryBlock))
        others = tuple(part for part in kept if not isinstance(part.block, MemoryBlock))
        wanted = np.union1d(wanted, np.intersect1d(live_ids(fresh), ids))
        made: tuple[Part, ...] = ()
        if written is not None:
            fresh, _ = set_live(fresh, written.block.ids, live=False)
            made = (written.limited_to(np.isin(written.block.ids, wanted)),)
        missing = np.setdiff1d(wanted, live_ids((*made, *fresh)))
        self._parts = self._with_new_rows((*made, *others, *fresh), missing)
