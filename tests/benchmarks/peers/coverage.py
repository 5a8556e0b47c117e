"""How much of a text reaches a vector: a model reads only the first tokens of a chunk that is too long for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from tokenizers import Tokenizer

MODEL_TOKENS = 256


class Coverage:
    """Counts characters that some vector stands for. ``max_tokens`` includes the two special tokens of BERT models."""

    def __init__(self, model: Path, max_tokens: int = MODEL_TOKENS) -> None:
        self._tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._room = max_tokens - 2

    def embedded_end(self, texts: Sequence[str]) -> list[int]:
        """For each text, how many of its characters from its start the model reads."""
        encoded = self._tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [
            len(text) if len(each.ids) <= self._room else each.offsets[self._room - 1][1]
            for text, each in zip(texts, encoded, strict=True)
        ]


def union_length(spans: Iterable[tuple[int, int]]) -> int:
    """The number of places that at least one of the spans ``[start, end)`` covers."""
    covered = reached = 0
    for start, end in sorted(spans):
        covered += max(0, end - max(start, reached))
        reached = max(reached, end)
    return covered
