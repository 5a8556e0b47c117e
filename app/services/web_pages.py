"""Web pages as documents: fetched when the user asks for it, kept as files, fetched again when he asks again."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from app.domain.cancellation import CancelToken
from app.domain.errors import BadInputError, UserFacingError
from app.loaders.parser_tasks import Performer, clean_page
from app.network.page_fetch import FetchedPage, KnownPage
from app.network.page_fetch_address import PageAddress, parse_address
from app.services.archive_cache import fit_name
from app.services.ingest_job import IngestJob
from app.storage.library_store import LibraryStore
from app.storage.origin_table import Origin

KEPT_AFTER_REMOVAL_SECONDS = 24 * 3600.0
"""So long can the removal of a page be undone without fetching it again."""
_CLEANED = frozenset({"text/html", "application/xhtml+xml"})
_NOT_IN_NAMES = re.compile(r"[^\w.-]+")
_LONGEST_SLUG = 60

Fetch = Callable[[str, KnownPage | None, CancelToken | None], FetchedPage | None]


class Adder(Protocol):
    """What takes files into the library."""

    def add(self, paths: Sequence[Path], *, priority: int = 0) -> IngestJob:
        """Ingest files. Returns at once."""
        ...


@dataclass(frozen=True, slots=True)
class PageOutcome:
    """What became of one page. ``changed`` is False if it was as before; ``job`` reads it into the library.

    ``error`` says why it could not be fetched again; what the library holds of it stays.
    """

    url: str
    path: Path | None
    changed: bool = False
    job: IngestJob | None = None
    error: UserFacingError | None = None


class WebPages:
    """Adds and refreshes pages. Methods block on the network: call them off the GUI thread.

    ``fetch`` raises as ``PageFetcher.fetch`` does; ``folder`` holds the files.
    """

    def __init__(
        self,
        store: LibraryStore,
        fetch: Fetch,
        open_parser: Callable[[], Performer],
        open_ingest: Callable[[], Adder],
        folder: Path,
    ) -> None:
        self._store = store
        self._fetch = fetch
        self._open_parser = open_parser
        self._open_ingest = open_ingest
        self._folder = folder

    def add(self, url: str, *, cancel: CancelToken | None = None, priority: int = 1) -> PageOutcome:
        """Fetch a page and read it into the library; one that is there already is refreshed.

        Raises ``BadInputError`` for an address that is none or not public, ``PageFetchError`` and ``DocumentError`` for
        a page that can't be had or kept, ``WorkCancelledError``.
        """
        self._sweep()
        address = parse_address(url)
        return self._update(address, self._store.origin_by_url(address.url), cancel, priority)

    def refresh(self, url: str | None = None, *, cancel: CancelToken | None = None) -> list[PageOutcome]:
        """Ask whether pages have changed, all or the one at ``url``, and read those that have.

        A page that can't be fetched now keeps its place in the library. Raises ``BadInputError`` if the library holds
        no page of that address.
        """
        self._sweep()
        wanted = parse_address(url).url if url else None
        origins = [origin for origin in self._store.origins() if wanted in {None, origin.url}]
        if wanted and not origins:
            raise BadInputError(f"{wanted} is not in the library. `footnote ingest {wanted}` adds it.")
        return [self._refreshed(origin, cancel) for origin in origins]

    def _refreshed(self, origin: Origin, cancel: CancelToken | None) -> PageOutcome:
        try:
            return self._update(parse_address(origin.url), origin, cancel, 0)
        except UserFacingError as error:
            return PageOutcome(origin.url, origin.path, error=error)

    def _update(
        self, address: PageAddress, origin: Origin | None, cancel: CancelToken | None, priority: int
    ) -> PageOutcome:
        present = origin is not None and origin.path.is_file()
        known = KnownPage(origin.final_url, origin.etag, origin.last_modified) if origin and present else None
        page = self._fetch(address.url, known, cancel)
        now = time.time()
        changed = False
        if page is None and origin is not None:
            path, fetched = origin.path, origin
            self._store.put_origin(
                Origin(
                    path, address.url, fetched.final_url, fetched.etag, fetched.last_modified, fetched.fetched_at, now
                )
            )
        else:
            assert page is not None, "only a known page is answered by None"  # noqa: S101 - the fetcher's promise
            path = self._folder / _file_name(address, page)
            changed = self._keep(path, page, cancel)
            if origin is not None and origin.path != path:
                self._drop(origin)  # it has become another kind of file
            self._store.put_origin(Origin(path, address.url, page.url, page.etag, page.last_modified, now, now))
        # Also when nothing changed: it may have been removed, or its reading may not have come to its end.
        return PageOutcome(address.url, path, changed, self._open_ingest().add([path], priority=priority))

    def _keep(self, path: Path, page: FetchedPage, cancel: CancelToken | None) -> bool:
        """Write what is kept of a page, if it differs from what is there."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".fetched-", dir=self._folder) as work:
            fetched = Path(work) / f"page{page.extension}"
            fetched.write_bytes(page.body)
            if page.media_type in _CLEANED:
                text = clean_page(self._open_parser(), fetched, page.charset, page.url, cancel)
                fetched.write_bytes(text.encode())
            with contextlib.suppress(FileNotFoundError):
                if path.read_bytes() == fetched.read_bytes():
                    return False
            with fetched.open("rb+") as file:
                os.fsync(file.fileno())
            fetched.replace(path)
        return True

    def _drop(self, origin: Origin) -> None:
        record = self._store.document_by_path(origin.path)
        if record is not None:
            self._store.remove(record.id)
        origin.path.unlink(missing_ok=True)

    def _sweep(self) -> None:
        """Delete the files of pages that were removed from the library a day ago or longer."""
        oldest = time.time() - KEPT_AFTER_REMOVAL_SECONDS
        old = [origin for origin in self._store.origins_without_document() if origin.checked_at < oldest]
        for origin in old:
            origin.path.unlink(missing_ok=True)
        self._store.forget_origins([origin.path for origin in old])


def _file_name(address: PageAddress, page: FetchedPage) -> str:
    """A name that tells the page to people, and is one of its own for each address."""
    slug = _NOT_IN_NAMES.sub("-", f"{address.host}{address.target.partition('?')[0]}").strip("-.")[:_LONGEST_SLUG]
    digest = hashlib.sha256(address.url.encode()).hexdigest()[:8]
    extension = ".html" if page.media_type in _CLEANED else page.extension
    return fit_name(f"{slug}-{digest}{extension}")
