"""How remarks of reviewers are written into a text."""

from __future__ import annotations


def comment_text(text: str, author: str | None, time: str | None) -> str:
    """Return what a comment says, with who said it and when in front; "" if it says nothing."""
    stated = [f"author: {author}"] if author else []
    stated += [f"time: {time}"] if time else []
    return f"[comment, {', '.join(stated)}] {text.strip()}" if stated and text.strip() else text.strip()
