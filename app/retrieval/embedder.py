"""What every embedding engine does, whichever library runs the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class WordVectors:
    """A text's vector, shape (dimension,), and those of its words in this text, shape (words, dimension); all length 1.

    ``spans`` are the places [start, end) of the words in the text. What is cut off has no vectors.
    """

    text: NDArray[np.float32]
    spans: tuple[tuple[int, int], ...]
    words: NDArray[np.float32]


class Embedder(Protocol):
    """Turns texts into vectors whose dot product is their similarity. Thread-safe.

    A query never waits for a batch of passages on another thread. Text beyond ``max_tokens`` is cut off.
    """

    @property
    def model_key(self) -> str:
        """Name, revision and precision of the model. Vectors of different keys can't be compared."""
        ...

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        ...

    @property
    def max_tokens(self) -> int:
        """Longest text in tokens, special tokens included."""
        ...

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of texts that are searched: shape (len(texts), dimension), length 1, in the order given."""
        ...

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """Vector of a question: shape (dimension,), length 1."""
        ...

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, special tokens included, before any is cut off."""
        ...

    def close(self) -> None:
        """Free the model. Using it afterwards is an error."""
        ...


@runtime_checkable
class TellsLanguages(Protocol):
    """An embedder that knows which languages it was made for."""

    @property
    def languages(self) -> frozenset[str] | None:
        """ISO 639-1 codes; None for any."""
        ...


@runtime_checkable
class EmbedsWords(Protocol):
    """An embedder that also tells what each word means where it stands."""

    def embed_words(self, texts: Sequence[str], *, query: bool = False) -> list[WordVectors]:
        """Vectors of texts, as passages or as questions, and of their words, in the order given."""
        ...
