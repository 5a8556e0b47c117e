"""Tokens by rule of thumb, for where no provider counts them."""

from __future__ import annotations

from collections.abc import Iterable

from app.domain.messages import Message

CHARACTERS_PER_TOKEN = 4.0
MESSAGE_OVERHEAD = 4  # role and separators of one message


def estimate_tokens(text: str, characters_per_token: float = CHARACTERS_PER_TOKEN) -> int:
    """About how many tokens ``text`` is: a token per four characters of Latin script, one per CJK character."""
    wide = sum(1 for character in text if character >= "\u2e80")
    return round(wide + (len(text) - wide) / characters_per_token + 0.49) if text else 0


def estimate_prompt(messages: Iterable[Message]) -> int:
    """About how many tokens ``messages`` are as a prompt."""
    return sum(MESSAGE_OVERHEAD + estimate_tokens(message.text) for message in messages)
