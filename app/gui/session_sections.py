"""Under which heading a chat is listed: pinned, its folder, the day it was used last, or the archive."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from app.domain.turns import SessionRecord
from app.gui.wording import shown


class SectionKind(IntEnum):
    """In the order of the list."""

    PINNED = 0
    FOLDER = 1
    DAYS = 2
    ARCHIVE = 3


@dataclass(frozen=True, slots=True)
class Section:
    """A heading. ``key`` tells it from the others, also over restarts."""

    kind: SectionKind
    title: str

    @property
    def key(self) -> str:
        """What its being folded is remembered by."""
        return f"{self.kind.name.lower()}:{self.title}"

    @property
    def foldable(self) -> bool:
        """Whether its chats can be hidden under it."""
        return self.kind in (SectionKind.FOLDER, SectionKind.ARCHIVE)


PINNED = Section(SectionKind.PINNED, "Pinned")
ARCHIVE = Section(SectionKind.ARCHIVE, "Archived")


def sections(records: Iterable[SessionRecord], now: float | None = None) -> list[tuple[Section, list[SessionRecord]]]:
    """The headings that are needed with their chats, the one used last first; folders by name."""
    day_of = _days(time.time() if now is None else now)
    found: dict[Section, list[SessionRecord]] = {}
    for record in sorted(records, key=lambda each: each.updated_at, reverse=True):
        found.setdefault(_section(record, day_of), []).append(record)
    # Days keep the order in which their chats came: newest first.
    place = {section: number for number, section in enumerate(found)}
    ordered = sorted(
        found,
        key=lambda each: (each.kind, each.title.casefold() if each.kind is SectionKind.FOLDER else "", place[each]),
    )
    return [(section, found[section]) for section in ordered]


def _section(record: SessionRecord, day_of: Callable[[float], Section]) -> Section:
    if record.archived:
        return ARCHIVE
    if record.pinned:
        return PINNED
    folder = shown(record.folder)
    return Section(SectionKind.FOLDER, folder) if folder else day_of(record.updated_at)


def _days(now: float) -> Callable[[float], Section]:
    """A function from Unix times to days and months. The borders are worked out once, as lists are long."""
    today = datetime.fromtimestamp(now).astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
    borders = [
        ((today - timedelta(days=days)).timestamp(), Section(SectionKind.DAYS, name))
        for days, name in ((0, "Today"), (1, "Yesterday"), (6, "Previous 7 days"), (29, "Previous 30 days"))
    ]
    months: dict[tuple[int, int], Section] = {}

    def day_of(seconds: float) -> Section:
        for border, section in borders:
            if seconds >= border:
                return section
        try:
            moment = time.localtime(seconds)
        except (OverflowError, ValueError, OSError):  # a time that no calendar has
            return Section(SectionKind.DAYS, "Long ago")
        month = (moment.tm_year, moment.tm_mon)
        if month not in months:
            months[month] = Section(SectionKind.DAYS, time.strftime("%B %Y", moment))
        return months[month]

    return day_of
