"""A run: one call by a caller, its name, tags and listeners."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from app.chat_models.callbacks import CallbackHandler
from app.domain.chat_errors import ChatInputError

DEFAULT_CONCURRENCY = 32


@dataclass(frozen=True, slots=True)
class RunConfig:
    """How a call is run and observed; nothing of it is sent.

    ``max_concurrency`` limits the open requests of a batch. ``run_id`` (a UUID) is made where none is given.
    ``number`` counts the answers of one run (the rounds of a tool loop), from 0.
    """

    callbacks: tuple[CallbackHandler, ...] = ()
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    max_concurrency: int = DEFAULT_CONCURRENCY
    run_name: str | None = None
    run_id: str | None = None
    number: int = 0

    def fresh(self) -> RunConfig:
        """The same with a run id."""
        return self if self.run_id else replace(self, run_id=str(uuid.uuid4()))

    @property
    def message_id(self) -> str:
        """The id that all chunks of the run and its message carry: ``run-<uuid>-<number>``."""
        return f"run-{self.run_id}-{self.number}"


ConfigInput = RunConfig | Mapping[str, Any] | None


def run_config(config: ConfigInput) -> RunConfig:
    """The configuration of what a caller passed. Raises ``ChatInputError`` for unknown keys and silly limits."""
    if isinstance(config, RunConfig):
        result = config
    else:
        values = dict(config or {})
        unknown = sorted(set(values) - {each.name for each in fields(RunConfig)})
        if unknown:
            raise ChatInputError(f"{unknown[0]!r} is not a setting of a run.")
        for name in ("callbacks", "tags"):
            values[name] = _as_tuple(values.get(name, ()))
        result = RunConfig(**values)
    if result.max_concurrency < 1:
        raise ChatInputError(f"max_concurrency must be at least 1, not {result.max_concurrency}.")
    return result


def _as_tuple(values: Sequence[Any]) -> tuple[Any, ...]:
    return (values,) if isinstance(values, str) else tuple(values)


@dataclass(frozen=True, slots=True)
class ChatEvent:
    """An event of a run: ``on_chat_model_start``, ``…_stream``, ``…_end``, ``…_error``, ``on_tool_start``, ``…_end``.

    ``data`` holds ``input``, ``chunk``, ``output`` or ``error``.
    """

    event: str
    run_id: str
    name: str
    tags: list[str] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
