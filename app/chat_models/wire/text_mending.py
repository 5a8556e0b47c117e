"""Text deltas made whole: emoji that a server cut into two halves of UTF-16."""

from __future__ import annotations

import re

_SURROGATES = re.compile("[\ud800-\udfff]")


class TextMender:
    """Joins surrogate pairs that come in two deltas; a half that stays alone becomes U+FFFD.

    Servers that write ``\\ud83d`` into one event and ``\\ude00`` into the next are legal JSON, but no legal text: it
    could neither be stored nor shown.
    """

    def __init__(self) -> None:
        self._held = ""

    def feed(self, text: str) -> str:
        """Take the next delta; return what is certain."""
        if not self._held and not _SURROGATES.search(text):
            return text
        text = self._held + text
        self._held = ""
        if text and "\ud800" <= text[-1] <= "\udbff":
            text, self._held = text[:-1], text[-1]
        return _joined(text)

    def finish(self) -> str:
        """The text has ended: what was held back."""
        held, self._held = self._held, ""
        return _joined(held)


def _joined(text: str) -> str:
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
