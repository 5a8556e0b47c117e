"""Which sentences of an answer claim something that can be checked."""

from __future__ import annotations

import re

from app.grounding.prompt_rules import NOT_FOUND
from app.grounding.support_numbers import numbers
from app.grounding.word_lists import STOP_WORDS
from app.retrieval.search_text import words

_FEWEST_TERMS = 3
_MARKUP = re.compile(r"[*_~`]{1,3}|^\s*(?:#{1,6}|>|[-*+•]|\d{1,3}[.)])\s+|\u2060")
_LABEL = re.compile(r"^\s*(?:[-*+•]\s+|\d{1,3}[.)]\s+)?\*\*[^*\n]{1,60}(?::\*\*|\*\*\s*:)\s*")
_RULE = re.compile(r"[\s|:+=-]*")


def is_claim(sentence: str, *, cites: bool = False) -> bool:
    """Whether a sentence says something: no heading, question, line of code, lead-in to a list, or refusal.

    One that ``cites`` a passage is a claim however short it is.
    """
    text = sentence.strip()
    if not text or text.startswith(("#", "```", "~~~")) or _RULE.fullmatch(text):
        return False
    bare = plain(text).rstrip("\"'”’») ")
    if bare.endswith((":", "?", "？", "؟")) or _letters(NOT_FOUND) in _letters(bare):
        return False
    content = [each for each in words(bare) if each not in STOP_WORDS]
    return len(content) >= (1 if cites else _FEWEST_TERMS) or (
        bool(content) and any(each.claimed for each in numbers(bare))
    )


def plain(sentence: str) -> str:
    """A sentence without Markdown and without a bold label in front of it ("**Opening hours:** …")."""
    return " ".join(_MARKUP.sub("", _LABEL.sub("", sentence)).split())


def _letters(text: str) -> str:
    return "".join(each for each in text.lower() if each.isalnum())
