"""Text for people and JSON for scripts, on the right stream and safe for a terminal."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TextIO

# Control characters and bidirectional overrides in file names or documents must not steer the terminal.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class Output:
    """Writes results to ``stdout`` and everything else to ``stderr``."""

    def __init__(self, stdout: TextIO, stderr: TextIO, *, as_json: bool) -> None:
        self._stdout = stdout
        self._stderr = stderr
        self.as_json = as_json

    def row(self, row: Mapping[str, object], text: str) -> None:
        """A result: ``row`` as one line of JSON, or ``text`` for people."""
        self.write((json.dumps(row, ensure_ascii=False) if self.as_json else printable(text)) + "\n")

    def write(self, text: str) -> None:
        """Raw text, flushed so that a reader sees it at once."""
        self._stdout.write(text)
        self._stdout.flush()

    def problem(self, message: str) -> None:
        """A message about something that went wrong."""
        self._stderr.write(f"footnote: {printable(message)}\n")
        self._stderr.flush()

    def note(self, message: str) -> None:
        """A remark for people; scripts don't get it."""
        if not self.as_json:
            self._stderr.write(printable(message) + "\n")
            self._stderr.flush()


def printable(text: str) -> str:
    """``text`` with control characters replaced by a visible mark."""
    return _UNSAFE.sub("\N{REPLACEMENT CHARACTER}", text)
