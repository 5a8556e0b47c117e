"""The tokenizer that lies beside a model, through the ``tokenizers`` library alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from app.domain.errors import ModelFileError

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

# Half of a surrogate pair can't be written as UTF-8, which the library takes.
_SURROGATE = re.compile("[\ud800-\udfff]")


class ModelTokenizer:
    """Tokens of texts as the model sees them. Thread-safe.

    ``description`` is the content of ``tokenizer.json``; raises ``ModelFileError`` if it can't be used.
    """

    def __init__(self, description: bytes, max_tokens: int) -> None:
        self._description = description
        self._cut = self._read()
        self._cut.enable_truncation(max_tokens)

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, special tokens included, before any is cut off."""
        return [len(encoding) for encoding in self._whole.encode_batch_fast(_encodable(texts))]

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of each text, special tokens included, cut off at the model's window."""
        return [encoding.ids for encoding in self._cut.encode_batch_fast(_encodable(texts))]

    def encodings(self, texts: Sequence[str]) -> list[Encoding]:
        """Tokens of each text as ``ids``, with the words they belong to and where these stand."""
        return self._cut.encode_batch(_encodable(texts))

    @cached_property
    def _whole(self) -> Tokenizer:
        """A second one, made when it is needed: whether text is cut off is a tokenizer's state."""
        return self._read()

    def _read(self) -> Tokenizer:
        from tokenizers import Tokenizer

        try:
            tokenizer = Tokenizer.from_buffer(self._description)
        except Exception as error:  # the library raises nothing narrower
            raise ModelFileError(f"The model's tokenizer.json can't be read ({error}). Get the model again.") from error
        tokenizer.no_padding()
        tokenizer.no_truncation()
        return tokenizer


def _encodable(texts: Sequence[str]) -> list[str]:
    return [_SURROGATE.sub("\ufffd", text) for text in texts]
