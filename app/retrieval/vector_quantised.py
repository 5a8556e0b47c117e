"""Large sets of vectors: an inverted file of 8-bit vectors, of which a search reads the lists near the query.

Sivic and Zisserman, "Video Google" (2003), with FAISS's scalar quantiser: centroids by spherical k-means, each vector
in the list of its nearest centroid, each component as 8 bits of its range. Scores are near the cosines; who needs
exact ones compares the best candidates with the vectors that the library stores.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.retrieval.vector_blocks import UnusableIndexError, import_faiss, pages, selector

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from app.retrieval.vector_blocks import Fetch

ROWS_PER_LIST = 256
TRAINING_ROWS_PER_LIST = 32
TRAINING_ROUNDS = 6
PROBED_SHARE = 1 / 16
"""The share of the lists that a search reads where nothing is filtered."""

FEWEST_PROBES = 8
SEED = 1234


class QuantisedBlock:
    """An inverted file, built here or read from bytes whose checksums have been verified. ``ids`` ascending."""

    exact = False

    def __init__(self, index: Any, backing: Any = None) -> None:
        faiss = import_faiss()

        self.index = index
        self._lists = faiss.downcast_index(index.index)
        self._backing = backing  # what the index only points to
        self.ids: NDArray[np.int64] = faiss.vector_to_array(index.id_map)

    @classmethod
    def build(cls, ids: NDArray[np.int64], fetch: Fetch, dimension: int) -> QuantisedBlock:
        """Index the vectors that ``fetch`` has for ``ids`` (ascending), read in pages."""
        faiss = import_faiss()
        import numpy as np

        faiss.omp_set_num_threads(1)  # the other cores are for searches
        lists = _empty_lists(dimension, max(1, len(ids) // ROWS_PER_LIST))
        wanted = min(len(ids), TRAINING_ROWS_PER_LIST * lists.nlist)
        sample = ids[np.sort(np.random.default_rng(SEED).choice(len(ids), wanted, replace=False))]
        lists.train(np.concatenate([fetch(sample[rows])[1].astype(np.float32) for rows in pages(wanted)]))
        index = faiss.IndexIDMap(lists)
        for rows in pages(len(ids)):
            found, vectors = fetch(ids[rows])
            if len(found):
                index.add_with_ids(vectors.astype(np.float32), found)
        return cls(index, backing=lists)

    @classmethod
    def of_index(cls, index: Any, backing: Any) -> QuantisedBlock:
        """Use an index that was read. Raises ``UnusableIndexError`` for another kind."""
        faiss = import_faiss()

        lists = faiss.downcast_index(index.index)
        eight_bits = faiss.ScalarQuantizer.QT_8bit
        if not isinstance(lists, faiss.IndexIVFScalarQuantizer) or lists.sq.qtype != eight_bits:
            raise UnusableIndexError("not an inverted file of 8-bit vectors")
        if lists.metric_type != faiss.METRIC_INNER_PRODUCT or lists.quantizer.ntotal != lists.nlist:
            raise UnusableIndexError("an inverted file for something else")
        return cls(index, backing)

    def search(
        self, query: NDArray[np.float32], k: int, mask: NDArray[np.bool_] | None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Ids and approximate cosines of about the ``k`` nearest among the rows that ``mask`` allows, best first.

        The fewer rows are allowed, the more lists are read, so that as many rows are compared as without a mask.
        """
        faiss = import_faiss()
        import numpy as np

        faiss.omp_set_num_threads(1)
        count = len(self.ids)
        allowed = count if mask is None else max(1, int(np.count_nonzero(mask)))
        probes = max(FEWEST_PROBES, round(self._lists.nlist * PROBED_SHARE * count / allowed))
        parameters = faiss.SearchParametersIVF(
            nprobe=min(self._lists.nlist, probes), sel=None if mask is None else selector(mask)
        )
        scores, positions = self._lists.search(query.reshape(1, -1), min(k, allowed), params=parameters)
        found = positions[0] >= 0
        return self.ids[positions[0][found]], scores[0][found]


def _empty_lists(dimension: int, count: int) -> Any:
    faiss = import_faiss()

    metric = faiss.METRIC_INNER_PRODUCT
    lists = faiss.IndexIVFScalarQuantizer(
        faiss.IndexFlatIP(dimension), dimension, count, faiss.ScalarQuantizer.QT_8bit, metric, False
    )
    lists.cp.niter = TRAINING_ROUNDS
    lists.cp.seed = SEED
    lists.cp.spherical = True
    lists.cp.min_points_per_centroid = 1
    lists.cp.max_points_per_centroid = TRAINING_ROWS_PER_LIST
    return lists
