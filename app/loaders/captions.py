"""Subtitles: what is said, without the times at which it is shown."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path

from app.domain.documents import Section
from app.loaders.document_loader import DocumentLoader, LoadedDocument
from app.loaders.text_decoding import read_text

_TIMES = re.compile(r"^\s*(?:\d+:)?\d{1,2}:\d{2}[.,]\d{1,3}\s*-->\s*(?:\d+:)?\d{1,2}:\d{2}[.,]\d{1,3}")
_TAG = re.compile(r"</?[a-zA-Z0-9.:]*(?:\s[^>]*)?>|\{\\[^}]*\}")
_BLANK = re.compile(r"\n[ \t]*\n")


class CaptionsLoader(DocumentLoader):
    """WebVTT and SubRip."""

    extensions = frozenset({".vtt", ".srt"})
    plain_text = True

    def media_type(self, path: Path) -> str:
        """Return ``text/vtt`` or ``application/x-subrip``."""
        return "text/vtt" if path.suffix.lower() == ".vtt" else "application/x-subrip"

    def load(self, path: Path) -> LoadedDocument:
        """Read all captions as one section, a line each; a line that is shown twice in a row is kept once."""
        lines: list[str] = []
        for line in _spoken(read_text(path)):
            if not lines or lines[-1] != line:
                lines.append(line)
        return LoadedDocument([Section("\n".join(lines))])


def _spoken(text: str) -> Iterator[str]:
    for cue in _BLANK.split(text):
        lines = cue.split("\n")
        times = next((place for place, line in enumerate(lines) if _TIMES.match(line)), None)
        if times is not None:  # notes, styles and headers have none
            spoken = (html.unescape(_TAG.sub("", line)).strip() for line in lines[times + 1 :])
            yield from (line for line in spoken if line)
