"""Server-sent events as chat providers really send them.

The specification (https://html.spec.whatwg.org/multipage/server-sent-events.html) is followed where it can be, and
left where providers leave it: every data line that is a complete JSON document is a frame at once, so that two events
without a blank line between them don't merge; a document spread over several lines, with ``data:`` before each or
without (Gemini's in-stream errors), is joined; a last event that lacks its blank line counts; an ``error:`` field (old
llama.cpp servers) is an event named ``error``.
"""

from __future__ import annotations

from app.chat_models.wire.frames import Frame, FramingError, excerpt, parse_json, try_json
from app.chat_models.wire.lines import LineSplitter

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_RAW_JSON_STARTS = (b"{", b"[")
_RAW_JSON_ENDS = (b"}", b"]")
_ERROR_EVENT = "error"


class SseReader:
    """A ``FrameReader`` for ``text/event-stream``."""

    def __init__(self) -> None:
        self._lines = LineSplitter()
        self._at_start = True
        self._event = ""
        self._data: list[bytes] = []
        self._raw: list[bytes] = []

    def feed(self, data: bytes) -> list[Frame]:
        """Take the next bytes; return the frames they complete. Raises ``FramingError``."""
        frames: list[Frame] = []
        for line in self._lines.feed(data):
            self._take_line(line, frames)
        return frames

    def finish(self) -> list[Frame]:
        """The stream has ended: return a last frame that lacks only its line end."""
        frames: list[Frame] = []
        last = self._lines.finish()
        if last:
            self._take_line(last, frames)
        held = b"\n".join(self._raw or self._data)
        complete, document = try_json(held)
        if complete:
            frames.append(Frame(document, self._event))
        return frames

    def _take_line(self, line: bytes, frames: list[Frame]) -> None:
        if self._at_start:
            self._at_start = False
            line = line.removeprefix(_BYTE_ORDER_MARK)
        if self._raw:
            self._take_raw(line, frames)
        elif line.startswith(b"data:"):
            self._take_data(line[5:].removeprefix(b" "), frames)
        elif not line:
            if self._data or self._event:
                self._end_event(frames)
        elif line.startswith(_RAW_JSON_STARTS):
            self._take_raw(line, frames)
        elif line.startswith(b"event:"):
            self._event = line[6:].strip().decode("utf-8", "replace")
        elif line.startswith(b"error:"):
            frames.append(Frame(_document_or_text(line[6:].strip()), _ERROR_EVENT))

    def _take_data(self, data: bytes, frames: list[Frame]) -> None:
        if data.startswith(b"[DONE]"):
            self._end_event(frames)
            frames.append(Frame(None, terminator=True))
            return
        if not data or data.isspace():
            return
        if self._data:
            self._data.append(data)
            if not data.rstrip().endswith(_RAW_JSON_ENDS):
                return
            data = b"\n".join(self._data)
        complete, document = try_json(data)
        if complete:
            frames.append(Frame(document, self._event))
            self._data = []
        elif not self._data:
            self._data = [data]

    def _take_raw(self, line: bytes, frames: list[Frame]) -> None:
        self._raw.append(line)
        if line.rstrip().endswith(_RAW_JSON_ENDS):
            complete, document = try_json(b"\n".join(self._raw))
            if complete:
                frames.append(Frame(document, self._event))
                self._raw = []

    def _end_event(self, frames: list[Frame]) -> None:
        if self._data:
            text, self._data = b"\n".join(self._data), []
            if self._event != _ERROR_EVENT:
                raise FramingError(f"an event is not valid JSON: {excerpt(text)}")
            frames.append(Frame(_document_or_text(text), _ERROR_EVENT))
        self._event = ""


def _document_or_text(text: bytes) -> object:
    complete, document = try_json(text)
    return document if complete else text.decode("utf-8", "replace")


class NdjsonReader:
    """A ``FrameReader`` for newline-delimited JSON (``application/x-ndjson``)."""

    def __init__(self) -> None:
        self._lines = LineSplitter()

    def feed(self, data: bytes) -> list[Frame]:
        """Take the next bytes; return the frames they complete. Raises ``FramingError``."""
        return [Frame(parse_json(line)) for line in self._lines.feed(data) if line.strip()]

    def finish(self) -> list[Frame]:
        """The stream has ended: return a last document that lacks only its line end."""
        complete, document = try_json(self._lines.finish())
        return [Frame(document)] if complete else []
