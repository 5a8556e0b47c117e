"""Fetches a web page that the user asked for, from public servers only, whatever the server tries.

Nothing is fetched but on an explicit wish. Each address, that of each redirect too, is parsed once, its name looked up
once, and the connection goes to the very address that was checked; TLS still asks for the certificate of the name.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import zlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from email.message import Message
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from app.domain.errors import UserFacingError
from app.network.http import HttpFactory
from app.network.page_fetch_address import IPAddress, PageAddress, PageAddressError, is_public, parse_address

if TYPE_CHECKING:
    import httpx2

Resolve = Callable[[str, int], Awaitable[Sequence[IPAddress]]]
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
# Media types that are read, and the extension of a file that holds one.
EXTENSIONS = {
    "text/html": ".html",
    "application/xhtml+xml": ".xhtml",
    "text/plain": ".txt",
    "text/markdown": ".md",
    "text/csv": ".csv",
    "application/pdf": ".pdf",
    "application/json": ".json",
    "application/xml": ".xml",
    "text/xml": ".xml",
    "application/rss+xml": ".xml",
    "application/atom+xml": ".xml",
}
_ACCEPTED = ", ".join([*EXTENSIONS, "*/*;q=0.1"])


class PageFetchError(UserFacingError):
    """A web page could not be fetched, or may not be."""


@dataclass(frozen=True, slots=True)
class PageLimits:
    """Limits of one fetch: body in bytes, unpacked; redirects; seconds for all of it, and for one connection.

    At most ``addresses`` of a server are tried.
    """

    bytes: int = 20_000_000
    redirects: int = 5
    seconds: float = 9.0
    connect_seconds: float = 2.5
    addresses: int = 3


@dataclass(frozen=True, slots=True)
class KnownPage:
    """What was said of a page when it was fetched before; ``url`` is the one that answered."""

    url: str
    etag: str
    last_modified: str


@dataclass(frozen=True, slots=True)
class FetchedPage:
    """A page. ``url`` is the address that answered, after redirects; ``charset`` "" where the server states none."""

    url: str
    media_type: str
    charset: str
    body: bytes
    etag: str
    last_modified: str

    @property
    def extension(self) -> str:
        """The extension of a file that holds the page."""
        return EXTENSIONS[self.media_type]


async def system_addresses(host: str, port: int) -> Sequence[IPAddress]:
    """The addresses of a name, as the operating system finds them. Raises ``OSError``."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    texts = dict.fromkeys(str(address[0]).partition("%")[0] for *_, address in found)
    return [ipaddress.ip_address(text) for text in texts]


class PageFetcher:
    """Fetches pages through ``http``.

    ``resolve`` looks names up and ``allowed`` says which addresses may be visited; tests with a server on this machine
    pass their own.
    """

    def __init__(
        self,
        http: HttpFactory,
        *,
        resolve: Resolve = system_addresses,
        allowed: Callable[[IPAddress], bool] = is_public,
        limits: PageLimits | None = None,
    ) -> None:
        self._http = http
        self._resolve = resolve
        self._allowed = allowed
        self._limits = limits or PageLimits()

    async def fetch(self, url: str, known: KnownPage | None = None) -> FetchedPage | None:
        """The page at ``url``; None if it is still the ``known`` one.

        Raises ``PageAddressError`` for an address that is none or leads to a machine that is not public, and
        ``PageFetchError`` for everything that goes wrong on the way.
        """
        import httpx2

        address = parse_address(url)
        try:
            async with asyncio.timeout(self._limits.seconds), self._http.isolated_client() as client:
                return await self._follow(client, address, known)
        except TimeoutError as error:
            words = f"{address.host} did not deliver the page within {self._limits.seconds:g} seconds. Try again later."
            raise PageFetchError(words) from error
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            reason = str(error) or type(error).__name__
            raise PageFetchError(f"{address.host} could not be reached: {reason}. Try again later.") from error

    async def _follow(
        self, client: httpx2.AsyncClient, address: PageAddress, known: KnownPage | None
    ) -> FetchedPage | None:
        for _ in range(self._limits.redirects + 1):
            result = await self._visit(client, address, known)
            if not isinstance(result, PageAddress):
                return result
            address = result
        raise PageFetchError(f"{address.host} leads from one address to the next without end. Nothing was added.")

    async def _visit(
        self, client: httpx2.AsyncClient, address: PageAddress, known: KnownPage | None
    ) -> FetchedPage | PageAddress | None:
        """Ask one address: the page, the address it redirects to, or None if the known page is still right."""
        response = await self._connected(client, address, _request_headers(address, known))
        try:
            status = response.status_code
            if status in _REDIRECTS:
                return _redirected(address, response.headers.get("location", ""))
            if status == HTTPStatus.NOT_MODIFIED and known is not None:
                return None
            if status != HTTPStatus.OK:
                raise PageFetchError(
                    f"{address.host} answered with status {status} instead of a page. {_advice(status)}"
                )
            return await self._page(response, address)
        finally:
            await response.aclose()

    async def _connected(
        self, client: httpx2.AsyncClient, address: PageAddress, headers: dict[str, str]
    ) -> httpx2.Response:
        """The answer's head, from the first of the checked addresses that takes the connection."""
        import httpx2

        checked = (await self._checked_addresses(address))[: self._limits.addresses]
        for number, ip in enumerate(checked, start=1):
            literal = f"[{ip}]" if ip.version == 6 else str(ip)
            request = client.build_request(
                "GET",
                f"{address.scheme}://{literal}:{address.port}{address.target}",
                headers=headers,
                timeout=httpx2.Timeout(self._limits.seconds, connect=self._limits.connect_seconds),
                extensions={"sni_hostname": address.host},
            )
            try:
                return await client.send(request, stream=True)
            except (httpx2.ConnectError, httpx2.ConnectTimeout):
                if number == len(checked):
                    raise
        raise PageFetchError(f"{address.host} has no address. Check how it is written.")

    async def _checked_addresses(self, address: PageAddress) -> Sequence[IPAddress]:
        """The addresses of the host. A name of which only some are public is refused as well."""
        if address.ip is not None:
            found: Sequence[IPAddress] = [address.ip]
        else:
            try:
                found = await self._resolve(address.host, address.port)
            except (OSError, UnicodeError) as error:
                words = f"There is no server called {address.host}, or no connection. Check the address."
                raise PageFetchError(words) from error
        if not all(self._allowed(each) for each in found):
            raise PageAddressError(
                f"{address.host} is on this computer or in a private network. Web pages are added from public "
                "servers only; save the page as a file and add that."
            )
        return found

    async def _page(self, response: httpx2.Response, address: PageAddress) -> FetchedPage:
        media_type, charset = _content_type(response.headers.get("content-type", ""))
        if media_type not in EXTENSIONS:
            kind = media_type or "of no stated type"
            raise PageFetchError(f"What is at {address.host} is {kind}, which can't be added. Download it as a file.")
        return FetchedPage(
            address.url,
            media_type,
            charset,
            await self._body(response, address),
            response.headers.get("etag", ""),
            response.headers.get("last-modified", ""),
        )

    async def _body(self, response: httpx2.Response, address: PageAddress) -> bytes:
        most = self._limits.bytes
        too_large = PageFetchError(
            f"The page at {address.host} is larger than {most / 1e6:,.0f} MB. Download it as a file and add that."
        )
        stated = response.headers.get("content-length", "")
        if stated.isdecimal() and int(stated) > most:
            raise too_large
        decode = _decoder(response.headers.get("content-encoding", ""), address)
        body = bytearray()
        async for piece in response.aiter_raw():
            body += decode(piece, most + 1 - len(body))
            if len(body) > most:
                raise too_large
        return bytes(body)


def _request_headers(address: PageAddress, known: KnownPage | None) -> dict[str, str]:
    # Only gzip, which is unpacked here within limits: others can blow up a few bytes to gigabytes in one step.
    headers = {"host": address.authority, "accept": _ACCEPTED, "accept-encoding": "gzip"}
    if known is not None and known.url == address.url:
        headers |= {"if-none-match": known.etag} if known.etag else {}
        headers |= {"if-modified-since": known.last_modified} if known.last_modified else {}
    return headers


def _redirected(address: PageAddress, location: str) -> PageAddress:
    if not location:
        raise PageFetchError(f"{address.host} leads to another address without naming it. Nothing was added.")
    try:
        target = parse_address(urljoin(address.url, location))
    except ValueError as error:
        raise PageAddressError(f"{address.host} leads to an address that is none. Nothing was added.") from error
    if address.scheme == "https" and target.scheme != "https":
        raise PageAddressError(f"{address.host} leads from a protected to an unprotected address. Nothing was added.")
    return target


def _decoder(encoding: str, address: PageAddress) -> Callable[[bytes, int], bytes]:
    if encoding.strip().lower() in {"", "identity"}:
        return lambda piece, most: piece[:most]
    if encoding.strip().lower() not in {"gzip", "x-gzip"}:
        raise PageFetchError(f"{address.host} packs the page in a way that was not asked for. Nothing was added.")
    unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS)

    def unpack(piece: bytes, most: int) -> bytes:
        try:
            return unpacker.decompress(piece, most)
        except zlib.error as error:
            raise PageFetchError(f"{address.host} sent a damaged page. Try again later.") from error

    return unpack


def _content_type(header: str) -> tuple[str, str]:
    """The media type in lower case and the charset, each "" where it isn't stated."""
    message = Message()
    message["content-type"] = header
    charset = message.get_param("charset", "")
    return header.partition(";")[0].strip().lower(), charset if isinstance(charset, str) else ""


def _advice(status: int) -> str:
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return "It may need you to sign in: save the page in your browser and add the file."
    if status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
        return "Check the address."
    return "Try again later."
