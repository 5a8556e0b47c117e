"""Documents as lines of a collection pack, and lines from outside as documents."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

from app.domain.box_map import BoxMap, PlacedWord
from app.domain.char_map import CharMap
from app.domain.documents import Chunk, FileStamp, PlacedSection, Section, SectionKind
from app.domain.packs import PackedDocument
from app.services.pack_format import Fields, PackError

LONGEST_PATH = 32_767
_SHA256 = re.compile("[0-9a-f]{64}")


def line(value: Mapping[str, Any]) -> bytes:
    """One line of JSON: ASCII, so that names which are no valid Unicode survive."""
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"


def document_line(packed: PackedDocument) -> bytes:
    """A line of ``documents.jsonl``."""
    parsed = packed.parsed
    return line(
        {
            "path": packed.path,
            "title": parsed.title,
            "media_type": parsed.media_type,
            "size": packed.stamp.size,
            "mtime_ns": packed.stamp.mtime_ns,
            "sha256": packed.content_hash,
            "pages": parsed.page_count,
            "metadata": parsed.metadata,
            "collections": list(packed.collections),
            "sections": len(parsed.sections),
            "chunks": len(packed.chunks),
        }
    )


def section_line(placed: PlacedSection) -> bytes:
    """A line of ``sections.jsonl``."""
    section = placed.section
    return line(
        {
            "page": section.page,
            "kind": section.kind.value,
            "headings": list(section.headings),
            "confidence": section.confidence,
            "places": section.char_map is not None or section.box_map is not None,
            "text": section.text,
        }
    )


def places_line(section: Section) -> bytes | None:
    """A line of ``places.jsonl``; None for a section without places."""
    if section.char_map is not None:
        char_map = section.char_map if isinstance(section.char_map, CharMap) else CharMap.from_indexes(section.char_map)
        return line({"glyphs": [list(run) for run in char_map.runs()]})
    if section.box_map is not None:
        return line({"words": base64.b64encode(section.box_map.to_bytes()).decode()})
    return None


def chunk_line(chunk: Chunk) -> bytes:
    """A line of ``chunks.jsonl``."""
    return line(
        {
            "start": chunk.start,
            "end": chunk.end,
            "page": chunk.page,
            "tokens": chunk.token_count,
            "headings": list(chunk.headings),
            "context": chunk.context,
        }
    )


def section_from(fields: Fields, start: int, places: Fields | None) -> PlacedSection:
    """The section of a line and its line of places, if it has one. Raises ``PackError``."""
    text = valid_text(fields, "text")
    kind = fields.made("kind", SectionKind)
    confidence = fields.made("confidence", _confidence)
    char_map = box_map = None
    if places is not None and "glyphs" in places.names:
        char_map = places.made("glyphs", lambda runs: _char_map(runs, len(text)))
    elif places is not None:
        box_map = places.made("words", lambda data: _box_map(data, len(text)))
    headings = tuple(_encodable(each, fields, "headings") for each in fields.texts("headings"))
    section = Section(text, fields.optional_integer("page", 1), headings, kind, char_map, confidence, box_map)
    return PlacedSection(section, start, start + len(text))


def chunk_from(fields: Fields, text: str) -> Chunk:
    """The chunk of a line, in the document's text. Raises ``PackError``."""
    start, end = fields.integer("start", 0, len(text)), fields.integer("end", 0, len(text))
    if start >= end:
        raise fields.wrong("end")
    headings = tuple(_encodable(each, fields, "headings") for each in fields.texts("headings"))
    page, tokens = fields.optional_integer("page", 1), fields.integer("tokens", 0, 2**31)
    return Chunk(text[start:end], start, end, page, headings, valid_text(fields, "context"), tokens)


def stamp_from(fields: Fields) -> FileStamp:
    """The file's stamp. Raises ``PackError``."""
    return FileStamp(fields.integer("size"), fields.integer("mtime_ns", -(2**62)))


def path_from(fields: Fields, *, windows: bool) -> str:
    """The document's path: absolute, and leading nowhere else than it says. Raises ``PackError``."""
    text = fields.get("path", str)
    path = PureWindowsPath(text) if windows else PurePosixPath(text)
    if not path.is_absolute() or ".." in path.parts or "\0" in text or len(text) > LONGEST_PATH:
        raise PackError("A document of the pack has a path that could lead to another place. The pack is refused.")
    return text


def sha256_from(fields: Fields) -> str:
    """The hash of a file's content. Raises ``PackError``."""
    text = fields.get("sha256", str)
    if not _SHA256.fullmatch(text):
        raise fields.wrong("sha256")
    return text


def metadata_from(fields: Fields) -> dict[str, str]:
    """The document's metadata. Raises ``PackError``."""
    found = fields.get("metadata", dict)
    if not all(type(name) is str and type(value) is str for name, value in found.items()):
        raise fields.wrong("metadata")
    return found


def valid_text(fields: Fields, name: str) -> str:
    """A text that the library can hold. Raises ``PackError``."""
    return _encodable(fields.get(name, str), fields, name)


def _encodable(text: str, fields: Fields, name: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise fields.wrong(name) from error
    return text


def _confidence(value: object) -> float | None:
    if value is None:
        return None
    if not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError(value)
    return float(value)


def _char_map(runs: list[list[int]], length: int) -> CharMap:
    reached = 0
    for start, index, count in runs:
        if not (reached <= start < start + count <= length and 0 <= index < 2**31 - count):
            raise ValueError(start)
        reached = start + count
    return CharMap(length, ((start, index, count) for start, index, count in runs))


def _box_map(data: str, length: int) -> BoxMap:
    box_map = BoxMap.from_bytes(base64.b64decode(data, validate=True))
    if not box_map.fits(length) or not all(map(_is_box, box_map)):
        raise ValueError("words outside of the text")
    return box_map


def _is_box(word: PlacedWord) -> bool:
    return all(-1e6 < number < 1e6 for number in word[3:])
