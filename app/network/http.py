"""The HTTP factory: the one place where clients are made.

- TLS trusts what the operating system trusts (company certificates included).
- Proxies come from the environment, except for loopback: ``HTTP_PROXY`` must not capture a local server.
- No keep-alive to loopback: llama-server closes its connection after every stream while advertising to keep it, which
  broke 18 of 40 back-to-back streams.
- A client belongs to one event loop. Each loop gets its own, which dies with the loop.
"""

from __future__ import annotations

import asyncio
import functools
import ipaddress
import ssl
import threading
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from app.domain.chat_errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    MissingDependencyError,
    ProtocolError,
)

if TYPE_CHECKING:
    import httpx2

MAX_CONNECTIONS = 200
FETCH_SECONDS = 30.0
_KEPT_ALIVE = 20
_USER_AGENT = "Footnote"


def is_loopback(url: str) -> bool:
    """Whether ``url`` leads to this machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@functools.cache
def _system_trust() -> ssl.SSLContext:
    """The TLS context of all clients; making one costs some ten milliseconds, and it is never changed."""
    import truststore

    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class HttpFactory:
    """Makes and keeps HTTP clients. Thread-safe.

    ``keep_alive`` None keeps connections except to loopback; True and False decide for all. ``tls`` replaces the
    system's trust.
    """

    def __init__(self, *, keep_alive: bool | None = None, tls: Callable[[], ssl.SSLContext] = _system_trust) -> None:
        self._keep_alive = keep_alive
        self._tls = tls
        self._lock = threading.Lock()
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[bool, httpx2.AsyncClient]] = (
            WeakKeyDictionary()
        )

    def client(self, url: str) -> httpx2.AsyncClient:
        """The running loop's client for the server of ``url``. It sets no timeouts: each request brings its own.

        Raises ``MissingDependencyError`` when the environment asks for a kind of proxy that isn't supported.
        """
        loop, local = asyncio.get_running_loop(), is_loopback(url)
        with self._lock:
            clients = self._clients.setdefault(loop, {})
            client = clients.get(local)
            if client is None or client.is_closed:
                client = clients[local] = self._make(local=local)
            return client

    def isolated_client(self) -> httpx2.AsyncClient:
        """A client for one visit to a server that nobody vouches for; the caller closes it.

        It keeps no cookies and no connections, follows no redirects, and uses no proxy, which would look names up
        itself. Each request brings its own timeout.
        """
        import httpx2

        return httpx2.AsyncClient(
            verify=self._tls(),
            trust_env=False,
            limits=httpx2.Limits(max_keepalive_connections=0),
            timeout=None,
            follow_redirects=False,
            headers={"user-agent": _USER_AGENT},
        )

    async def aclose(self) -> None:
        """Close the running loop's clients. The factory can be used again afterwards."""
        with self._lock:
            clients = self._clients.pop(asyncio.get_running_loop(), {})
        for client in clients.values():
            await client.aclose()

    async def fetch(self, url: str, *, max_bytes: int, seconds: float = FETCH_SECONDS) -> bytes:
        """The body of ``url``, at most ``max_bytes`` long. Redirects are not followed.

        Raises ``APIConnectionError``, ``APITimeoutError`` (after ``seconds`` of silence), ``APIStatusError``, and
        ``ProtocolError`` for a body that is too long.
        """
        import httpx2

        host = urlsplit(url).hostname
        try:
            async with self.client(url).stream("GET", url, timeout=seconds) as response:
                if response.status_code != HTTPStatus.OK:
                    raise APIStatusError(f"{host} answered {response.status_code}.", status=response.status_code)
                body = bytearray()
                async for piece in response.aiter_bytes():
                    body += piece
                    if len(body) > max_bytes:
                        raise ProtocolError(f"{host} sent more than {max_bytes} bytes.")
        except httpx2.TimeoutException as error:
            raise APITimeoutError(f"{host} did not answer within {seconds:g} s. Try again later.") from error
        except httpx2.TransportError as error:
            raise APIConnectionError(f"{host} can't be reached: {error}. Check the connection.") from error
        return bytes(body)

    def _make(self, *, local: bool) -> httpx2.AsyncClient:
        import httpx2

        keep_alive = (not local) if self._keep_alive is None else self._keep_alive
        limits = httpx2.Limits(
            max_connections=MAX_CONNECTIONS, max_keepalive_connections=_KEPT_ALIVE if keep_alive else 0
        )
        try:
            return httpx2.AsyncClient(
                verify=self._tls(),
                trust_env=not local,
                limits=limits,
                timeout=None,  # every request sets its own
                headers={"user-agent": _USER_AGENT},
            )
        except ImportError as error:
            raise MissingDependencyError(
                "The environment names a SOCKS proxy, which needs the package 'socksio'. Install it "
                "(pip install socksio), or unset ALL_PROXY and HTTPS_PROXY."
            ) from error
