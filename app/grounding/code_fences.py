"""Code blocks in the Markdown of an answer (CommonMark 4.5): what stands in them says nothing about documents."""

from __future__ import annotations

import re

_FENCE = re.compile(r"^ {0,3}(?P<fence>`{3,}|~{3,})(?P<rest>[^\n]*)$", re.MULTILINE)


def code_spans(text: str) -> list[tuple[int, int]]:
    """``(start, end)`` of every code block between fences, fences included; an open one reaches to the end."""
    spans: list[tuple[int, int]] = []
    start, fence = 0, ""
    for found in _FENCE.finditer(text):
        marks, rest = found["fence"], found["rest"].strip()
        if not fence and not (marks[0] == "`" and "`" in rest):
            start, fence = found.start(), marks
        elif fence and not rest and marks[0] == fence[0] and len(marks) >= len(fence):
            spans.append((start, found.end()))
            fence = ""
    return [*spans, (start, len(text))] if fence else spans
