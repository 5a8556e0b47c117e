"""Archives and web pages on the command line."""

from __future__ import annotations

import io
import ipaddress
import json
import queue
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from app.cli import pages
from app.cli.output import Output
from app.domain.errors import BadInputError
from app.network.http import HttpFactory
from app.network.page_fetch import PageFetcher
from app.network.page_fetch_address import IPAddress
from app.services.ingest_job import IngestEvent
from app.settings.paths import AppPaths
from tests.cli.conftest import Footnote
from tests.gui.stand_ins import GatedEmbedder, TestServices
from tests.loaders.archive_samples import mark_encrypted, write_zip
from tests.network.trap_server import TrapServer, Visit


async def _this_machine(host: str, port: int) -> Sequence[IPAddress]:
    return [ipaddress.ip_address("127.0.0.1")]


class OwnServer(TestServices):
    """Services whose fetcher takes this machine for a public server."""

    __test__ = False

    def _make_fetcher(self) -> PageFetcher:
        return PageFetcher(HttpFactory(), resolve=_this_machine, allowed=lambda address: address.is_loopback)


@pytest.fixture
def services(tmp_path: Path) -> Iterator[OwnServer]:
    home = tmp_path / "home"
    paths = AppPaths(home / "data", home / "config", home / "cache", home / "logs")
    running = OwnServer(paths, GatedEmbedder(), None)
    yield running
    running.close()


Run = Callable[[Callable[[Output], object]], list[dict[str, Any]]]


@pytest.fixture
def run() -> Run:
    """Calls a command with an output of JSON lines and returns them."""

    def call(command: Callable[[Output], object]) -> list[dict[str, Any]]:
        stdout = io.StringIO()
        command(Output(stdout, io.StringIO(), as_json=True))
        return [json.loads(line) for line in stdout.getvalue().splitlines()]

    return call


def add(services: OwnServer, output: Output, *urls: str) -> None:
    events: queue.SimpleQueue[IngestEvent] = queue.SimpleQueue()
    unsubscribe = services.ingest.subscribe(events.put)
    pages.print_summary(pages.total(pages.add_pages(services, urls, events, output)), output)
    unsubscribe()


def test_a_page_is_added_refreshed_and_found_by_its_address(services: OwnServer, run: Run) -> None:
    body = [b"<title>Pond</title><p>The pond skater walks on water.</p>"]

    def behave(visit: Visit) -> None:
        visit.reply(body[0])

    with TrapServer(behave) as server:
        url = server.url("/pond")
        fetched, document, summary = run(lambda output: add(services, output, url))
        assert (fetched["url"], fetched["status"]) == (url, "changed")
        assert (document["status"], document["path"]) == ("ready", fetched["path"])
        assert summary["summary"]["documents"] == 1
        body[0] += b"<p>And more.</p>"
        refreshed, _ = run(lambda output: pages.refresh_pages(services, None, output))
        assert refreshed["status"] == "changed"
        again, unchanged = run(lambda output: pages.refresh_pages(services, url, output))
        assert (again["status"], unchanged["status"]) == ("unchanged", "skipped")
    assert pages.page_at(services, url) == Path(fetched["path"])
    [failed] = run(lambda output: pages.refresh_pages(services, None, output))
    assert failed["status"] == "failed"
    assert "could not be reached" in failed["error"]["message"]


def test_one_page_that_cannot_be_had_does_not_stop_the_others(services: OwnServer, run: Run) -> None:
    with TrapServer(lambda visit: visit.reply(b"<p>Words.</p>")) as server:
        rows = run(lambda output: add(services, output, "http://127.1/", server.url("/a")))
    assert [row.get("status") for row in rows] == ["failed", "changed", "ready", None]
    assert rows[-1]["summary"]["failed"] == 1
    with pytest.raises(BadInputError):
        run(lambda output: add(services, output, "http://127.1/"))


def test_pages_on_this_computer_are_refused_as_bad_input(footnote: Footnote) -> None:
    with TrapServer(lambda visit: visit.reply(b"<p>secret</p>")) as server:
        result = footnote("ingest", f"http://localhost:{server.port}/")
        assert (result.status, server.visits) == (2, [])
    assert "private network" in result.err
    assert footnote("documents", "--json").rows == []


def test_refreshing_without_pages_says_how_to_add_one(footnote: Footnote) -> None:
    result = footnote("refresh")
    assert result.status == 0
    assert "footnote ingest https://" in result.err


def test_an_archive_is_read_searched_and_removed(footnote: Footnote, tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "papers.zip", {"notes/frogs.md": b"# Frogs\n\nThe moor frog turns blue in March."})
    assert footnote("ingest", archive).status == 0
    [best] = footnote("search", "which frog turns blue", "-k", "1", "--json").rows
    assert best["path"] == str(archive / "notes" / "frogs.md")
    rows = footnote("documents", "--json").rows
    assert [(Path(row["path"]).name, row["state"]) for row in rows] == [("papers.zip", "ready"), ("frogs.md", "ready")]
    assert len(footnote("remove", archive, "--json").rows) == 2
    assert archive.exists()


def test_an_archive_behind_a_password_fails_with_the_reason(footnote: Footnote, tmp_path: Path) -> None:
    archive = mark_encrypted(write_zip(tmp_path / "locked.zip", {"a.txt": b"1"}))
    result = footnote("ingest", archive, "--json")
    assert result.status == 1
    assert result.rows[0]["error"]["reason"] == "encrypted"
