"""The fast engine: a converted model through OpenVINO on the processor, without torch."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, cast

from app.domain.errors import ModelFileError
from app.retrieval.embedder import WordVectors
from app.retrieval.engine_files import TOKENIZER, EngineFiles
from app.retrieval.model_compiler import ModelCompiler
from app.retrieval.model_tokenizer import ModelTokenizer
from app.retrieval.word_vectors import words_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Padded tokens and texts in a batch: larger ones are no faster, and leave cores idle at the end.
BATCH_TOKENS = 1024
BATCH_TEXTS = 64
# Lengths are rounded up to a multiple: OpenVINO compiles code for every new shape and keeps it, which costs more time
# and memory than the padding.
LENGTH_STEP = 16
QUERY_STEP = 8
# Threads for passages get a core only while nobody else wants it, so that a question has one at once: a nice value
# alone left it waiting for up to three milliseconds. They never hold Python's lock, or everything would wait with them.
# Linux only: there a thread has a policy of its own and hands it on to the threads it starts.
_QUERY, _BULK = "query", "bulk"


class OpenVinoEmbedder:
    """Serves one converted model. ``threads`` 0 takes all cores. See ``Embedder``.

    Passages are computed by one stream a core, which beats all cores on one batch where other programs want cores
    too. Questions have a compiled model of their own, so that none waits for a batch. Raises ``ModelFileError`` where
    files are missing or altered.
    """

    def __init__(self, files: EngineFiles, *, threads: int = 0) -> None:
        manifest = files.manifest()
        if manifest is None:
            raise ModelFileError(f"{files.folder} holds no converted search model.")
        self._manifest = manifest
        self._compiler = ModelCompiler(files, manifest)
        self._threads = threads
        self._tokenizer = ModelTokenizer(files.read(manifest, TOKENIZER), manifest.max_tokens)
        self._bulk_lock, self._query_lock = threading.Lock(), threading.Lock()
        self._loaded = {_QUERY: self._compiler.compiled(1).create_infer_request()}
        # A process that ends while streams of OpenVINO exist aborts.
        weakref.finalize(self, self._loaded.clear)

    @property
    def model_key(self) -> str:
        """See ``Embedder``."""
        return self._manifest.model_key

    @property
    def dimension(self) -> int:
        """See ``Embedder``."""
        return self._manifest.dimension

    @property
    def max_tokens(self) -> int:
        """See ``Embedder``."""
        return self._manifest.max_tokens

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See ``Embedder``."""
        return self._tokenizer.count(texts)

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """See ``Embedder``."""
        ids = self._tokenizer.ids([self._manifest.query_prompt + text])
        inputs = _padded(ids, _rounded(len(ids[0]), QUERY_STEP))
        with self._query_lock:
            request = self._loaded[_QUERY]
            request.infer(inputs)
            vector: NDArray[np.float32] = request.get_output_tensor(0).data[0].copy()
        return vector

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See ``Embedder``."""
        import numpy as np

        ids = self._tokenizer.ids([self._manifest.passage_prompt + text for text in texts])
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)

        def take(request: Any, places: list[int]) -> None:
            vectors[places] = request.get_output_tensor(0).data

        self._compute(ids, take)
        return vectors

    def embed_words(self, texts: Sequence[str], *, query: bool = False) -> list[WordVectors]:
        """See ``EmbedsWords``."""
        prompt = self._manifest.query_prompt if query else self._manifest.passage_prompt
        encodings = self._tokenizer.encodings([prompt + text for text in texts])
        found: dict[int, WordVectors] = {}

        def take(request: Any, places: list[int]) -> None:
            vectors, states = (request.get_output_tensor(number).data for number in (0, 1))
            for row, place in enumerate(places):
                found[place] = words_of(encodings[place], states[row], vectors[row].copy(), len(prompt))

        self._compute([each.ids for each in encodings], take)
        return [found[place] for place in range(len(texts))]

    def _compute(self, ids: Sequence[Sequence[int]], take: Callable[[Any, list[int]], None]) -> None:
        """Compute texts batch by batch; ``take`` is given each request that is done and the places of its texts."""
        under_way: deque[tuple[Any, list[int]]] = deque()

        def take_oldest() -> Any:
            request, places = under_way.popleft()
            request.wait()
            take(request, places)
            return request

        with self._bulk_lock:
            requests = self._requests()
            try:
                for places in _batches([len(each) for each in ids]):
                    request = take_oldest() if len(under_way) == len(requests) else requests[len(under_way)]
                    # The first place has the longest text.
                    length = min(self.max_tokens, _rounded(len(ids[places[0]])))
                    request.start_async(_padded([ids[place] for place in places], length))
                    under_way.append((request, places))
                while under_way:
                    take_oldest()
            finally:
                for request, _ in under_way:  # after an error: what still runs writes into memory that it was given
                    request.wait()

    def close(self) -> None:
        """See ``Embedder``."""
        with self._bulk_lock, self._query_lock:
            self._loaded.clear()

    def _requests(self) -> list[Any]:
        """As many requests as run side by side, each in a thread that gives way to the rest of the program."""
        if _BULK not in self._loaded:
            with ThreadPoolExecutor(1, "idle", _be_idle) as starter:
                self._loaded[_BULK] = starter.submit(self._make_requests).result()
        return cast("list[Any]", self._loaded[_BULK])

    def _make_requests(self) -> list[Any]:
        compiled = self._compiler.compiled(self._threads or _cores())
        count = int(compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))
        return [compiled.create_infer_request() for _ in range(count)]


def _be_idle() -> None:
    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # a container may forbid it; the threads then are as eager as others
            os.sched_setscheduler(threading.get_native_id(), os.SCHED_IDLE, os.sched_param(0))


def _cores() -> int:
    """Cores that this process may use, not counting a core twice that runs two threads."""
    import psutil

    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(allowed or 1, psutil.cpu_count(logical=False) or 1))


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Places of texts of like length, the longest first, so that little is padded; as many as the longest allows."""
    places = sorted(range(len(lengths)), key=lengths.__getitem__, reverse=True)
    start = 0
    while start < len(places):
        size = max(1, min(BATCH_TEXTS, BATCH_TOKENS // _rounded(lengths[places[start]])))
        yield places[start : start + size]
        start += size


def _rounded(length: int, step: int = LENGTH_STEP) -> int:
    return -(-length // step) * step


def _padded(rows: Sequence[Sequence[int]], length: int) -> list[NDArray[np.int32]]:
    """Token ids and mask, shape (rows, length). What padding is filled with doesn't matter: it is masked."""
    import numpy as np

    ids = np.zeros((len(rows), length), dtype=np.int32)
    mask = np.zeros_like(ids)
    for place, row in enumerate(rows):
        ids[place, : len(row)] = row
        mask[place, : len(row)] = 1
    return [ids, mask]
