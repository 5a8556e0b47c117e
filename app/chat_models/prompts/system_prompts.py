"""System prompts that follow the user's preferences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DEFAULT_EXPERTISE = "intermediate"
_STYLES = {
    "beginner": "Plain words, one step after the other, every term explained.",
    "intermediate": "The basics are known. Short, but nothing important left out.",
    "expert": "Full technical depth. No introductions; go straight to the fine points.",
}
_GUIDELINES = (
    "Show an example where it helps.",
    "Name pitfalls and what has proved itself.",
    "Say where to read on.",
)


def build_system_prompt(preferences: Mapping[str, Any]) -> str:
    """The system prompt for ``expertise_level`` (beginner, intermediate, expert), ``topics`` and ``language``.

    An unknown level counts as intermediate; what is missing gets "general" topics and English.
    """
    expertise = preferences.get("expertise_level", DEFAULT_EXPERTISE)
    lines = [
        "You answer as an experienced colleague.",
        f"Style: {_STYLES.get(expertise, _STYLES[DEFAULT_EXPERTISE])}",
        f"Topics: {', '.join(preferences.get('topics', ['general']))}",
        f"Language of the answer: {preferences.get('language', 'English')}",
        "",
        "Guidelines:",
        *(f"- {guideline}" for guideline in _GUIDELINES),
    ]
    return "\n".join(lines)
