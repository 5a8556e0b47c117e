"""The keyword index: a tantivy index of the library's search texts, ranked by BM25.

A cache like the vector index. Each build has a folder of its own; a build counts once its state document is in it,
which tantivy commits together with the rest, so there is no moment at which half a build could be taken for a whole.
The state document names the library and the change it has reached. What the library changed after that is looked up
there, by any process: removed chunks are left out, added ones are read one after the other until the owner of the
library has indexed them.

A build of a large library is made in the background. What there was before serves until it is done; where there was
nothing, the keyword index finds nothing and searches go by meaning alone.
"""

from __future__ import annotations

import logging
import secrets
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from app.domain.errors import UserFacingError, WorkCancelledError
from app.retrieval.keyword_build import IndexRow, KeywordBuild, open_build, start_build, stem_words
from app.retrieval.keyword_files import DamagedKeywordIndexError, removed_share, settings_digest
from app.retrieval.keyword_query import KeywordQuery, holds_phrases
from app.retrieval.keyword_scan import KeywordScan
from app.retrieval.keyword_view import KeywordView
from app.retrieval.keyword_windows import AROUND, WIDENED, with_surroundings
from app.retrieval.search_text import search_text
from app.storage.library_values import Changes, ChangesPrunedError, IndexSegment

if TYPE_CHECKING:
    from app.storage.chunk_scope import ChunkScope
    from app.storage.library_store import LibraryStore

FORMAT = 4
"""Raised when the same search text would be indexed differently; older builds are then replaced."""

KIND = "keyword"
FAMILY = "keywords-"
PREFIX = f"{FAMILY}{FORMAT}-"
OPEN_ATTEMPTS = 3
AT_ONCE_CHUNKS = 2_000
"""A library of so many chunks is indexed while the caller waits, which takes half a second."""

WORN_SHARE = 0.1
EXACT_CHUNKS = 5_000
"""A smaller index is made anew, in a second, when anything was removed from it: its scores then are those of an index
made at once, on every computer that holds the same documents."""

FOLDERS = 3
"""So many folders above a file are found by their names."""

LONGEST_PROBLEM = 300
MOST_PHRASE_CANDIDATES = 2_000
MOST_SCANNED = 32
"""More new chunks than this a search leaves to the library's owner, who indexes them within a second."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class KeywordIndexStatus:
    """Chunks in the files, chunks read one by one, removed chunks still in the files, and the last problem.

    ``rebuilding`` tells that a new build is being made in the background.
    """

    chunks: int
    unindexed: int
    removed: int
    sequence: int
    problem: str = ""
    rebuilding: bool = False


class KeywordIndex:
    """Finds chunks by their words.

    ``writer`` is for the process that holds the library's lock; any other only reads and never changes a file.
    Its libraries of more than ``at_once`` chunks are indexed in the background; None is never. Every method may raise
    ``StorageError``. Thread-safe; searches don't wait for indexing, but of one who only reads and finds no build.
    """

    def __init__(
        self, store: LibraryStore, directory: Path, *, writer: bool = True, at_once: int | None = AT_ONCE_CHUNKS
    ) -> None:
        self._store = store
        self._directory = directory
        self._writer = writer
        self._at_once = at_once
        self._view: KeywordView | None = None
        self._problem = ""
        self._lock = threading.Lock()  # held while files or the view change
        self._closing = threading.Event()
        self._rebuild: threading.Thread | None = None
        self._rebuilt_from: int | None = None  # the change at which the rebuild under way began to read

    @property
    def sequence(self) -> int:
        """The library's change that the files have reached; older ones may be pruned from the log."""
        view, begun = self._view, self._rebuilt_from
        reached = view.build.sequence if view is not None else 0
        return reached if begun is None else min(reached, begun)

    def open(self) -> None:
        """Open the recorded build, or make one, and catch up with the library."""
        with self._lock:
            recorded = self._open_recorded()
            if recorded is None:
                self._replace_build()
            else:
                self._show(recorded)
            self._catch_up()
            if not self._agrees_with_library():
                self._note("the keyword index holds other chunks than the library")
                self._replace_build()
            elif self._is_worn():
                self._replace_build()

    def refresh(self) -> None:
        """Take over what changed in the library since the last call; its owner writes it to the files."""
        with self._lock:
            self._catch_up()

    def follow(self) -> None:
        """Take over changes as a search may: without writing, and without waiting for one who does.

        Chunks that wait for ``refresh`` are read one by one; in the library's owner, which is about to call it, no
        more of them than that is quick for.
        """
        if self._lock.acquire(blocking=False):
            try:
                self._catch_up(write=False)
            finally:
                self._lock.release()

    def search(self, text: str, k: int, scope: ChunkScope | None = None) -> list[tuple[int, float]]:
        """The at most ``k`` best chunks for a user's words as (chunk id, score), best first, equal ones by id.

        A score is BM25 as a share of what a chunk full of every word of the query would have: above 0, at most 1.
        Chunks must hold what the text has in quotation marks; if none does, the marks are ignored.
        """
        view = self._view
        if view is None or k <= 0 or (scope is not None and scope.empty):
            return []
        return self._search(view, view.parse(text), k, scope)

    def search_wide(self, text: str, k: int, scope: ChunkScope | None = None) -> list[tuple[int, float]]:
        """``search``, ranked by what stands around the chunks as well."""
        view = self._view
        if view is None or k <= 0 or (scope is not None and scope.empty):
            return []
        query = view.parse(text)
        hits = self._search(view, query, k, scope)
        near = {each for chunk_id, _ in hits[:WIDENED] for each in range(chunk_id - AROUND, chunk_id + AROUND + 1)}
        rows = {row[0]: (row[1], row[4]) for row in self._store.search_rows_of(sorted(near))}
        return with_surroundings(query, hits, rows, view.build.average_length())

    def chunk_ids(self) -> set[int]:
        """The chunks that a search can find, for a check against the library. Reads the whole index."""
        view = self._view
        return set() if view is None else view.chunk_ids()

    def status(self) -> KeywordIndexStatus:
        """Figures for the doctor."""
        view, rebuilding = self._view, self._rebuilding
        if view is None:
            return KeywordIndexStatus(0, 0, 0, 0, self._problem, rebuilding)
        chunks = view.build.chunk_count()
        return KeywordIndexStatus(chunks, len(view.rest), len(view.gone), view.sequence, self._problem, rebuilding)

    def wait(self, timeout: float | None = None) -> None:
        """Wait until a build that is being made in the background is there, at most ``timeout`` seconds."""
        rebuild = self._rebuild
        if rebuild is not None:
            rebuild.join(timeout)

    def close(self) -> None:
        """Finish background merges, give up a build under way, and release the files."""
        self._closing.set()
        self.wait()
        with self._lock:
            view, self._view = self._view, None
            if view is not None:
                view.build.close()

    def _search(
        self, view: KeywordView, query: KeywordQuery, k: int, scope: ChunkScope | None
    ) -> list[tuple[int, float]]:
        if query.phrases:
            exact = self._search_phrases(view, query, k, scope)
            if exact:
                return exact
            query = replace(query, phrases=())
        return view.search(query, k, scope, self._store.search_texts)

    def _search_phrases(
        self, view: KeywordView, query: KeywordQuery, k: int, scope: ChunkScope | None
    ) -> list[tuple[int, float]]:
        """Chunks that hold every phrase word for word; the index itself only compares stems."""
        limit = min(4 * k, MOST_PHRASE_CANDIDATES)
        while True:
            candidates = view.search(query, limit, scope, self._store.search_texts)
            rows = self._store.search_rows_of([chunk_id for chunk_id, _ in candidates])
            exact = {row[0] for row in rows if holds_phrases(row[1], query.phrases)}
            found = [hit for hit in candidates if hit[0] in exact]
            if len(found) >= k or len(candidates) < limit or limit >= MOST_PHRASE_CANDIDATES:
                return found[:k]
            limit = MOST_PHRASE_CANDIDATES

    # Builds

    def _open_recorded(self) -> KeywordBuild | None:
        for _ in range(1 if self._writer else OPEN_ATTEMPTS):  # the owner may be exchanging files just now
            for record in reversed(self._store.index_segments(KIND)):
                if not record.file_name.startswith(PREFIX):
                    continue
                folder, settings = self._directory / record.file_name, record.block_checksums
                try:
                    return open_build(folder, record.sha256, settings, writable=self._writer)
                except DamagedKeywordIndexError as error:
                    self._note(f"keyword index not used: {error}")
        return None

    @property
    def _rebuilding(self) -> bool:
        return self._rebuild is not None and self._rebuild.is_alive()

    def _replace_build(self) -> None:
        """Make a new build: now, or in the background while the present one serves. The lock is held."""
        if self._rebuilding:
            return
        # One who only reads is a command: a slow answer is better there than one without the words.
        if not self._writer or self._at_once is None or self._store.chunk_count() <= self._at_once:
            self._exchange(self._rebuilt())
            return
        self._rebuilt_from = 0
        self._rebuild = threading.Thread(target=self._rebuild_in_background, name="keyword-index", daemon=True)
        self._rebuild.start()

    def _rebuild_in_background(self) -> None:
        try:
            build = self._rebuilt()
            with self._lock:
                self._exchange(build)
                self._rebuilt_from = None
                self._catch_up()
        except WorkCancelledError:
            return  # the next start begins anew
        except UserFacingError as error:  # the edge of a thread
            self._note(f"the keyword index can't be made: {error}")

    def _exchange(self, build: KeywordBuild) -> None:
        if self._view is not None:
            self._view.build.close()
        self._show(build)

    def _rebuilt(self) -> KeywordBuild:
        """Index everything anew, in a new folder, or in memory for a process that may not write."""
        if self._writer:
            try:
                return self._recorded()
            except (OSError, ValueError) as error:
                self._note(f"the keyword index can't be saved: {error}")
        return self._filled(start_build(None, secrets.token_hex(32)))

    def _recorded(self) -> KeywordBuild:
        number = max([0, *map(_number, self._folders())]) + 1
        folder, owner = self._directory / f"{PREFIX}{number:08d}", secrets.token_hex(32)
        build = self._filled(start_build(folder, owner))
        old = self._store.index_segments(KIND)
        record = IndexSegment(
            kind=KIND,
            model_key="",
            generation=max([0, *(each.generation for each in old)]) + 1,
            file_name=folder.name,
            sha256=owner,
            vector_count=build.chunk_count(),
            max_chunk_id=0,
            sequence=build.sequence,
            block_checksums=settings_digest(folder),
        )
        self._store.record_segment(record, replaces=[each.generation for each in old])
        return build

    def _filled(self, build: KeywordBuild) -> KeywordBuild:
        sequence = self._store.current_sequence()  # first, so that later changes are applied again, not lost
        if self._rebuilt_from is not None:
            self._rebuilt_from = sequence
        build.change((), map(_index_row, self._rows_until_closing()), sequence)
        return build

    def _rows_until_closing(self) -> Iterator[tuple[int, str, str, str, int]]:
        for row in self._store.search_rows():
            if self._closing.is_set():
                raise WorkCancelledError
            yield row

    def _show(self, build: KeywordBuild) -> None:
        self._view = KeywordView(build)
        if self._writer:
            for folder in self._folders():
                if folder != build.folder:
                    shutil.rmtree(folder, ignore_errors=True)  # Windows keeps what another process still reads

    def _folders(self) -> list[Path]:
        return [each for each in self._directory.glob(f"{FAMILY}*") if each.is_dir()]

    def _agrees_with_library(self) -> bool:
        view = self._view
        if view is None or not view.build.writable:
            return True
        chunks = self._store.chunk_count()
        return view.build.chunk_count() == chunks or self._store.current_sequence() != view.build.sequence

    def _is_worn(self) -> bool:
        """Whether so much was removed that frequencies of words, which count it, put scores wrong."""
        build = self._view.build if self._view is not None else None
        if build is None or build.folder is None or not build.writable:
            return False
        return removed_share(build.folder) > (0.0 if build.chunk_count() <= EXACT_CHUNKS else WORN_SHARE)

    # Changes

    def _catch_up(self, *, write: bool = True) -> None:
        """Bring the view to the library's present state. The lock is held."""
        for _ in range(OPEN_ATTEMPTS):
            try:
                self._apply_changes(write=write)
            except ChangesPrunedError:
                if self._view is None or self._view.build.writable:
                    break
            else:  # the log may have been pruned just after the owner's last commit, which the next attempt sees
                return
        self._replace_build()

    def _apply_changes(self, *, write: bool) -> None:
        if self._view is None:
            return
        view = self._view = self._view if self._view.build.writable else self._reloaded(self._view)
        if self._store.current_sequence() == view.sequence and not (write and view.unwritten):
            return
        changes = self._store.changes_since(view.build.sequence)
        if view.build.writable and not write and view.build.folder and len(changes.added) > MOST_SCANNED:
            return
        added = list(map(_index_row, self._store.search_rows_of(changes.added)))
        writing = view.build.writable and (write or view.build.folder is None)
        if writing and self._written(view.build, changes, added):
            self._view = KeywordView(view.build)
            return
        rest = KeywordScan(stem_words)
        rest.add(added)
        self._view = KeywordView(view.build, frozenset(changes.removed), rest, changes.sequence)

    def _written(self, build: KeywordBuild, changes: Changes, added: list[IndexRow]) -> bool:
        try:
            build.change(changes.removed, added, changes.sequence)
        except (OSError, ValueError) as error:
            self._note(f"the keyword index can't be saved: {error}")
            build.stop_writing()
            return False
        return True

    def _reloaded(self, view: KeywordView) -> KeywordView:
        """The same view, or that of a newer build or commit of the library's owner."""
        newest = max(self._store.index_segments(KIND), key=lambda each: each.generation, default=None)
        folder = view.build.folder
        if folder is None or newest is None:
            return view
        if folder.name != newest.file_name:
            build = self._open_recorded()
            return view if build is None else KeywordView(build)
        before = view.build.sequence
        view.build.reload()
        return view if view.build.sequence == before else KeywordView(view.build)

    def _note(self, problem: str) -> None:
        self._problem = problem[:LONGEST_PROBLEM]
        _log.warning("%s", self._problem)


def _index_row(row: tuple[int, str, str, str, int]) -> IndexRow:
    chunk_id, text, title, path, document_id = row
    folders = PurePath(path).parent.parts[-FOLDERS:]
    return chunk_id, text, search_text(title, folders, PurePath(path).stem), document_id


def _number(folder: Path) -> int:
    digits = folder.name.rsplit("-", 1)[-1]
    return int(digits) if digits.isdecimal() else 0
