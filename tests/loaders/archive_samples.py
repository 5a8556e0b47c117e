"""Archives of every kind, well-behaved and not, made on the spot."""

from __future__ import annotations

import io
import struct
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

Files = Mapping[str, bytes]
TAR_MODES = {".tar": "", ".tgz": "gz", ".tar.gz": "gz", ".tar.bz2": "bz2", ".tar.xz": "xz"}


def write_zip(path: Path, files: Files, *, packed: bool = True) -> Path:
    method = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 2, 3, 4, 6)), data, method)
    return path


def zip_bytes(files: Files) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return data.getvalue()


def write_tar(path: Path, files: Files) -> Path:
    mode = next((mode for suffix, mode in TAR_MODES.items() if path.name.endswith(suffix)), "")
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode=f"w:{mode}") as archive:  # type: ignore[call-overload]  # the mode is made
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mtime = len(content), 1_700_000_000
            archive.addfile(member, io.BytesIO(content))
    path.write_bytes(_zstandard(data.getvalue()) if path.name.endswith((".tar.zst", ".tzst")) else data.getvalue())
    return path


def write_7z(path: Path, files: Files, password: str | None = None, *, hide_names: bool = False) -> Path:
    import py7zr

    with py7zr.SevenZipFile(path, "w", password=password, header_encryption=hide_names) as archive:
        for name, data in files.items():
            archive.writestr(data, name)
    return path


def write_archive(path: Path, files: Files) -> Path:
    """An archive of the kind that the name says."""
    if path.suffix == ".zip":
        return write_zip(path, files)
    return write_7z(path, files) if path.suffix == ".7z" else write_tar(path, files)


def mark_encrypted(path: Path, name: str | None = None) -> Path:
    """Set the flag that says that members of a zip are encrypted: of one, or of all."""
    data = bytearray(path.read_bytes())
    for signature, flags_at, name_at, length_at in ((b"PK\x03\x04", 6, 30, 26), (b"PK\x01\x02", 8, 46, 28)):
        position = data.find(signature)
        while position >= 0:
            (length,) = struct.unpack_from("<H", data, position + length_at)
            if name is None or data[position + name_at : position + name_at + length] == name.encode():
                data[position + flags_at] |= 1
            position = data.find(signature, position + 4)
    path.write_bytes(data)
    return path


def _zstandard(data: bytes) -> bytes:
    from backports import zstd

    return zstd.compress(data)
