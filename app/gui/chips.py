"""What can be set beside the words of a question: where to search, files that go along, who answers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from app.domain.document_types import DocumentType
from app.domain.passages import Period, Scope
from app.domain.turn_options import Attachment, AttachmentUse


class ChipKind(StrEnum):
    """What a chip stands for. The first five limit the search; ``KEPT`` is a file of an earlier question."""

    COLLECTION = "collection"
    FILE = "file"
    FOLDER = "folder"
    TYPE = "type"
    DATE = "date"
    PINNED = "pinned"
    ATTACHMENT = "attachment"
    KEPT = "kept"


LIMITING = (ChipKind.COLLECTION, ChipKind.FILE, ChipKind.FOLDER, ChipKind.TYPE, ChipKind.DATE)
ICONS = {
    ChipKind.COLLECTION: "library",
    ChipKind.FILE: "file-text",
    ChipKind.FOLDER: "folder",
    ChipKind.TYPE: "file",
    ChipKind.DATE: "clock",
    ChipKind.PINNED: "quote",
    ChipKind.ATTACHMENT: "file-add",
    ChipKind.KEPT: "attached",
}
TYPE_WORDS = {
    DocumentType.PDF: "PDF",
    DocumentType.WORD: "Word",
    DocumentType.SLIDES: "Slides",
    DocumentType.SHEETS: "Sheets",
    DocumentType.MAIL: "Mail",
    DocumentType.WEB: "Web pages",
    DocumentType.BOOK: "Books",
    DocumentType.CODE: "Code",
    DocumentType.IMAGE: "Images",
    DocumentType.TEXT: "Text",
}


@dataclass(frozen=True, slots=True)
class Chip:
    """``value`` is a collection's, document's or attached file's id, a folder, a ``DocumentType``, a ``Period`` or an
    ``Attachment``.
    """

    kind: ChipKind
    label: str
    value: Any
    detail: str = ""


def scope_of(chips: Iterable[Chip]) -> Scope:
    """Where the chips let a question search: within each kind any of them is enough, and every kind must fit."""
    found: dict[ChipKind, list[Any]] = {kind: [] for kind in ChipKind}
    for chip in chips:
        found[chip.kind].append(chip.value)
    return Scope(
        document_ids=frozenset(found[ChipKind.FILE]),
        folders=tuple(found[ChipKind.FOLDER]),
        types=frozenset(found[ChipKind.TYPE]),
        collections=frozenset(found[ChipKind.COLLECTION]),
        modified=_widest(found[ChipKind.DATE]),
    )


def pinned_of(chips: Iterable[Chip]) -> tuple[int, ...]:
    """Ids of the documents that go along as a whole."""
    return tuple(chip.value for chip in chips if chip.kind is ChipKind.PINNED)


def attachments_of(chips: Iterable[Chip]) -> tuple[Attachment, ...]:
    """The files that go with the question."""
    return tuple(chip.value for chip in chips if chip.kind is ChipKind.ATTACHMENT)


def attachment_chip(path: Path, use: AttachmentUse = AttachmentUse.CHAT) -> Chip:
    """A file that goes with the question."""
    detail = "For this chat only" if use is AttachmentUse.CHAT else "Joins the library"
    return Chip(ChipKind.ATTACHMENT, path.name, Attachment(path, use), detail)


def kept_chip(attachment_id: int, path: Path) -> Chip:
    """A file that came with an earlier question of the chat."""
    return Chip(ChipKind.KEPT, path.name, attachment_id, "In this chat; every question searches it")


def other_use(chip: Chip) -> Chip:
    """The same file, for the chat only instead of the library, or the other way round."""
    attachment: Attachment = chip.value
    use = AttachmentUse.LIBRARY if attachment.use is AttachmentUse.CHAT else AttachmentUse.CHAT
    return replace(attachment_chip(attachment.path, use), label=chip.label)


def type_chip(kind: DocumentType) -> Chip:
    """Only documents of a kind."""
    return Chip(ChipKind.TYPE, TYPE_WORDS[kind], kind, "Kind of document")


def date_chips(now: datetime) -> list[Chip]:
    """Usual times of change, the latest first."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    begins = {
        "Today": midnight,
        "Last 7 days": midnight - timedelta(days=7),
        "Last 30 days": midnight - timedelta(days=30),
        "This year": midnight.replace(month=1, day=1),
    }
    chips = [Chip(ChipKind.DATE, label, Period(since=at.timestamp()), "Changed since") for label, at in begins.items()]
    return [*chips, *(year_chip(now.year - back) for back in range(1, 6))]


def year_chip(year: int) -> Chip:
    """Only files that were changed in a year."""
    period = Period(datetime(year, 1, 1).timestamp(), datetime(year + 1, 1, 1).timestamp())  # noqa: DTZ001  local time
    return Chip(ChipKind.DATE, str(year), period, "Changed in")


def _widest(periods: Sequence[Period]) -> Period:
    """The time that all of them lie in."""
    if not periods:
        return Period()
    since = [each.since for each in periods]
    until = [each.until for each in periods]
    return Period(
        None if None in since else min(each for each in since if each is not None),
        None if None in until else max(each for each in until if each is not None),
    )


@dataclass(frozen=True, slots=True)
class Trigger:
    """A word being typed that asks for suggestions: its mark, what follows it, and where the mark stands."""

    mark: str
    typed: str
    start: int


_TRIGGER = re.compile(r"(?:(?<=\s)|^)([#@])([^\s#@]{0,60}(?: [^\s#@]{1,60}){0,2})$")
_COMMAND = re.compile(r"^/([\w-]{0,40})$")


def is_command(text: str) -> bool:
    """Whether a text is nothing but a slash and a word."""
    return len(text) > 1 and _COMMAND.match(text) is not None


def trigger_at(text: str, position: int) -> Trigger | None:
    """The trigger that ends at ``position``: ``#`` or ``@`` at the beginning of a word, ``/`` at that of the text."""
    line = text[max(0, position - 200) : position]
    offset = position - len(line)
    command = _COMMAND.match(text[:position]) if position <= 41 else None
    if command:
        return Trigger("/", command[1], 0)
    found = _TRIGGER.search(line.rsplit("\n", 1)[-1])
    if found is None:
        return None
    begin = offset + len(line) - len(line.rsplit("\n", 1)[-1])
    return Trigger(found[1], found[2], begin + found.start(1))
