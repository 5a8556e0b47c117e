"""The stages of ingestion, wired: parse → split → embed → store."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from app.domain.errors import FootnoteError
from app.jobs.lanes import Lanes
from app.jobs.rate import RateMeter
from app.jobs.stage import Stage
from app.retrieval.embedder import Embedder
from app.retrieval.text_splitter import TextSplitter
from app.services.document_files import DocumentFiles
from app.services.ingest_item import DocumentsAtWork, EmbedGroup, IngestItem, VectorGroup
from app.services.ingest_job import IngestJob
from app.services.ingest_reading import Parser, Reading
from app.services.ingest_settling import Settlement
from app.services.ingest_storing import Embedding, Splitting, Storing
from app.storage.library_store import LibraryStore

PARSE_WORKERS = 2
# Weights of files: 1 for the smallest, 16 for 256 KiB or more, so a worker takes sixteen small files or a large one.
FILE_WEIGHT_BYTES = 1 << 14
READ_TOGETHER = 16
# What waits for the parsers is a path and a few numbers; what was parsed is text, so little of that may wait.
FILES_WAITING = 100_000
CHARACTERS_SPLIT_TOGETHER = 1 << 16
CHARACTERS_WAITING = 1 << 19
CHUNKS_EMBEDDED_TOGETHER = 128
CHUNKS_WAITING = 256
CHUNKS_STORED_TOGETHER = 512


class IngestPipeline:
    """Carries items from ``first`` to the library. Everything that an item's document needs runs here."""

    def __init__(
        self,
        store: LibraryStore,
        parser: Parser,
        files: DocumentFiles,
        open_splitter: Callable[[], TextSplitter],
        open_embedder: Callable[[], Embedder],
    ) -> None:
        self.lanes = Lanes()
        self.meter = RateMeter()
        at_work = DocumentsAtWork()
        self.settlement = Settlement(store, at_work, lambda item: self.first.pass_on([item], item.job.lane))
        self._save = self._make_save(store)
        self._embedding = Embedding(self.settlement, open_embedder, self._save)
        self._embed = self._make_embed()
        splitting = Splitting(store, self.settlement, open_splitter, open_embedder, self._embed)
        self._split = self._make_split(splitting)
        reading = Reading(store, parser, files, at_work, self.settlement, self._split)
        self.first: Stage[IngestItem] = Stage(
            "parse",
            reading.work,
            self._items_failed,
            lanes=self.lanes,
            workers=PARSE_WORKERS,
            capacity=FILES_WAITING,
            batch=READ_TOGETHER,
            weigh=_file_weight,
            following=self._split,
        )
        self._started = False

    def _make_save(self, store: LibraryStore) -> Stage[VectorGroup]:
        return Stage(
            "store",
            Storing(store, self.settlement, self.meter).work,
            self._groups_failed,
            lanes=self.lanes,
            capacity=CHUNKS_STORED_TOGETHER,
            batch=CHUNKS_STORED_TOGETHER,
            weigh=lambda group: len(group.rows),
            goes_on=True,
        )

    def _make_embed(self) -> Stage[EmbedGroup]:
        return Stage(
            "embed",
            self._embedding.work,
            self._embedding_failed,
            lanes=self.lanes,
            capacity=CHUNKS_WAITING,
            batch=CHUNKS_EMBEDDED_TOGETHER,
            weigh=lambda group: len(group.texts),
            following=self._save,
        )

    def _make_split(self, splitting: Splitting) -> Stage[IngestItem]:
        return Stage(
            "split",
            splitting.work,
            self._items_failed,
            lanes=self.lanes,
            capacity=CHARACTERS_WAITING,
            batch=CHARACTERS_SPLIT_TOGETHER,
            weigh=_text_weight,
            following=self._embed,
        )

    @property
    def _stages(self) -> tuple[Stage[IngestItem], Stage[IngestItem], Stage[EmbedGroup], Stage[VectorGroup]]:
        return self.first, self._split, self._embed, self._save

    def start(self) -> None:
        """Start the workers, unless they run."""
        with self.lanes.changed:
            if self._started:
                return
            self._started = True
        for stage in self._stages:
            stage.start()

    def withdraw(self, job: IngestJob) -> None:
        """Leave out what waits of a job that was cancelled; what is being worked on is left out at its next step."""
        items = {*self.first.withdraw(job.lane), *self._split.withdraw(job.lane)}
        items |= {group.item for group in self._embed.withdraw(job.lane)}
        self.settlement.drop(items)

    def close(self) -> None:
        """End the workers after what they are at. What waits stays queued in the library."""
        self.settlement.closing = True
        self.lanes.close()
        for stage in self._stages:
            stage.close()

    def join(self) -> None:
        """Wait for the workers after ``close``."""
        if self._started:
            for stage in self._stages:
                stage.join()

    def _items_failed(self, items: Iterable[IngestItem], error: Exception) -> None:
        for item in items:
            self.settlement.failed(item, error)

    def _groups_failed(self, groups: list[VectorGroup], error: Exception) -> None:
        self._items_failed({group.item for group in groups}, error)

    def _embedding_failed(self, groups: list[EmbedGroup], error: Exception) -> None:
        """A bug met with a batch of several documents: find the one that it is about."""
        items = {group.item for group in groups}
        if len(items) == 1 or isinstance(error, FootnoteError):
            self._items_failed(items, error)
            return
        for item in items:
            alone = [group for group in groups if group.item is item]
            try:
                self._embedding.work(alone)
            except Exception as its_error:  # noqa: BLE001 - the worker's edge, for each document of its batch
                self.settlement.failed(item, its_error)


def _file_weight(item: IngestItem) -> int:
    return max(1, min(READ_TOGETHER, item.size // FILE_WEIGHT_BYTES))


def _text_weight(item: IngestItem) -> int:
    """Characters, and as much again for what else is kept of a document."""
    return 1000 + (2 * len(item.parsed.text) if item.parsed else 0)
