"""The tokenizer that lies beside a model, through the ``tokenizers`` library alone."""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.domain.errors import ModelFileError

# Half of a surrogate pair can't be written as UTF-8, which the library takes.
_SURROGATE = re.compile("[\ud800-\udfff]")


class ModelTokenizer:
    """Tokens of texts as the model sees them. Thread-safe.

    ``description`` is the content of ``tokenizer.json``; raises ``ModelFileError`` if it can't be used.
    """

    def __init__(self, description: bytes, max_tokens: int) -> None:
        from tokenizers import Tokenizer

        try:
            self._whole = Tokenizer.from_buffer(description)
            self._cut = Tokenizer.from_buffer(description)
        except Exception as error:  # the library raises nothing narrower
            raise ModelFileError(f"The model's tokenizer.json can't be read ({error}). Get the model again.") from error
        for tokenizer in (self._whole, self._cut):
            tokenizer.no_padding()
        self._whole.no_truncation()
        self._cut.enable_truncation(max_tokens)

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, special tokens included, before any is cut off."""
        return [len(encoding) for encoding in self._whole.encode_batch_fast(_encodable(texts))]

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of each text, special tokens included, cut off at the model's window."""
        return [encoding.ids for encoding in self._cut.encode_batch_fast(_encodable(texts))]


def _encodable(texts: Sequence[str]) -> list[str]:
    return [_SURROGATE.sub("\ufffd", text) for text in texts]
