"""Frames: the JSON documents of a streamed response, whatever they were packed in."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Protocol

MAX_FRAME_BYTES = 64 * 1024 * 1024
_EXCERPT_CHARACTERS = 200
_DECODER = json.JSONDecoder(strict=False)  # some servers don't escape control characters in strings


class FramingError(ValueError):
    """The bytes are not what the protocol promises. The transport turns it into a ``ProtocolError``."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One JSON document and the name that came with it.

    ``event`` is the event's name where the protocol has one (server-sent events, AWS event streams), else empty.
    ``terminator`` marks the explicit end of a stream (``[DONE]``); its ``data`` is None.
    """

    data: object
    event: str = ""
    terminator: bool = False


class FrameReader(Protocol):
    """Makes frames of bytes that arrive in pieces of any size. Holds no more than one unfinished frame."""

    def feed(self, data: bytes) -> list[Frame]:
        """Take the next bytes; return the frames they complete. Raises ``FramingError``."""

    def finish(self) -> list[Frame]:
        """The stream has ended: return a last frame that lacks only its terminator.

        A frame that was cut off is dropped: whether the answer is complete is for the decoder to judge.
        """


def parse_json(text: bytes) -> object:
    """Parse one document. Bytes that are no UTF-8 become U+FFFD. Raises ``FramingError`` with an excerpt."""
    try:
        return _DECODER.decode(text.decode("utf-8", "replace"))
    except (ValueError, RecursionError) as error:
        raise FramingError(f"a frame is not valid JSON: {excerpt(text)}") from error


def try_json(text: bytes) -> tuple[bool, object]:
    """Parse one document if it is complete: ``(True, document)`` or ``(False, None)``."""
    try:
        return True, _DECODER.decode(text.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return False, None


def excerpt(text: bytes) -> str:
    """The beginning of ``text``, to show in an error message."""
    return repr(text[:_EXCERPT_CHARACTERS].decode("utf-8", "replace"))
