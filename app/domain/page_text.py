"""The text of one page and where it stands, for selecting on the page."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.box_map import BoxMap


@dataclass(frozen=True, slots=True)
class PageText:
    """``places`` says where characters or words of ``text`` stand on the displayed page. Units as in ``Box``."""

    text: str
    places: BoxMap
