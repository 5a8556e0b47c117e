"""Options that limit a search, and the scope they make."""

from __future__ import annotations

import argparse
import os
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from app.domain.document_types import DocumentType
from app.domain.errors import BadInputError
from app.domain.passages import Period, Scope

if TYPE_CHECKING:
    from app.bootstrap import Services


def add_scope_options(command: argparse.ArgumentParser) -> None:
    """The options of ``search`` and ``ask``. Of several values of one option one is enough."""
    command.add_argument("--collection", action="append", default=[], metavar="NAME", help="only this collection")
    command.add_argument("--folder", action="append", default=[], metavar="PATH", help="only below this folder")
    command.add_argument(
        "--type", action="append", default=[], choices=[each.value for each in DocumentType], help="only this kind"
    )
    command.add_argument("--since", metavar="DATE", help="only files changed on or after this day (2026-01-31)")
    command.add_argument("--until", metavar="DATE", help="only files changed on or before this day")
    command.add_argument(
        "--date", choices=("modified", "added"), default="modified", help="--since and --until look at this date"
    )


def scope_from(options: argparse.Namespace, services: Services) -> Scope:
    """The scope of the options. Raises ``BadInputError`` for a collection or date that is none."""
    period = Period(_day(options.since), _day(options.until, days=1))
    return Scope(
        folders=tuple(Path(os.path.abspath(each)) for each in options.folder),  # noqa: PTH100  as the user knows them
        types=frozenset(map(DocumentType, options.type)),
        collections=services.packs.collections.scope_of(options.collection).collections,
        modified=period if options.date == "modified" else Period(),
        added=period if options.date == "added" else Period(),
    )


def _day(text: str | None, days: int = 0) -> float | None:
    """The start of a day here, or of one some days later, in seconds since 1970."""
    if text is None:
        return None
    try:
        day = date.fromisoformat(text) + timedelta(days=days)
        return datetime.combine(day, time()).astimezone().timestamp()
    except (ValueError, OverflowError, OSError) as error:
        raise BadInputError(f"“{text}” is no date. Write it as 2026-01-31.") from error
