"""What a Claude model can do, by its name; Anthropic's API, Bedrock and Vertex name it differently."""

from __future__ import annotations

import re

_FAMILY_FIRST = re.compile(r"claude-(?:[a-z]+)-(\d{1,2})(?:[-.](\d{1,2}))?(?![\d])")
_NUMBER_FIRST = re.compile(r"claude-(\d{1,2})(?:[-.](\d{1,2}))?-[a-z]+")
_NEWEST = (99, 0)


def claude_version(model: str) -> tuple[int, int]:
    """Major and minor version: ``claude-sonnet-4-5-20250929`` is (4, 5). A name without one counts as the newest."""
    found = _FAMILY_FIRST.search(model) or _NUMBER_FIRST.search(model)
    return (int(found[1]), int(found[2] or 0)) if found else _NEWEST


def continues_prefill(model: str) -> bool:
    """Whether a trailing assistant message is continued; from 4.6 on it is refused."""
    return claude_version(model) <= (4, 5)


def takes_adaptive_thinking(model: str) -> bool:
    """Whether thinking is set by effort; older models want a budget of tokens."""
    return claude_version(model) >= (4, 6)


def takes_schema(model: str) -> bool:
    """Whether the form of an answer can be given as a schema; older models are made to call a tool instead."""
    return claude_version(model) >= (4, 5)


def takes_one_of_temperature_and_top_p(model: str) -> bool:
    """Whether temperature and top_p exclude each other."""
    return claude_version(model) >= (4, 1)


def default_max_tokens(model: str) -> int:
    """The limit to ask for when the caller gives none: the protocol demands one, and a model has its maximum."""
    version = claude_version(model)
    if version < (3, 5):
        return 4096
    return 8192 if version < (3, 7) else 16384


THINKING_BUDGETS = {"minimal": 1024, "low": 2048, "medium": 8192, "high": 16384, "max": 32000}
EFFORTS = {"minimal": "low", "low": "low", "medium": "medium", "high": "high", "max": "max"}
