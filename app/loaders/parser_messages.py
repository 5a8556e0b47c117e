"""What travels between the program and its parser processes: JSON and raw bytes, never pickles.

A parser reads files from strangers. Unpickling what it sends would let a file that takes the parser over take the
whole program over.

A request is one frame of JSON: ``"path"``, and ``"task"`` and ``"arguments"`` for anything but reading a document. A
reply is three frames: a JSON header, the document's text as UTF-8, and the maps of the sections, one after the other,
as ``CharMap.to_bytes`` or, for text read by OCR, ``BoxMap.to_bytes`` gives them. The reply to a task is
``{"result": …}`` and two empty frames.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from app.domain.box_map import BoxMap
from app.domain.char_map import CharMap
from app.domain.documents import ParsedDocument, PlacedSection, Section, SectionKind
from app.domain.errors import DocumentError, FailureReason

Frames = tuple[bytes, bytes, bytes]
REPLY_FRAMES = 3
# A frame before a reply: the reader goes on to a page that takes seconds.
MORE_TIME = b"more time"


class MalformedReplyError(Exception):
    """A parser process sent something that is no reply."""


@dataclass(frozen=True, slots=True)
class Request:
    """What to do with the file at ``path``: to read it as a document where ``task`` is empty."""

    path: Path
    task: str = ""
    arguments: Mapping[str, str] = field(default_factory=dict)


def encode_request(request: Request) -> bytes:
    """Return the frame of a request; its path may hold bytes that are no UTF-8."""
    row = {"path": str(request.path), "task": request.task, "arguments": dict(request.arguments)}
    return json.dumps(row).encode()


def decode_request(frame: bytes) -> Request:
    """Return what ``encode_request`` was given."""
    row = json.loads(frame)
    return Request(Path(row["path"]), row["task"], row["arguments"])


def encode_result(result: object) -> Frames:
    """Return the reply to a task; ``result`` is made of what JSON knows."""
    return json.dumps({"result": result}).encode(), b"", b""


def decode_result(frames: Sequence[bytes]) -> Any:
    """Return the result of a task. Raises ``DocumentError`` as sent, ``MalformedReplyError`` if it is none."""
    try:
        header = json.loads(frames[0])
        _raise_failure(header)
        return header["result"]
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise MalformedReplyError(str(error)) from error


def encode_failure(reason: FailureReason, message: str, details: str = "") -> Frames:
    """Return the reply for a document that can't be read; ``details`` are for the log."""
    header = {"reason": reason.value, "message": _storable(message), "details": _storable(details)}
    return json.dumps(header).encode(), b"", b""


def encode_document(document: ParsedDocument) -> Frames:
    """Return the reply that carries ``document``."""
    paths = list(dict.fromkeys(placed.section.headings for placed in document.sections))
    numbers = {path: number for number, path in enumerate(paths)}
    maps = [_map_bytes(placed.section) for placed in document.sections]
    header = {
        "title": _storable(document.title),
        "media_type": document.media_type,
        "page_count": document.page_count,
        "metadata": {_storable(key): _storable(value) for key, value in document.metadata.items()},
        "headings": [[_storable(heading) for heading in path] for path in paths],
        "sections": [
            [
                *(p.start, p.end, p.section.page, numbers[p.section.headings], p.section.kind.value),
                *(len(each), p.section.confidence),
            ]
            for p, each in zip(document.sections, maps, strict=True)
        ],
    }
    return json.dumps(header).encode(), document.text.encode("utf-8", "replace"), b"".join(maps)


def decode_reply(frames: Sequence[bytes]) -> ParsedDocument:
    """Return the document of a reply. Raises ``DocumentError`` as sent, ``MalformedReplyError`` if it is none."""
    try:
        header = json.loads(frames[0])
        _raise_failure(header)
        return _document(header, frames[1].decode("utf-8"), frames[2])
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise MalformedReplyError(str(error)) from error


def _raise_failure(header: Mapping[str, Any]) -> None:
    if "reason" in header:
        raise DocumentError(FailureReason(header["reason"]), str(header["message"]))


def failure_details(frames: Sequence[bytes]) -> str:
    """Return the details for the log of a failure, "" if there are none."""
    try:
        return str(json.loads(frames[0]).get("details", ""))
    except (ValueError, AttributeError, IndexError):
        return ""


def _document(header: dict[str, Any], text: str, maps: bytes) -> ParsedDocument:
    paths = [tuple(map(str, path)) for path in header["headings"]]
    placed: list[PlacedSection] = []
    read = 0
    for start, end, page, path, kind, size, confidence in header["sections"]:
        if not 0 <= start < end <= len(text):
            raise ValueError("a section outside the text")
        plain = Section(text[start:end], page, paths[path], SectionKind(kind))
        placed.append(PlacedSection(_with_map(plain, maps[read : read + size], confidence), start, end))
        read += size
    metadata = {str(key): str(value) for key, value in header["metadata"].items()}
    return ParsedDocument(
        text, tuple(placed), str(header["title"]), str(header["media_type"]), header["page_count"], metadata
    )


def _with_map(section: Section, data: bytes, confidence: object) -> Section:
    """A section read by OCR has a confidence and rectangles, one read from a PDF has a character map."""
    if confidence is not None:
        box_map = BoxMap.from_bytes(data)
        if not isinstance(confidence, int | float) or not 0 <= confidence <= 1 or not box_map.fits(len(section.text)):
            raise ValueError("a confidence or rectangles that can't be")
        return replace(section, confidence=float(confidence), box_map=box_map)
    char_map = CharMap.from_bytes(data) if data else None
    if char_map is not None and len(char_map) != len(section.text):
        raise ValueError("a character map that doesn't fit its section")
    return replace(section, char_map=char_map)


def _map_bytes(section: Section) -> bytes:
    if section.confidence is not None:
        return (section.box_map or BoxMap()).to_bytes()
    char_map = section.char_map
    if char_map is None:
        return b""
    return (char_map if isinstance(char_map, CharMap) else CharMap.from_indexes(char_map)).to_bytes()


def _storable(text: str) -> str:
    """Replace lone surrogates, which neither UTF-8 nor SQLite can hold, without changing the length."""
    return text.encode("utf-8", "replace").decode("utf-8")
