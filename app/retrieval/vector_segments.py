"""The vector index's files: which are recorded, reading them, writing new ones."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.retrieval.segment_files import DamagedSegmentError, FileDigest, SegmentFolder, Step
from app.retrieval.vector_blocks import FaissBlock, UnusableIndexError, import_faiss
from app.retrieval.vector_parts import Part
from app.retrieval.vector_quantised import QuantisedBlock
from app.storage.library_values import IndexSegment

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from app.storage.library_store import LibraryStore

KIND = "vector"
SUFFIX = ".faiss"


def read_block(data: NDArray[np.uint8], dimension: int, count: int) -> FaissBlock | QuantisedBlock:
    """Use a serialised index in place, without copying its vectors.

    The bytes must have been verified: FAISS trusts them. Raises ``UnusableIndexError`` when they hold anything but an
    index of ours over ``count`` vectors of ``dimension``.
    """
    faiss = import_faiss()

    reader = faiss.ZeroCopyIOReader(faiss.swig_ptr(data), data.nbytes)
    try:
        index = faiss.read_index(reader, faiss.IO_FLAG_MMAP_IFC)
    except RuntimeError as error:
        raise UnusableIndexError(str(error)) from error
    if not isinstance(index, faiss.IndexIDMap) or index.ntotal != count or index.d != dimension:
        raise UnusableIndexError("not the index that was recorded")
    kind = QuantisedBlock if isinstance(faiss.downcast_index(index.index), faiss.IndexIVF) else FaissBlock
    return kind.of_index(index, (data, reader))


def write_block(block: FaissBlock | QuantisedBlock, write: Callable[[bytes], None]) -> None:
    """Pass the serialised index to ``write`` in pieces."""
    faiss = import_faiss()

    def take(piece: bytes) -> int:
        write(piece)
        return len(piece)

    faiss.write_index(block.index, faiss.PyCallbackIOWriter(take))


class VectorSegments:
    """The segments of one embedding model. Only the process that owns the library writes them."""

    def __init__(self, store: LibraryStore, directory: Path, model_key: str, dimension: int, on_step: Step) -> None:
        self._store = store
        self._model_key = model_key
        self._dimension = dimension
        self._files = SegmentFolder(directory, on_step)
        self._prefix = f"vectors-{hashlib.sha256(f'{model_key}:{dimension}'.encode()).hexdigest()[:12]}-"

    def read_recorded(self) -> tuple[list[Part], list[tuple[IndexSegment, str]]]:
        """All recorded segments: (usable ones, those that are not and why)."""
        parts: list[Part] = []
        damaged: list[tuple[IndexSegment, str]] = []
        for segment in self._store.index_segments(KIND, self._model_key):
            try:
                parts.append(self._read(segment))
            except (DamagedSegmentError, UnusableIndexError) as error:
                damaged.append((segment, f"{segment.file_name}: {error}"))
        return parts, damaged

    def write(self, block: FaissBlock | QuantisedBlock, sequence: int) -> Part:
        """Write a block to a new file, verify it and use it from there. Raises OSError, ``DamagedSegmentError``."""
        generation = self._next_generation()
        name = f"{self._prefix}{generation:08d}{SUFFIX}"
        digest = self._files.write(name, lambda write: write_block(block, write))
        return self._read(
            IndexSegment(
                kind=KIND,
                model_key=self._model_key,
                generation=generation,
                file_name=name,
                sha256=digest.sha256,
                vector_count=len(block.ids),
                max_chunk_id=int(block.ids[-1]),
                sequence=sequence,
                dimension=self._dimension,
                size=digest.size,
                block_size=digest.block_size,
                block_checksums=digest.block_checksums,
            )
        )

    def record(self, written: Part | None, replaced: Iterable[IndexSegment]) -> None:
        """Record a new segment, or none, in place of others, in one transaction."""
        generations = [segment.generation for segment in replaced]
        if written is not None and written.segment is not None:
            self._store.record_segment(written.segment, replaces=generations)
            return
        for generation in generations:
            self._store.delete_segment(KIND, self._model_key, generation)

    def remove_files(self, segments: Iterable[IndexSegment]) -> None:
        """Delete files that are no longer recorded."""
        for segment in segments:
            self._files.remove(segment.file_name)

    def remove_leftovers(self, parts: Iterable[Part]) -> None:
        """Delete this model's files that no part uses."""
        self._files.remove_others(self._prefix, (part.segment.file_name for part in parts if part.segment))

    def _read(self, segment: IndexSegment) -> Part:
        import numpy as np

        if segment.dimension != self._dimension:
            raise DamagedSegmentError(f"vectors of {segment.dimension} dimensions")
        digest = FileDigest(segment.size, segment.sha256, segment.block_size, segment.block_checksums)
        mapped: Any = self._files.read_verified(segment.file_name, digest)
        data = np.frombuffer(mapped, dtype=np.uint8)
        return Part(read_block(data, segment.dimension, segment.vector_count), None, segment)

    def _next_generation(self) -> int:
        used = [segment.generation for segment in self._store.index_segments(KIND, self._model_key)]
        on_disk = [int(path.stem.rsplit("-", 1)[1]) for path in self._files.folder.glob(f"{self._prefix}*{SUFFIX}")]
        return max([0, *used, *on_disk]) + 1
