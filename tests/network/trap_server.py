"""A server on loopback that does with each connection what a test wants, down to the bytes."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from types import TracebackType

Behave = Callable[["Visit"], None]


class Visit:
    """One connection: the head of the request, and a way to send bytes back until the client has gone."""

    def __init__(self, connection: socket.socket, closing: threading.Event) -> None:
        self._connection = connection
        self._closing = closing
        self.head = b""
        with contextlib.suppress(OSError):  # the client has gone; what it sent stays
            while b"\r\n\r\n" not in self.head and (piece := connection.recv(65536)):
                self.head += piece

    @property
    def path(self) -> str:
        return self.head.split(b" ")[1].decode()

    def header(self, name: str) -> str:
        for line in self.head.split(b"\r\n")[1:]:
            key, _, value = line.partition(b":")
            if key.decode().lower() == name:
                return value.decode().strip()
        return ""

    def send(self, data: bytes) -> bool:
        """Whether the client is still there."""
        if self._closing.is_set():
            return False
        try:
            self._connection.sendall(data)
        except OSError:
            return False
        return True

    def reply(self, body: bytes, *headers: str, status: str = "200 OK", kind: str = "text/html") -> None:
        lines = [f"HTTP/1.1 {status}", f"content-type: {kind}", f"content-length: {len(body)}", *headers, "", ""]
        self.send("\r\n".join(lines).encode() + body)

    def drip(self, piece: bytes, seconds: float) -> None:
        """Send a piece again and again until the client goes away."""
        while self.send(piece) and not self._closing.wait(seconds):
            pass


class TrapServer:
    """Listens on a free port of 127.0.0.1. ``visits`` are the heads of all requests."""

    def __init__(self, behave: Behave) -> None:
        self._behave = behave
        self._closing = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self.port = int(self._socket.getsockname()[1])
        self.visits: list[bytes] = []

    def __enter__(self) -> TrapServer:
        self._run(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for thread in self._threads:
            thread.join(10)

    def url(self, path: str = "/", host: str = "page.example") -> str:
        return f"http://{host}:{self.port}{path}"

    def _run(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self._run(lambda accepted=connection: self._serve(accepted))  # type: ignore[misc]  # a default keeps the connection

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(10)
            visit = Visit(connection, self._closing)
            self.visits.append(visit.head)
            if visit.head:
                self._behave(visit)
