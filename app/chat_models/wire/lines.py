"""Lines of bytes. ``\\n`` never occurs inside a UTF-8 sequence, so whole lines can be decoded safely.

Only ``\\n`` ends a line: U+2028, U+0085, vertical tab and form feed are legal inside JSON strings.
"""

from __future__ import annotations

from app.chat_models.wire.frames import MAX_FRAME_BYTES, FramingError


class LineSplitter:
    """Cuts bytes that arrive in pieces of any size into lines without their ``\\n`` or ``\\r\\n``."""

    def __init__(self, max_line_bytes: int = MAX_FRAME_BYTES) -> None:
        self._max_line_bytes = max_line_bytes
        self._pending: list[bytes] = []
        self._pending_bytes = 0

    def feed(self, data: bytes) -> list[bytes]:
        """Take the next bytes; return the lines they complete. Raises ``FramingError`` for an endless line."""
        first, *rest = data.split(b"\n")
        if not rest:
            self._hold(first)
            return []
        if self._pending:
            first = b"".join([*self._pending, first])
            self._pending, self._pending_bytes = [], 0
        self._hold(rest.pop())
        lines = [first, *rest]
        return [line.removesuffix(b"\r") for line in lines] if b"\r" in data or first.endswith(b"\r") else lines

    def finish(self) -> bytes:
        """The stream has ended: return what came after the last ``\\n``."""
        rest = b"".join(self._pending)
        self._pending, self._pending_bytes = [], 0
        return rest.removesuffix(b"\r")

    def _hold(self, data: bytes) -> None:
        if not data:
            return
        self._pending.append(data)
        self._pending_bytes += len(data)
        if self._pending_bytes > self._max_line_bytes:
            raise FramingError(f"a line is longer than {self._max_line_bytes} bytes")
