"""Files that chats are exported to."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path

from app.domain.errors import UserFacingError

LONGEST_NAME = 80
_FORBIDDEN = re.compile('[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff/\\\\:*?"<>|]+')
# Names that mean devices on Windows.
_DEVICES = frozenset({"con", "prn", "aux", "nul", *(f"{name}{n}" for name in ("com", "lpt") for n in range(1, 10))})


class ExportFormat(StrEnum):
    """What chats can be exported as. Only ``JSON`` can be imported again; PDF is printed by the window."""

    MARKDOWN = "md"
    HTML = "html"
    JSON = "json"


def file_name(title: str, suffix: str, taken: Iterable[str] = ()) -> str:
    """A name for a file that every system takes, from a chat's title; not one of ``taken``, in whatever case."""
    name = " ".join(_FORBIDDEN.sub(" ", title).split())[:LONGEST_NAME].strip(" .")
    name = name if name and name.split(".")[0].lower() not in _DEVICES else f"Chat {name}".strip()
    used = {each.casefold() for each in taken}
    candidate, number = f"{name}.{suffix}", 1
    while candidate.casefold() in used:
        number += 1
        candidate = f"{name} ({number}).{suffix}"
    return candidate


def write_pieces(path: Path, pieces: Iterable[str]) -> None:
    """Write a text file as a whole or not at all; one of that name is replaced.

    Raises ``UserFacingError`` when it can't be written.
    """
    partial = path.with_name(f"{path.name}.partial")
    try:
        try:
            with partial.open("w", encoding="utf-8", newline="\n") as file:
                file.writelines(pieces)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserFacingError(f"{path} can't be written: {reason}. Choose another place.") from error
