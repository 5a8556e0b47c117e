"""Writes collection packs: the same documents give the same bytes."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tempfile
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import IO

from app.domain.packs import PackedDocument
from app.services.pack_format import (
    BYTES_A_NUMBER,
    CHUNKS,
    COMMENT,
    DOCUMENTS,
    MANIFEST,
    MEMBERS,
    PLACES,
    SECTIONS,
    VECTORS,
    Manifest,
    MemberRecord,
    PackError,
)
from app.services.pack_lines import chunk_line, document_line, places_line, section_line

_DATE = (1980, 1, 1, 0, 0, 0)  # the time of writing would make two equal packs differ
_BLOCK = 2**20


class _Spool:
    """A member while it is made: in a file of its own, as several grow side by side."""

    def __init__(self, path: Path) -> None:
        self._file: IO[bytes] = path.open("w+b")
        self._sha256 = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> None:
        self._file.write(data)
        self._sha256.update(data)
        self.size += len(data)

    def record(self, before: bytes) -> MemberRecord:
        """Size and hash of ``before`` and what was written, together."""
        if not before:
            return MemberRecord(self.size, self._sha256.hexdigest())
        whole = hashlib.sha256(before)
        self._file.seek(0)
        while block := self._file.read(_BLOCK):
            whole.update(block)
        return MemberRecord(self.size + len(before), whole.hexdigest())

    def copy_to(self, target: IO[bytes], before: bytes) -> None:
        """Write ``before`` and behind it what was written here."""
        self._file.seek(0)
        target.write(before)
        shutil.copyfileobj(self._file, target, _BLOCK)

    def close(self) -> None:
        self._file.close()


class PackWriter:
    """Collects documents and writes them into one file. Close it, or use it as a context manager.

    What is written waits in a folder beside ``target``; ``finish`` puts the pack there in one step.
    Raises ``PackError`` if the disk is full or the folder can't be written.
    """

    def __init__(self, target: Path, model_key: str, dimension: int, app_version: str) -> None:
        self._target = target
        self._model = (model_key, dimension)
        self._app_version = app_version
        self._collections: set[str] = set()
        self._counts = {"documents": 0, "sections": 0, "chunks": 0}
        try:
            self._folder = Path(tempfile.mkdtemp(prefix=".footnotepack-", dir=target.parent))
            self._spools = {name: _Spool(self._folder / name) for name in MEMBERS}
        except OSError as error:
            raise _unwritable(target, error) from error

    def __enter__(self) -> PackWriter:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def add(self, packed: PackedDocument) -> None:
        """Add a document; the caller keeps to the order of paths."""
        try:
            self._spools[DOCUMENTS].write(document_line(packed))
            for placed in packed.parsed.sections:
                self._spools[SECTIONS].write(section_line(placed))
                places = places_line(placed.section)
                if places is not None:
                    self._spools[PLACES].write(places)
            for chunk, vector in zip(packed.chunks, packed.vectors, strict=True):
                if len(vector) != self._model[1] * BYTES_A_NUMBER:
                    raise PackError(f"A vector of {packed.path} is of another length than its model's.")
                self._spools[CHUNKS].write(chunk_line(chunk))
                self._spools[VECTORS].write(vector)
        except OSError as error:
            raise _unwritable(self._target, error) from error
        self._counts["documents"] += 1
        self._counts["sections"] += len(packed.parsed.sections)
        self._counts["chunks"] += len(packed.chunks)
        self._collections.update(packed.collections)

    def finish(self) -> Manifest:
        """Put the pack at its place."""
        made = self._folder / "made"
        try:
            with made.open("w+b") as file:
                manifest = self._write(file)
                file.flush()
                os.fsync(file.fileno())
            made.replace(self._target)
        except OSError as error:
            raise _unwritable(self._target, error) from error
        return manifest

    def close(self) -> None:
        """Remove what is left beside the pack."""
        for spool in self._spools.values():
            with suppress(OSError):  # what could not be flushed is deleted anyway
                spool.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _write(self, file: IO[bytes]) -> Manifest:
        headers = dict.fromkeys(MEMBERS, b"") | {VECTORS: _npy_header(self._counts["chunks"], self._model[1])}
        records = {name: spool.record(headers[name]) for name, spool in self._spools.items()}
        manifest = Manifest(
            self._app_version,
            os.name == "nt",
            model_key=self._model[0],
            dimension=self._model[1],
            documents=self._counts["documents"],
            sections=self._counts["sections"],
            chunks=self._counts["chunks"],
            collections=tuple(sorted(self._collections)),
            members=records,
        )
        data = manifest.to_json()
        with zipfile.ZipFile(file, "w", allowZip64=True) as pack:
            pack.comment = (COMMENT + hashlib.sha256(data).hexdigest()).encode()
            pack.writestr(_entry(MANIFEST, zipfile.ZIP_DEFLATED), data)
            for name, spool in self._spools.items():
                kind = zipfile.ZIP_STORED if name == VECTORS else zipfile.ZIP_DEFLATED
                with pack.open(_entry(name, kind), "w", force_zip64=True) as member:
                    spool.copy_to(member, headers[name])
        return manifest


def _entry(name: str, kind: int) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _DATE)
    entry.compress_type = kind
    entry.create_system = 3
    entry.external_attr = 0o600 << 16
    return entry


def _npy_header(rows: int, dimension: int) -> bytes:
    import numpy as np

    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, {"descr": "<f2", "fortran_order": False, "shape": (rows, dimension)})
    return buffer.getvalue()


def _unwritable(target: Path, error: OSError) -> PackError:
    return PackError(f"{target} can't be written: {error.strerror or error}. Nothing was left there.")
