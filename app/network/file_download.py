"""Downloads one file: redirects checked, interruptions resumed, content verified."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeVar
from urllib.parse import urljoin, urlsplit

from app.domain.cancellation import CancelToken
from app.domain.errors import UserFacingError
from app.network.http import HttpFactory, is_loopback

if TYPE_CHECKING:
    import httpx2

MAX_REDIRECTS = 5
ATTEMPTS = 5
SILENCE_SECONDS = 30.0
# Left free on the disk.
SPARE_BYTES = 64 * 1024 * 1024
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
_RANGE = re.compile(r"bytes (\d+)-\d+/")

T = TypeVar("T")

Progress = Callable[[int], None]
Wait = Callable[[float], Awaitable[object]]


class DownloadError(UserFacingError):
    """A download failed or is not allowed."""


class InterruptedDownloadError(DownloadError):
    """The connection broke or the server is busy: worth another attempt."""


class FileDownload:
    """Fetches files through ``http``. ``wait`` passes the seconds between attempts."""

    def __init__(self, http: HttpFactory, wait: Wait = asyncio.sleep) -> None:
        self._http = http
        self._wait = wait

    async def fetch(self, url: str, path: Path, sha256: str, progress: Progress, cancel: CancelToken) -> None:
        """Make ``path`` the file that has the SHA-256 ``sha256``; does nothing if it is that already.

        Bytes of an earlier attempt wait in ``path`` with ``.part`` added. ``progress`` is told the bytes that are
        there. Raises ``DownloadError`` and ``WorkCancelledError``.
        """
        if (size := _size(path)) and await asyncio.to_thread(sha256_of, path) == sha256:
            progress(size)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.part")
        resumed = await self._with_attempts(lambda: self._go_on(url, part, progress, cancel))
        if resumed and await asyncio.to_thread(sha256_of, part) != sha256:
            part.unlink()  # the earlier bytes may have been of another version
            await self._with_attempts(lambda: self._go_on(url, part, progress, cancel))
        if await asyncio.to_thread(sha256_of, part) != sha256:
            part.unlink()
            raise DownloadError(
                f"The file {path.name} from {urlsplit(url).hostname} is not the one that was expected (its checksum is"
                " wrong). It was thrown away. Try again later, or tell whoever gave you the address."
            )
        await asyncio.to_thread(_settle, part, path)

    async def read(self, url: str, max_bytes: int) -> bytes:
        """The body of ``url``. Raises ``DownloadError``, also when it is longer than ``max_bytes``."""
        return await self._with_attempts(lambda: self._read(url, max_bytes))

    async def _read(self, url: str, max_bytes: int) -> bytes:
        body = bytearray()
        async with self._response(url, 0) as response:
            async for piece in response.aiter_bytes():
                body += piece
                if len(body) > max_bytes:
                    raise DownloadError(f"{urlsplit(url).hostname} sent more than {max_bytes} bytes.")
        return bytes(body)

    async def _go_on(self, url: str, part: Path, progress: Progress, cancel: CancelToken) -> bool:
        """Append what is missing. Returns whether there was something before."""
        have = _size(part)
        async with self._response(url, have) as response:
            if response.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                return True  # nothing is missing, or the file became shorter: its checksum tells
            if response.status_code == HTTPStatus.OK:
                have = 0
            _check_space(part, int(response.headers.get("content-length", 0)))
            with part.open("r+b" if have else "wb") as file:
                file.seek(have)
                file.truncate()
                await _store(response, file, progress, cancel)
        return have > 0

    @asynccontextmanager
    async def _response(self, url: str, have: int) -> AsyncIterator[httpx2.Response]:
        """The answer to a request for the bytes from ``have`` on, after redirects."""
        import httpx2

        headers = {"accept-encoding": "identity"} | ({"range": f"bytes={have}-"} if have else {})
        host = urlsplit(url).hostname
        try:
            for _ in range(MAX_REDIRECTS + 1):
                async with self._http.client(url).stream(
                    "GET", url, headers=headers, timeout=SILENCE_SECONDS
                ) as response:
                    if response.status_code not in _REDIRECTS:
                        _check_answer(response, host, have)
                        yield response
                        return
                    url = _redirected(url, response.headers.get("location", ""))
        except httpx2.TransportError as error:
            reason = str(error) or type(error).__name__
            raise InterruptedDownloadError(f"The connection to {host} broke: {reason}. Try again later.") from error
        raise DownloadError(f"{host} redirects in circles. Try again later.")

    async def _with_attempts(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Try again after interruptions, waiting 1, 2, 4, 8 seconds."""
        for number in range(ATTEMPTS - 1):
            try:
                return await attempt()
            except InterruptedDownloadError:
                await self._wait(2.0**number)
        return await attempt()


async def _store(response: httpx2.Response, file: IO[bytes], progress: Progress, cancel: CancelToken) -> None:
    try:
        async for piece in response.aiter_raw():
            cancel.raise_if_cancelled()
            file.write(piece)
            progress(file.tell())
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise DownloadError("The disk is full. Free some space; the download goes on where it stopped.") from error
        raise


def _check_answer(response: httpx2.Response, host: str | None, have: int) -> None:
    status = response.status_code
    if status in _BUSY:
        raise InterruptedDownloadError(f"{host} is busy (status {status}). Try again later.")
    if status == HTTPStatus.PARTIAL_CONTENT:
        found = _RANGE.match(response.headers.get("content-range", ""))
        if not found or int(found.group(1)) != have:
            raise DownloadError(f"{host} sent another part of the file than was asked for. Try again later.")
    elif status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}:
        raise DownloadError(
            f"{host} doesn't give out this file (status {status}). Check the model's name and revision."
        )
    elif status != HTTPStatus.OK and not (have and status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE):
        raise DownloadError(f"{host} answered with status {status}. Try again later.")


def _redirected(url: str, location: str) -> str:
    """Where a redirect leads: by https, and to this machine only from this machine."""
    target = urljoin(url, location)
    inside = is_loopback(url) and is_loopback(target)
    safe = inside or (urlsplit(target).scheme == "https" and not is_loopback(target))
    if not location or not safe or urlsplit(target).scheme not in {"http", "https"}:
        raise DownloadError(f"{urlsplit(url).hostname} redirects to {target}, which is not safe. Nothing was fetched.")
    return target


def _check_space(path: Path, wanted: int) -> None:
    free = shutil.disk_usage(path.parent).free
    if wanted > free - SPARE_BYTES:
        raise DownloadError(
            f"The disk of {path.parent} has {free // 2**20} MB free, but the download takes {wanted // 2**20} MB more."
            " Free some space."
        )


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _settle(part: Path, path: Path) -> None:
    """Give a finished file its name, once its bytes are on the disk."""
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    part.replace(path)
