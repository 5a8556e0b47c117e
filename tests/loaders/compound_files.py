"""Makes compound files ([MS-CFB]), the container of Office before 2007, with just the streams a test is about."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

SECTOR = 512
_END, _FREE, _FAT = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
_STORAGE, _STREAM, _ROOT = 1, 2, 5
_SMALL = 4096


@dataclass
class _Entry:
    name: str
    kind: int
    data: bytes = b""
    children: list[int] = field(default_factory=list)
    following: int = _FREE
    start: int = _END


def compound_file(streams: Mapping[str, bytes]) -> bytes:
    """Return a compound file of these streams; slashes in names lead into storages. Streams are padded with zeros to
    the size from which they stand in sectors of their own."""
    entries = [_Entry("Root Entry", _ROOT)]
    places = {"": 0}
    for path, data in streams.items():
        parts = path.split("/")
        for depth in range(1, len(parts) + 1):
            name = "/".join(parts[:depth])
            if name not in places:
                places[name] = len(entries)
                last = depth == len(parts)
                entries.append(_Entry(parts[depth - 1], _STREAM if last else _STORAGE, data if last else b""))
                entries[places["/".join(parts[: depth - 1])]].children.append(places[name])
    for entry in entries:
        for one, other in zip(entry.children, entry.children[1:], strict=False):
            entries[one].following = other
    return _written(entries)


def _written(entries: list[_Entry]) -> bytes:
    chains: list[int] = []
    body = b""
    for entry in entries:
        if entry.kind == _STREAM:
            entry.start = len(chains)
            body += _padded(entry.data.ljust(_SMALL, b"\0"))
            _chain(chains, (max(len(entry.data), _SMALL) + SECTOR - 1) // SECTOR)
    directory = _padded(b"".join(_directory_entry(entry) for entry in entries))
    first_directory = len(chains)
    _chain(chains, len(directory) // SECTOR)
    fat_sectors = 1
    while (len(chains) + fat_sectors) * 4 > fat_sectors * SECTOR:
        fat_sectors += 1
    first_fat = len(chains)
    chains += [_FAT] * fat_sectors
    fat = struct.pack(f"<{len(chains)}I", *chains).ljust(fat_sectors * SECTOR, b"\xff")
    return _header(first_directory, first_fat, fat_sectors) + body + directory + fat


def _chain(chains: list[int], count: int) -> None:
    first = len(chains)
    chains.extend([*range(first + 1, first + count), _END])


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % SECTOR)


def _directory_entry(entry: _Entry) -> bytes:
    name = entry.name.encode("utf-16-le") + b"\0\0"
    child = entry.children[0] if entry.children else _FREE
    size = max(len(entry.data), _SMALL) if entry.kind == _STREAM else 0
    return (
        name.ljust(64, b"\0")
        + struct.pack("<HBBIII", len(name), entry.kind, 1, _FREE, entry.following, child)
        + b"\0" * 36
        + struct.pack("<IQ", entry.start if entry.kind == _STREAM else _END, size)
    )


def _header(first_directory: int, first_fat: int, fat_sectors: int) -> bytes:
    sectors = [first_fat + place for place in range(fat_sectors)]
    return (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
        + b"\0" * 16
        + struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
        + struct.pack("<IIIIIIIII", 0, fat_sectors, first_directory, 0, _SMALL, _END, 0, _END, 0)
        + struct.pack("<109I", *sectors, *[_FREE] * (109 - len(sectors)))
    )
