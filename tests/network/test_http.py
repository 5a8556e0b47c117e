"""The HTTP factory."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable

import pytest

from app.domain.chat_errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    MissingDependencyError,
    ProtocolError,
)
from app.network.http import HttpFactory, is_loopback
from tests.chat_models.stub_replies import Reply, Stall, closed_port
from tests.chat_models.stub_server import StubServer


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://localhost:11434", True),
        ("http://127.0.0.1:8080/v1", True),
        ("http://127.8.9.1", True),
        ("http://[::1]:80/", True),
        ("http://app.localhost", True),
        ("https://api.openai.com/v1", False),
        ("http://192.168.1.5:1234", False),
        ("http://localhost.evil.com", False),
        ("not a url", False),
    ],
)
def test_what_is_this_machine(url: str, local: bool) -> None:
    assert is_loopback(url) is local


@pytest.mark.requirement("B33")
def test_one_client_per_loop_and_kind_of_server() -> None:
    factory = HttpFactory()

    async def clients() -> tuple[object, ...]:
        first = factory.client("https://api.openai.com")
        found = (first is factory.client("https://example.com/v1"), first is factory.client("http://localhost"), first)
        await factory.aclose()
        assert first.is_closed
        assert factory.client("https://api.openai.com") is not first
        await factory.aclose()
        return found

    one, two = asyncio.run(clients()), asyncio.run(clients())
    assert one[:2] == two[:2] == (True, False)
    assert one[2] is not two[2]


@pytest.mark.requirement("B17")
def test_clients_of_loops_that_are_gone_are_forgotten() -> None:
    factory = HttpFactory()

    async def touch() -> None:
        factory.client("http://localhost")

    for _ in range(3):
        asyncio.run(touch())
    import gc

    gc.collect()
    assert len(factory._clients) == 0


def test_a_proxy_is_used_except_for_this_machine(stub: StubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with StubServer() as proxy:
        proxy.json_reply({"via": "proxy"})
        stub.json_reply({"via": "none"})
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)

        async def ask(url: str) -> bytes:
            factory = HttpFactory()
            try:
                return await factory.fetch(url, max_bytes=1000)
            finally:
                await factory.aclose()

        assert b"none" in asyncio.run(ask(f"{stub.url}/x"))
        assert proxy.requests == []
        assert b"proxy" in asyncio.run(ask("http://model.example/x"))
        assert proxy.requests[0].target == "http://model.example/x"


def test_a_socks_proxy_without_its_package_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "socks5://127.0.0.1:9")

    async def ask() -> None:
        HttpFactory().client("https://api.openai.com")

    with pytest.raises(MissingDependencyError, match="socksio"):
        asyncio.run(ask())


def test_tls_trusts_what_the_system_trusts() -> None:
    import truststore

    made: list[ssl.SSLContext] = []
    from app.network import http

    context = http._system_trust()
    made.append(context)
    assert isinstance(context, truststore.SSLContext)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


def _fetch(url: str, *, max_bytes: int = 1000, seconds: float = 5.0) -> bytes:
    async def fetch() -> bytes:
        factory = HttpFactory()
        try:
            return await factory.fetch(url, max_bytes=max_bytes, seconds=seconds)
        finally:
            await factory.aclose()

    return asyncio.run(fetch())


def test_fetching(stub: StubServer) -> None:
    stub.reply(b"he", b"llo")
    assert _fetch(stub.url) == b"hello"
    assert stub.requests[0].headers["user-agent"] == "Footnote"


@pytest.mark.requirement("H3", "H4")
@pytest.mark.parametrize(
    ("script", "kind"),
    [
        (lambda stub: stub.reply(b"x" * 2000), ProtocolError),
        (lambda stub: stub.reply(b"gone", status=404), APIStatusError),
        (lambda stub: stub.reply(status=302, headers={"location": "http://example.com"}), APIStatusError),
        (lambda stub: stub.reply(Stall()), APITimeoutError),
        (lambda stub: stub.script(Reply(before_headers=(Stall(),))), APITimeoutError),
    ],
)
def test_failures_of_fetching(stub: StubServer, script: Callable[[StubServer], None], kind: type[Exception]) -> None:
    script(stub)
    with pytest.raises(kind):
        _fetch(stub.url, seconds=0.2)


@pytest.mark.requirement("H3")
def test_nobody_there() -> None:
    with closed_port() as url, pytest.raises(APIConnectionError, match="can't be reached"):
        _fetch(url)
