"""What a question asks about a topic that is named above a passage."""

from __future__ import annotations

from app.grounding.terms import terms
from app.grounding.word_lists import STOP_WORDS
from app.retrieval.search_text import words


def aspect(question: str, context: str) -> str:
    """Leave out of the question the words that stand in ``context``, the title and headings of a passage.

    In a document on lighthouses every sentence is about "how tall is the oldest lighthouse"; what tells them apart is
    "how tall is the oldest". A question of nothing but words of the title is returned as it is.
    """
    topic = frozenset(terms(context)) if context.strip() else frozenset()
    left = [word for word in question.split() if topic.isdisjoint(terms(word))]
    says_something = any(each not in STOP_WORDS for word in left for each in words(word))
    return " ".join(left) if says_something and len(left) < len(question.split()) else question
