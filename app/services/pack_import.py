"""Takes a collection pack into the library: one transaction, so that all of it is there or nothing."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from app.domain.cancellation import CancelToken
from app.domain.documents import DocumentRecord, DocumentState, FileStamp
from app.domain.errors import DocumentError
from app.domain.packs import ImportSummary, PackedDocument
from app.retrieval.embedder import Embedder
from app.retrieval.search_text import search_text
from app.services.document_files import DocumentFiles
from app.services.ingest_item import sha256_of_file
from app.services.pack_format import BYTES_A_NUMBER
from app.services.pack_paths import PathMapping
from app.services.pack_reader import PackReader
from app.storage.library_store import LibraryStore

NO_FILE = "It came in a collection pack; its file is not on this computer."
OTHER_FILE = "It came in a collection pack; the file in its place on this computer is another one."
EMBEDDED_AT_ONCE = 64
NO_STAMP = FileStamp(0, 0)
NextVector = Callable[[], bytes]


class Fate(StrEnum):
    """What becomes of a document of the pack."""

    ADDED = "added"
    UPDATED = "updated"
    MOVED = "moved"
    KNOWN = "known"
    KEPT = "kept"
    EXCLUDED = "excluded"


STORED = frozenset({Fate.ADDED, Fate.UPDATED})


@dataclass(frozen=True, slots=True)
class Decision:
    """The fate of a document, its place here, and the document here that it is, if there is one.

    ``offline`` says in words why it has no file here; None if its file is here, with ``stamp``.
    """

    fate: Fate
    path: Path
    known: int | None = None
    stamp: FileStamp = NO_STAMP
    offline: str | None = NO_FILE


class PackImport:
    """One import of one opened pack, which was checked. ``collection`` gathers all of it, in place of the pack's own.

    Decisions are made when it is made; ``run`` carries them out.
    """

    def __init__(
        self,
        store: LibraryStore,
        files: DocumentFiles,
        reader: PackReader,
        mapping: PathMapping,
        collection: str | None = None,
    ) -> None:
        self._store = store
        self._files = files
        self._reader = reader
        self._mapping = mapping
        self._collection = collection
        self._choices = store.path_choices()
        self._chunks = 0
        self._collections: set[str] = set()
        self._places: set[Path] = set()
        self._decisions = [self._decide(packed) for packed in reader.documents()]

    @property
    def collections(self) -> tuple[str, ...]:
        """Names of the collections that something joins."""
        return tuple(sorted(self._collections))

    def summary(self, model_key: str) -> ImportSummary:
        """What it does to a library where ``model_key`` answers."""
        fates = Counter(each.fate for each in self._decisions)
        offline = sum(each.offline is not None and each.fate in STORED | {Fate.MOVED} for each in self._decisions)
        embedded = 0 if model_key == self._reader.manifest.model_key else self._chunks
        return ImportSummary(
            documents=len(self._decisions),
            added=fates[Fate.ADDED],
            updated=fates[Fate.UPDATED],
            moved=fates[Fate.MOVED],
            known=fates[Fate.KNOWN],
            kept=fates[Fate.KEPT],
            excluded=fates[Fate.EXCLUDED],
            offline=offline,
            chunks=self._chunks,
            embedded=embedded,
        )

    def run(
        self,
        open_embedder: Callable[[], Embedder],
        work_dir: Path,
        progress: Callable[[int, int], None] = lambda done, total: None,
        cancel: CancelToken | None = None,
    ) -> ImportSummary:
        """Store what has to be stored, one transaction. Vectors of another model are made anew before it begins.

        Whatever ends it (``PackError``, ``StorageError``, ``WorkCancelledError``, a kill), the library is as it was.
        """
        embedder = open_embedder()
        with self._vectors(embedder, work_dir, cancel) as next_vector, self._store.together():
            collections = {name: self._collection_id(name) for name in self.collections}
            members: dict[str, list[int]] = {name: [] for name in collections}
            for number, (packed, decision) in enumerate(self._pairs(), start=1):
                if cancel is not None:
                    cancel.raise_if_cancelled()
                document_id = self._carry_out(packed, decision, embedder.model_key, next_vector)
                if document_id is not None:
                    for name in self._joined(packed):
                        members[name].append(document_id)
                progress(number, len(self._decisions))
            for name, collection_id in collections.items():
                self._store.add_to_collection(collection_id, members[name])
        return self.summary(embedder.model_key)

    # -- deciding --------------------------------------------------------------------------------------------------

    def _decide(self, packed: PackedDocument) -> Decision:
        original = self._mapping_of(packed, PathMapping())
        path = self._mapping_of(packed, self._mapping)
        decision = self._decide_at(packed, path, original)
        if decision.fate in STORED:
            self._chunks += len(packed.chunks)
        if decision.fate not in (Fate.KEPT, Fate.EXCLUDED):
            self._collections.update(self._joined(packed))
        return decision

    def _decide_at(self, packed: PackedDocument, path: Path, original: Path) -> Decision:
        if path in self._places:  # two folders there were mapped to one here
            return Decision(Fate.KEPT, path)
        self._places.add(path)
        if self._left_out(path):
            return Decision(Fate.EXCLUDED, path)
        record = self._store.document_by_path(path)
        if record is not None:
            return self._decide_known(packed, path, record)
        stamp, offline = self._file_of(packed, path)
        earlier = self._store.document_by_path(original) if original != path else None
        if earlier and earlier.content_hash == packed.content_hash and self._store.is_packed(earlier.id):
            return Decision(Fate.MOVED, path, earlier.id, stamp, offline)
        if offline is not None:
            for twin in self._store.documents_with_hash(packed.content_hash):
                if twin.state is DocumentState.READY:  # the same content, and here is a file that holds it
                    return Decision(Fate.KNOWN, path, twin.id)
        return Decision(Fate.ADDED, path, None, stamp, offline)

    def _decide_known(self, packed: PackedDocument, path: Path, record: DocumentRecord) -> Decision:
        if record.state is DocumentState.EXCLUDED:
            return Decision(Fate.EXCLUDED, path)
        if record.content_hash == packed.content_hash:
            return Decision(Fate.KNOWN, path, record.id)
        stamp, offline = self._file_of(packed, path)
        if not record.content_hash and offline is not OTHER_FILE:  # it was never read here
            return Decision(Fate.UPDATED, path, record.id, stamp, offline)
        if self._store.is_packed(record.id) and packed.stamp.mtime_ns > record.stamp.mtime_ns:
            return Decision(Fate.UPDATED, path, record.id, stamp, offline)
        return Decision(Fate.KEPT, path, record.id)

    def _left_out(self, path: Path) -> bool:
        """Whether the user left it or a folder around it out; what was said about the nearest counts."""
        if not self._choices:
            return False
        said = next((self._choices[each] for each in (path, *path.parents) if each in self._choices), True)
        return not said

    def _file_of(self, packed: PackedDocument, path: Path) -> tuple[FileStamp, str | None]:
        """The stamp to store, and words if the document's file is not here."""
        stamp = self._files.stamp(path)
        if stamp is None:
            return packed.stamp, NO_FILE
        try:
            with self._files.opened(path) as file:
                same = sha256_of_file(file) == packed.content_hash
        except DocumentError:
            return packed.stamp, NO_FILE
        return (stamp, None) if same else (packed.stamp, OTHER_FILE)

    def _mapping_of(self, packed: PackedDocument, mapping: PathMapping) -> Path:
        return mapping.place(packed.path, windows=self._reader.manifest.windows)

    def _joined(self, packed: PackedDocument) -> tuple[str, ...]:
        return packed.collections if self._collection is None else (self._collection,)

    # -- storing ---------------------------------------------------------------------------------------------------

    def _pairs(self) -> Iterator[tuple[PackedDocument, Decision]]:
        return zip(self._reader.documents(), self._decisions, strict=True)

    def _carry_out(
        self, packed: PackedDocument, decision: Decision, model_key: str, next_vector: NextVector | None
    ) -> int | None:
        """Returns the document's id here; None if it does not come in."""
        if decision.fate in (Fate.KEPT, Fate.EXCLUDED):
            return None
        if decision.fate is Fate.MOVED and decision.known is not None:
            self._store.move_packed(decision.known, decision.path, decision.stamp, offline=decision.offline)
        if decision.fate not in STORED:
            return decision.known
        if next_vector is not None:
            packed = replace(packed, vectors=tuple(next_vector() for _ in packed.chunks))
        texts = [search_text(packed.parsed.title, each.headings, each.text) for each in packed.chunks]
        return self._store.put_document(decision.path, decision.stamp, packed, texts, model_key, decision.offline)

    def _collection_id(self, name: str) -> int:
        known = self._store.collection_named(name)
        return known.id if known else self._store.add_collection(name)

    @contextmanager
    def _vectors(self, embedder: Embedder, work_dir: Path, cancel: CancelToken | None) -> Iterator[NextVector | None]:
        """The vectors of what will be stored, made anew and kept in a file; None if the pack's fit."""
        if embedder.model_key == self._reader.manifest.model_key:
            yield None
            return
        with tempfile.TemporaryFile(dir=work_dir) as file:
            for packed, decision in self._pairs():
                if decision.fate in STORED:
                    texts = [each.embedded_text for each in packed.chunks]
                    for start in range(0, len(texts), EMBEDDED_AT_ONCE):
                        if cancel is not None:
                            cancel.raise_if_cancelled()
                        rows = embedder.embed_passages(texts[start : start + EMBEDDED_AT_ONCE])
                        file.write(rows.astype("<f2").tobytes())
            file.seek(0)
            size = embedder.dimension * BYTES_A_NUMBER
            yield lambda: file.read(size)
