"""Checks of the keyword index's files before they are opened: tantivy itself trusts them.

Tantivy ends each file with a footer: JSON holding the CRC-32 of all before it, the length of that JSON and a magic
number (both uint32, little-endian). ``meta.json`` lists the segments; it has no checksum, so what it says of them is
compared with the files and, once the index is open, with the counts that the index holds about itself.
"""

from __future__ import annotations

import hashlib
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


def settings_digest(folder: Path) -> bytes:
    """SHA-256 of what ``meta.json`` says besides the segments, which stays the same for the life of an index."""
    return _settings_digest(json.loads((folder / META).read_bytes()))


def removed_share(folder: Path) -> float:
    """Share of the index's documents that are removed but still counted in the frequencies of words, 0 to 1."""
    segments = json.loads((folder / META).read_bytes())["segments"]
    held = sum(each["max_doc"] for each in segments)
    removed = sum(each["deletes"]["num_deleted_docs"] for each in segments if each["deletes"])
    return float(removed / held) if held else 0.0


def verify_folder(folder: Path, settings: bytes) -> None:
    """Compare every file that the index uses with its checksum, and the ``settings_digest`` with the one it had.

    Raises ``DamagedKeywordIndexError``.
    """
    try:
        _verify(folder, settings)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, struct.error) as error:
        raise DamagedKeywordIndexError(f"{folder.name}: {error}") from error


def _verify(folder: Path, settings: bytes) -> None:
    meta = json.loads((folder / META).read_bytes())
    if _settings_digest(meta) != settings:
        raise ValueError(f"{META} was altered")
    for name in _segment_files(meta):
        _verify_file(folder / name)


def _settings_digest(meta: dict[str, object]) -> bytes:
    lasting = {key: value for key, value in meta.items() if key not in ("segments", "opstamp")}
    return hashlib.sha256(json.dumps(lasting, sort_keys=True).encode()).digest()


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
