"""The first stage of ingestion: is the file new, changed, moved? And if it has to be, read it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from app.domain.cancellation import CancelToken
from app.domain.documents import DocumentRecord, DocumentState, FileStamp, ParsedDocument
from app.domain.errors import DocumentError, FailureReason
from app.jobs.stage import Stage
from app.services.document_files import DocumentFiles
from app.services.ingest_item import DocumentsAtWork, IngestItem, known_outcome, sha256_of_file
from app.services.ingest_settling import Settlement
from app.storage.library_store import LibraryStore

MOST_READINGS = 3
MOST_ATTEMPTS = 10
"""A file whose reading the whole program did not survive so often is left alone."""


class Parser(Protocol):
    """What ingestion needs of the parser pool."""

    def parse(self, path: Path, cancel: CancelToken | None = None) -> ParsedDocument:
        """Read one file. Raises ``DocumentError`` or ``WorkCancelledError``."""
        ...


class Reading:
    """Work of the stage: passes read documents, and those that lack vectors only, on to ``following``."""

    def __init__(
        self,
        store: LibraryStore,
        parser: Parser,
        files: DocumentFiles,
        at_work: DocumentsAtWork,
        settlement: Settlement,
        following: Stage[IngestItem],
    ) -> None:
        self._store = store
        self._parser = parser
        self._files = files
        self._at_work = at_work
        self._settlement = settlement
        self._following = following

    def work(self, items: list[IngestItem]) -> None:
        """Several small files, or a large one: what is written before they are parsed is one transaction."""
        to_parse = [item for item in items if self._guarded(item, self._needs_parsing)]
        self._store.begin_parsing(item.document_id for item in to_parse)
        for item in to_parse:
            self._guarded(item, self._parse)

    def _guarded(self, item: IngestItem, step: Callable[[IngestItem], bool]) -> bool:
        try:
            return step(item)
        except Exception as error:  # noqa: BLE001 - a worker's edge: one file's error must not touch its neighbours
            self._settlement.failed(item, error)
            return False

    def _needs_parsing(self, item: IngestItem) -> bool:
        if self._settlement.left_out(item) or not self._at_work.begin(item):
            return False
        item.start()
        record = self._store.document(item.document_id)
        if item.only_vectors:
            self._pass_on_for_vectors(item, record)
            return False
        item.is_new = not record.content_hash
        self._check_attempts(record)
        self._look(item)
        return not self._is_unchanged(item, record) and not self._is_moved(item)

    def _look(self, item: IngestItem) -> None:
        """Note the file's stamp and, after it, its hash: the text read later is at least as new as both."""
        item.stamp = self._files.stamp(item.path)
        with self._files.opened(item.path) as file:
            item.content_hash = sha256_of_file(file)

    def _check_attempts(self, record: DocumentRecord) -> None:
        if record.state is DocumentState.PARSING and self._store.attempts(record.id) >= MOST_ATTEMPTS:
            message = (
                f"Footnote ended {MOST_ATTEMPTS} times while it read this file, so it is left alone until it changes."
            )
            raise DocumentError(FailureReason.CRASHED, message)

    def _is_unchanged(self, item: IngestItem, record: DocumentRecord) -> bool:
        if record.content_hash != item.content_hash:
            return False
        record = self._store.touch(record.id, item.stamp or record.stamp)
        if record.state is DocumentState.READY:
            self._settlement.finished(item, known_outcome(item.path, record))
        else:
            self._pass_on_for_vectors(item, record)
        return True

    def _is_moved(self, item: IngestItem) -> bool:
        """A file whose content the library knows under a path that is gone was moved: nothing needs reading."""
        for twin in self._store.documents_with_hash(item.content_hash):
            if twin.id != item.document_id and self._may_have_moved(twin) and self._files.stamp(twin.path) is None:
                self._take_over(item, twin)
                return True
        return False

    def _may_have_moved(self, twin: DocumentRecord) -> bool:
        if twin.state is DocumentState.READY or self._store.is_packed(twin.id):
            return True
        # What was on a drive that is unplugged, say, comes back with its folder.
        lost = twin.state is DocumentState.OFFLINE and self._store.folder_holding(twin.path) is None
        return lost and self._store.is_complete(twin.id)

    def _take_over(self, item: IngestItem, twin: DocumentRecord) -> None:
        stamp = item.stamp or twin.stamp
        with self._store.together():
            self._store.rename(twin.id, item.path)
            record = self._store.touch(twin.id, stamp)
        self._settlement.finished(item, known_outcome(item.path, record))

    def _pass_on_for_vectors(self, item: IngestItem, record: DocumentRecord) -> None:
        item.only_vectors = True
        item.pages, item.chunk_count, item.warning = record.page_count, record.chunk_count, record.warning
        self._following.pass_on([item], item.job.lane)

    def _parse(self, item: IngestItem) -> bool:
        """Read the file, and again while it changes meanwhile.

        One that never rests keeps the stamp it had before: as that is not the file's any more, it is read again later.
        """
        for _ in range(MOST_READINGS):
            if self._settlement.left_out(item):
                return False
            with self._files.opened(item.path) as file:
                item.parsed = self._parser.parse(file, item.job.token)
            if self._files.stamp(item.path) in (item.stamp, None):
                break
            self._look(item)
        item.stamp = item.stamp or FileStamp(0, 0)
        self._following.pass_on([item], item.job.lane)
        return True
