"""Pictures inside the text of an answer: Markdown with the picture itself in a ``data:`` address (RFC 2397).

So a picture that a model drew is stored, copied and exported with the words around it. Whatever counts, searches,
speaks or sends words leaves its bytes out.
"""

from __future__ import annotations

import re

from app.domain.parts import ImagePart

LARGEST_PICTURE_BYTES = 8 * 1024 * 1024
PICTURE_KINDS = ("png", "jpeg", "gif", "webp", "bmp")  # no SVG: it is a program of sorts
PICTURE = re.compile(
    rf"!\[([^\]\n]{{0,200}})\]\((data:image/(?:{'|'.join(PICTURE_KINDS)});base64,[A-Za-z0-9+/]+={{0,2}})\)"
)
NOT_SHOWN = "(The model sent a picture of a kind or size that can't be shown.)"


def picture_markdown(picture: ImagePart) -> str:
    """A paragraph with ``picture``; words in its place where it is too large, of another kind, or only an address."""
    kind = (picture.media_type or "").removeprefix("image/")
    if not picture.data or len(picture.data) > LARGEST_PICTURE_BYTES or kind not in PICTURE_KINDS:
        return f"\n\n{NOT_SHOWN}\n\n"
    return f"\n\n![Picture]({picture.data_url})\n\n"


def without_pictures(text: str) -> str:
    """``text`` with a short note in the place of every picture."""
    return PICTURE.sub(lambda found: f"({found[1] or 'Picture'})", text) if "](data:image/" in text else text
