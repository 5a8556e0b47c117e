"""The format of collection packs (``.footnotepack``), version 1.

A zip file with these members, in this order, and a comment ``footnote-pack sha256=<hex of manifest.json>``:

- ``manifest.json``: format, version, program version, embedding model, counts, names of collections, and of every other
  member its size in bytes and SHA-256.
- ``documents.jsonl``: a document a line, in order of their paths, with the numbers of its sections and chunks.
- ``sections.jsonl``: a section a line, in the order of the documents.
- ``places.jsonl``: a line for each section of which is known where its text stands on the page: ``glyphs`` are runs
  (text start, index of PDFium's character, length) for PDF, ``words`` rows of a ``BoxMap`` for text read by OCR.
- ``chunks.jsonl``: a chunk a line; its text is the span of the document's text.
- ``vectors.npy``: float16, shape (chunks, dimension), NumPy's format 1.0, a row for each chunk; not compressed.

Nothing in it is ever unpickled, and no index file travels: indexes are built from the vectors.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from app.domain.errors import BadInputError

FORMAT, VERSION = "footnote-pack", 1
SUFFIX = ".footnotepack"
MANIFEST = "manifest.json"
DOCUMENTS, SECTIONS, PLACES, CHUNKS = "documents.jsonl", "sections.jsonl", "places.jsonl", "chunks.jsonl"
VECTORS = "vectors.npy"
MEMBERS = (DOCUMENTS, SECTIONS, PLACES, CHUNKS, VECTORS)
COMMENT = "footnote-pack sha256="
BYTES_A_NUMBER = 2

T = TypeVar("T")


class PackError(BadInputError):
    """A pack is refused; the message says why. Nothing of it was stored."""


@dataclass(frozen=True, slots=True)
class PackLimits:
    """What a pack may hold, against files made to fill a disk or the memory. Sizes in bytes.

    Text shrinks to a tenth or so; a member that is larger than ``ratio_from`` and shrank to less than ``1 / ratio`` of
    its size is refused.
    """

    manifest: int = 4 * 2**20
    line: int = 64 * 2**20
    unpacked: int = 64 * 2**30
    ratio: int = 200
    ratio_from: int = 32 * 2**20
    document_characters: int = 100_000_000
    dimension: int = 8192


@dataclass(frozen=True, slots=True)
class MemberRecord:
    """Size in bytes and SHA-256 in hex of a member."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a pack says of itself. ``windows`` tells the kind of its paths."""

    app_version: str
    windows: bool
    model_key: str
    dimension: int
    documents: int
    sections: int
    chunks: int
    collections: tuple[str, ...]
    members: Mapping[str, MemberRecord]

    def to_json(self) -> bytes:
        """The bytes of ``manifest.json``: equal manifests give equal bytes."""
        content = {
            "format": FORMAT,
            "version": VERSION,
            "app_version": self.app_version,
            "paths": "windows" if self.windows else "posix",
            "embedding": {"model_key": self.model_key, "dimension": self.dimension, "dtype": "float16"},
            "counts": {"documents": self.documents, "sections": self.sections, "chunks": self.chunks},
            "collections": list(self.collections),
            "members": {name: {"size": each.size, "sha256": each.sha256} for name, each in self.members.items()},
        }
        return json.dumps(content, ensure_ascii=True, indent=1, sort_keys=True).encode()

    @classmethod
    def from_json(cls, data: bytes, limits: PackLimits) -> Manifest:
        """Raises ``PackError``, also for a newer version, which is looked at first."""
        content = Fields(parsed_json(data, MANIFEST), MANIFEST)
        if content.get("format", str) != FORMAT:
            raise PackError("This is not a collection pack.")
        version = content.integer("version", 1)
        if version > VERSION:
            raise PackError(
                f"This pack was made by a newer Footnote (pack format {version}; this one knows {VERSION}). Update "
                "Footnote to read it."
            )
        embedding, counts = content.fields("embedding"), content.fields("counts")
        members = content.fields("members")
        if embedding.get("dtype", str) != "float16":
            raise PackError("The pack's vectors are not float16 numbers.")
        return cls(
            content.get("app_version", str),
            content.get("paths", str) == "windows",
            embedding.get("model_key", str),
            embedding.integer("dimension", 1, limits.dimension),
            counts.integer("documents"),
            counts.integer("sections"),
            counts.integer("chunks"),
            content.texts("collections"),
            {name: _member(members.fields(name)) for name in members.names},
        )


class Fields:
    """A JSON object from outside, read value by value. Every method raises ``PackError`` for what does not fit."""

    def __init__(self, value: object, place: str) -> None:
        if not isinstance(value, dict):
            raise PackError(f"{place} of the pack does not hold what it should.")
        self._value: dict[str, Any] = value
        self._place = place

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its values."""
        return tuple(self._value)

    def get(self, name: str, kind: type[T]) -> T:
        """A value of exactly this kind."""
        value = self._value.get(name)
        if type(value) is not kind:
            raise self.wrong(name)
        return value

    def integer(self, name: str, least: int = 0, most: int = 2**62) -> int:
        """A whole number from ``least`` to ``most``."""
        value = self.get(name, int)
        if not least <= value <= most:
            raise self.wrong(name)
        return value

    def optional_integer(self, name: str, least: int = 0) -> int | None:
        """The same, or None."""
        return None if self._value.get(name) is None else self.integer(name, least)

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts."""
        values = self.get(name, list)
        if not all(type(each) is str for each in values):
            raise self.wrong(name)
        return tuple(values)

    def fields(self, name: str) -> Fields:
        """An object inside."""
        return Fields(self._value.get(name), f"{self._place}, “{name}”,")

    def made(self, name: str, make: Callable[[Any], T]) -> T:
        """What ``make`` makes of a value."""
        try:
            return make(self._value.get(name))
        except (ValueError, TypeError, KeyError, OverflowError) as error:
            raise self.wrong(name) from error

    def wrong(self, name: str) -> PackError:
        """The error that says which value does not fit."""
        return PackError(f"{self._place} of the pack has no valid “{name}”.")


def parsed_json(data: bytes, place: str) -> object:
    """JSON from outside. Raises ``PackError``."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise PackError(f"{place} of the pack is not JSON.") from error


def _member(fields: Fields) -> MemberRecord:
    return MemberRecord(fields.integer("size"), fields.get("sha256", str))
