"""Reads collection packs from outside: everything is checked, and nothing is believed before."""

from __future__ import annotations

import hashlib
import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

from app.domain.cancellation import CancelToken
from app.domain.documents import SECTION_SEPARATOR, Chunk, ParsedDocument, PlacedSection, SectionKind
from app.domain.packs import PackedDocument, PackSummary
from app.services import pack_lines
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
    Fields,
    Manifest,
    PackError,
    PackLimits,
    parsed_json,
)

LENGTH_TOLERANCE = 0.01
"""Rounding to float16 moves the length of a vector by less than a thousandth."""

_BLOCK = 2**20
_DAMAGED = "The pack is damaged: {} can't be read. Copy or download it again; nothing was stored."
_OTHER_COUNTS = "The pack's manifest gives other counts than it holds: {} has more or fewer lines."
_READ_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, struct.error)


class PackReader:
    """A pack, opened. Close it, or use it as a context manager.

    Opening checks the container and the manifest, ``check`` everything else. Every method raises ``PackError`` with
    the reason why the pack is refused, and ``OSError`` becomes one too; ``WorkCancelledError`` once ``cancel`` says so.
    """

    def __init__(self, path: Path, limits: PackLimits | None = None, cancel: CancelToken | None = None) -> None:
        self._cancel = cancel or CancelToken()
        self._limits = limits or PackLimits()
        self._path = path
        with ExitStack() as opened:
            try:
                self._file = opened.enter_context(path.open("rb"))
                self._zip = opened.enter_context(zipfile.ZipFile(self._file))
            except OSError as error:
                raise PackError(f"{path} can't be read: {error.strerror or error}.") from error
            except (*_READ_ERRORS, ValueError) as error:
                raise PackError(
                    f"{path.name} is not a whole collection pack: its end is missing or damaged. Copy or download it "
                    "again; nothing was stored."
                ) from error
            self._entries = self._checked_entries()
            self.manifest = self._checked_manifest()
            self._check_members()
            self._opened = opened.pop_all()

    def __enter__(self) -> PackReader:
        return self

    def __exit__(self, *exception: object) -> None:
        self._opened.close()

    def summary(self) -> PackSummary:
        """What the pack says of itself."""
        manifest = self.manifest
        return PackSummary(
            manifest.documents,
            manifest.sections,
            manifest.chunks,
            manifest.collections,
            manifest.model_key,
            manifest.dimension,
            manifest.app_version,
            self._size(),
            sum(each.size for each in manifest.members.values()),
        )

    def check(self, progress: Callable[[int, int], None] = lambda done, total: None) -> None:
        """Check every checksum, then every document. ``progress`` gets (documents done, documents in all)."""
        self.check_sums()
        for number, _ in enumerate(self.documents(), start=1):
            progress(number, self.manifest.documents)

    def check_sums(self) -> None:
        """Check every checksum; reading all ``documents`` checks the rest."""
        for name in MEMBERS:
            with self._member(name) as member:
                while member.read(_BLOCK):
                    self._cancel.raise_if_cancelled()

    def documents(self) -> Iterator[PackedDocument]:
        """The documents, each checked. Checksums are compared at the end of the last."""
        with ExitStack() as opened:
            members = {name: opened.enter_context(self._member(name)) for name in MEMBERS}
            lines = {name: _Lines(name, members[name], self._limits.line) for name in MEMBERS if name != VECTORS}
            self._check_vector_header(members[VECTORS])
            paths: set[str] = set()
            sections = 0
            for _ in range(self.manifest.documents):
                self._cancel.raise_if_cancelled()
                packed = self._document(lines, members[VECTORS])
                if packed.path in paths:
                    raise PackError("The pack holds two documents with one path. It is refused.")
                paths.add(packed.path)
                sections += len(packed.parsed.sections)
                yield packed
            if sections != self.manifest.sections:
                raise PackError(_OTHER_COUNTS.format(SECTIONS))
            self._check_end(lines, members[VECTORS])

    # -- container -------------------------------------------------------------------------------------------------

    def _checked_entries(self) -> dict[str, zipfile.ZipInfo]:
        entries: dict[str, zipfile.ZipInfo] = {}
        for entry in self._zip.infolist():
            name = entry.orig_filename
            if any(mark in name for mark in "/\\:\0") or name in ("", ".", ".."):
                raise PackError("The pack holds a file whose name leads to another place. It is refused.")
            if name in entries:
                raise PackError(f"The pack holds {name} twice. It is refused.")
            if entry.flag_bits & 1 or entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise PackError(f"{name} of the pack is encrypted or packed in another way than packs are.")
            entries[name] = entry
        unpacked = sum(each.file_size for each in entries.values())
        if unpacked > self._limits.unpacked or any(map(self._is_bomb, entries.values())):
            raise PackError(
                f"The pack would grow from {self._size() / 1e6:,.1f} MB to {unpacked / 1e6:,.0f} MB, as files made to "
                "fill a disk do. It is refused."
            )
        return entries

    def _is_bomb(self, entry: zipfile.ZipInfo) -> bool:
        size = entry.file_size
        return size > self._limits.ratio_from and size > self._limits.ratio * entry.compress_size

    def _size(self) -> int:
        return self._file.seek(0, io.SEEK_END)

    def _checked_manifest(self) -> Manifest:
        entry = self._entries.get(MANIFEST)
        comment = self._zip.comment.decode("ascii", "replace")
        if entry is None or not comment.startswith(COMMENT):
            raise PackError("This is not a collection pack: it has no manifest.")
        if entry.file_size > self._limits.manifest:
            raise PackError("The pack's manifest is too large. It is refused.")
        try:
            data = self._zip.read(entry)
        except (*_READ_ERRORS, OSError) as error:
            raise PackError(_DAMAGED.format(MANIFEST)) from error
        if hashlib.sha256(data).hexdigest() != comment.removeprefix(COMMENT):
            raise PackError("The pack is damaged or was altered: its manifest does not match its checksum.")
        return Manifest.from_json(data, self._limits)

    def _check_members(self) -> None:
        for name in MEMBERS:
            if name not in self._entries:
                raise PackError(f"The pack is not whole: {name} is missing.")
            if name not in self.manifest.members:
                raise PackError(f"The pack's manifest does not tell of {name}.")
            if self._entries[name].file_size != self.manifest.members[name].size:
                raise PackError(f"{name} of the pack has another size than its manifest says.")
        foreign = {*self._entries, *self.manifest.members} - {MANIFEST, *MEMBERS}
        if foreign:
            raise PackError(f"The pack holds something that does not belong there: {min(foreign)[:80]}. It is refused.")

    @contextmanager
    def _member(self, name: str) -> Iterator[IO[bytes]]:
        """A member's content; its checksum is compared when it was read to the end."""
        try:
            with self._zip.open(self._entries[name]) as source:
                yield io.BufferedReader(_Hashed(name, source, self.manifest.members[name].sha256), _BLOCK)
        except (*_READ_ERRORS, OSError) as error:
            raise PackError(_DAMAGED.format(name)) from error

    # -- documents -------------------------------------------------------------------------------------------------

    def _document(self, lines: dict[str, _Lines], vectors: IO[bytes]) -> PackedDocument:
        head = lines[DOCUMENTS].next()
        sections = self._sections(head, lines)
        text = SECTION_SEPARATOR.join(each.section.text for each in sections)
        chunks = tuple(
            pack_lines.chunk_from(lines[CHUNKS].next(), text)
            for _ in range(head.integer("chunks", 1, self.manifest.chunks))
        )
        _check_spans(text, sections, chunks)
        parsed = ParsedDocument(
            text,
            sections,
            pack_lines.valid_text(head, "title"),
            pack_lines.valid_text(head, "media_type"),
            head.optional_integer("pages", 0),
            pack_lines.metadata_from(head),
        )
        return PackedDocument(
            pack_lines.path_from(head, windows=self.manifest.windows),
            pack_lines.stamp_from(head),
            pack_lines.sha256_from(head),
            parsed,
            chunks,
            self._vectors(vectors, len(chunks)),
            head.texts("collections"),
        )

    def _sections(self, head: Fields, lines: dict[str, _Lines]) -> tuple[PlacedSection, ...]:
        found: list[PlacedSection] = []
        position = 0
        for _ in range(head.integer("sections", 1, self.manifest.sections)):
            fields = lines[SECTIONS].next()
            places = lines[PLACES].next() if fields.get("places", bool) else None
            placed = pack_lines.section_from(fields, position, places)
            position = placed.end + len(SECTION_SEPARATOR)
            if position > self._limits.document_characters:
                raise PackError("A document of the pack is too large. The pack is refused.")
            found.append(placed)
        return tuple(found)

    def _check_vector_header(self, vectors: IO[bytes]) -> None:
        import numpy as np

        wanted = (self.manifest.chunks, self.manifest.dimension)
        try:
            version = np.lib.format.read_magic(vectors)
            shape, fortran, dtype = np.lib.format.read_array_header_1_0(vectors, max_header_size=4096)
        except (ValueError, TypeError, SyntaxError) as error:
            raise PackError("The pack's vectors are not in NumPy's format.") from error
        if version != (1, 0) or fortran or dtype.str != "<f2":
            raise PackError("The pack's vectors are not float16 numbers in rows.")
        if shape != wanted:
            raise PackError(f"The pack's vectors have the shape {shape} instead of {wanted}.")

    def _vectors(self, source: IO[bytes], count: int) -> tuple[bytes, ...]:
        import numpy as np

        size = self.manifest.dimension * BYTES_A_NUMBER
        data = source.read(count * size)
        if len(data) != count * size:
            raise PackError("The pack has fewer vectors than passages.")
        matrix = np.frombuffer(data, dtype="<f2").astype(np.float32).reshape(count, -1)
        # A number that is not finite makes the length infinite or not a number, and the comparison false.
        with np.errstate(over="ignore", invalid="ignore"):
            right = np.abs(np.linalg.norm(matrix, axis=1) - 1) <= LENGTH_TOLERANCE
        if not right.all():
            raise PackError("The pack holds a vector that can't be right: not of length one, or not a number.")
        return tuple(data[start : start + size] for start in range(0, len(data), size))

    @staticmethod
    def _check_end(lines: dict[str, _Lines], vectors: IO[bytes]) -> None:
        for each in lines.values():
            each.require_end()
        if vectors.read(1):
            raise PackError("The pack has more vectors than passages.")


class _Hashed(io.RawIOBase):
    """Hashes what is read, and compares at the end."""

    def __init__(self, name: str, source: IO[bytes], sha256: str) -> None:
        self._name = name
        self._source = source
        self._wanted = sha256
        self._sha256 = hashlib.sha256()

    def readable(self) -> bool:
        """It can be read."""
        return True

    def readinto(self, target: Any, /) -> int:
        """Read the next bytes."""
        view = memoryview(target)
        data = self._source.read(len(view))
        self._sha256.update(data)
        if not data and self._sha256.hexdigest() != self._wanted:
            raise PackError(f"The pack is damaged or was altered: {self._name} does not match its checksum.")
        view[: len(data)] = data
        return len(data)


class _Lines:
    """The lines of a member."""

    def __init__(self, name: str, source: IO[bytes], longest: int) -> None:
        self._name = name
        self._source = source
        self._longest = longest
        self._number = 0

    def next(self) -> Fields:
        """The next line. Raises ``PackError`` at the end."""
        data = self._source.readline(self._longest + 1)
        self._number += 1
        if not data:
            raise PackError(_OTHER_COUNTS.format(self._name))
        if not data.endswith(b"\n"):
            raise PackError(f"Line {self._number} of {self._name} in the pack is too long or not whole.")
        place = f"{self._name}, line {self._number},"
        return Fields(parsed_json(data, place), place)

    def require_end(self) -> None:
        """Raise ``PackError`` if there is anything left."""
        if self._source.read(1):
            raise PackError(_OTHER_COUNTS.format(self._name))


def _check_spans(text: str, sections: Sequence[PlacedSection], chunks: Sequence[Chunk]) -> None:
    """Chunks don't overlap, and every character that is not white space is in one, or is said a second time."""
    ordered = sorted(chunks, key=lambda chunk: chunk.start)
    reached = 0
    repeated = [each for each in sections if each.section.kind is SectionKind.REPEATED]
    for start, end in [*((chunk.start, chunk.end) for chunk in ordered), (len(text), len(text))]:
        if start < reached:
            raise PackError("Passages of a document in the pack overlap. The pack is refused.")
        gap = text[reached:start]
        if gap.strip() and not _only_repeated(gap, reached, repeated):
            raise PackError("A part of a document in the pack is in no passage. The pack is refused.")
        reached = end


def _only_repeated(gap: str, start: int, repeated: Sequence[PlacedSection]) -> bool:
    for each in repeated:
        first, last = max(each.start - start, 0), min(each.end - start, len(gap))
        if first < last:
            gap = gap[:first] + " " * (last - first) + gap[last:]
    return not gap.strip()
