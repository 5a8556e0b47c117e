"""What is known of an answer beside its words: tokens, why it ended, which tools it asks for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

from app.domain.parts import ToolCallPart

Finish = Literal["stop", "length", "tool_calls", "content_filter", "error", "unknown"]


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one answer. ``cache_read``/``cache_write`` are inside ``input``, ``reasoning`` inside ``output``.

    Chunks carry differences, so that adding them gives the total. ``estimated`` marks counts that the provider did
    not give.
    """

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    reasoning: int = 0
    estimated: bool = False

    @property
    def total(self) -> int:
        """Input and output together."""
        return self.input + self.output

    # The names under which other libraries know the same counts.
    input_tokens = prompt_tokens = property(lambda self: self.input)
    output_tokens = completion_tokens = property(lambda self: self.output)
    total_tokens = total

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.input + other.input,
            self.output + other.output,
            self.cache_read + other.cache_read,
            self.cache_write + other.cache_write,
            self.reasoning + other.reasoning,
            self.estimated or other.estimated,
        )


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A complete request to call the tool ``name`` with ``args``."""

    id: str
    name: str
    args: dict[str, Any]


@dataclass(frozen=True, slots=True)
class InvalidToolCall:
    """A request that must not be executed: its arguments are no JSON object, or it names no tool."""

    id: str
    name: str
    arguments: str
    error: str


def parse_tool_call(part: ToolCallPart) -> ToolCall | InvalidToolCall:
    """The call of a finished part. Arguments are strict JSON; what is cut off is never completed by guessing."""
    if not part.name:
        return InvalidToolCall(part.id, part.name, part.arguments, "The call names no tool.")
    try:
        args = json.loads(part.arguments or "{}", parse_constant=_refuse_constant)
    except ValueError as error:
        return InvalidToolCall(part.id, part.name, part.arguments, f"The arguments are not valid JSON: {error}")
    if not isinstance(args, dict):
        return InvalidToolCall(part.id, part.name, part.arguments, "The arguments are not a JSON object.")
    return ToolCall(part.id, part.name, args)


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")
