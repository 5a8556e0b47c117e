"""The tokenizer that lies beside a model, through the ``tokenizers`` library alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from app.domain.errors import ModelFileError

if TYPE_CHECKING:
    from tokenizers import Encoding

# Half of a surrogate pair can't be written as UTF-8, which the library takes.
_SURROGATE = re.compile("[\ud800-\udfff]")


class ModelTokenizer:
    """Tokens of texts as the model sees them. Thread-safe.

    Raises ``ModelFileError`` where ``path`` (``tokenizer.json``) is no tokenizer.
    """

    def __init__(self, path: Path, max_tokens: int) -> None:
        from tokenizers import Tokenizer

        try:
            self._whole = Tokenizer.from_str(path.read_text(encoding="utf-8"))
        except Exception as error:  # the library raises nothing narrower
            raise ModelFileError(f"The tokenizer {path} can't be read ({error}). Install the model again.") from error
        self._whole.no_padding()
        self._whole.no_truncation()
        self._cut = Tokenizer.from_str(self._whole.to_str())
        self._cut.enable_truncation(max_tokens)

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, special tokens included, before any is cut off."""
        return [len(encoding) for encoding in self._whole.encode_batch_fast(_encodable(texts))]

    def encode(self, texts: Sequence[str]) -> list[Encoding]:
        """Ids and type ids of each text, cut off at the model's window."""
        return self._cut.encode_batch_fast(_encodable(texts))


def _encodable(texts: Sequence[str]) -> list[str]:
    return [_SURROGATE.sub("\ufffd", text) for text in texts]
