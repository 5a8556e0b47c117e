"""Reasoning that a model writes into its text, between ``<think>`` and ``</think>``."""

from __future__ import annotations

_OPEN, _CLOSE = "<think>", "</think>"


class ThinkTagSplitter:
    """Tells reasoning from text in pieces of any size. Only a ``<think>`` at the very beginning counts.

    Elsewhere the tag is text: an answer may be about it. White space around the tags is dropped.
    """

    def __init__(self) -> None:
        self._held = ""
        self._state = "start"

    def feed(self, text: str) -> list[tuple[bool, str]]:
        """Take the next text; return ``(is_reasoning, text)`` pieces, none of them empty."""
        if self._state == "text":
            return [(False, text)] if text else []
        self._held += text
        pieces: list[tuple[bool, str]] = []
        if self._state == "start":
            self._look_for_opening(pieces)
        if self._state == "opened":
            self._skip_newlines()
        if self._state == "reasoning":
            self._look_for_closing(pieces)
        if self._state == "after":
            self._skip_white_space(pieces)
        return pieces

    def finish(self) -> list[tuple[bool, str]]:
        """The stream has ended: return what was held back."""
        held, self._held = self._held, ""
        return [(self._state == "reasoning", held)] if held and self._state != "after" else []

    def _look_for_opening(self, pieces: list[tuple[bool, str]]) -> None:
        beginning = self._held.lstrip()
        if beginning.startswith(_OPEN):
            self._held, self._state = beginning[len(_OPEN) :], "opened"
        elif not _OPEN.startswith(beginning):
            pieces.append((False, self._held))
            self._held, self._state = "", "text"

    def _skip_newlines(self) -> None:
        self._held = self._held.lstrip("\n")
        if self._held:
            self._state = "reasoning"

    def _look_for_closing(self, pieces: list[tuple[bool, str]]) -> None:
        reasoning, closing, rest = self._held.partition(_CLOSE)
        if closing:
            self._held, self._state = rest, "after"
        else:
            keep = _overlap(reasoning, _CLOSE)
            reasoning, self._held = reasoning[: len(reasoning) - keep], reasoning[len(reasoning) - keep :]
        if reasoning:
            pieces.append((True, reasoning))

    def _skip_white_space(self, pieces: list[tuple[bool, str]]) -> None:
        rest = self._held.lstrip()
        self._held = ""
        if rest:
            self._state = "text"
            pieces.append((False, rest))


def _overlap(text: str, tag: str) -> int:
    """How many characters at the end of ``text`` may be the beginning of ``tag``."""
    return next((size for size in range(min(len(text), len(tag) - 1), 0, -1) if tag.startswith(text[-size:])), 0)
