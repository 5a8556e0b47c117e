"""Sets of vectors that never change, searched exactly: small ones in memory, large ones as FAISS indexes.

Vectors are float16, as the library stores them, and of length one, so that their inner product is the cosine.
FAISS keeps them as float16 too, which loses nothing and halves the memory a search has to read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Rows = slice | NDArray[np.intp] | NDArray[np.bool_]

ADD_ROWS = 16_384
"""Vectors handed to FAISS at a time, which bounds the float32 copies it is given."""


class UnusableIndexError(ValueError):
    """The bytes are a FAISS index of another kind, dimension or size than was recorded."""


class VectorBlock(Protocol):
    """``ids`` are int64 and ascending; row i of ``vectors()`` is float16 and belongs to ``ids[i]``."""

    ids: NDArray[np.int64]

    def vectors(self, rows: Rows = slice(None)) -> NDArray[np.float16]:
        """Vectors of some rows, or of all, shape (count, dimension)."""

    def search(
        self, query: NDArray[np.float32], k: int, mask: NDArray[np.bool_] | None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Ids and cosines of the at most ``k`` nearest among the rows that ``mask`` allows, best first."""


class MemoryBlock:
    """A handful of vectors: a matrix product finds them before FAISS is even imported."""

    def __init__(self, ids: NDArray[np.int64], vectors: NDArray[np.float16]) -> None:
        import numpy as np

        self.ids = ids
        self._vectors = vectors.astype(np.float32)

    def vectors(self, rows: Rows = slice(None)) -> NDArray[np.float16]:
        """Vectors of some rows, or of all, shape (count, dimension)."""
        import numpy as np

        return self._vectors[rows].astype(np.float16)

    def search(
        self, query: NDArray[np.float32], k: int, mask: NDArray[np.bool_] | None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Ids and cosines of the at most ``k`` nearest among the rows that ``mask`` allows, best first."""
        import numpy as np

        ids = self.ids if mask is None else self.ids[mask]
        scores = (self._vectors if mask is None else self._vectors[mask]) @ query
        best = np.argsort(-scores, kind="stable")[:k]
        return ids[best], scores[best]


class FaissBlock:
    """A FAISS index over vectors, built here or read from bytes whose checksums have been verified."""

    def __init__(self, index: Any, backing: Any = None) -> None:
        faiss = _faiss()

        self.index = index
        self._codes = faiss.downcast_index(index.index)
        self._backing = backing  # what the index only points to
        self.ids: NDArray[np.int64] = faiss.vector_to_array(index.id_map)

    @classmethod
    def build(cls, ids: NDArray[np.int64], vectors: NDArray[np.float16]) -> FaissBlock:
        """Index ``vectors``, shape (count, dimension); ``ids`` ascending."""
        faiss = _faiss()
        import numpy as np

        half = faiss.ScalarQuantizer.QT_fp16
        codes = faiss.IndexScalarQuantizer(vectors.shape[1], half, faiss.METRIC_INNER_PRODUCT)
        index = faiss.IndexIDMap(codes)
        for rows in _batches(len(ids)):
            index.add_with_ids(vectors[rows].astype(np.float32), ids[rows])
        return cls(index, backing=codes)

    @classmethod
    def from_bytes(cls, data: NDArray[np.uint8], dimension: int, count: int) -> FaissBlock:
        """Use a serialised index in place, without copying its vectors.

        The bytes must have been verified: FAISS trusts them. Raises ``UnusableIndexError`` when they hold an index
        other than ``count`` float16 vectors of ``dimension``.
        """
        faiss = _faiss()

        reader = faiss.ZeroCopyIOReader(faiss.swig_ptr(data), data.nbytes)
        try:
            index = faiss.read_index(reader, faiss.IO_FLAG_MMAP_IFC)
        except RuntimeError as error:
            raise UnusableIndexError(str(error)) from error
        if not isinstance(index, faiss.IndexIDMap) or index.ntotal != count or index.d != dimension:
            raise UnusableIndexError("not the index that was recorded")
        codes = faiss.downcast_index(index.index)
        if not isinstance(codes, faiss.IndexScalarQuantizer) or codes.sq.qtype != faiss.ScalarQuantizer.QT_fp16:
            raise UnusableIndexError("not an index of float16 vectors")
        return cls(index, backing=(data, reader))

    def vectors(self, rows: Rows = slice(None)) -> NDArray[np.float16]:
        """Vectors of some rows, or of all, shape (count, dimension)."""
        faiss = _faiss()
        import numpy as np

        count, dimension = self.index.ntotal, self.index.d
        codes: NDArray[np.uint8] = faiss.rev_swig_ptr(self._codes.codes.data(), count * dimension * 2)
        return codes.view(np.float16).reshape(count, dimension)[rows]

    def write_to(self, write: Callable[[bytes], None]) -> None:
        """Pass the serialised index to ``write`` in pieces."""
        faiss = _faiss()

        def take(piece: bytes) -> int:
            write(piece)
            return len(piece)

        faiss.write_index(self.index, faiss.PyCallbackIOWriter(take))

    def search(
        self, query: NDArray[np.float32], k: int, mask: NDArray[np.bool_] | None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Ids and cosines of the at most ``k`` nearest among the rows that ``mask`` allows, best first."""
        faiss = _faiss()
        import numpy as np

        # One query is one thread's work; the others would only spin. The setting is OpenMP's own, one per thread.
        faiss.omp_set_num_threads(1)
        parameters = None
        if mask is not None:
            bits = np.packbits(mask, bitorder="little")
            parameters = faiss.SearchParameters(sel=faiss.IDSelectorBitmap(bits))
        scores, positions = self._codes.search(query.reshape(1, -1), min(k, len(self.ids)), params=parameters)
        found = positions[0] >= 0
        return self.ids[positions[0][found]], scores[0][found]


def _faiss() -> Any:
    """FAISS, untyped: its stubs lack half of what is used here. Importing it takes a tenth of a second or more."""
    import faiss

    return faiss


def _batches(count: int) -> Iterator[slice]:
    for start in range(0, count, ADD_ROWS):
        yield slice(start, min(start + ADD_ROWS, count))
