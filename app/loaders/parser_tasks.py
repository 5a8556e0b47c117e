"""What parser processes do beside reading documents: look into archives and clean web pages.

Arguments and results are made of what JSON knows. The other side of each task stands beside it, and believes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from app.domain.cancellation import CancelToken
from app.domain.errors import DocumentError, FailureReason
from app.loaders.archive_names import safe_name
from app.loaders.archives import ArchiveListing, ArchiveMember, LeftOut, extract_members, list_members
from app.loaders.image import write_pages
from app.loaders.web_snapshot import snapshot

LIST_ARCHIVE, EXTRACT, SNAPSHOT, PICTURE_PAGES = "list_archive", "extract", "snapshot", "picture_pages"


class Performer(Protocol):
    """What does the tasks: the parser pool."""

    def perform(
        self, task: str, path: Path, arguments: Mapping[str, str] | None = None, cancel: CancelToken | None = None
    ) -> Any:
        """Have a task done."""
        ...


def perform(task: str, path: Path, arguments: Mapping[str, str]) -> object:
    """Do a task inside a parser process. Raises ``DocumentError``, and ``KeyError`` for a task of no such name."""
    tasks: dict[str, Callable[[Path, Mapping[str, str]], object]] = {
        LIST_ARCHIVE: _list,
        EXTRACT: _extract,
        SNAPSHOT: _snapshot,
        PICTURE_PAGES: _picture_pages,
    }
    return tasks[task](path, arguments)


def list_archive(performer: Performer, path: Path, cancel: CancelToken | None = None) -> ArchiveListing:
    """Return what is in the archive at ``path``, read by a parser process.

    Raises ``DocumentError``, and ``WorkCancelledError`` if ``cancel`` was cancelled.
    """
    result = performer.perform(LIST_ARCHIVE, path, None, cancel)
    try:
        return listing_from_json(result)
    except (KeyError, TypeError, ValueError) as error:
        raise _implausible(path) from error


def extract(
    performer: Performer, path: Path, targets: Mapping[str, Path], cancel: CancelToken | None = None
) -> dict[str, DocumentError]:
    """Have members written to new files, and return what went wrong with which, as ``extract_members`` does.

    Raises ``DocumentError`` for the archive as a whole.
    """
    result = performer.perform(EXTRACT, path, {name: str(target) for name, target in targets.items()}, cancel)
    try:
        failures = {
            str(name): DocumentError(FailureReason(reason), str(message))
            for name, (reason, message) in dict(result).items()
        }
    except (TypeError, ValueError) as error:
        raise _implausible(path) from error
    missing = [name for name, target in targets.items() if name not in failures and not _is_plain_file(target)]
    return failures | {name: _implausible(path) for name in missing}


def clean_page(performer: Performer, path: Path, charset: str, url: str, cancel: CancelToken | None = None) -> str:
    """Return what is kept of the web page in the file at ``path``, as ``web_snapshot.snapshot`` makes it.

    Raises ``DocumentError``, and ``WorkCancelledError`` if ``cancel`` was cancelled.
    """
    return str(performer.perform(SNAPSHOT, path, {"charset": charset, "url": url}, cancel))


def write_picture_pages(performer: Performer, path: Path, target: Path, cancel: CancelToken | None = None) -> None:
    """Have the pages of a picture written to the new file ``target``, as a PDF. Raises as ``clean_page`` does."""
    performer.perform(PICTURE_PAGES, path, {"target": str(target)}, cancel)
    if not _is_plain_file(target):
        raise DocumentError(FailureReason.DAMAGED, f"The picture “{path.name}” can't be shown.")


def listing_to_json(listing: ArchiveListing) -> object:
    """Return a listing as what JSON knows."""
    return {
        "members": [[each.name, each.size, each.mtime_ns] for each in listing.members],
        "left_out": [[each.name, each.why] for each in listing.left_out],
    }


def listing_from_json(row: Any) -> ArchiveListing:
    """Return the listing that ``listing_to_json`` wrote.

    Raises ``KeyError``, ``TypeError`` or ``ValueError`` for anything else, a name that leads out of the archive too.
    """
    members = [ArchiveMember(str(name), int(size), int(mtime_ns)) for name, size, mtime_ns in row["members"]]
    for member in members:
        if safe_name(member.name) != member.name or member.size < 0:
            raise ValueError(member.name)
    return ArchiveListing(tuple(members), tuple(LeftOut(str(name), str(why)) for name, why in row["left_out"]))


def _list(path: Path, arguments: Mapping[str, str]) -> object:
    del arguments
    return listing_to_json(list_members(path))


def _extract(path: Path, arguments: Mapping[str, str]) -> object:
    failures = extract_members(path, {name: Path(target) for name, target in arguments.items()})
    return {name: [error.reason.value, str(error)] for name, error in failures.items()}


def _snapshot(path: Path, arguments: Mapping[str, str]) -> object:
    return snapshot(path.read_bytes(), arguments["charset"], arguments["url"])


def _picture_pages(path: Path, arguments: Mapping[str, str]) -> object:
    write_pages(path, Path(arguments["target"]))
    return None


def _is_plain_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _implausible(path: Path) -> DocumentError:
    message = f"The archive “{path.name}” could not be read: its content made the reader break down."
    return DocumentError(FailureReason.CRASHED, message)
