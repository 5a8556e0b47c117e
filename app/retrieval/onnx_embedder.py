"""Embeds with a downloaded ONNX model."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from app.domain.errors import ModelFileError
from app.retrieval.embedder import WordVectors
from app.retrieval.model_catalogue import ANY_LANGUAGE, InstalledModel
from app.retrieval.model_verification import fingerprint
from app.retrieval.onnx_model import OnnxModel, load_tokenizer
from app.retrieval.word_vectors import unit, words_alone, words_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

_TOKEN_STATES = 3
# Half of a surrogate pair can't be written as UTF-8, which the tokenizer takes.
_SURROGATE = re.compile("[\ud800-\udfff]")


class OnnxEmbedder:
    """Opens the model at the first text. See ``Embedder``; members raise ``ModelFileError``."""

    def __init__(self, installed: InstalledModel, *, threads: int = 0) -> None:
        self._installed = installed
        self._threads = threads
        self._lock = threading.Lock()
        self._model: OnnxModel | None = None

    @property
    def model_key(self) -> str:
        """See ``Embedder``."""
        digest = fingerprint(self._installed.sha256.items())
        return f"{self._installed.model.name}@{digest[:12]}/onnx"

    @property
    def dimension(self) -> int:
        """See ``Embedder``."""
        return self._installed.model.dimension

    @property
    def max_tokens(self) -> int:
        """See ``Embedder``."""
        return self._installed.model.max_tokens

    @property
    def languages(self) -> frozenset[str] | None:
        """ISO 639-1 codes of the languages it knows; None for any."""
        known = self._installed.model.languages
        return None if ANY_LANGUAGE in known else frozenset(known)

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See ``Embedder``."""
        return self._embed([self._installed.model.passage_prompt + text for text in texts])

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """See ``Embedder``."""
        vector: NDArray[np.float32] = self._embed([self._installed.model.query_prompt + text])[0]
        return vector

    def embed_words(self, texts: Sequence[str], *, query: bool = False) -> list[WordVectors]:
        """See ``EmbedsWords``. A model that tells nothing of single tokens is given each word alone."""
        described = self._installed.model
        prompt = described.query_prompt if query else described.passage_prompt
        given = [_encodable(prompt + text) for text in texts]
        model, found = self._opened(), dict[int, WordVectors]()
        encodings = model.tokenizer.encode_batch(given)
        for places, counts, values in model.outputs(given):
            if values.ndim != _TOKEN_STATES:
                return words_alone(self, texts, query=query)
            vectors = self._pooled(values, counts)
            for place, count, states, vector in zip(places, counts, values, vectors, strict=True):
                found[place] = words_of(encodings[place], states[:count], vector, len(prompt))
        return [found[place] for place in range(len(texts))]

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See ``Embedder``."""
        return [len(encoding.ids) for encoding in self._whole.encode_batch([_encodable(text) for text in texts])]

    def close(self) -> None:
        """See ``Embedder``."""
        with self._lock:
            model, self._model = self._model, None
        if model is not None:
            model.close()

    @cached_property
    def _whole(self) -> Tokenizer:
        return load_tokenizer(self._installed, cut=False)

    def _opened(self) -> OnnxModel:
        with self._lock:
            if self._model is None:
                self._model = OnnxModel(self._installed, threads=self._threads)
            return self._model

    def _embed(self, texts: list[str]) -> NDArray[np.float32]:
        import numpy as np

        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        model = self._opened()
        for places, counts, values in model.outputs([_encodable(text) for text in texts]):
            vectors[places] = self._pooled(values, counts)
        return vectors

    def _pooled(self, values: NDArray[np.float32], counts: list[int]) -> NDArray[np.float32]:
        """Vectors of length 1. Raises ``ModelFileError`` if they are not as long as the model states."""
        pooled = _pooled(values, counts, self._installed.model.pooling)
        if pooled.shape[1] != self.dimension:
            raise ModelFileError(
                f"{self._installed.folder} makes {pooled.shape[1]} numbers a vector, not {self.dimension} as"
                " stated. Download the model again."
            )
        return unit(pooled)


def _pooled(values: NDArray[np.float32], counts: list[int], pooling: str) -> NDArray[np.float32]:
    """One vector for each row of (rows, tokens, width), 0 at padding; ``counts`` tells the tokens of each row.

    What has only rows is pooled already.
    """
    import numpy as np

    if values.shape[:1] + values.shape[-1:] == values.shape:
        return values
    if pooling == "cls":
        first: NDArray[np.float32] = values[:, 0]
        return first
    if pooling == "last":
        last: NDArray[np.float32] = values[np.arange(len(counts)), np.array(counts) - 1]
        return last
    mean: NDArray[np.float32] = values.sum(axis=1) / np.array(counts, dtype=np.float32)[:, None]
    return mean


def _encodable(text: str) -> str:
    return _SURROGATE.sub("\ufffd", text)
