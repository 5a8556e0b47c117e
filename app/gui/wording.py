"""Words and numbers as the window shows them. Text from outside is made harmless here before it is shown."""

from __future__ import annotations

import time
import unicodedata
from datetime import datetime, timedelta
from pathlib import Path

from app.domain.citations import Citation

MAXIMUM_TITLE = 60
READ_FOR_TITLE = 1_000
# Format characters that join emoji or shape letters are wanted; those that turn the direction of text are not.
KEPT_FORMAT_CHARACTERS = frozenset("\u200c\u200d\ufe0f")


def shown(text: str) -> str:
    """One line without control characters and direction overrides, which could make a name look like another one."""
    cleaned = (
        character
        if unicodedata.category(character) not in {"Cc", "Cf", "Zl", "Zp", "Cs"} or character in KEPT_FORMAT_CHARACTERS
        else " "
        for character in text
    )
    return " ".join("".join(cleaned).split())


def shown_name(path: Path) -> str:
    """A file's name for the screen."""
    return shown(path.name) or shown(str(path)) or "(no name)"


def shown_folder(path: Path) -> str:
    """The folder of a file for the screen, with the home folder shortened."""
    folder = path.parent
    home = Path.home()
    if folder == home or home in folder.parents:
        return shown("~/" + folder.relative_to(home).as_posix()).removesuffix("/.")
    return shown(str(folder))


def counted(count: int, one: str, many: str = "") -> str:
    """``3 documents``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def file_size(size: int) -> str:
    """A number of bytes: ``12 kB``, ``3.4 MB``, ``1.2 GB``."""
    if size < 1_000_000:
        return f"{max(1, round(size / 1000))} kB" if size else "0 bytes"
    return f"{size / 1e6:,.1f} MB" if size < 1_000_000_000 else f"{size / 1e9:,.1f} GB"


def duration(seconds: float) -> str:
    """A rough time left: ``a few seconds``, ``40 seconds``, ``3 minutes``, ``2 hours``."""
    if seconds < 5:
        return "a few seconds"
    if seconds < 60:
        return f"{5 * round(seconds / 5)} seconds"
    if seconds < 3600:
        return counted(max(1, round(seconds / 60)), "minute")
    return counted(max(1, round(seconds / 3600)), "hour")


def elapsed(seconds: float) -> str:
    """A measured time: ``0.4 s``, ``12 s``, ``2 min 5 s``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{int(seconds // 60)} min {int(seconds % 60)} s"


def day_group(timestamp: float, now: float | None = None) -> str:
    """The heading under which a session of that Unix time is listed."""
    today = datetime.fromtimestamp(time.time() if now is None else now).astimezone().date()
    day = datetime.fromtimestamp(timestamp).astimezone().date()
    if day >= today:
        return "Today"
    if day == today - timedelta(days=1):
        return "Yesterday"
    if day > today - timedelta(days=7):
        return "Previous 7 days"
    if day > today - timedelta(days=30):
        return "Previous 30 days"
    return day.strftime("%B %Y")


def title_from_question(question: str) -> str:
    """A session's title made from its first question, cut at a word."""
    line = shown(question[:READ_FOR_TITLE])  # of a question of a million characters the beginning is enough
    if len(line) <= MAXIMUM_TITLE:
        line = shown(question)
    if len(line) <= MAXIMUM_TITLE:
        return line
    head = line[: MAXIMUM_TITLE + 1]
    cut = head.rfind(" ")
    return (head[:cut] if cut > MAXIMUM_TITLE // 2 else line[:MAXIMUM_TITLE]).rstrip(" ,;:.-") + "…"


def citation_place(citation: Citation) -> str:
    """Where a citation points: ``report.pdf, page 3``."""
    name = shown_name(citation.path)
    return f"{name}, page {citation.page}" if citation.page else name
