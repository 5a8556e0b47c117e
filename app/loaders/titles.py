"""Chooses the title that a document is shown under."""

from __future__ import annotations

import re
from pathlib import Path

from app.loaders.document_loader import LoadedDocument

LONGEST_TITLE = 200
_SPACES = re.compile(r"\s+")
_WRITER_PREFIX = re.compile(r"^(microsoft (word|powerpoint|excel)|libreoffice \w+)\s*[-–:]\s*", re.IGNORECASE)
_FILE_SUFFIX = re.compile(r"\.(docx?|pptx?|xlsx?|odt|rtf|pdf|tex|dvi|ps|indd|qxd|html?|txt|fm|p65)$", re.IGNORECASE)
_PLACEHOLDER = re.compile(
    r"^(untitled|title|document|powerpoint presentation|slide|presentation|print|no title|none|null|template|"
    r"unbenannt|sans titre|sin título|full page photo|blank page|layout)[\s\d._-]*$",
    re.IGNORECASE,
)


def document_title(loaded: LoadedDocument, path: Path) -> str:
    """Return the title that the file states if it is sensible, else the first heading, else the file's name."""
    stated = sensible_title(loaded.title)
    if stated:
        return stated
    for section in loaded.sections:
        if section.headings and (heading := sensible_title(section.headings[0])):
            return heading
    return display_name(path)


def sensible_title(text: str) -> str:
    """Return ``text`` tidied, or "" if it is a placeholder, a serial number or mojibake rather than a title."""
    title = _SPACES.sub(" ", text.replace("\x00", "")).strip()
    stripped = _WRITER_PREFIX.sub("", title)
    was_file_name = stripped != title or bool(_FILE_SUFFIX.search(stripped))
    title = _FILE_SUFFIX.sub("", stripped).strip()
    if was_file_name and " " not in title:
        return ""
    letters = sum(character.isalpha() for character in title)
    if letters < 2 or letters * 3 < len(title) or "\ufffd" in title or _PLACEHOLDER.match(title):
        return ""
    return title if len(title) <= LONGEST_TITLE else title[: LONGEST_TITLE - 1].rstrip() + "…"


def display_name(path: Path) -> str:
    """Return the file name without its suffix, fit to be shown on one line."""
    name = path.stem.encode("utf-8", "replace").decode("utf-8")
    return _SPACES.sub(" ", name).strip() or path.name
