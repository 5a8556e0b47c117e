"""How an item's way through ingestion ends: ready, failed, left out."""

from __future__ import annotations

import errno
import logging
import threading
from collections.abc import Callable, Iterable

from app.domain.errors import DocumentError, FailureReason, StorageError, UserFacingError, WorkCancelledError
from app.domain.ingestion import FileOutcome
from app.jobs.stage import StageClosedError
from app.services.ingest_item import DocumentsAtWork, IngestItem
from app.storage.library_store import LibraryStore
from app.storage.library_values import UnknownDocumentError

log = logging.getLogger(__name__)

OUR_FAULT = "Something went wrong inside Footnote with this file. The log has the details; the others go on."
DISK_FULL = "The disk is full. What was read so far is kept. Free some space and try again."
NO_ROOM = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)})


class Settlement:
    """Writes down what became of items, once each. Thread-safe.

    ``again`` takes items that waited for one that has ended.
    """

    def __init__(self, store: LibraryStore, at_work: DocumentsAtWork, again: Callable[[IngestItem], None]) -> None:
        self._store = store
        self._at_work = at_work
        self._again = again
        self._lock = threading.Lock()
        self.closing = False
        """The program ends: what is dropped now stays queued in the library."""

    def finished(self, item: IngestItem, outcome: FileOutcome) -> None:
        """The item has its outcome, and the library says so already."""
        if self._settle(item):
            item.job.finished(outcome)
            self._let_others(item)

    def left_out(self, item: IngestItem) -> bool:
        """Whether the item's job was cancelled; then it is dropped."""
        if item.job.token.cancelled:
            self.drop([item])
        return item.settled

    def drop(self, items: Iterable[IngestItem]) -> None:
        """Leave items out because their job was cancelled, failed as a whole, or the program ends."""
        dropped = [item for item in items if self._settle(item)]
        unwanted = [item for item in dropped if item.job.failure is None and not item.only_vectors]
        stopped = [item.document_id for item in dropped if item.started]
        try:
            if unwanted and not self.closing:
                new = {item.document_id for item in unwanted if item.is_new}
                self._store.forget_unfinished((item.document_id for item in unwanted), new=new)
            elif stopped:
                self._store.put_back(stopped)
        except UserFacingError as error:
            log.warning("documents that were left out stay queued: %s", error)
        for item in dropped:
            item.job.dropped(item.path)
            self._let_others(item)

    def failed(self, item: IngestItem, error: Exception) -> None:
        """Something went wrong with an item; what, decides whether it fails, or its job, or nothing does."""
        if isinstance(error, WorkCancelledError | StageClosedError):
            item.job.token.cancel()
            self.drop([item])
        elif isinstance(error, UnknownDocumentError):  # removed by the user in the meantime
            if self._settle(item):
                item.job.dropped(item.path)
                self._let_others(item)
        elif isinstance(error, DocumentError):
            self._fail(item, error)
        elif isinstance(error, UserFacingError):
            item.job.fail(error)
            self.drop([item])
        elif isinstance(error, OSError) and error.errno in NO_ROOM:  # no fault of the file, nor of the next ones
            item.job.fail(StorageError(DISK_FULL))
            self.drop([item])
        else:
            log.error("ingestion of %s failed", item.path, exc_info=error)
            self._fail(item, DocumentError(FailureReason.CRASHED, OUR_FAULT))

    def _fail(self, item: IngestItem, error: DocumentError) -> None:
        if not self._settle(item):
            return
        try:
            self._store.fail(item.document_id, error.reason, str(error))
        except UnknownDocumentError:
            item.job.dropped(item.path)
        except UserFacingError as storage_error:
            item.job.fail(storage_error)
        item.job.finished(item.failure(error))
        self._let_others(item)

    def _settle(self, item: IngestItem) -> bool:
        """Whether nothing has become of the item yet."""
        with self._lock:
            settled, item.settled = item.settled, True
        return not settled

    def _let_others(self, item: IngestItem) -> None:
        item.parsed = None
        for other in self._at_work.end(item):
            try:
                self._again(other)
            except StageClosedError:
                self.drop([other])
