"""Checks of the keyword index's files before they are opened: tantivy itself trusts them.

Tantivy ends each file with a footer: JSON holding the CRC-32 of all before it, the length of that JSON and a magic
number (both uint32, little-endian). ``meta.json`` lists the segments; it has no checksum, so what it says is compared
with the files and, once the index is open, with the counts that the index holds about itself.
"""

from __future__ import annotations

import json
import struct
import zlib
from pathlib import Path

META = "meta.json"
_MAGIC = 1337
_TAIL = struct.Struct("<II")
_PIECE = 1 << 20
_EXTENSIONS = ("fast", "fieldnorm", "idx", "pos", "store", "term")


class DamagedKeywordIndexError(Exception):
    """The files can't be an index of ours, or were altered."""


def verify_folder(folder: Path) -> None:
    """Compare every file that the index uses with its checksum. Raises ``DamagedKeywordIndexError``."""
    try:
        names = _segment_files(json.loads((folder / META).read_bytes()))
        for name in names:
            _verify_file(folder / name)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, struct.error) as error:
        raise DamagedKeywordIndexError(f"{folder.name}: {error}") from error


def _segment_files(meta: dict[str, list[dict[str, object]]]) -> list[str]:
    names = []
    for segment in meta["segments"]:
        name = str(segment["segment_id"]).replace("-", "")
        names += [f"{name}.{extension}" for extension in _EXTENSIONS]
        deletes = segment["deletes"]
        if isinstance(deletes, dict):
            names.append(f"{name}.{deletes['opstamp']}.del")
    return names


def _verify_file(path: Path) -> None:
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - _TAIL.size))
        length, magic = _TAIL.unpack(file.read(_TAIL.size))
        body = size - _TAIL.size - length
        if magic != _MAGIC or body < 0:
            raise ValueError(f"{path.name} has no valid end")
        file.seek(body)
        expected = json.loads(file.read(length))["crc"]
        file.seek(0)
        found = 0
        while body > 0:
            piece = file.read(min(_PIECE, body))
            if not piece:
                raise ValueError(f"{path.name} became shorter")
            found = zlib.crc32(piece, found)
            body -= len(piece)
    if found != expected:
        raise ValueError(f"{path.name} was altered")
