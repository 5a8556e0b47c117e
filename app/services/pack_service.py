"""Collection packs as the window and the command line see them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from importlib import metadata
from pathlib import Path

from app.domain.cancellation import CancelToken
from app.domain.errors import BadInputError
from app.domain.packs import ImportSummary, PackSummary
from app.domain.passages import Scope
from app.retrieval.embedder import Embedder
from app.services.collection_service import CollectionService, checked_name
from app.services.document_files import DocumentFiles
from app.services.pack_format import PackError, PackLimits
from app.services.pack_import import PackImport
from app.services.pack_paths import PathMapping
from app.services.pack_reader import PackReader
from app.services.pack_roots import PackRoot, roots_of
from app.services.pack_writer import PackWriter
from app.storage.library_store import LibraryStore

DISTRIBUTION = "footnote-desktop"
ROOM_FACTOR = 3
"""The library needs about twice what is in a pack, and the log of the transaction once more."""

Progress = Callable[[int, int], None]


def _silent(done: int, total: int) -> None:
    """Show nothing."""


class PackService:
    """Exports, checks and imports packs. Methods block; they raise ``PackError``, which says why a pack is refused.

    ``progress`` gets (documents done, documents in all). Exporting and importing call no embedding model where the
    pack's is the one that answers here; otherwise an import embeds everything again, which ``preview`` tells before.
    """

    def __init__(
        self,
        store: LibraryStore,
        files: DocumentFiles,
        open_embedder: Callable[[], Embedder],
        library_changed: Callable[[], None],
        work_dir: Path,
        limits: PackLimits | None = None,
    ) -> None:
        self._store = store
        self._files = files
        self._open_embedder = open_embedder
        self._library_changed = library_changed
        self._work_dir = work_dir
        self._limits = limits or PackLimits()
        self.collections = CollectionService(store)

    def export(
        self,
        file: Path,
        collection: str | None = None,
        progress: Progress = _silent,
        cancel: CancelToken | None = None,
    ) -> PackSummary:
        """Write all documents, or those of a collection, into one file. What was not read to the end is left out.

        A file that is there is replaced, in one step, when the new one is complete.
        """
        chosen = self.collections.named(collection) if collection is not None else None
        scope = Scope(collections=frozenset({chosen.id})) if chosen else Scope()
        embedder = self._open_embedder()
        ids = self._store.complete_documents(scope, embedder.model_key)
        if not ids:
            raise BadInputError("There is nothing to export: no document was read to the end.")
        names = self._store.collection_names(ids)
        with PackWriter(file, embedder.model_key, embedder.dimension, _version()) as writer:
            for number, document_id in enumerate(ids, start=1):
                if cancel is not None:
                    cancel.raise_if_cancelled()
                packed = self._store.whole_document(document_id, embedder.model_key)
                if packed is not None:
                    writer.add(replace(packed, collections=(chosen.name,) if chosen else names[document_id]))
                progress(number, len(ids))
            manifest = writer.finish()
        with PackReader(file, self._limits) as reader:
            left_out = self._store.document_count(scope) - manifest.documents
            return replace(reader.summary(), left_out=max(0, left_out))

    def verify(self, file: Path, progress: Progress = _silent) -> PackSummary:
        """Check everything about a pack; stores nothing."""
        with PackReader(file, self._limits) as reader:
            reader.check(progress)
            return reader.summary()

    def examine(
        self, file: Path, progress: Progress = _silent, cancel: CancelToken | None = None
    ) -> tuple[PackSummary, tuple[PackRoot, ...]]:
        """``verify``, and the folders that its documents were in."""
        with PackReader(file, self._limits, cancel) as reader:
            reader.check_sums()
            paths = []
            for packed in reader.documents():
                paths.append(packed.path)
                progress(len(paths), reader.manifest.documents)
            windows = reader.manifest.windows
            roots = [
                PackRoot(folder, count, here=os.path.isdir(PathMapping().place(folder, windows=windows)))  # noqa: PTH112  Path.is_dir raises where it may not look
                for folder, count in roots_of(paths, windows=windows)
            ]
            return reader.summary(), tuple(roots)

    def preview(
        self, file: Path, mapping: PathMapping, collection: str | None = None, cancel: CancelToken | None = None
    ) -> ImportSummary:
        """What importing would do; checks the pack and stores nothing."""
        with PackReader(file, self._limits, cancel) as reader:
            return self._prepared(reader, mapping, collection).summary(self._open_embedder().model_key)

    def import_pack(
        self,
        file: Path,
        mapping: PathMapping,
        collection: str | None = None,
        *,
        before: Callable[[ImportSummary], None] = lambda summary: None,
        progress: Progress = _silent,
        cancel: CancelToken | None = None,
    ) -> ImportSummary:
        """Check a pack and take it in: all of it or, whatever goes wrong, nothing.

        ``before`` is told what will happen; if it raises, nothing does.
        """
        with PackReader(file, self._limits, cancel) as reader:
            self._require_room(reader)
            prepared = self._prepared(reader, mapping, collection)
            before(prepared.summary(self._open_embedder().model_key))
            summary = prepared.run(self._open_embedder, self._work_dir, progress, cancel)
        self._library_changed()
        return summary

    def _prepared(self, reader: PackReader, mapping: PathMapping, collection: str | None) -> PackImport:
        reader.check_sums()
        for name in (collection,) if collection is not None else reader.manifest.collections:
            checked_name(name)
        return PackImport(self._store, self._files, reader, mapping, collection)

    def _require_room(self, reader: PackReader) -> None:
        needed = ROOM_FACTOR * reader.summary().unpacked
        free = shutil.disk_usage(self._work_dir).free
        if free < needed:
            raise PackError(
                f"Taking in this pack needs about {needed / 1e6:,.0f} MB, but only {free / 1e6:,.0f} MB are free. Make "
                "room on the disk and try again; nothing was stored."
            )


def _version() -> str:
    try:
        return metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return ""
