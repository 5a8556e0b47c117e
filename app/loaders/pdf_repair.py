"""Gives a PDF whose end is missing a new end, so that a reader finds the pages that are there.

A PDF is read from its end: there stand the table of objects and the reference to the catalogue (ISO 32000-1, 7.5).
Without them readers give up although nearly every page may be in the file. Readers do rebuild a table that is wrong,
by looking for objects, but not inside object streams, and not without a trailer.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

from app.loaders.parser_limits import MEBIBYTE

LARGEST_MENDED = 256 * MEBIBYTE
LARGEST_OBJECT_STREAM = 16 * MEBIBYTE
LONGEST_DICTIONARY = 4096
_END = b"endobj"
_OBJECT = re.compile(rb"(?:^|[\r\n\s])(\d{1,9})\s+\d{1,5}\s+obj\b")
_CATALOG = re.compile(rb"/Type\s*/Catalog\b")
_PAGE = re.compile(rb"/Type\s*/Page(?![A-Za-z])")
_OBJECT_STREAM = re.compile(rb"/Type\s*/ObjStm\b")
_STREAM = re.compile(rb"stream\r?\n")
_NUMBER_OF = {key: re.compile(rb"/" + key + rb"\s+(\d+)") for key in (b"N", b"First")}
_ENCRYPTED = re.compile(rb"/Filter\s*/Standard\b|/Encrypt\b")


def mended(data: bytes) -> Iterator[bytes]:
    """Yield ``data`` with new ends, the most promising first: one for the catalogue that is in it, one for a catalogue
    of the pages that are in it. Nothing if there are none, or if the content is encrypted: the key is lost.
    """
    if len(data) > LARGEST_MENDED or _ENCRYPTED.search(data):
        return
    data = data[: data.rfind(_END) + len(_END)]  # what follows is a part of an object
    unpacked = dict(_unpacked_objects(data))
    data += b"".join(b"\n%d 0 obj\n%s\nendobj" % (number, body) for number, body in unpacked.items())
    catalog = _number_of_object_with(_CATALOG, data)
    if catalog is not None:
        yield data + _trailer(catalog)
    pages = list(dict.fromkeys(_numbers_of_objects_with(_PAGE, data)))
    if pages:
        unused = max(_object_numbers(data)) + 1
        yield data + _page_tree(unused, pages) + _trailer(unused)


def _trailer(catalog: int) -> bytes:
    return b"\ntrailer\n<< /Root %d 0 R >>\nstartxref\n0\n%%%%EOF\n" % catalog


def _object_numbers(data: bytes) -> list[int]:
    return [int(found.group(1)) for found in _OBJECT.finditer(data)]


def _number_of_object_with(sign: re.Pattern[bytes], data: bytes) -> int | None:
    """The number of the last object that shows ``sign``: later objects replace earlier ones."""
    found = _numbers_of_objects_with(sign, data)
    return found[-1] if found else None


def _numbers_of_objects_with(sign: re.Pattern[bytes], data: bytes) -> list[int]:
    numbers = (_number_of_object_around(data, match.start()) for match in sign.finditer(data))
    return [number for number in numbers if number is not None]


def _number_of_object_around(data: bytes, position: int) -> int | None:
    opened = [found.group(1) for found in _OBJECT.finditer(data, max(0, position - LONGEST_DICTIONARY), position)]
    return int(opened[-1]) if opened else None


def _page_tree(catalog: int, pages: list[int]) -> bytes:
    kids = b" ".join(b"%d 0 R" % page for page in pages)
    return b"\n%d 0 obj\n<< /Type /Catalog /Pages %d 0 R >>\nendobj" % (
        catalog,
        catalog + 1,
    ) + b"\n%d 0 obj\n<< /Type /Pages /Count %d /Kids [%s] >>\nendobj" % (catalog + 1, len(pages), kids)


def _unpacked_objects(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield number and body of every object inside object streams (ISO 32000-1, 7.5.7)."""
    for sign in _OBJECT_STREAM.finditer(data):
        opening = _STREAM.search(data, sign.end(), sign.end() + LONGEST_DICTIONARY)
        if opening is None:
            continue
        dictionary = data[max(data.rfind(b"obj", 0, sign.start()), 0) : opening.start()]
        count, first = (pattern.search(dictionary) for pattern in _NUMBER_OF.values())
        if count is None or first is None or b"/FlateDecode" not in dictionary:
            continue
        yield from _split(_inflated(data[opening.end() :]), int(count.group(1)), int(first.group(1)))


def _inflated(packed: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(packed, LARGEST_OBJECT_STREAM)
    except zlib.error:
        return b""


def _split(unpacked: bytes, count: int, first: int) -> Iterator[tuple[int, bytes]]:
    head = [int(number) for number in re.findall(rb"\d+", unpacked[:first])[: 2 * count]]
    numbers, offsets = head[0::2], head[1::2]
    for number, start, end in zip(numbers, offsets, [*offsets[1:], len(unpacked)], strict=False):
        yield number, unpacked[first + start : first + end if end < len(unpacked) else None].strip()
