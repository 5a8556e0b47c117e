"""What the stub server sends: steps, replies, and the bodies of the protocols that providers speak."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import socket
import struct
import threading
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

WAIT_SECONDS = 10.0


class Gate:
    """A step at which the server waits until the test opens it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._opened = asyncio.Event()
        self._reached = threading.Event()

    def open(self) -> None:
        """Let the server go on. From any thread."""
        self._loop.call_soon_threadsafe(self._opened.set)

    def wait_reached(self, timeout: float = WAIT_SECONDS) -> None:
        """Wait until the server stands before the gate: everything before it has been sent."""
        assert self._reached.wait(timeout), "the server never reached the gate"

    async def pass_through(self) -> None:
        """The server's side."""
        self._reached.set()
        await self._opened.wait()


@dataclass(frozen=True)
class Delay:
    """A step that sends nothing for some seconds."""

    seconds: float


@dataclass(frozen=True)
class Stall:
    """A step that sends nothing more until the client goes away."""


@dataclass(frozen=True)
class Reset:
    """A step that breaks the connection with a TCP reset."""


@dataclass(frozen=True)
class Close:
    """A step that closes the connection without ending the body."""


Step = bytes | Gate | Delay | Stall | Reset | Close


@dataclass(frozen=True)
class Reply:
    """What to answer. ``steps`` make the body; ``before_headers`` run first.

    ``framing`` is ``chunked``, ``length`` or ``close`` (the end of the body is the end of the connection);
    ``close_after`` closes a connection that the headers promised to keep.
    """

    steps: tuple[Step, ...] = ()
    status: int = 200
    content_type: str = "text/event-stream"
    headers: Mapping[str, str] = field(default_factory=dict)
    before_headers: tuple[Step, ...] = ()
    framing: str = "chunked"
    close_after: bool = False


# Bodies


def json_reply(body: object, status: int = 200, **headers: str) -> Reply:
    """A reply with a JSON body. ``retry_after="3"`` makes the header ``retry-after``."""
    return Reply(
        steps=(json.dumps(body, ensure_ascii=False).encode(),),
        status=status,
        content_type="application/json",
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        framing="length",
    )


def sse(*documents: object, done: bool = False, event_key: str = "") -> bytes:
    """Server-sent events with a JSON document each. ``event_key`` names the field that becomes the event's name."""
    pieces = []
    for document in documents:
        name = f"event: {document[event_key]}\n" if event_key and isinstance(document, dict) else ""
        pieces.append(f"{name}data: {json.dumps(document, ensure_ascii=False)}\n\n")
    return ("".join(pieces) + ("data: [DONE]\n\n" if done else "")).encode()


def ndjson(*documents: object) -> bytes:
    """One JSON document a line."""
    return "".join(json.dumps(document, ensure_ascii=False) + "\n" for document in documents).encode()


def event_stream_frame(event: str, payload: object, message_type: str = "event") -> bytes:
    """A frame of ``application/vnd.amazon.eventstream`` with valid checksums."""
    type_header = {"event": ":event-type", "exception": ":exception-type", "error": ":error-code"}[message_type]
    headers = b"".join(
        bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()
        for name, value in (
            (type_header, event),
            (":content-type", "application/json"),
            (":message-type", message_type),
        )
    )
    body = json.dumps(payload).encode()
    prelude = struct.pack(">II", 16 + len(headers) + len(body), len(headers))
    frame = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + body
    return frame + struct.pack(">I", zlib.crc32(frame))


def pieces(body: bytes, cuts: Iterable[int]) -> list[bytes]:
    """``body`` cut before each of the offsets, wherever they fall."""
    bounds = [0, *sorted({cut for cut in cuts if 0 < cut < len(body)}), len(body)]
    return [body[start:end] for start, end in itertools.pairwise(bounds)]


def byte_by_byte(body: bytes) -> Sequence[bytes]:
    """``body`` as single bytes."""
    return [body[index : index + 1] for index in range(len(body))]


# Minimal protocols, for tests that don't care which provider it is


def chat_chunk(content: str | None = None, **fields: Any) -> dict[str, Any]:
    """A chunk of an OpenAI chat completion: fields of the delta, and ``finish_reason`` and ``usage``."""
    finish = fields.pop("finish_reason", None)
    usage = fields.pop("usage", None)
    delta = {**({} if content is None else {"content": content}), **fields}
    chunk = {
        "id": "chatcmpl-stub",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "stub-model",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }
    return {**chunk, "usage": usage} if usage else chunk


def chat_stream(*texts: str, finish_reason: str = "stop", prompt_tokens: int = 3) -> bytes:
    """A whole OpenAI chat completion stream that says ``texts``, one delta each."""
    usage = {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": len(texts),
        "total_tokens": prompt_tokens + len(texts),
    }
    return sse(
        *(chat_chunk(text) for text in texts),
        chat_chunk(finish_reason=finish_reason),
        {"id": "chatcmpl-stub", "model": "stub-model", "choices": [], "usage": usage},
        done=True,
    )


@contextlib.contextmanager
def closed_port() -> Iterator[str]:
    """A loopback URL on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{probe.getsockname()[1]}"
