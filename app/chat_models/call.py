"""A call: everything about one request besides its messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any, Literal, TypedDict

from app.domain.chat_errors import ChatInputError

SAMPLING_PARAMETERS = frozenset({"temperature", "top_p", "frequency_penalty", "presence_penalty"})
_RANGES = {
    "temperature": (0.0, 2.0),
    "top_p": (0.0, 1.0),
    "frequency_penalty": (-2.0, 2.0),
    "presence_penalty": (-2.0, 2.0),
}


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool as a model sees it. ``parameters`` is the JSON schema of its arguments (an object schema).

    ``strict`` asks the provider to enforce the schema; None leaves it to the provider.
    """

    name: str
    description: str = ""
    parameters: Mapping[str, Any] = field(default_factory=lambda: {"type": "object", "properties": {}})
    strict: bool | None = None


@dataclass(frozen=True, slots=True)
class ResponseFormat:
    """The form an answer must have: JSON by ``schema``, or any JSON object where ``schema`` is None.

    ``name`` is made of ``[A-Za-z0-9_-]``, at most 64 characters.
    """

    name: str = "answer"
    schema: Mapping[str, Any] | None = None
    strict: bool = True


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Limits in seconds; None is no limit.

    ``connect`` is for the connection, ``first_token`` from the request to the first frame of the answer, ``idle`` the
    longest silence after that. Local servers may be silent for minutes while they read a long prompt.
    """

    connect: float | None = 5.0
    first_token: float | None = 120.0
    idle: float | None = 90.0
    write: float | None = 30.0


DEFAULT_TIMEOUTS = Timeouts()
LOCAL_TIMEOUTS = Timeouts(first_token=None, idle=None)


class PrefillStyle(StrEnum):
    """What a model does with the beginning of its answer (``Call.prefilling``)."""

    NATIVE = "native"  # continues a trailing assistant message and does not repeat it
    ECHO = "echo"  # continues it and repeats it at the start of the answer
    EMULATED = "emulated"  # must be asked for it in words


ToolChoice = str  # "auto", "required", "none", or the name of the tool that must be called
ReasoningEffort = Literal["none", "minimal", "low", "medium", "high", "max"]


@dataclass(frozen=True, slots=True)
class Call:
    """What one request asks for. None and empty mean "not set": the provider's own default holds.

    - ``model``: name of the model as its provider knows it.
    - ``temperature`` 0–2, ``top_p`` 0–1, ``frequency_penalty`` and ``presence_penalty`` −2–2, ``max_tokens`` ≥ 1,
      ``seed``. Zero is a value and is sent.
    - ``stop``: the answer ends with the first of these strings that appears, the string included.
    - ``tools``, ``tool_choice`` ("auto", "required", "none" or a tool's name), ``parallel_tool_calls``.
    - ``response_format``: the answer is JSON.
    - ``prefilling``: the answer begins with this text. The model's base class arranges it; a codec finds the text in
      a trailing ``AIMessage`` (with ``additional_kwargs["prefill"]`` true) and never reads this field.
    - ``reasoning_effort``: how much the model thinks before it answers.
    - ``options``: provider options, merged into the request's body as they are. ``headers``: extra HTTP headers.
    - ``timeouts``: limits of the transport.
    - ``stream_wire``: False asks the server for the whole answer at once (for servers whose streaming is broken).
    - ``whole``: the caller wants one message and nobody watches the tokens; a model that has a cheaper way than
      streaming may take it. Providers with a streaming protocol ignore it.
    """

    model: str = ""
    temperature: float | None = None
    max_tokens: int | None = None
    top_p: float | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    tools: tuple[ToolSpec, ...] = ()
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    response_format: ResponseFormat | None = None
    prefilling: str = ""
    reasoning_effort: ReasoningEffort | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    timeouts: Timeouts | None = None
    stream_wire: bool | None = None
    whole: bool = False

    def override(self, other: Call) -> Call:
        """This call with everything that ``other`` sets. ``options`` and ``headers`` are merged by key."""
        changes = {name: getattr(other, name) for name in _NAMES if getattr(other, name) != getattr(NO_OVERRIDES, name)}
        for name in ("options", "headers"):
            if name in changes:
                changes[name] = {**getattr(self, name), **changes[name]}
        return replace(self, **changes) if changes else self

    def check(self) -> None:
        """Raise ``ChatInputError`` naming the first value that can't be used."""
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise ChatInputError(f"{name} must be between {low:g} and {high:g}, not {value}.")
        if self.max_tokens is not None and self.max_tokens < 1:
            raise ChatInputError(f"max_tokens must be at least 1, not {self.max_tokens}.")
        if any(not each for each in self.stop):
            raise ChatInputError("A stop string can't be empty. Leave it out.")
        self._check_tools()

    def _check_tools(self) -> None:
        names = [tool.name for tool in self.tools]
        if len(set(names)) < len(names):
            raise ChatInputError(f"Two tools have the same name: {min(n for n in names if names.count(n) > 1)}.")
        choice = self.tool_choice
        if choice in (None, "auto", "none"):
            return
        if not names:
            raise ChatInputError(f"tool_choice={choice!r} needs tools. Pass tools=[…].")
        if choice != "required" and choice not in names:
            raise ChatInputError(f"tool_choice names {choice!r}, but the tools are {', '.join(names)}.")


NO_OVERRIDES = Call()
"""A call that sets nothing."""
_NAMES = tuple(each.name for each in fields(Call))


class CallOverrides(TypedDict, total=False):
    """The fields of ``Call`` as keyword arguments; ``stop`` and ``tools`` in the forms callers like to write."""

    model: str
    temperature: float | None
    max_tokens: int | None
    top_p: float | None
    frequency_penalty: float | None
    presence_penalty: float | None
    seed: int | None
    stop: str | Sequence[str]
    tools: Sequence[Any]
    tool_choice: ToolChoice | None
    parallel_tool_calls: bool | None
    response_format: ResponseFormat | None
    prefilling: str
    reasoning_effort: ReasoningEffort | None
    options: Mapping[str, Any]
    headers: Mapping[str, str]
    timeouts: Timeouts | None
    stream_wire: bool | None


def call_from(overrides: Mapping[str, Any]) -> Call:
    """A call of keyword arguments. Raises ``ChatInputError`` for a name that doesn't exist."""
    unknown = sorted(set(overrides) - set(_NAMES))
    if unknown:
        raise ChatInputError(
            f"{unknown[0]!r} is not a parameter of a chat model. Pass what only one provider knows in options={{…}}."
        )
    values = dict(overrides)
    if isinstance(values.get("stop"), str):
        values["stop"] = (values["stop"],)
    values["stop"] = tuple(values.get("stop") or ())
    tools = values.get("tools") or ()
    if any(not isinstance(tool, ToolSpec) for tool in tools):
        from app.chat_models.tool_schemas import tool_spec

        tools = [tool_spec(tool) for tool in tools]
    values["tools"] = tuple(tools)
    return Call(**{name: value for name, value in values.items() if value is not None})
