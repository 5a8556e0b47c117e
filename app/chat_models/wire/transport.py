"""The HTTP transport: sends a codec's requests and makes frames of the answers."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from app.chat_models.call import Timeouts
from app.chat_models.codec import Codec, Framing, WireRequest
from app.chat_models.wire.auth import CONTENT_TYPE, Auth
from app.chat_models.wire.connection_errors import Server, connection_error, timeout_error
from app.chat_models.wire.event_stream import EventStreamReader
from app.chat_models.wire.frames import Frame, FrameReader, FramingError
from app.chat_models.wire.json_body import JsonBodyReader
from app.chat_models.wire.sse import NdjsonReader, SseReader
from app.domain.chat_errors import APIConnectionError, APITimeoutError, ChatInputError, ProtocolError
from app.domain.secrets import redact
from app.network.http import HttpFactory

if TYPE_CHECKING:
    import httpx2

_LOGGER = logging.getLogger(__name__)
_ACCEPT = {
    Framing.SSE: "text/event-stream",
    Framing.NDJSON: "application/x-ndjson",
    Framing.EVENT_STREAM: "application/vnd.amazon.eventstream",
    Framing.JSON: "application/json",
}
_READERS: dict[Framing, type[FrameReader]] = {
    Framing.SSE: SseReader,
    Framing.NDJSON: NdjsonReader,
    Framing.EVENT_STREAM: EventStreamReader,
    Framing.JSON: JsonBodyReader,
}
_MAX_ERROR_BYTES = 256 * 1024


class HttpTransport:
    """Carries requests to one server. Holds no connection itself: those belong to the factory's clients."""

    def __init__(self, server: Server, auth: Auth, http: HttpFactory) -> None:
        self._url = server.address.rstrip("/")
        _check_address(self._url)
        self._server = Server(server.provider, server.label, _without_user(self._url), server.start_hint)
        self._auth = auth
        self._http = http

    @property
    def base_url(self) -> str:
        """Where requests go, without trailing slash and without secrets."""
        return self._server.address

    async def frames(self, request: WireRequest, timeouts: Timeouts, errors: Codec) -> AsyncIterator[Frame]:
        """Send ``request`` and yield frames as they arrive; closing the iterator closes the connection.

        A connection that breaks inside the answer ends the frames: whether the answer is complete is for the decoder
        to judge. Raises ``APIConnectionError``, ``APITimeoutError``, ``ProtocolError``, and ``errors.error(…)`` for an
        error status.
        """
        patience = _Patience(timeouts)
        async with self._response(request, timeouts, patience) as response:
            if not response.is_success:
                await self._raise_status(response, errors, patience)
            reader = self._reader(response, request.framing)
            async with aclosing(self._body(response, patience)) as body:
                async for data in body:
                    for frame in self._read(reader, data):
                        patience.started = True
                        yield self._redacted(frame)
            for frame in self._finish(reader):
                yield self._redacted(frame)

    @asynccontextmanager
    async def _response(
        self, request: WireRequest, timeouts: Timeouts, patience: _Patience
    ) -> AsyncIterator[httpx2.Response]:
        """The response once its headers are there. Sends again when a kept connection turns out to be dead."""
        import httpx2

        client = self._http.client(self._url)
        for attempt in (1, 2):
            connected: list[str] = []
            outgoing = self._outgoing(client, request, timeouts, connected)
            try:
                async with asyncio.timeout(patience.seconds):
                    response = await client.send(outgoing, stream=True)
            except TimeoutError as error:
                raise self._too_slow("did not begin to answer") from error
            except httpx2.TransportError as error:
                if attempt == 1 and not connected and _died_early(error):
                    continue
                raise connection_error(error, self._server) from error
            break
        try:
            yield response
        finally:
            await response.aclose()

    def _outgoing(
        self, client: httpx2.AsyncClient, request: WireRequest, timeouts: Timeouts, connected: list[str]
    ) -> httpx2.Request:
        import httpx2

        url = self._url + request.path
        body = b""
        headers = {"accept": _ACCEPT[request.framing], "accept-encoding": "identity", **request.headers}
        if request.json is not None:
            body = json.dumps(request.json, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
            headers["content-type"] = CONTENT_TYPE

        async def note_connection(event: str, info: Mapping[str, Any]) -> None:
            if event.startswith("connection.connect"):
                connected.append(event)

        limits = httpx2.Timeout(connect=timeouts.connect, write=timeouts.write, pool=timeouts.connect, read=None)
        try:
            outgoing = client.build_request(
                request.method,
                url,
                content=body or None,
                headers=headers,
                timeout=limits,
                extensions={"trace": note_connection},
            )
            # The signature covers the address as it is sent.
            outgoing.headers.update(self._auth.headers(request.method, str(outgoing.url), body))
        except (httpx2.InvalidURL, httpx2.UnsupportedProtocol) as error:
            raise connection_error(error, self._server) from error
        return outgoing

    async def _body(self, response: httpx2.Response, patience: _Patience) -> AsyncGenerator[bytes]:
        """The bytes of the body. A broken connection ends them."""
        import httpx2

        try:
            async with aclosing(response.aiter_bytes()) as source:
                while True:
                    async with asyncio.timeout(patience.seconds):
                        data = await source.__anext__()
                    yield data
        except StopAsyncIteration:
            return
        except TimeoutError as error:
            raise self._too_slow("stopped answering") from error
        except (httpx2.NetworkError, httpx2.RemoteProtocolError) as error:
            _LOGGER.debug("the connection to %s broke: %s", self._server.label, error)
        except httpx2.DecodingError as error:
            raise ProtocolError(f"{self._server.label} sent a damaged answer: {error}.") from error

    def _reader(self, response: httpx2.Response, framing: Framing) -> FrameReader:
        """What reads the body: by what the server says it is, else by what was asked for."""
        kind = response.headers.get("content-type", "").split(";")[0].strip().lower()
        if kind == "text/html":
            raise ProtocolError(
                f"{self._server.address} answers with a web page. Check the address: it must be that of a model's API, "
                "which mostly ends with /v1.",
                provider=self._server.provider,
            )
        by_type = {
            "text/event-stream": Framing.SSE,
            "application/x-ndjson": Framing.NDJSON,
            "application/vnd.amazon.eventstream": Framing.EVENT_STREAM,
            "application/json": Framing.NDJSON if framing is Framing.NDJSON else Framing.JSON,
        }
        return _READERS[by_type.get(kind, framing)]()

    def _read(self, reader: FrameReader, data: bytes) -> list[Frame]:
        try:
            return reader.feed(data)
        except FramingError as error:
            raise self._not_understood(error) from error

    def _finish(self, reader: FrameReader) -> list[Frame]:
        try:
            return reader.finish()
        except FramingError as error:
            raise self._not_understood(error) from error

    def _not_understood(self, error: FramingError) -> ProtocolError:
        text = redact(str(error), *self._auth.secrets)
        return ProtocolError(
            f"{self._server.label} at {self._server.address} sent something that can't be understood: {text}.",
            provider=self._server.provider,
        )

    async def _raise_status(self, response: httpx2.Response, errors: Codec, patience: _Patience) -> None:
        headers = {name.lower(): value for name, value in response.headers.items()}
        if response.has_redirect_location:
            raise APIConnectionError(
                f"{self._server.address} sends on to {headers['location'][:200]}. Use the new address; keys are not "
                "sent after it.",
                provider=self._server.provider,
                should_retry=False,
            )
        body = bytearray()
        with suppress(APITimeoutError):  # the status says more than the rest of the body would
            async with aclosing(self._body(response, patience)) as pieces:
                async for data in pieces:
                    body += data
                    if len(body) > _MAX_ERROR_BYTES:
                        break
        text = redact(body.decode("utf-8", "replace"), *self._auth.secrets)
        raise errors.error(response.status_code, headers, text.encode())

    def _redacted(self, frame: Frame) -> Frame:
        """``frame`` without secrets if it is an error: some servers repeat the key in their message."""
        data = frame.data
        named = frame.event and ("error" in frame.event or "exception" in frame.event)
        if not named and not (isinstance(data, dict) and (data.get("error") or data.get("type") == "error")):
            return frame
        text = redact(json.dumps(data), *self._auth.secrets)
        return Frame(json.loads(text), frame.event, frame.terminator)

    def _too_slow(self, what: str) -> Exception:
        return timeout_error(f"{self._server.label} at {self._server.address} {what} in time.", self._server)


class _Patience:
    """How long to wait for the next bytes: until the first frame by one limit, after it by another."""

    def __init__(self, timeouts: Timeouts) -> None:
        self._clock = asyncio.get_running_loop().time
        self._deadline = None if timeouts.first_token is None else self._clock() + timeouts.first_token
        self._idle = timeouts.idle
        self.started = False

    @property
    def seconds(self) -> float | None:
        """Seconds that the next read may take; None for no limit."""
        if self.started:
            return self._idle
        return None if self._deadline is None else max(0.0, self._deadline - self._clock())


def _died_early(error: httpx2.TransportError) -> bool:
    """Whether the server had closed the connection before it saw the request."""
    import httpx2

    return isinstance(error, (httpx2.RemoteProtocolError, httpx2.ReadError, httpx2.WriteError))


def _check_address(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ChatInputError(f"{_without_user(url)!r} is no address of a server. It must look like https://host/v1.")


def _without_user(url: str) -> str:
    """``url`` without user name and password."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, parts.query, ""))
