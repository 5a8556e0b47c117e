"""The vector index: a cache of the library's vectors, searched exactly.

It is made of immutable segments (FAISS files) and of blocks in memory that have no file yet. Which rows count is
decided by the library's database alone: opening compares the segments with it, takes what is missing from there and
ignores what is gone. So a damaged, missing or outdated file costs time, never a wrong answer, and nothing is embedded
again.

A segment is written in numbered steps; a process may die between any two of them:
1. the vectors are committed in the database (by ingestion, long before);
2. the file is written aside;  3. it is made durable;  4. it gets its name;  5. the folder is made durable;
6. one transaction records the segment with its checksums and forgets those it replaces;
7. the files it replaces are deleted.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.domain.errors import StorageError
from app.retrieval.segment_files import DamagedSegmentError, FileDigest, SegmentFolder, Step
from app.retrieval.segment_policy import LARGEST_ROWS, SMALLEST_ROWS, PartSize, parts_to_rewrite
from app.retrieval.vector_blocks import FaissBlock, MemoryBlock, UnusableIndexError, VectorBlock
from app.retrieval.vector_parts import Part, cosines_in_parts, live_ids, live_rows, reconcile, search_parts, set_live
from app.storage.library_values import ChangesPrunedError, IndexSegment

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from app.storage.library_store import LibraryStore

KIND = "vector"
SUFFIX = ".faiss"
WORTH_A_FILE_AT_CLOSE = 256
"""Fewer new rows than this are read from the database at the next start just as quickly."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class VectorIndexStatus:
    """Live vectors, files, rows without a file, removed rows still in files, and the last problem with files."""

    vectors: int
    segments: int
    unsaved: int
    tombstones: int
    sequence: int
    problem: str = ""


class VectorIndex:
    """Finds the chunks nearest to a query among those of one embedding model.

    ``writer`` is for the process that holds the library's lock; any other only reads, and takes from the database
    what the files lack. Searches never wait for anything: they use the parts as they were when they began. Every
    method may raise ``StorageError``. Without ``background`` segments are written by ``maintain`` and ``close`` only.
    ``on_step`` is told each step of writing.
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
        on_step: Step = lambda step: None,
    ) -> None:
        self._store = store
        self._model_key = model_key
        self._dimension = dimension
        self._writer = writer
        self._background = background
        self._on_step = on_step
        self._files = SegmentFolder(directory, on_step)
        self._prefix = f"vectors-{hashlib.sha256(f'{model_key}:{dimension}'.encode()).hexdigest()[:12]}-"
        self._parts: tuple[Part, ...] = ()
        self._sequence = 0
        self._problem = ""
        self._change_lock = threading.Lock()  # held while parts are exchanged
        self._rewrite_lock = threading.Lock()  # held while a segment is written
        self._maintenance: threading.Thread | None = None

    @property
    def sequence(self) -> int:
        """The library's change that this index has reached; older ones may be pruned from the log."""
        return self._sequence

    def open(self) -> None:
        """Load the segments and catch up with the database."""
        with self._change_lock:
            self._reconcile(self._load_segments())
        if self._writer:
            self._remove_leftovers()
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

    def search(
        self, query: NDArray[np.float32], k: int, allowed: NDArray[np.int64] | None = None
    ) -> list[tuple[int, float]]:
        """The at most ``k`` nearest chunks as (chunk id, cosine), best first, equal ones by id.

        ``query`` has shape (dimension,) and length one. ``allowed`` limits the search to these ids, ascending.
        """
        if query.shape != (self._dimension,):
            raise ValueError(f"a query of shape {query.shape} for vectors of {self._dimension} dimensions")
        return search_parts(self._parts, query, k, allowed)

    def cosines(self, query: NDArray[np.float32], chunk_ids: Sequence[int]) -> dict[int, float]:
        """Cosines of these chunks, as far as they have a vector."""
        return cosines_in_parts(self._parts, query, chunk_ids)

    def maintain(self, *, save_all: bool = False) -> None:
        """Write what has no file yet (small amounts only if ``save_all``) and merge segments where that is due."""
        with self._rewrite_lock:
            while chosen := self._next_rewrite(save_all=save_all):
                self._rewrite(chosen)

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
        )

    def close(self) -> None:
        """Finish background work and save what is worth it."""
        if self._maintenance is not None:
            self._maintenance.join()
        if self._writer:
            unsaved = sum(part.live_count for part in self._parts if not part.saved)
            self._maintain_or_note(save_all=unsaved >= WORTH_A_FILE_AT_CLOSE)
        self._parts = ()

    # Loading

    def _load_segments(self) -> tuple[Part, ...]:
        parts, damaged = self._read_recorded()
        if damaged and not self._writer:
            # The owner may have merged these files away between our looking at the records and at the folder.
            parts, damaged = self._read_recorded()
        for segment in damaged:
            _log.warning("rebuilding index file %s from the library", segment.file_name)
            if self._writer:
                self._store.delete_segment(KIND, self._model_key, segment.generation)
        return tuple(parts)

    def _read_recorded(self) -> tuple[list[Part], list[IndexSegment]]:
        parts: list[Part] = []
        damaged: list[IndexSegment] = []
        for segment in self._store.index_segments(KIND, self._model_key):
            try:
                parts.append(self._read(segment))
            except (DamagedSegmentError, UnusableIndexError) as error:
                self._problem = f"{segment.file_name}: {error}"
                damaged.append(segment)
        return parts, damaged

    def _read(self, segment: IndexSegment) -> Part:
        import numpy as np

        if segment.dimension != self._dimension:
            raise DamagedSegmentError(f"vectors of {segment.dimension} dimensions")
        digest = FileDigest(segment.size, segment.sha256, segment.block_size, segment.block_checksums)
        mapped = self._files.read_verified(segment.file_name, digest)
        data = np.frombuffer(mapped, dtype=np.uint8)
        block = FaissBlock.from_bytes(data, segment.dimension, segment.vector_count)
        return Part(block, None, segment)

    def _reconcile(self, parts: Sequence[Part]) -> None:
        """Make ``parts`` show exactly the vectors in the database. The change lock is held."""
        sequence = self._store.current_sequence()  # first, so that later changes are applied again, not lost
        wanted = self._store.vector_ids(self._model_key)
        kept, missing = reconcile(parts, wanted)
        self._parts = (*kept, *self._blocks_from_store(missing))
        self._sequence = sequence

    def _blocks_from_store(self, missing: NDArray[np.int64]) -> list[Part]:
        parts = []
        for start in range(0, len(missing), LARGEST_ROWS):
            ids, vectors = self._store.vectors_of(self._model_key, missing[start : start + LARGEST_ROWS].tolist())
            if len(ids):
                parts.append(Part(self._block(ids, vectors)))
        return parts

    def _block(self, ids: NDArray[np.int64], vectors: NDArray[np.float16]) -> VectorBlock:
        if vectors.shape[1] != self._dimension:
            raise ValueError(f"stored vectors of {vectors.shape[1]} dimensions for {self._model_key}")
        return MemoryBlock(ids, vectors) if len(ids) < SMALLEST_ROWS else FaissBlock.build(ids, vectors)

    # Changing

    def _catch_up(self) -> None:
        """The change lock is held."""
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
            parts, _ = set_live(parts, np.unique(np.array(removed, dtype=np.int64)), live=False)
        if added:
            # A document that was hidden and is shown again has its rows in some part already.
            parts, unknown = set_live(parts, np.unique(np.array(added, dtype=np.int64)), live=True)
            parts = self._with_new_rows(parts, unknown)
        self._parts = parts

    def _with_new_rows(self, parts: tuple[Part, ...], unknown: NDArray[np.int64]) -> tuple[Part, ...]:
        """Add rows from the database, joined with the last rows in memory while these are few."""
        import numpy as np

        if not len(unknown):
            return parts
        ids, vectors = self._store.vectors_of(self._model_key, unknown.tolist())
        if not len(ids):
            return parts
        last = parts[-1] if parts else None
        if last is not None and isinstance(last.block, MemoryBlock):
            old_ids, old_vectors = live_rows(last)
            ids, vectors = np.concatenate((old_ids, ids)), np.concatenate((old_vectors, vectors))
            order = np.argsort(ids)
            ids, vectors, parts = ids[order], vectors[order], parts[:-1]
        return (*parts, Part(self._block(ids, vectors)))

    # Writing

    def _start_maintenance(self) -> None:
        """Write and merge on a thread of its own, if there is anything to do and none is at it."""
        running = self._maintenance is not None and self._maintenance.is_alive()
        if self._background and not running and self._next_rewrite(save_all=False):
            self._maintenance = threading.Thread(target=self._maintain_or_note, name="vector-index", daemon=True)
            self._maintenance.start()

    def _maintain_or_note(self, *, save_all: bool = False) -> None:
        try:
            self.maintain(save_all=save_all)
        except (OSError, StorageError, DamagedSegmentError) as error:
            # The disk is full, say. What could not be saved stays in memory and comes from the database next time.
            self._problem = f"the index can't be saved: {error}"
            _log.warning("%s", self._problem)

    def _next_rewrite(self, *, save_all: bool) -> list[Part]:
        parts = [part for part in self._parts if save_all or not isinstance(part.block, MemoryBlock)]
        sizes = [PartSize(len(part.block.ids), part.live_count, part.saved) for part in parts]
        return [parts[index] for index in parts_to_rewrite(sizes)]

    def _rewrite(self, sources: list[Part]) -> None:
        """Put the live rows of ``sources`` into one new segment, or into none if there are none left."""
        import numpy as np

        rows = [live_rows(part) for part in sources]
        ids = np.concatenate([each[0] for each in rows])
        order = np.argsort(ids)
        written = None
        if len(ids):
            vectors = np.concatenate([each[1] for each in rows])[order]
            written = self._write_segment(FaissBlock.build(ids[order], vectors))
        # Not under the change lock: a search must never wait for the database's write lock.
        outdated = [part.segment for part in sources if part.segment is not None]
        self._record(written, [segment.generation for segment in outdated])
        self._on_step("recorded")
        with self._change_lock:
            self._exchange(sources, written)
        for segment in outdated:
            self._files.remove(segment.file_name)
        self._on_step("old files removed")

    def _write_segment(self, block: FaissBlock) -> Part:
        generation = self._next_generation()
        name = f"{self._prefix}{generation:08d}{SUFFIX}"
        digest = self._files.write(name, block.write_to)
        segment = IndexSegment(
            kind=KIND,
            model_key=self._model_key,
            generation=generation,
            file_name=name,
            sha256=digest.sha256,
            vector_count=len(block.ids),
            max_chunk_id=int(block.ids[-1]),
            sequence=self._sequence,
            dimension=self._dimension,
            size=digest.size,
            block_size=digest.block_size,
            block_checksums=digest.block_checksums,
        )
        return self._read(segment)

    def _next_generation(self) -> int:
        used = [segment.generation for segment in self._store.index_segments(KIND, self._model_key)]
        on_disk = [int(path.stem.rsplit("-", 1)[1]) for path in self._files.folder.glob(f"{self._prefix}*{SUFFIX}")]
        return max([0, *used, *on_disk]) + 1

    def _record(self, written: Part | None, replaces: list[int]) -> None:
        if written is not None and written.segment is not None:
            self._store.record_segment(written.segment, replaces=replaces)
            return
        for generation in replaces:
            self._store.delete_segment(KIND, self._model_key, generation)

    def _exchange(self, sources: list[Part], written: Part | None) -> None:
        """Show the new segment instead of ``sources``. Rows may have come and gone while it was written."""
        import numpy as np

        live = live_ids(self._parts)
        kept = tuple(part for part in self._parts if all(part.block is not source.block for source in sources))
        if written is not None:
            kept, _ = set_live(kept, written.block.ids, live=False)
            kept = (written.limited_to(np.isin(written.block.ids, live)), *kept)
        self._parts = self._with_new_rows(kept, np.setdiff1d(live, live_ids(kept)))

    def _remove_leftovers(self) -> None:
        self._files.remove_others(self._prefix, (part.segment.file_name for part in self._parts if part.segment))
