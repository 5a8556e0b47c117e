"""How values are written in columns and read back."""

from __future__ import annotations

import json
import os
import sys
import zlib
from array import array
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from app.domain.box_map import BoxMap
from app.domain.documents import Chunk

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_COMPRESSION = 1  # level 6 is three times slower for a tenth less


def path_to_column(path: Path) -> str | bytes:
    """The path as text, or as bytes where its name is not valid Unicode (SQLite's text is UTF-8)."""
    text = str(path)
    try:
        text.encode()
    except UnicodeEncodeError:
        return os.fsencode(text)
    return text


def path_from_column(value: str | bytes) -> Path:
    """The inverse of ``path_to_column``."""
    return Path(os.fsdecode(value))


def clean(text: str) -> str:
    """``text`` with each lone surrogate, which UTF-8 can't hold, replaced by one ``?``: no offset moves."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


def texts_to_column(texts: Sequence[str]) -> str:
    """A list of texts as JSON; an empty one as nothing."""
    return json.dumps([clean(text) for text in texts], ensure_ascii=False) if texts else ""


def texts_from_column(value: str) -> tuple[str, ...]:
    """The inverse of ``texts_to_column``."""
    return tuple(json.loads(value)) if value else ()


def ids_to_column(ids: Iterable[int]) -> bytes:
    """Ids as little-endian int64."""
    return _little_endian(array("q", ids)).tobytes()


def ids_from_column(value: bytes) -> array[int]:
    """The inverse of ``ids_to_column``."""
    ids = array("q")
    ids.frombytes(value)
    return _little_endian(ids)


def little_endian_words(words: array[int]) -> bytes:
    """Unsigned numbers of 32 bits as little-endian bytes."""
    return _little_endian(array("I", words)).tobytes()


def words_from_bytes(value: bytes) -> array[int]:
    """The inverse of ``little_endian_words``; bytes at the end that make no whole number are left out."""
    words = array("I")
    words.frombytes(value[: len(value) // words.itemsize * words.itemsize])
    return _little_endian(words)


def text_to_blob(text: str) -> bytes:
    """Compressed UTF-8."""
    return zlib.compress(clean(text).encode(), _COMPRESSION)


def text_from_blob(value: bytes) -> str:
    """The inverse of ``text_to_blob``."""
    return zlib.decompress(value).decode()


def char_map_to_blob(char_map: Sequence[int] | None) -> bytes | None:
    """Character indexes as compressed int64 differences: they mostly grow by one, which shrinks to almost nothing."""
    if char_map is None:
        return None
    import numpy as np

    differences = np.diff(np.array(char_map, dtype="<i8"), prepend=0)
    return zlib.compress(differences.tobytes(), _COMPRESSION)


def char_map_from_blob(value: bytes) -> tuple[int, ...]:
    """The inverse of ``char_map_to_blob``."""
    from itertools import accumulate

    differences = array("q")
    differences.frombytes(zlib.decompress(value))
    return tuple(accumulate(_little_endian(differences)))


def box_map_to_blob(box_map: BoxMap | None) -> bytes | None:
    """The words' rectangles, compressed."""
    return None if box_map is None else zlib.compress(box_map.to_bytes(), _COMPRESSION)


def box_map_from_blob(value: bytes) -> BoxMap:
    """The inverse of ``box_map_to_blob``."""
    return BoxMap.from_bytes(zlib.decompress(value))


def id_list(ids: Iterable[int]) -> str:
    """Ids as JSON, for ``IN (SELECT value FROM json_each(?))``: one parameter for any number of ids."""
    return json.dumps([int(each) for each in ids])


def embedded_text(context: str, text: str) -> str:
    """``Chunk.embedded_text`` of a stored chunk."""
    return Chunk(text, 0, len(text), context=context).embedded_text


def sorted_ids(concatenated: str | None) -> NDArray[np.int64]:
    """Ids from SQL's ``group_concat``, ascending: one text is read three times faster than a row for each id."""
    import numpy as np

    if not concatenated:
        return np.empty(0, dtype=np.int64)
    ids = np.fromstring(concatenated, dtype=np.int64, sep=",")
    ids.sort()
    return ids


def _little_endian(values: array[int]) -> array[int]:
    if sys.byteorder == "big":
        values.byteswap()
    return values
