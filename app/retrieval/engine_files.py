"""A model converted for the fast engine: a folder with a manifest that vouches for every file in it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from app.domain.errors import ModelFileError
from app.retrieval.model_verification import altered_file, read_json, read_verified, sha256_of

GRAPH = "model.xml"
WEIGHTS = "weights.dat"
TOKENIZER = "tokenizer.json"
MANIFEST = "manifest.json"
COMPILED = "compiled.dat"
COMPILED_NOTE = "compiled.json"
# Raise when conversion changes so that older results must not be used.
FORMAT = 2


@dataclass(frozen=True, slots=True)
class EngineManifest:
    """What stands in ``manifest.json``. ``sha256`` is by file name; ``mean_cosine`` compares with the original."""

    model_key: str
    dimension: int
    max_tokens: int
    query_prompt: str = ""
    passage_prompt: str = ""
    mean_cosine: float = 1.0
    sha256: Mapping[str, str] = field(default_factory=dict)
    format: int = FORMAT


class EngineFiles:
    """Reads and writes one such folder. Reading raises ``ModelFileError`` for anything missing or altered."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write_manifest(self, manifest: EngineManifest) -> None:
        """Vouch for the files that lie there now, and put all on the disk."""
        names = [path.name for path in self.folder.iterdir() if path.name in {GRAPH, WEIGHTS, TOKENIZER}]
        content = asdict(manifest) | {"sha256": {name: sha256_of(self.folder / name) for name in sorted(names)}}
        (self.folder / MANIFEST).write_text(json.dumps(content, indent=1), encoding="utf-8")
        for path in self.folder.iterdir():
            _sync(path)

    def manifest(self) -> EngineManifest | None:
        """The manifest; None where there is none of this format that can be read."""
        try:
            found = read_json(self.folder / MANIFEST)
            return EngineManifest(**found) if found["format"] == FORMAT else None
        except (KeyError, ModelFileError, TypeError):
            return None

    def read(self, manifest: EngineManifest, name: str) -> bytes:
        """A file's bytes, as the manifest vouches for them."""
        if name not in manifest.sha256:
            raise altered_file(self.folder / MANIFEST)
        return read_verified(self.folder / name, manifest.sha256[name])

    def compiled(self, machine: str) -> bytes | None:
        """The model as compiled on ``machine``; None where there is none that is intact."""
        try:
            note = read_json(self.folder / COMPILED_NOTE)
            if not isinstance(note, dict) or note.get("machine") != machine:
                return None
            return read_verified(self.folder / COMPILED, str(note.get("sha256")))
        except ModelFileError:
            return None

    def store_compiled(self, machine: str, content: bytes) -> None:
        """Keep a compiled model for ``compiled``, which ignores it if this is cut short. May raise OSError."""
        import hashlib

        _replace(self.folder / COMPILED, content)
        note = {"machine": machine, "sha256": hashlib.sha256(content).hexdigest()}
        _replace(self.folder / COMPILED_NOTE, json.dumps(note).encode())


def _replace(path: Path, content: bytes) -> None:
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.write_bytes(content)
    _sync(aside)
    aside.replace(path)


def _sync(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())
