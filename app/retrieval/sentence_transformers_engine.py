"""The reference engine: any model and any device, by sentence-transformers and torch."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.domain.errors import ModelFileError
from app.retrieval.embedder import WordVectors
from app.retrieval.model_files import ModelFiles
from app.retrieval.model_tokenizer import ModelTokenizer
from app.retrieval.word_vectors import unit, words_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BATCH_TEXTS = 32
FP32 = "fp32"


def load_sentence_transformer(folder: Path, device: str) -> Any:
    """A SentenceTransformer from local safetensors; nothing is fetched and no foreign code runs."""
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(
        str(folder),
        device=device,
        trust_remote_code=False,
        local_files_only=True,
        model_kwargs={"use_safetensors": True},
    )


class SentenceTransformersEmbedder:
    """Serves ``files`` on ``device`` ("cpu", "cuda", "mps"). See ``Embedder``.

    Raises ``ModelFileError`` where files are missing, altered or refused, or the model can't be loaded.
    """

    def __init__(self, files: ModelFiles, *, device: str = "cpu", threads: int = 0) -> None:
        files.verify()
        self._files = files
        self._tokenizer = ModelTokenizer(files.tokenizer.read_bytes(), files.max_tokens)
        self._lock = threading.Lock()
        self._model: Any = self._load(device, threads)

    @property
    def model_key(self) -> str:
        """See ``Embedder``."""
        return self._files.model_key(FP32)

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
        return self._tokenizer.count(texts)

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """See ``Embedder``."""
        vector: NDArray[np.float32] = self._encode([text], self._files.prompts[0])[0]
        return vector

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See ``Embedder``."""
        return self._encode(texts, self._files.prompts[1])

    def embed_words(self, texts: Sequence[str], *, query: bool = False) -> list[WordVectors]:
        """See ``EmbedsWords``."""
        import numpy as np

        prompt = self._files.prompts[0 if query else 1]
        given = [prompt + text.encode("utf-8", "replace").decode() for text in texts]
        found: list[Any] = []
        for start in range(0, len(given), BATCH_TEXTS):
            with self._lock:
                found += self._model.encode(
                    given[start : start + BATCH_TEXTS], output_value=None, show_progress_bar=False, prompt=""
                )
        states = [np.asarray(each["token_embeddings"].cpu(), dtype=np.float32) for each in found]
        vectors = [unit(np.asarray(each["sentence_embedding"].cpu(), dtype=np.float32)) for each in found]
        return [
            words_of(encoding, rows[: len(encoding)], vector, len(prompt))
            for encoding, rows, vector in zip(self._tokenizer.encodings(given), states, vectors, strict=True)
        ]

    def close(self) -> None:
        """See ``Embedder``."""
        with self._lock:
            self._model = None

    def _encode(self, texts: Sequence[str], prompt: str) -> NDArray[np.float32]:
        """Encode batch by batch, so that a question waits for one batch only: torch shares its threads anyway."""
        import numpy as np

        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]), reverse=True)
        for start in range(0, len(order), BATCH_TEXTS):
            places = order[start : start + BATCH_TEXTS]
            batch = [prompt + texts[place].encode("utf-8", "replace").decode() for place in places]
            with self._lock:
                vectors[places] = self._model.encode(
                    batch, batch_size=BATCH_TEXTS, normalize_embeddings=True, show_progress_bar=False, prompt=""
                )
        return vectors

    def _load(self, device: str, threads: int) -> Any:
        try:
            import torch

            if threads:
                torch.set_num_threads(threads)
            model = load_sentence_transformer(self._files.folder, device)
        except (AssertionError, ImportError, KeyError, OSError, RuntimeError, ValueError) as error:
            raise ModelFileError(
                f"The search model in {self._files.folder} can't be loaded on {device}: {error}. Choose another"
                " model or device in the settings."
            ) from error
        model.max_seq_length = self._files.max_tokens
        return model
