"""AWS event streams (``application/vnd.amazon.eventstream``).

A message is: total length, header length, CRC-32 of these 8 bytes; headers; payload; CRC-32 of all before. Integers are
big-endian, 32 bits. See https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from app.chat_models.wire.frames import MAX_FRAME_BYTES, Frame, FramingError, parse_json

_PRELUDE_BYTES = 12
_CHECKSUM_BYTES = 4
# Sizes of the header values whose type fixes them: booleans, byte, short, int, long, timestamp, UUID.
_FIXED_SIZES = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
_SIZED_TYPES = (6, 7)  # bytes and string: a 16-bit length comes first


class EventStreamReader:
    """A ``FrameReader``: the payload is the document; the event's, exception's or error's type is the name.

    An exception frame has the ``event`` ``exception:<type>``, an error frame ``error:<code>``.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Frame]:
        """Take the next bytes; return the frames they complete. Raises ``FramingError``, also for a wrong checksum."""
        self._buffer += data
        frames: list[Frame] = []
        while (message := self._next_message()) is not None:
            frames.append(_frame(message))
        return frames

    def finish(self) -> list[Frame]:
        """The stream has ended. A frame that was cut off is dropped."""
        self._buffer.clear()
        return []

    def _next_message(self) -> bytes | None:
        if len(self._buffer) < _PRELUDE_BYTES:
            return None
        total, headers, checksum = struct.unpack_from(">III", self._buffer)
        if zlib.crc32(self._buffer[:8]) != checksum:
            raise FramingError("the checksum of an event's prelude is wrong")
        if not _PRELUDE_BYTES + headers + _CHECKSUM_BYTES <= total <= MAX_FRAME_BYTES:
            raise FramingError(f"an event claims {total} bytes with {headers} bytes of headers")
        if len(self._buffer) < total:
            return None
        message = bytes(self._buffer[:total])
        del self._buffer[:total]
        if zlib.crc32(message[:-_CHECKSUM_BYTES]) != struct.unpack_from(">I", message, total - _CHECKSUM_BYTES)[0]:
            raise FramingError("the checksum of an event is wrong")
        return message


def _frame(message: bytes) -> Frame:
    header_end = _PRELUDE_BYTES + struct.unpack_from(">I", message, 4)[0]
    headers = dict(_headers(message[_PRELUDE_BYTES:header_end]))
    payload = message[header_end:-_CHECKSUM_BYTES]
    document = parse_json(payload) if payload else {}
    match headers.get(":message-type"):
        case "exception":
            return Frame(document, f"exception:{headers.get(':exception-type', '')}")
        case "error":
            message_text = headers.get(":error-message", "")
            return Frame(document or {"message": message_text}, f"error:{headers.get(':error-code', '')}")
        case _:
            return Frame(document, headers.get(":event-type", ""))


def _headers(data: bytes) -> Iterator[tuple[str, str]]:
    """The headers whose value is a string. Raises ``FramingError`` when their sizes don't add up."""
    position = 0
    try:
        while position < len(data):
            name_end = position + 1 + data[position]
            name, kind = data[position + 1 : name_end].decode("utf-8", "replace"), data[name_end]
            position = name_end + 1
            if kind in _SIZED_TYPES:
                size = struct.unpack_from(">H", data, position)[0]
                position += 2
                yield name, data[position : position + size].decode("utf-8", "replace")
            else:
                size = _FIXED_SIZES[kind]
            position += size
    except (IndexError, KeyError, struct.error) as error:
        raise FramingError("the headers of an event are damaged") from error
