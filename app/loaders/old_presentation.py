"""PowerPoint 97 to 2003 ([MS-PPT]): each slide is a page, its title a heading; with tables and the speaker's notes."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from app.domain.errors import DocumentError, FailureReason
from app.loaders.archive_guard import damaged, encrypted
from app.loaders.compound import compound_file
from app.loaders.document_loader import DocumentLoader, LoadedDocument
from app.loaders.old_presentation_lists import numbered
from app.loaders.old_presentation_records import (
    BYTES,
    CHARACTERS,
    OUTLINE_REFERENCE,
    SHAPE,
    SHAPES,
    TEXT_BOX,
    TEXT_HEADER,
    Record,
    RecordStream,
    shown,
)
from app.loaders.old_presentation_tables import is_table, table_rows
from app.loaders.parser_limits import MEBIBYTE
from app.loaders.section_builder import SectionBuilder

LARGEST_STREAM = 512 * MEBIBYTE
MOST_EDITS = 10_000
DEEPEST = 30
# Types of records.
_DOCUMENT, _SLIDE, _NOTES = 0x03E8, 0x03EE, 0x03F0
_NOTES_ATOM, _SLIDE_PERSIST, _LIST = 0x03F1, 0x03F3, 0x0FF0
_USER_EDIT, _PERSISTS, _ENCRYPTION = 0x0FF5, 0x1772, 0x2F14
_SLIDES, _NOTES_LIST = 0, 2  # instances of lists
_TITLES, _BULLETED = frozenset({0, 6}), frozenset({1, 7, 8})  # kinds of text
_ENCRYPTED_TOKEN = 0xF3D1C4DF
_VERTICAL_TAB = "\x0b"


@dataclass(slots=True)
class _Text:
    """A box's text, or the rows of a table."""

    text: str
    is_title: bool = False
    rows: list[list[str]] = field(default_factory=list)


@dataclass(slots=True)
class _Listed:
    """A slide as the document lists it: where its record is, its own id, and the texts of its placeholders."""

    persist: int
    id: int
    outline: list[_Text] = field(default_factory=list)


class OldPresentationLoader(DocumentLoader):
    """PowerPoint before 2007."""

    extensions = frozenset({".ppt", ".pps", ".pot"})

    def media_type(self, path: Path) -> str:
        """Return ``application/vnd.ms-powerpoint``."""
        del path
        return "application/vnd.ms-powerpoint"

    def load(self, path: Path) -> LoadedDocument:
        """Read the slides in order. Raises ``DocumentError``; ``encrypted`` if it needs a password."""
        stream, current_edit = _streams(path)
        try:
            presentation = _Presentation(stream, current_edit)
            slides = presentation.listed(_SLIDES)
            builder = SectionBuilder()
            notes = presentation.notes()
            for number, slide in enumerate(slides, start=1):
                builder.leave(1)
                builder.page = number
                _add_slide(builder, presentation.texts(slide), notes.get(slide.id, []))
        except (struct.error, IndexError) as error:
            raise damaged(path) from error
        return LoadedDocument(builder.finish(), "", len(slides))


def _add_slide(builder: SectionBuilder, texts: list[_Text], notes: list[_Text]) -> None:
    for each in sorted(texts, key=lambda text: not text.is_title):
        if each.is_title:
            builder.heading(1, each.text)
        builder.table(each.rows)
        if not each.is_title:
            builder.paragraph(each.text)
    for each in notes:
        builder.paragraph(each.text)


def _streams(path: Path) -> tuple[bytes, int]:
    """The stream of records, and where in it the last edit is."""
    with compound_file(path) as container:
        if container.get_size("PowerPoint Document") > LARGEST_STREAM:
            what = f"“{path.name}” is larger than presentations of its kind are. Save it as .pptx and add that."
            raise DocumentError(FailureReason.TOO_LARGE, what)
        stream = container.openstream("PowerPoint Document").read()
        token, edit = struct.unpack_from("<II", container.openstream("Current User").read(), 12)
    if token == _ENCRYPTED_TOKEN:
        raise encrypted(path)
    return stream, edit


class _Presentation:
    """The records of a presentation. Later edits are appended to it; ``_places`` knows where each object is now."""

    def __init__(self, stream: bytes, current_edit: int) -> None:
        """Raises ``struct.error`` if the records are broken."""
        self._stream = stream
        self._records = RecordStream(stream)
        self._places: dict[int, int] = {}
        self._document = 0
        self._read_edits(current_edit)

    def _read_edits(self, offset: int) -> None:
        for _ in range(MOST_EDITS):
            record = self._records.record(offset)
            if record.kind != _USER_EDIT:
                raise struct.error("no edit where one should be")
            previous, directory, document = struct.unpack_from("<III", self._stream, record.start + 8)
            self._document = self._document or document
            self._read_directory(directory)
            if not previous or previous >= offset:  # edits only refer back
                return
            offset = previous

    def _read_directory(self, offset: int) -> None:
        record = self._records.record(offset)
        place = record.start
        while record.kind == _PERSISTS and place + 4 <= record.end:
            first = struct.unpack_from("<I", self._stream, place)[0]
            count = first >> 20
            offsets = struct.unpack_from(f"<{count}I", self._stream, place + 4)
            for number, each in enumerate(offsets, start=first & 0xFFFFF):
                self._places.setdefault(number, each)
            place += 4 + 4 * count

    def listed(self, instance: int) -> list[_Listed]:
        """Return the slides, or the pages of notes, as the document lists them."""
        found: list[_Listed] = []
        document = self._records.record(self._places[self._document]) if self._document in self._places else None
        if document is None or document.kind != _DOCUMENT:
            raise struct.error("no document")
        is_title = False
        for container in self._records.children(document):
            if container.kind != _LIST or container.instance != instance or found:  # there is one list of each kind
                continue
            for record in self._records.children(container):
                if record.kind == _SLIDE_PERSIST:
                    found.append(_Listed(self._records.number(record), self._records.number(record, 12)))
                elif record.kind == TEXT_HEADER:
                    is_title = self._records.number(record) in _TITLES
                    if found:
                        found[-1].outline.append(_Text("", is_title))
                elif record.kind in {CHARACTERS, BYTES} and found and found[-1].outline:
                    found[-1].outline[-1].text = shown(self._records.raw_text(record))
        # Each slide is listed once; a file that lists one over and over is out for memory.
        return list({each.persist: each for each in found}.values())

    def texts(self, slide: _Listed) -> list[_Text]:
        """Return the texts of a slide's shapes, in the order of its shapes."""
        if slide.persist not in self._places:
            return slide.outline
        record = self._records.record(self._places[slide.persist])
        found = [text for shape in self._shapes(record) for text in self._shape_texts(shape, slide.outline)]
        return [each for each in found if each.text or each.rows]

    def notes(self) -> dict[int, list[_Text]]:
        """Return what the speaker noted, by the id of the slide."""
        found: dict[int, list[_Text]] = {}
        for page in self.listed(_NOTES_LIST):
            if page.persist in self._places:
                record = self._records.record(self._places[page.persist])
                atom = next((each for each in self._records.children(record) if each.kind == _NOTES_ATOM), None)
                if atom is not None:
                    found[self._records.number(atom)] = self.texts(page)
        return found

    def _shapes(self, record: Record, depth: int = 0) -> Iterator[Record]:
        """The shapes of a slide, tables as the groups that they are."""
        for each in self._records.children(record):
            if each.kind == SHAPE or (each.kind == SHAPES and is_table(self._records, each)):
                yield each
            elif each.is_container and depth < DEEPEST:
                yield from self._shapes(each, depth + 1)

    def _shape_texts(self, shape: Record, outline: list[_Text]) -> Iterator[_Text]:
        if shape.kind == SHAPES:
            yield _Text("", rows=table_rows(self._records, shape))
        for box in self._records.children(shape):
            if box.kind == TEXT_BOX:
                yield from self._box_texts(shape, box, outline)

    def _box_texts(self, shape: Record, box: Record, outline: list[_Text]) -> Iterator[_Text]:
        kind = 4  # neither a title nor a list
        for record in self._records.children(box):
            if record.kind == OUTLINE_REFERENCE and (place := self._records.number(record)) < len(outline):
                yield outline[place]
            elif record.kind == TEXT_HEADER:
                kind = self._records.number(record)
            elif record.kind in {CHARACTERS, BYTES}:
                raw = self._records.raw_text(record)
                raw = numbered(self._records, shape, box, raw, has_bullets=kind in _BULLETED)
                yield _Text(shown(raw), kind in _TITLES)
