"""Sets of vectors that never change: small ones in memory, larger ones as exact FAISS indexes.

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
    Fetch = Callable[[NDArray[np.int64]], tuple[NDArray[np.int64], NDArray[np.float16]]]
    """Stored vectors of the given ids (ascending): (ids that have one, vectors (count, dimension)), ascending."""

PAGE_ROWS = 4_096
"""Vectors read or added at a time: few enough that no other thread waits long for the interpreter."""


class UnusableIndexError(ValueError):
    """The bytes are a FAISS index of another kind, dimension or size than was recorded."""


class VectorBlock(Protocol):
    """``ids`` are int64 and ascending. Scores of an ``exact`` block are cosines, those of others near them."""

    ids: NDArray[np.int64]
    exact: bool

    def search(
        self, query: NDArray[np.float32], k: int, mask: NDArray[np.bool_] | None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Ids and scores of the at most ``k`` nearest among the rows that ``mask`` allows, best first."""


class ExactBlock(VectorBlock, Protocol):
    """A block that holds the vectors themselves: row i of ``vectors()`` is float16 and belongs to ``ids[i]``."""

    def vectors(self, rows: Rows = slice(None)) -> NDArray[np.float16]:
        """Vectors of some rows, or of all, shape (count, dimension)."""


class MemoryBlock:
    """A handful of vectors: a matrix product finds them before FAISS is even imported."""

    exact = True

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

    exact = True

    def __init__(self, index: Any, backing: Any = None) -> None:
        self.index = index
        self._codes = import_faiss().downcast_index(index.index)
        self._backing = backing  # what the index only points to
        self.ids: NDArray[np.int64] = import_faiss().vector_to_array(index.id_map)

    @classmethod
    def build(cls, ids: NDArray[np.int64], vectors: NDArray[np.float16]) -> FaissBlock:
        """Index ``vectors``, shape (count, dimension); ``ids`` ascending."""
        faiss = import_faiss()
        import numpy as np

        half = faiss.ScalarQuantizer.QT_fp16
        codes = faiss.IndexScalarQuantizer(vectors.shape[1], half, faiss.METRIC_INNER_PRODUCT)
        index = faiss.IndexIDMap(codes)
        for rows in pages(len(ids)):
            index.add_with_ids(vectors[rows].astype(np.float32), ids[rows])
        return cls(index, backing=codes)

    @classmethod
    def of_index(cls, index: Any, backing: Any) -> FaissBlock:
        """Use an index that was read. Raises ``UnusableIndexError`` for another kind."""
        faiss = import_faiss()

        codes = faiss.downcast_index(index.index)
        if not isinstance(codes, faiss.IndexScalarQuantizer) or codes.sq.qtype != faiss.ScalarQuantizer.QT_fp16:
            raise UnusableIndexError("not an index of float16 vectors")
        return cls(index, backing)

    def vectors(self, rows: Rows = slice(None)) -> NDArray[np.float16]:
        """Vectors of some rows, or of all, shape (count, dimension)."""
        import numpy as np

        count, dimension = self.index.ntotal, self.index.d
        codes: NDArray[np.uint8] = import_faiss().rev_swig_ptr(self._codes.codes.data(), count * dimension * 2)
        return codes.view(np.float16).reshape(count, dimension)[rows]

    def search(
        self, query: NDArray[np.float32], k: int, mask: NDArray[np.bool_] | None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Ids and cosines of the at most ``k`` nearest among the rows that ``mask`` allows, best first."""
        faiss = import_faiss()

        faiss.omp_set_num_threads(1)  # one query is one thread's work; OpenMP keeps the setting for each thread
        parameters = None if mask is None else faiss.SearchParameters(sel=selector(mask))
        scores, positions = self._codes.search(query.reshape(1, -1), min(k, len(self.ids)), params=parameters)
        found = positions[0] >= 0
        return self.ids[positions[0][found]], scores[0][found]


def import_faiss() -> Any:
    """FAISS, untyped: its stubs lack half of what is used here. Importing it takes a tenth of a second or more."""
    import faiss

    return faiss


def selector(mask: NDArray[np.bool_]) -> Any:
    """FAISS's filter that lets the rows of ``mask`` through."""
    import numpy as np

    return import_faiss().IDSelectorBitmap(np.packbits(mask, bitorder="little"))


def pages(count: int) -> Iterator[slice]:
    """Slices that cover ``count`` rows."""
    for start in range(0, count, PAGE_ROWS):
        yield slice(start, min(start + PAGE_ROWS, count))
