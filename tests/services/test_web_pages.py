"""Web pages in the library: added, refreshed, removed, from a server on this machine that the test declares public."""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.domain.cancellation import CancelToken
from app.domain.documents import DocumentRecord, DocumentState
from app.domain.errors import BadInputError, DocumentError
from app.loaders.parser_pool import ParserPool
from app.network.http import HttpFactory
from app.network.page_fetch import FetchedPage, KnownPage, PageFetcher, PageFetchError
from app.network.page_fetch_address import IPAddress
from app.services.web_pages import KEPT_AFTER_REMOVAL_SECONDS, PageOutcome, WebPages
from tests.network.trap_server import TrapServer, Visit
from tests.services.conftest import Rig

PARAGRAPHS = [f"<p>Paragraph {number}: {'words of the pond and its frogs ' * 8}.</p>" for number in range(12)]


@dataclass
class Site:
    """What the server has, by path; it answers 304 to whom knows the version."""

    pages: dict[str, tuple[str, bytes]]
    version: int = 1
    status: str = ""

    def __call__(self, visit: Visit) -> None:
        kind, body = self.pages.get(visit.path, ("text/html", b"none"))
        tag = f'"{self.version}"'
        if self.status:
            visit.reply(b"", status=self.status)
        elif visit.header("if-none-match") == tag:
            visit.send(b"HTTP/1.1 304 Not Modified\r\n\r\n")
        else:
            visit.reply(body, f"etag: {tag}", kind=kind)


def page(*paragraphs: str) -> tuple[str, bytes]:
    return (
        "text/html; charset=utf-8",
        f"<title>The pond</title><main><h1>Pond</h1>{''.join(paragraphs)}</main>".encode(),
    )


class Web:
    """Pages over one library, and the server they come from."""

    def __init__(self, rig: Rig, pool: ParserPool, folder: Path, site: Site, server: TrapServer) -> None:
        self.rig, self.site, self.server, self.folder = rig, site, server, folder
        fetcher = PageFetcher(HttpFactory(), resolve=_this_machine, allowed=lambda address: address.is_loopback)

        def fetch(url: str, known: KnownPage | None, cancel: CancelToken | None) -> FetchedPage | None:
            return asyncio.run(fetcher.fetch(url, known))

        self.pages = WebPages(rig.store, fetch, lambda: pool, lambda: rig.service, folder)

    def add(self, path: str = "/pond") -> PageOutcome:
        return self.finished([self.pages.add(self.server.url(path))])[0]

    def refresh(self) -> list[PageOutcome]:
        return self.finished(self.pages.refresh())

    def finished(self, outcomes: list[PageOutcome]) -> list[PageOutcome]:
        for outcome in outcomes:
            if outcome.job is not None:
                self.rig.wait(outcome.job)
        return outcomes

    @property
    def documents(self) -> list[DocumentRecord]:
        return self.rig.store.documents()


async def _this_machine(host: str, port: int) -> Sequence[IPAddress]:
    return [ipaddress.ip_address("127.0.0.1")]


@pytest.fixture
def web(rig: Rig, parser_pool: ParserPool, tmp_path: Path) -> Iterator[Web]:
    site = Site({"/pond": page(*PARAGRAPHS)})
    with TrapServer(site) as server:
        yield Web(rig, parser_pool, tmp_path / "web", site, server)


def test_a_page_becomes_a_document_that_knows_its_address(web: Web) -> None:
    outcome = web.add()
    [record] = web.documents
    assert (outcome.changed, record.state, record.title) == (True, DocumentState.READY, "The pond")
    assert record.path == outcome.path
    assert record.path.name.startswith("page.example-pond-")
    assert [(origin.path, origin.url, origin.etag) for origin in web.rig.store.origins()] == [
        (record.path, web.server.url("/pond"), '"1"')
    ]


def test_an_unchanged_page_is_asked_for_and_not_read_again(web: Web) -> None:
    web.add()
    before = web.rig.embedder.embedded.copy()
    assert [outcome.changed for outcome in web.refresh()] == [False]
    assert not web.add().changed
    assert [b"if-none-match" in head.lower() for head in web.server.visits] == [False, True, True]
    assert web.rig.embedder.embedded == before


def test_of_a_changed_page_only_the_changed_passages_are_embedded(web: Web) -> None:
    web.add()
    total = len(web.rig.embedder.embedded)
    web.rig.embedder.embedded.clear()
    web.site.version = 2
    web.site.pages["/pond"] = page(*PARAGRAPHS[:-1], "<p>The last paragraph is a new one.</p>")
    assert [outcome.changed for outcome in web.refresh()] == [True]
    assert 0 < len(web.rig.embedder.embedded) <= 2 < total
    assert any("The last paragraph is a new one." in text for text in web.rig.embedder.embedded)
    [record] = web.documents
    assert "The last paragraph is a new one." in web.rig.store.document_text(record.id)


def test_a_page_whose_surroundings_changed_is_not_embedded_again(web: Web) -> None:
    web.add()
    web.rig.embedder.embedded.clear()
    web.site.version = 2
    kind, body = web.site.pages["/pond"]
    web.site.pages["/pond"] = kind, b"<nav>New menu</nav><script>new()</script>" + body
    assert [outcome.changed for outcome in web.refresh()] == [False]
    assert web.rig.embedder.embedded == []


def test_a_page_that_is_gone_stays_in_the_library_and_is_told(web: Web) -> None:
    web.add()
    web.site.status = "404 Not Found"
    [outcome] = web.refresh()
    assert isinstance(outcome.error, PageFetchError)
    [record] = web.documents
    assert record.state is DocumentState.READY


def test_other_kinds_are_kept_as_they_are(web: Web) -> None:
    web.site.pages["/notes"] = ("text/markdown", b"# Newts\n\nNewts swim.")
    outcome = web.add("/notes")
    assert outcome.path is not None
    assert outcome.path.suffix == ".md"
    assert outcome.path.read_bytes() == b"# Newts\n\nNewts swim."


def test_what_is_stored_runs_and_loads_nothing(web: Web) -> None:
    web.site.pages["/pond"] = page("<p>Text</p><script>steal()</script><img src='http://tracker.example/x.gif'>")
    outcome = web.add()
    assert outcome.path is not None
    stored = outcome.path.read_text()
    assert "steal" not in stored
    assert "tracker" not in stored


@pytest.mark.parametrize("url", ["http://a@b/", "file:///etc/passwd", "http://127.1/", "nonsense"])
def test_an_address_that_is_none_changes_nothing(web: Web, url: str) -> None:
    with pytest.raises(BadInputError):
        web.pages.add(url)
    assert web.documents == []
    assert web.server.visits == []


def test_a_page_without_text_leaves_nothing_behind(web: Web) -> None:
    web.site.pages["/empty"] = ("text/html", b"<div id=root></div><script src=app.js></script>")
    with pytest.raises(DocumentError):
        web.add("/empty")
    assert web.documents == []
    assert list(web.folder.iterdir()) == []


def test_a_page_that_was_never_added_is_not_refreshed(web: Web) -> None:
    with pytest.raises(BadInputError, match="is not in the library"):
        web.pages.refresh(web.server.url("/other"))


def test_a_removed_page_is_forgotten_after_a_day_and_until_then_can_come_back(
    web: Web, shift_time: Callable[[float], None]
) -> None:
    outcome = web.add()
    assert outcome.path is not None
    web.rig.store.remove(web.documents[0].id)
    assert web.pages.refresh() == []
    web.rig.ingest(outcome.path)  # what "Undo" does
    assert [origin.url for origin in web.rig.store.origins()] == [web.server.url("/pond")]
    web.rig.store.remove(web.documents[0].id)
    shift_time(KEPT_AFTER_REMOVAL_SECONDS + 60)
    assert web.pages.refresh() == []
    assert not outcome.path.exists()
    assert web.rig.store.origin_by_url(web.server.url("/pond")) is None


@pytest.fixture
def shift_time(rig: Rig) -> Callable[[float], None]:
    """Makes every page look as if it had been asked for so many seconds earlier."""

    def shift(seconds: float) -> None:
        from dataclasses import replace

        for origin in rig.store.origins_without_document():
            rig.store.put_origin(replace(origin, checked_at=time.time() - seconds))

    return shift


def test_a_page_that_becomes_a_file_of_another_kind_replaces_the_first(web: Web) -> None:
    first = web.add()
    web.site.version = 2
    web.site.pages["/pond"] = ("text/plain", b"The pond, in plain words.")
    second = web.add()
    assert [record.path for record in web.documents] == [second.path]
    assert first.path is not None
    assert not first.path.exists()
