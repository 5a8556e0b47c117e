"""Answers as they are put into other programs."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.citations import Citation
from app.gui.wording import citation_place, shown


def with_sources(text: str, citations: Sequence[Citation]) -> str:
    """Markdown of an answer, and below it the sources behind its footnotes with what they say."""
    if not citations:
        return text
    lines = [f"[{each.number}] {citation_place(each)}: “{shown(each.quote)}”" for each in citations]
    return "\n\n".join((text.rstrip(), "Sources:", "\n".join(lines)))
