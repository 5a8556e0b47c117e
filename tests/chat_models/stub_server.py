"""A scripted HTTP/1.1 server on loopback that plays a chat provider, well or badly.

Each request takes the next scripted ``Reply``; the last one is repeated. Streams wait for a question: whoever asks
for the list of models is told 404 and leaves them where they are. A reply is a list of steps: bytes to send, or
something to do between them::

    with StubServer() as server:
        gate = server.gate()
        server.reply(sse(first), gate, sse(last, done=True))
        ...
        assert server.requests[0].json["temperature"] == 0

The server runs on a thread of its own, so that both sync and async clients can be driven against it. Times are
``time.monotonic()`` seconds.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.chat_models.stub_replies import WAIT_SECONDS, Close, Delay, Gate, Reply, Reset, Stall, Step, json_reply


class RecordedRequest:
    """A request as it arrived, and what became of its connection."""

    def __init__(self, method: str, target: str, headers: dict[str, str], body: bytes, connection: int) -> None:
        self.method = method
        self.target = target
        self.path = urlsplit(target).path
        self.query = {key: values[0] for key, values in parse_qs(urlsplit(target).query).items()}
        self.headers = headers
        self.body = body
        self.connection = connection
        self.received_at = time.monotonic()
        self.disconnected_at: float | None = None
        self._disconnected = threading.Event()
        self._finished = threading.Event()

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)

    def note_disconnect(self) -> None:
        """The client closed the connection before the reply was complete."""
        if self.disconnected_at is None:
            self.disconnected_at = time.monotonic()
            self._disconnected.set()

    def note_finished(self) -> None:
        """The reply has been sent, as far as it went."""
        self._finished.set()

    def wait_disconnected(self, timeout: float = WAIT_SECONDS) -> float:
        """Wait until the client has gone away; returns when that was."""
        assert self._disconnected.wait(timeout), "the client did not close its connection"
        assert self.disconnected_at is not None
        return self.disconnected_at

    def wait_finished(self, timeout: float = WAIT_SECONDS) -> None:
        """Wait until the reply has been sent."""
        assert self._finished.wait(timeout), "the reply is still being sent"


Handler = Callable[[RecordedRequest], Reply]


class StubServer:
    """The server. A context manager; ``url`` has no trailing slash."""

    def __init__(self) -> None:
        self.requests: list[RecordedRequest] = []
        self.connections = 0
        self.open_requests = 0
        self.peak_open_requests = 0
        self.errors: list[BaseException] = []
        self.url = ""
        self._script: list[Reply | Handler] = []
        self._lock = threading.Lock()
        self._arrived = threading.Condition(self._lock)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="stub-server", daemon=True)
        self._server: asyncio.Server | None = None

    def __enter__(self) -> StubServer:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(WAIT_SECONDS)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(WAIT_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(WAIT_SECONDS)
        self._loop.close()
        if self.errors and kind is None:
            raise self.errors[0]

    # What tests script

    def gate(self) -> Gate:
        """A new gate to put between steps."""
        return Gate(self._loop)

    def reply(self, *steps: Step, **fields: Any) -> None:
        """Script the next reply: its steps, and fields of ``Reply``."""
        self.script(Reply(steps=steps, **fields))

    def script(self, *replies: Reply | Handler) -> None:
        """Script the next replies. A callable makes its reply from the request."""
        with self._lock:
            self._script.extend(replies)

    def json_reply(self, body: object, status: int = 200, **headers: str) -> None:
        """Script a reply with a JSON body. ``retry_after="3"`` makes the header ``retry-after``."""
        self.script(json_reply(body, status, **headers))

    def wait_for_requests(self, count: int, timeout: float = WAIT_SECONDS) -> list[RecordedRequest]:
        """Wait until so many requests have arrived."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.requests) >= count, timeout), "too few requests arrived"
            return list(self.requests)

    @property
    def bodies(self) -> list[Any]:
        """The parsed bodies of all requests so far."""
        return [request.json for request in self.requests]

    # The server's side

    async def _start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, backlog=256)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def _stop(self) -> None:
        assert self._server is not None
        self._server.close()
        while tasks := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.sleep(0)  # a task that is cancelled before its first step would leave its connection open
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            await self._serve(reader, writer, self.connections)
        except asyncio.CancelledError:
            pass  # the server is being stopped; nobody waits for this task's result
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client has gone: recorded where it matters
        except Exception as error:  # noqa: BLE001 - the edge of a task: the test is told when the server closes
            self.errors.append(error)
        finally:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: int) -> None:
        stash = b""
        while True:
            request, stash = await _read_request(reader, stash, connection)
            if request is None:
                return
            reply = self._take(request)
            try:
                keep, stash = await self._answer(request, reply, reader, writer)
            finally:
                with self._lock:
                    self.open_requests -= 1
                request.note_finished()
            if not keep:
                return

    def _take(self, request: RecordedRequest) -> Reply:
        with self._arrived:
            self.open_requests += 1
            if _asks_for_models(request) and self._script and _is_stream(self._script[0]):
                return json_reply({"error": {"message": "no such page"}}, 404)
            self.requests.append(request)
            self.peak_open_requests = max(self.peak_open_requests, self.open_requests)
            if not self._script:
                self.errors.append(AssertionError(f"no reply scripted for {request.method} {request.target}"))
                return json_reply({"error": {"message": "nothing scripted"}}, 500)
            chosen = self._script[0] if len(self._script) == 1 else self._script.pop(0)
            self._arrived.notify_all()
        return chosen(request) if callable(chosen) else chosen

    async def _answer(
        self, request: RecordedRequest, reply: Reply, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> tuple[bool, bytes]:
        """Send the reply while watching for the client to leave.

        Returns whether to keep the connection, and bytes that were read.
        """
        sending = asyncio.ensure_future(_send(reply, writer))
        watching = asyncio.ensure_future(reader.read(1))
        try:
            await asyncio.wait({sending, watching}, return_when=asyncio.FIRST_COMPLETED)
            if not sending.done() and _client_gone(watching):
                request.note_disconnect()
                return False, b""
            try:
                keep = await sending
            except ConnectionError:
                request.note_disconnect()
                return False, b""
            stash = watching.result() if watching.done() and not watching.cancelled() else b""
            if watching.done() and not stash:
                return False, b""
            return keep, stash
        finally:
            for task in (sending, watching):
                task.cancel()
            await asyncio.gather(sending, watching, return_exceptions=True)


def _asks_for_models(request: RecordedRequest) -> bool:
    return request.method == "GET" and request.path.endswith(("/models", "/tags"))


def _is_stream(scripted: Reply | Handler) -> bool:
    return isinstance(scripted, Reply) and scripted.content_type == "text/event-stream"


def _client_gone(watching: asyncio.Future[bytes]) -> bool:
    return watching.done() and (watching.exception() is not None or not watching.result())


async def _read_request(
    reader: asyncio.StreamReader, stash: bytes, connection: int
) -> tuple[RecordedRequest | None, bytes]:
    try:
        head = stash + await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None, b""
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
    if headers.get("transfer-encoding") == "chunked":
        body = await _read_chunked(reader)
    else:
        body = await reader.readexactly(int(headers.get("content-length", "0")))
    return RecordedRequest(method, target, headers, body, connection), b""


async def _read_chunked(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int((await reader.readline()).strip() or b"0", 16):
        body += await reader.readexactly(size)
        await reader.readline()
    await reader.readline()
    return body


async def _send(reply: Reply, writer: asyncio.StreamWriter) -> bool:
    """Send a reply. Returns whether the connection stays open."""
    for step in reply.before_headers:
        if not await _take_step(step, writer, framing="close"):
            return False
    writer.write(_head(reply))
    await writer.drain()
    for step in reply.steps:
        if not await _take_step(step, writer, framing=reply.framing):
            return False
    if reply.framing == "chunked":
        writer.write(b"0\r\n\r\n")
        await writer.drain()
    return reply.framing != "close" and not reply.close_after


def _head(reply: Reply) -> bytes:
    reason = HTTPStatus(reply.status).phrase if reply.status in HTTPStatus._value2member_map_ else "Unknown"
    headers = {"content-type": reply.content_type, **reply.headers}
    if reply.framing == "chunked":
        headers["transfer-encoding"] = "chunked"
    elif reply.framing == "length":
        headers["content-length"] = str(sum(len(step) for step in reply.steps if isinstance(step, bytes)))
    else:
        headers["connection"] = "close"
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {reply.status} {reason}\r\n{lines}\r\n".encode("latin-1")


async def _take_step(step: Step, writer: asyncio.StreamWriter, framing: str) -> bool:
    """Do one step. Returns whether to go on."""
    match step:
        case bytes():
            if step:
                writer.write(b"%x\r\n%b\r\n" % (len(step), step) if framing == "chunked" else step)
                await writer.drain()
        case Gate():
            await step.pass_through()
        case Delay(seconds):
            await asyncio.sleep(seconds)
        case Stall():
            await asyncio.Event().wait()
        case Reset():
            connection = writer.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
            return False
        case Close():
            return False
    return True
