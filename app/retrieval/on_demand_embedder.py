"""An embedder that opens its engine when it is needed."""

from __future__ import annotations

import importlib.util
import logging
import re
import shutil
import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from app.domain.cancellation import CancelToken
from app.domain.errors import ModelFileError
from app.retrieval.embedder import Embedder, WordVectors
from app.retrieval.engine_choice import Engine, EngineChoice, Precision
from app.retrieval.engine_files import EngineFiles
from app.retrieval.model_conversion import ConversionError, ConversionOrder, Progress, ensure_converted
from app.retrieval.model_files import ModelFiles
from app.retrieval.model_tokenizer import ModelTokenizer
from app.retrieval.model_verification import read_verified
from app.retrieval.word_vectors import word_vectors

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

log = logging.getLogger(__name__)


class OnDemandEmbedder:
    """Opens its engine at the first text, converting the model if that was never done. See ``Embedder``.

    What can be told without the engine (key, dimension, window, numbers of tokens) is told at once, so documents can be
    split while the model is converted. Members raise ``ModelFileError`` where model files are missing or altered, and
    ``WorkCancelledError`` when closed while the model is converted.
    """

    def __init__(self, files: ModelFiles, models_dir: Path, choice: EngineChoice, progress: Progress) -> None:
        self._files = files
        self._models_dir = models_dir
        self._choice = choice
        self._progress = progress
        self._fast = choice.fast and importlib.util.find_spec("openvino") is not None
        self._cancel = CancelToken()
        self._lock = threading.RLock()  # whoever is told of progress may close
        self._opened: Embedder | None = None

    @property
    def model_key(self) -> str:
        """See ``Embedder``."""
        if not self._fast:
            return self._files.model_key(Precision.FP32)
        if self._files.encoder is None and not self._refusal.exists() and self._target.manifest() is None:
            return self.engine().model_key  # only trying tells whether it can be converted
        return self._files.model_key(Precision.FP32 if self._refusal.exists() else self._choice.precision)

    @property
    def dimension(self) -> int:
        """See ``Embedder``."""
        return self._files.dimension

    @property
    def max_tokens(self) -> int:
        """See ``Embedder``."""
        return self._files.max_tokens

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See ``Embedder``."""
        opened = self._opened
        return opened.count_tokens(texts) if opened else self._tokenizer.count(texts)

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """See ``Embedder``."""
        return self.engine().embed_query(text)

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See ``Embedder``."""
        return self.engine().embed_passages(texts)

    def embed_words(self, texts: Sequence[str], *, query: bool = False) -> list[WordVectors]:
        """See ``EmbedsWords``."""
        return word_vectors(self.engine(), texts, query=query)

    def close(self) -> None:
        """See ``Embedder``. Ends a conversion that is under way."""
        self._cancel.cancel()
        with self._lock:
            opened, self._opened = self._opened, None
        if opened is not None:
            opened.close()

    @property
    def prepared(self) -> bool:
        """Whether vectors can be had without converting the model first."""
        opened = self._opened is not None
        return opened or not self._fast or self._target.manifest() is not None or self._refusal.exists()

    def engine(self) -> Embedder:
        """The engine, opened; converts the model first where that is needed."""
        with self._lock:
            self._cancel.raise_if_cancelled()
            if self._opened is None:
                self._opened = self._open()
            return self._opened

    @cached_property
    def _tokenizer(self) -> ModelTokenizer:
        description = read_verified(self._files.tokenizer, self._files.digests["tokenizer.json"])
        return ModelTokenizer(description, self._files.max_tokens)

    @cached_property
    def _target(self) -> EngineFiles:
        name = re.sub(r"[^\w.-]+", "_", self._files.model_key(self._choice.precision))
        return EngineFiles(self._models_dir / name)

    @property
    def _refusal(self) -> Path:
        """Exists where this model was found not to be convertible."""
        return self._target.folder.with_name(f"{self._target.folder.name}.refused")

    def _open(self) -> Embedder:
        if self._fast and not self._refusal.exists():
            try:
                return self._open_fast()
            except ConversionError as error:
                self._refused(error)
        from app.retrieval.sentence_transformers_engine import SentenceTransformersEmbedder

        return SentenceTransformersEmbedder(self._files, device=self._choice.device, threads=self._choice.threads)

    def _refused(self, error: ConversionError) -> None:
        """Remember that this architecture can't be converted; raise where it could have been."""
        if self._choice.engine is Engine.FAST or self._files.encoder is not None:
            raise ModelFileError(
                f"The search model {self._files.name} can't be prepared for the fast engine ({error}). Choose the"
                " reference engine in the settings."
            ) from error
        log.warning("the reference engine takes over: %s", error)
        self._refusal.write_text(str(error), encoding="utf-8")

    def _open_fast(self) -> Embedder:
        from app.retrieval.openvino_engine import OpenVinoEmbedder

        self._convert()
        try:
            return OpenVinoEmbedder(self._target, threads=self._choice.threads)
        except ModelFileError as error:
            log.warning("the converted search model is made again: %s", error)
            shutil.rmtree(self._target.folder, ignore_errors=True)
        self._convert()
        return OpenVinoEmbedder(self._target, threads=self._choice.threads)

    def _convert(self) -> None:
        order = ConversionOrder(
            self._files.folder,
            self._files.name,
            dict(self._files.digests),
            self._choice.precision,
            self._target.folder,
        )
        ensure_converted(order, self._progress, self._cancel)
