"""Decides which model files may be loaded: known kinds only, and unaltered."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from app.domain.errors import ModelFileError

# Pickles and sources run code when loaded.
REFUSED_SUFFIXES = frozenset(
    {".bin", ".ckpt", ".h5", ".joblib", ".msgpack", ".npy", ".pickle", ".pkl", ".pt", ".pth", ".py"}
)
# Hashing less takes no time worth remembering.
SMALL_FILE = 8 * 1024 * 1024
LONGEST_JSON = 64 * 1024 * 1024


def refuse_code(folder: Path) -> None:
    """Raise ``ModelFileError`` if a file under ``folder`` could run code when the model is loaded."""
    found = sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.suffix.lower() in REFUSED_SUFFIXES
    )
    if found:
        shown = ", ".join(found[:3])
        raise ModelFileError(
            f"The model in {folder} has files that can run programs when they are loaded ({shown}). Footnote only loads"
            " weights in the safetensors format: remove these files or get the model in that format."
        )
    for name in ("config.json", "tokenizer_config.json"):
        if "auto_map" in read_json(folder / name):
            raise ModelFileError(
                f"The model in {folder} asks to run its own program code (auto_map in {name}). Footnote never does."
                " Choose a model of a standard architecture."
            )


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes in hex. Raises ``ModelFileError`` if it can't be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise missing_file(path, error) from error


class DigestCache:
    """Remembers SHA-256 of large files by path, size and time of change in the JSON file ``path``."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def sha256(self, file: Path) -> str:
        """SHA-256 of a file's bytes in hex. Raises ``ModelFileError`` if it can't be read."""
        try:
            state = file.stat()
        except OSError as error:
            raise missing_file(file, error) from error
        if state.st_size < SMALL_FILE:
            return sha256_of(file)
        stamp = [state.st_size, state.st_mtime_ns]
        known = self._read()
        entry = known.get(str(file))
        if isinstance(entry, list) and entry[:2] == stamp:
            return str(entry[2])
        digest = sha256_of(file)
        self._write(known | {str(file): [*stamp, digest]})
        return digest

    def _read(self) -> dict[str, Any]:
        try:
            known = read_json(self._path)
        except ModelFileError:
            return {}
        return known if isinstance(known, dict) else {}

    def _write(self, known: dict[str, Any]) -> None:
        aside = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        aside.write_text(json.dumps(known), encoding="utf-8")
        aside.replace(self._path)


def verify_files(folder: Path, expected: Mapping[str, str]) -> None:
    """Raise ``ModelFileError`` unless every file named in ``expected`` has its SHA-256."""
    for name, digest in expected.items():
        if sha256_of(folder / name) != digest:
            raise altered_file(folder / name)


def read_verified(path: Path, digest: str) -> bytes:
    """The bytes of a file that have the SHA-256 ``digest``. Raises ``ModelFileError`` otherwise."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise missing_file(path, error) from error
    if hashlib.sha256(content).hexdigest() != digest:
        raise altered_file(path)
    return content


def fingerprint(digests: Iterable[tuple[str, str]]) -> str:
    """One SHA-256 over names and SHA-256 of files, whatever their order."""
    lines = sorted(f"{digest}  {name}\n" for name, digest in digests)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def read_json(path: Path) -> Any:
    """The value in a small JSON file; an empty dict if there is none. Raises ``ModelFileError`` if it is damaged."""
    try:
        if path.stat().st_size > LONGEST_JSON:
            raise ModelFileError(f"The model file {path} is too large. Get the model again.")
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise missing_file(path, error) from error
    except ValueError as error:
        raise ModelFileError(f"The model file {path} is damaged. Get the model again.") from error


def altered_file(path: Path) -> ModelFileError:
    """What to say about a file whose checksum is wrong."""
    return ModelFileError(
        f"The model file {path} is not the one that was expected (its checksum is wrong): it is damaged or was altered."
        " Install or download the model again."
    )


def missing_file(path: Path, error: OSError) -> ModelFileError:
    """What to say about a file that can't be read."""
    reason = error.strerror or str(error)
    return ModelFileError(f"The model file {path} can't be read: {reason}. Install or download the model again.")
