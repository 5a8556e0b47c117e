"""How the addresses of links are written into a text."""

from __future__ import annotations


def linked(text: str, address: str) -> str:
    """Return a link's text, with its address behind it where the text doesn't show it already."""
    shown = address.removeprefix("mailto:")
    bare = shown.partition("://")[2] or shown
    if not text.strip() or not shown or bare.rstrip("/").casefold() in text.casefold():
        return text
    return f"{text} ({shown})"
