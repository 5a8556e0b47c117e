"""Web pages from servers that mean no good, and from those that do."""

from __future__ import annotations

import asyncio
import gzip
import ipaddress
import time
from collections.abc import Callable, Sequence

import pytest

from app.domain.errors import UserFacingError
from app.network.http import HttpFactory
from app.network.page_fetch import FetchedPage, KnownPage, PageFetcher, PageFetchError, PageLimits
from app.network.page_fetch_address import IPAddress, PageAddressError, is_public
from tests.network.trap_server import TrapServer, Visit

LOOPBACK = ipaddress.ip_address("127.0.0.1")
PAGE = b"<html><title>T</title><p>Hello</p></html>"
# A test may wait this long for a refusal; the program's own limit is 9 seconds, and the requirement 10.
SHORT = PageLimits(bytes=2_000_000, seconds=0.6, connect_seconds=0.3)


class Names:
    """Looks names up in a table; each look-up takes the next answer, the last one stays."""

    def __init__(self, **answers: Sequence[str]) -> None:
        self._answers = {name: list(addresses) for name, addresses in answers.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[IPAddress]:
        self.asked.append(host)
        addresses = self._answers.get(host.partition(".")[0], ["127.0.0.1"])
        return [ipaddress.ip_address(addresses.pop(0) if len(addresses) > 1 else addresses[0])]


def this_server_is_public(address: IPAddress) -> bool:
    """Tests reach their server on 127.0.0.1; every other address is judged as the program judges it."""
    return address == LOOPBACK or is_public(address)


def fetch(
    url: str, *, limits: PageLimits = SHORT, known: KnownPage | None = None, names: Names | None = None
) -> FetchedPage | None:
    fetcher = PageFetcher(HttpFactory(), resolve=names or Names(), allowed=this_server_is_public, limits=limits)
    return asyncio.run(fetcher.fetch(url, known))


def fetch_as_the_program_does(url: str, names: Names | None = None) -> FetchedPage | None:
    fetcher = PageFetcher(HttpFactory(), resolve=names) if names else PageFetcher(HttpFactory())
    return asyncio.run(fetcher.fetch(url))


# -- addresses ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "127.1", "0x7f.1", "0", "a@b"]
)
def test_the_program_does_not_visit_this_computer(host: str) -> None:
    with TrapServer(lambda visit: visit.reply(PAGE)) as server:
        with pytest.raises(PageAddressError):
            fetch_as_the_program_does(f"http://{host}:{server.port}/")
        assert server.visits == []


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.7", "169.254.169.254", "100.64.1.1", "::1", "64:ff9b::a00:1"])
def test_a_public_name_of_a_private_machine_is_refused(address: str) -> None:
    with TrapServer(lambda visit: visit.reply(PAGE)) as server:
        with pytest.raises(PageAddressError, match="on this computer or in a private network"):
            fetch_as_the_program_does(server.url(), Names(page=[address]))
        assert server.visits == []


def test_a_name_with_one_private_address_among_public_ones_is_refused() -> None:
    async def both(host: str, port: int) -> Sequence[IPAddress]:
        return [LOOPBACK, ipaddress.ip_address("192.168.0.1")]

    with TrapServer(lambda visit: visit.reply(PAGE)) as server:
        fetcher = PageFetcher(HttpFactory(), resolve=both, allowed=this_server_is_public)
        with pytest.raises(PageAddressError):
            asyncio.run(fetcher.fetch(server.url()))
        assert server.visits == []


def test_a_name_is_looked_up_once_and_the_address_that_was_checked_is_visited() -> None:
    """A second look-up could lead elsewhere (DNS rebinding); the server still learns the name it was asked for by."""
    names = Names(page=["127.0.0.1", "10.0.0.1"])
    with TrapServer(lambda visit: visit.reply(PAGE)) as server:
        page = fetch(server.url(), names=names)
        assert page is not None
        assert names.asked == ["page.example"]
        assert f"host: page.example:{server.port}".encode() in server.visits[0].lower()


def test_over_tls_the_server_is_asked_for_the_name_and_not_for_its_address() -> None:
    """The first bytes of a TLS connection name the server in clear (RFC 6066, server_name)."""
    with TrapServer(lambda visit: None) as server, pytest.raises(PageFetchError):
        fetch(server.url().replace("http://", "https://"))
    assert b"page.example" in server.visits[0]


def test_an_unknown_name_is_said_to_be_unknown() -> None:
    async def nowhere(host: str, port: int) -> Sequence[IPAddress]:
        raise OSError("no such name")

    with pytest.raises(PageFetchError, match=r"There is no server called nowhere\.example"):
        asyncio.run(PageFetcher(HttpFactory(), resolve=nowhere).fetch("https://nowhere.example/"))


# -- redirects ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.2/",
        "http://localhost.example/",
        "http://127.1/",
        "http://[::ffff:7f00:1]/",
        "//169.254.169.254/latest/meta-data/",
        "http://user:secret@page.example/",
        "file:///etc/passwd",
        "http://[::1",
        "",
    ],
)
def test_a_redirect_is_checked_like_an_address(target: str) -> None:
    def behave(visit: Visit) -> None:
        visit.reply(b"", f"location: {target}", status="302 Found")

    with TrapServer(behave) as server:
        with pytest.raises(UserFacingError):
            fetch(server.url(), names=Names(localhost=["127.0.0.2"]))
        assert len(server.visits) == 1


def test_redirects_are_followed_five_times_and_no_more() -> None:
    def behave(visit: Visit) -> None:
        number = int(visit.path.removeprefix("/"))
        if number == 5:
            visit.reply(PAGE)
        else:
            visit.reply(b"", f"location: /{number + 1}", status="302 Found")

    with TrapServer(behave) as server:
        page = fetch(server.url("/0"))
        assert page is not None
        assert page.url == server.url("/5")
        with pytest.raises(PageFetchError, match="without end"):
            fetch(server.url("/-1"))


def test_cookies_do_not_follow_from_one_page_to_the_next() -> None:
    def behave(visit: Visit) -> None:
        if visit.path == "/":
            visit.reply(b"", "location: /next", "set-cookie: a=b", status="302 Found")
        else:
            visit.reply(PAGE)

    fetcher_http = HttpFactory()
    with TrapServer(behave) as server:
        for _ in range(2):
            fetcher = PageFetcher(fetcher_http, resolve=Names(), allowed=this_server_is_public, limits=SHORT)
            asyncio.run(fetcher.fetch(server.url()))
        assert not any(b"cookie" in head.lower() for head in server.visits[2:3])


# -- servers that don't end --------------------------------------------------------------------------------------------


def _slow_loris(visit: Visit) -> None:
    visit.drip(b"H", 0.05)


def _endless_headers(visit: Visit) -> None:
    visit.send(b"HTTP/1.1 200 OK\r\n")
    visit.drip(b"x-more: " + b"a" * 1000 + b"\r\n", 0)


def _slow_headers(visit: Visit) -> None:
    visit.send(b"HTTP/1.1 200 OK\r\n")
    visit.drip(b"x-more: a\r\n", 0.05)


def _slow_body(visit: Visit) -> None:
    visit.send(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 100000\r\n\r\n")
    visit.drip(b"a", 0.05)


def _silent(visit: Visit) -> None:
    visit.drip(b"", 0.05)


def _endless_body(visit: Visit) -> None:
    visit.send(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n")
    visit.drip(b"a" * 65536, 0)


def _gigabyte(visit: Visit) -> None:
    visit.send(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 1000000000\r\n\r\n")
    visit.drip(b"a" * 65536, 0)


def _packed_bomb(visit: Visit) -> None:
    visit.reply(gzip.compress(b"\0" * 50_000_000), "content-encoding: gzip")


def _unasked_packing(visit: Visit) -> None:
    visit.reply(b"anything", "content-encoding: zstd")


def _continues(visit: Visit) -> None:
    visit.drip(b"HTTP/1.1 100 Continue\r\n\r\n", 0.01)


def _redirects_slowly(visit: Visit) -> None:
    visit.send(b"HTTP/1.1 302 Found\r\nlocation: /again\r\n")
    visit.drip(b"x-more: a\r\n", 0.05)


def _nonsense(visit: Visit) -> None:
    visit.send(b"\0\xff\r\n\r\n")


@pytest.mark.parametrize(
    "behave",
    [
        _slow_loris,
        _endless_headers,
        _slow_headers,
        _slow_body,
        _silent,
        _endless_body,
        _gigabyte,
        _packed_bomb,
        _unasked_packing,
        _continues,
        _redirects_slowly,
        _nonsense,
    ],
)
def test_a_server_that_does_not_end_is_left_in_time(behave: Callable[[Visit], None]) -> None:
    with TrapServer(behave) as server:
        began = time.monotonic()
        with pytest.raises(PageFetchError):
            fetch(server.url())
        assert time.monotonic() - began < SHORT.seconds + 5  # far more than it takes, far less than for ever


def test_the_program_gives_a_server_less_than_ten_seconds_and_twenty_megabytes() -> None:
    limits = PageLimits()
    assert limits.seconds < 10
    assert limits.bytes <= 20_000_000
    assert limits.redirects == 5


@pytest.mark.parametrize(
    "kind", ["application/octet-stream", "image/png", "text/javascript", "application/zip", "nonsense"]
)
def test_only_kinds_that_hold_text_are_taken(kind: str) -> None:
    with TrapServer(lambda visit: visit.reply(b"x", kind=kind)) as server, pytest.raises(PageFetchError, match="added"):
        fetch(server.url())


@pytest.mark.parametrize(("status", "words"), [("404 Not Found", "Check the address"), ("403 Forbidden", "sign in")])
def test_a_refusal_is_told_with_what_to_do(status: str, words: str) -> None:
    with (
        TrapServer(lambda visit: visit.reply(b"no", status=status)) as server,
        pytest.raises(PageFetchError, match=words),
    ):
        fetch(server.url())


# -- servers that mean well --------------------------------------------------------------------------------------------


def test_a_page_comes_with_what_is_known_of_it() -> None:
    def behave(visit: Visit) -> None:
        body = gzip.compress(PAGE) if visit.header("accept-encoding") == "gzip" else PAGE
        visit.reply(body, 'etag: "v1"', "content-encoding: gzip", kind="text/html; charset=ISO-8859-1")

    with TrapServer(behave) as server:
        page = fetch(server.url("/a?b=c"))
    assert page == FetchedPage(server.url("/a?b=c"), "text/html", "ISO-8859-1", PAGE, '"v1"', "")
    assert page.extension == ".html"


def test_an_unchanged_page_is_not_sent_again() -> None:
    def behave(visit: Visit) -> None:
        if visit.header("if-none-match") == '"v1"':
            visit.send(b"HTTP/1.1 304 Not Modified\r\n\r\n")
        else:
            visit.reply(PAGE, 'etag: "v1"')

    with TrapServer(behave) as server:
        page = fetch(server.url())
        assert page is not None
        assert fetch(server.url(), known=KnownPage(page.url, page.etag, "")) is None
        assert fetch(server.url("/other"), known=KnownPage(page.url, page.etag, "")) is not None


def test_a_large_page_within_the_limit_arrives_whole() -> None:
    body = b"".join(b"%d line\n" % number for number in range(100_000))
    with TrapServer(lambda visit: visit.reply(body, kind="text/plain")) as server:
        page = fetch(server.url(), limits=PageLimits())
    assert page is not None
    assert page.body == body
