"""Documents inside archives as files: what is there, its stamp, and a real copy to read."""

from __future__ import annotations

import contextlib
import itertools
import json
import stat
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.domain.documents import DocumentState, FileStamp
from app.domain.errors import DocumentError, FailureReason
from app.domain.ingestion import FileOutcome, IngestSummary
from app.loaders import archive_names
from app.loaders.archives import ArchiveListing, ArchiveMember
from app.loaders.parser_tasks import Performer, extract, list_archive, listing_from_json, listing_to_json
from app.services.archive_cache import ArchiveCache
from app.services.ingest_job import IngestEvent
from app.storage.library_store import LibraryStore

LISTINGS_KEPT = 8
REFUSALS_KEPT = 1000
# What stays so until the archive itself changes.
_LASTING = frozenset({FailureReason.DAMAGED, FailureReason.ENCRYPTED, FailureReason.TOO_LARGE})
# What is unpacked together with a file that is wanted: as much again costs little, as the next one is wanted soon.
FILES_AT_ONCE, ZIP_BYTES_AT_ONCE, SOLID_BYTES_AT_ONCE = 1000, 16 << 20, 128 << 20


@dataclass(frozen=True, slots=True)
class _Listed:
    """What is in an archive while it has a stamp."""

    stamp: FileStamp
    members: dict[str, ArchiveMember]


class ArchiveFiles:
    """Files and members of archives alike, by path. Thread-safe.

    Without ``may_write`` (another process owns the library) nothing is stored in the library.
    """

    def __init__(
        self,
        store: LibraryStore,
        open_parser: Callable[[], Performer],
        cache: ArchiveCache,
        is_supported: Callable[[Path], bool],
        library_changed: Callable[[], None],
        *,
        may_write: bool,
    ) -> None:
        self._store = store
        self._open_parser = open_parser
        self._cache = cache
        self._is_supported = is_supported
        self._library_changed = library_changed
        self._may_write = may_write
        self._lock = threading.Lock()
        self._unpacking = threading.Lock()
        self._kept: OrderedDict[Path, _Listed] = OrderedDict()
        self._refused: OrderedDict[Path, tuple[FileStamp, DocumentError]] = OrderedDict()
        self._listed_anew: set[Path] = set()

    def members(self, archive: Path) -> Sequence[ArchiveMember]:
        """What is in the archive, those of inner archives included (``inner.zip/report.pdf``).

        Costs a stat and a row of the library while the archive is unchanged. Raises ``DocumentError``.
        """
        return list(self._listed(archive).members.values())

    def stamp(self, path: Path) -> FileStamp | None:
        """The stamp of a file or of a member; None if it is gone or can't be reached.

        Of a member it is its size, and its date with a checksum in the nanoseconds.
        """
        try:
            return _stamp(path)
        except OSError:
            found = archive_names.split(path)
        if found is None:
            return None
        try:
            member = self._listed(found[0]).members.get(found[1])
        except DocumentError:
            return None
        return FileStamp(member.size, member.mtime_ns) if member else None

    @contextmanager
    def opened(self, path: Path) -> Iterator[Path]:
        """The file behind ``path``: itself, or a copy of the member, which stays as long as the block runs.

        Raises ``DocumentError`` if an archive doesn't give the member out.
        """
        found = archive_names.split(path)
        if found is None:
            yield path
            return
        archive, name = found
        listed = self._listed(archive)
        if name not in listed.members:
            raise DocumentError(FailureReason.NOT_FOUND, f"“{name}” is not in the archive “{archive.name}” any more.")
        copy = self._cache.path_for(archive, listed.stamp, name)
        with self._cache.pinned(copy):
            if not copy.is_file():
                self._unpack(archive, listed, name)
            yield copy

    def watch(self, event: IngestEvent) -> None:
        """Follow an ingestion: once it has ended, documents that are no longer in their archive leave the library.

        Not before, so that a member that got another name is known again and costs no embedding.
        """
        if (
            isinstance(event, FileOutcome)
            and event.state is DocumentState.READY
            and not event.skipped
            and archive_names.is_archive(event.path)
        ):
            with self._lock:
                self._listed_anew.add(event.path)
        elif isinstance(event, IngestSummary) and not event.cancelled:
            with self._lock:
                archives, self._listed_anew = self._listed_anew, set()
            for archive in archives:
                self._remove_vanished(archive)

    def _remove_vanished(self, archive: Path) -> None:
        with contextlib.suppress(DocumentError):  # it has just been changed again: the next look tells
            members = self._listed(archive).members
            known = self._store.known_files([archive])
            inside = {each.id: Path(each.path) for each in known if archive in Path(each.path).parents}
            gone = [
                document_id
                for document_id, path in inside.items()
                if path.relative_to(archive).as_posix() not in members
            ]
            if gone:
                self._store.remove_many(gone)
                self._library_changed()

    # -- listings --------------------------------------------------------------------------------------------------

    def _listed(self, archive: Path) -> _Listed:
        try:
            stamp = _stamp(archive)
        except OSError as error:
            message = f"The archive “{archive.name}” is not there any more, or can't be reached."
            raise DocumentError(FailureReason.NOT_FOUND, message) from error
        with self._lock:
            kept = self._kept.get(archive)
            if kept is not None and kept.stamp == stamp:
                self._kept.move_to_end(archive)
                return kept
            refused = self._refused.get(archive)
            if refused is not None and refused[0] == stamp:
                raise DocumentError(refused[1].reason, str(refused[1]))
        listing = self._stored(archive, stamp) or self._read(archive, stamp)
        listed = _Listed(stamp, {member.name: member for member in listing.members})
        with self._lock:
            self._kept[archive] = listed
            self._kept.move_to_end(archive)
            while len(self._kept) > LISTINGS_KEPT:
                self._kept.popitem(last=False)
        return listed

    def _stored(self, archive: Path, stamp: FileStamp) -> ArchiveListing | None:
        text = self._store.archive_listing(archive, stamp)
        if text is None:
            return None
        try:
            return listing_from_json(json.loads(text))
        except (KeyError, TypeError, ValueError):
            return None  # of another version of the program: read it again

    def _read(self, archive: Path, stamp: FileStamp) -> ArchiveListing:
        try:
            listing = list_archive(self._open_parser(), archive)
        except DocumentError as error:
            self._remember(archive, stamp, error)
            raise
        if self._may_write and _stamp(archive) == stamp:
            self._store.put_archive_listing(archive, stamp, json.dumps(listing_to_json(listing)))
        return listing

    def _remember(self, archive: Path, stamp: FileStamp, error: DocumentError) -> None:
        """Looking through a folder again must not cost the whole reading of a bomb each time."""
        if error.reason not in _LASTING:
            return
        with self._lock:
            self._refused[archive] = stamp, error
            if len(self._refused) > REFUSALS_KEPT:
                self._refused.popitem(last=False)

    # -- copies ----------------------------------------------------------------------------------------------------

    def _unpack(self, archive: Path, listed: _Listed, wanted: str) -> None:
        """Unpack a member and some that follow it. Raises ``DocumentError`` if that member can't be."""
        with self._unpacking, self._cache.workplace() as work:
            if self._cache.path_for(archive, listed.stamp, wanted).is_file():
                return  # another thread was faster
            names = self._unpacked_together(archive, listed, wanted)
            targets = {name: work / str(number) for number, name in enumerate(names)}
            failures = self._extract(archive, targets, wanted)
            self._cache.take_in(
                {
                    self._cache.path_for(archive, listed.stamp, name): target
                    for name, target in targets.items()
                    if name not in failures
                }
            )
        if wanted in failures:
            raise failures[wanted]

    def _extract(self, archive: Path, targets: dict[str, Path], wanted: str) -> dict[str, DocumentError]:
        """Unpack; where that fails as a whole, the wanted member alone."""
        try:
            return extract(self._open_parser(), archive, targets)
        except DocumentError:
            if len(targets) == 1:
                raise
        alone = targets[wanted].with_name("alone")
        targets.clear()
        targets[wanted] = alone
        return extract(self._open_parser(), archive, targets)

    def _unpacked_together(self, archive: Path, listed: _Listed, wanted: str) -> list[str]:
        room = ZIP_BYTES_AT_ONCE if archive.suffix.lower() == ".zip" else SOLID_BYTES_AT_ONCE
        names = [wanted]
        room -= listed.members[wanted].size
        following = itertools.dropwhile(lambda name: name != wanted, listed.members)
        for name in itertools.islice(following, 1, FILES_AT_ONCE):
            member = listed.members[name]
            if not self._is_supported(archive / name):
                continue
            room -= member.size
            if room < 0:
                break
            if not self._cache.path_for(archive, listed.stamp, name).is_file():
                names.append(name)
        return names


def _stamp(path: Path) -> FileStamp:
    """The stamp of a regular file. Raises ``OSError``, for anything else too."""
    information = path.stat()
    if not stat.S_ISREG(information.st_mode):
        raise FileNotFoundError(path)
    return FileStamp(information.st_size, information.st_mtime_ns)
