"""A body that is one JSON document although a stream was asked for."""

from __future__ import annotations

from app.chat_models.wire.frames import MAX_FRAME_BYTES, Frame, FramingError, parse_json


class JsonBodyReader:
    """A ``FrameReader`` for ``application/json``: one frame, or one per element when the document is a list.

    Gemini without ``alt=sse`` streams such a list.
    """

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> list[Frame]:
        """Keep the bytes. Raises ``FramingError`` for an endless body."""
        self._pieces.append(data)
        self._size += len(data)
        if self._size > MAX_FRAME_BYTES:
            raise FramingError(f"the body is longer than {MAX_FRAME_BYTES} bytes")
        return []

    def finish(self) -> list[Frame]:
        """Parse the body. Raises ``FramingError`` when it is no JSON."""
        body = b"".join(self._pieces)
        if not body.strip():
            return []
        document = parse_json(body)
        return [Frame(element) for element in document] if isinstance(document, list) else [Frame(document)]
