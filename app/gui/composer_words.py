"""What the composer offers, as suggestions: documents, folders, collections, personas, commands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from app.domain.collections import CollectionRecord
from app.domain.document_types import DocumentType
from app.domain.passages import Period, Scope
from app.gui.chips import ICONS, Chip, ChipKind, date_chips, type_chip
from app.gui.models.document_list_model import DocumentEntry
from app.gui.models.suggestion_model import Suggestion
from app.gui.wording import counted, shown, shown_folder, shown_name
from app.services.template_service import Template, TemplateKind


def place_suggestions(collections: Iterable[CollectionRecord], now: datetime) -> list[Suggestion]:
    """Collections, kinds of documents, times of change: what stands behind ``#``."""
    chips = [collection_chip(each) for each in collections]
    chips += [type_chip(kind) for kind in DocumentType]
    chips += date_chips(now)
    return [_suggestion(chip) for chip in chips]


def file_suggestions(entries: Sequence[DocumentEntry]) -> list[Suggestion]:
    """Documents and their folders: what stands behind ``@``."""
    files = [file_chip(each) for each in entries if each.can_open]
    folders = dict.fromkeys(each.path.parent for each in entries if each.can_open)
    return [_suggestion(chip) for chip in (*files, *(folder_chip(folder) for folder in folders))]


def file_chip(entry: DocumentEntry) -> Chip:
    """Only this document."""
    return Chip(ChipKind.FILE, entry.name, entry.id, shown_folder(entry.path))


def folder_chip(folder: Path) -> Chip:
    """Only what is in this folder."""
    return Chip(ChipKind.FOLDER, shown_name(folder), folder, shown(str(folder)))


def collection_chip(record: CollectionRecord) -> Chip:
    """Only what is in this collection."""
    return Chip(ChipKind.COLLECTION, shown(record.name), record.id, "Collection")


def chips_of(
    scope: Scope, collections: Iterable[CollectionRecord], entries: Sequence[DocumentEntry], now: datetime
) -> list[Chip]:
    """The chips that stand for a scope; what is gone meanwhile keeps its place and says so."""
    if scope.everything:
        return []
    names = {each.id: each for each in collections}
    files = {each.id: each for each in entries}
    chips = [
        collection_chip(names[key]) if key in names else Chip(ChipKind.COLLECTION, "Deleted collection", key)
        for key in sorted(scope.collections)
    ]
    chips += [
        file_chip(files[key]) if key in files else Chip(ChipKind.FILE, "Removed document", key)
        for key in sorted(scope.document_ids)
    ]
    chips += [folder_chip(folder) for folder in scope.folders]
    chips += [type_chip(kind) for kind in sorted(scope.types)]
    if not scope.modified.always:
        chips.append(_date_chip(scope.modified, now))
    return chips


def _date_chip(period: Period, now: datetime) -> Chip:
    known = next((chip for chip in date_chips(now) if chip.value == period), None)
    if known is not None:
        return known
    ends = [_day(each) for each in (period.since, period.until)]
    return Chip(ChipKind.DATE, " – ".join(ends).strip(), period, "Changed between")


def template_suggestions(templates: Iterable[Template]) -> list[Suggestion]:
    """Prompt templates to put into the question, and personas."""
    icons = {TemplateKind.PERSONA: "info", TemplateKind.PROMPT: "rename"}
    return [Suggestion(shown(each.name), shown(each.text)[:120], icons[each.kind], each) for each in templates]


def scope_words(chips: Sequence[Chip], ready: int) -> str:
    """What a question is asked of, in words."""
    if not ready:
        return "No documents yet"
    if chips:
        return "Answers from what is chosen above"
    return f"Answers from {counted(ready, 'document')}"


def with_chip(chips: Sequence[Chip], chip: Chip) -> list[Chip]:
    """The chips with one more; a time takes the place of another one."""
    kept = [each for each in chips if each != chip and not (chip.kind is each.kind is ChipKind.DATE)]
    return [*kept, chip]


def _day(at: float | None) -> str:
    return "" if at is None else datetime.fromtimestamp(at).strftime("%d.%m.%Y")  # noqa: DTZ006  local time


def _suggestion(chip: Chip) -> Suggestion:
    return Suggestion(chip.label, chip.detail, ICONS[chip.kind], chip)
