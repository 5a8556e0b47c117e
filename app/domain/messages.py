"""Messages of a chat, and the chunks in which answers arrive.

``AIMessageChunk("Hello") + AIMessageChunk(" World!") == AIMessageChunk("Hello World!")``: chunks add up to messages.
Addition is associative. To add many chunks use ``Accumulator`` (linear) instead of ``+`` (quadratic).

Everything here is immutable by convention and cheap to import; ``message_json`` turns messages to JSON and back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, TypeVar

from app.domain.answer_facts import Finish, InvalidToolCall, ToolCall, Usage, parse_tool_call
from app.domain.part_merging import PartMerger, finished_parts
from app.domain.parts import (
    Content,
    Extras,
    FilePart,
    ImagePart,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    as_parts,
)

__all__ = [
    "AIMessage",
    "AIMessageChunk",
    "Accumulator",
    "Content",
    "Extras",
    "FilePart",
    "Finish",
    "FunctionMessage",
    "FunctionMessageChunk",
    "HumanMessage",
    "HumanMessageChunk",
    "ImagePart",
    "InvalidToolCall",
    "Message",
    "Part",
    "ReasoningPart",
    "Role",
    "SystemMessage",
    "SystemMessageChunk",
    "TextPart",
    "ToolCall",
    "ToolCallPart",
    "ToolMessage",
    "ToolMessageChunk",
    "ToolResultPart",
    "Usage",
    "add_chunks",
]

Role = Literal["system", "user", "assistant", "tool"]

_set = object.__setattr__


@dataclass(frozen=True, slots=True, init=False, repr=False)
class Message:
    """One message. Build it from text, a part, or a list of texts, parts and ChatML dicts."""

    role: ClassVar[Role]

    parts: tuple[Part, ...]
    id: str | None = None
    name: str | None = None
    additional_kwargs: dict[str, Any] = field(default_factory=dict)

    def __init__(
        self,
        content: Content = "",
        *,
        parts: tuple[Part, ...] | None = None,
        id: str | None = None,
        name: str | None = None,
        additional_kwargs: dict[str, Any] | None = None,
    ) -> None:
        _set(self, "parts", as_parts(content) if parts is None else parts)
        _set(self, "id", id)
        _set(self, "name", name)
        _set(self, "additional_kwargs", additional_kwargs if additional_kwargs is not None else {})

    @property
    def text(self) -> str:
        """The text parts, joined."""
        return "".join([part.text for part in self.parts if isinstance(part, TextPart)])

    @property
    def content(self) -> str:
        """The same as ``text``."""
        return self.text

    def __repr__(self) -> str:
        shown = [repr(self.text)] if all(_plain(part) for part in self.parts) else [f"parts={self.parts!r}"]
        for name in type(self)._shown:
            value = getattr(self, name)
            if value not in (None, {}, "", ()):
                shown.append(f"{name}={value!r}")
        return f"{type(self).__name__}({', '.join(shown)})"

    _shown: ClassVar[tuple[str, ...]] = ("name", "additional_kwargs", "id")


def _plain(part: Part) -> bool:
    return isinstance(part, TextPart) and not part.extras and part.index is None


class SystemMessage(Message):
    """Tells the model how to behave."""

    __slots__ = ()

    role: ClassVar[Role] = "system"


class HumanMessage(Message):
    """What the user says."""

    __slots__ = ()

    role: ClassVar[Role] = "user"


class ToolMessage(Message):
    """The result of the tool call ``tool_call_id``. ``status`` is "success" or "error"."""

    __slots__ = ()

    role: ClassVar[Role] = "tool"

    def __init__(
        self,
        content: str = "",
        *,
        tool_call_id: str = "",
        status: str = "success",
        parts: tuple[Part, ...] | None = None,
        id: str | None = None,
        name: str | None = None,
        additional_kwargs: dict[str, Any] | None = None,
    ) -> None:
        if parts is None:
            parts = (ToolResultPart(tool_call_id, content, name or "", is_error=status == "error"),)
        Message.__init__(self, parts=parts, id=id, name=name, additional_kwargs=additional_kwargs)

    @property
    def results(self) -> tuple[ToolResultPart, ...]:
        """The result parts; usually one."""
        return tuple(part for part in self.parts if isinstance(part, ToolResultPart))

    @property
    def text(self) -> str:
        """The result as text."""
        return "".join([part.text for part in self.parts if isinstance(part, (ToolResultPart, TextPart))])

    @property
    def tool_call_id(self) -> str:
        """The id of the call that this answers."""
        return self.results[0].call_id if self.results else ""

    @property
    def status(self) -> str:
        """ "error" when the tool failed, else "success"."""
        return "error" if any(part.is_error for part in self.results) else "success"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.text!r}, tool_call_id={self.tool_call_id!r}, status={self.status!r})"


class FunctionMessage(ToolMessage):
    """The older form of a tool result: it names the function (``name``) instead of the call."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, init=False, repr=False)
class AIMessage(Message):
    """What the model says: text, thoughts, or requests to call tools.

    ``usage`` counts tokens; ``finish`` says why it ended, the provider's own word for it is in
    ``response_metadata["finish_reason"]``; ``model`` is the model that answered.
    """

    role: ClassVar[Role] = "assistant"
    _shown: ClassVar[tuple[str, ...]] = (
        "name", "additional_kwargs", "usage", "finish", "model", "response_metadata", "id",
    )  # fmt: skip

    usage: Usage | None = None
    finish: Finish | None = None
    model: str | None = None
    response_metadata: dict[str, Any] = field(default_factory=dict)

    def __init__(
        self,
        content: Content = "",
        *,
        parts: tuple[Part, ...] | None = None,
        id: str | None = None,
        name: str | None = None,
        additional_kwargs: dict[str, Any] | None = None,
        usage: Usage | None = None,
        finish: Finish | None = None,
        model: str | None = None,
        response_metadata: dict[str, Any] | None = None,
    ) -> None:
        # Written out instead of calling Message.__init__: this runs once for every streamed token.
        _set(self, "parts", as_parts(content) if parts is None else parts)
        _set(self, "id", id)
        _set(self, "name", name)
        _set(self, "additional_kwargs", additional_kwargs if additional_kwargs is not None else {})
        _set(self, "usage", usage)
        _set(self, "finish", finish)
        _set(self, "model", model)
        _set(self, "response_metadata", response_metadata if response_metadata is not None else {})

    @property
    def reasoning(self) -> str:
        """The model's thoughts, joined."""
        return "".join([part.text for part in self.parts if isinstance(part, ReasoningPart)])

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The calls whose arguments are complete. Truncated ones are in ``invalid_tool_calls``, never here."""
        return tuple(call for call in self._calls() if isinstance(call, ToolCall))

    @property
    def invalid_tool_calls(self) -> tuple[InvalidToolCall, ...]:
        """The calls that must not be executed, each with the reason."""
        return tuple(call for call in self._calls() if isinstance(call, InvalidToolCall))

    def _calls(self) -> list[ToolCall | InvalidToolCall]:
        return [parse_tool_call(part) for part in self.parts if isinstance(part, ToolCallPart)]


M = TypeVar("M", bound=Message)


class _Additive:
    """Addition of chunks of one class."""

    __slots__ = ()

    def __add__(self: M, other: M) -> M:  # type: ignore[misc]  # the mixin is only ever mixed into messages
        if type(other) is not type(self):
            return NotImplemented
        return add_chunks((self, other))


class SystemMessageChunk(_Additive, SystemMessage):
    """A piece of a system message."""

    __slots__ = ()


class HumanMessageChunk(_Additive, HumanMessage):
    """A piece of a human message."""

    __slots__ = ()


class ToolMessageChunk(_Additive, ToolMessage):
    """A piece of a tool result."""

    __slots__ = ()


class FunctionMessageChunk(_Additive, FunctionMessage):
    """A piece of an old-style tool result."""

    __slots__ = ()


class AIMessageChunk(_Additive, AIMessage):
    """A piece of an answer. Parts may carry ``index``; ``usage`` is a difference; ``finish`` comes near the end."""

    __slots__ = ()

    def message(self) -> AIMessage:
        """The finished message: the same without indexes."""
        return AIMessage(parts=finished_parts(self.parts), **self._facts())

    def with_id(self, id: str) -> AIMessageChunk:
        """The same chunk with ``id``."""
        chunk = object.__new__(AIMessageChunk)
        _set(chunk, "parts", self.parts)
        _set(chunk, "id", id)
        _set(chunk, "name", self.name)
        _set(chunk, "additional_kwargs", self.additional_kwargs)
        _set(chunk, "usage", self.usage)
        _set(chunk, "finish", self.finish)
        _set(chunk, "model", self.model)
        _set(chunk, "response_metadata", self.response_metadata)
        return chunk

    def _facts(self) -> dict[str, Any]:
        names = ("id", "name", "additional_kwargs", "usage", "finish", "model", "response_metadata")
        return {name: getattr(self, name) for name in names}


class Accumulator:
    """Adds chunks in linear time.

    Of id, name and model the first that is given wins, of finish the last; usage is added; of metadata the last value
    of a key wins. ``PartMerger`` says what happens to parts.
    """

    def __init__(self) -> None:
        self._parts = PartMerger()
        self._additional: dict[str, Any] = {}
        self._metadata: dict[str, Any] = {}
        self._usage: Usage | None = None
        self.finish: Finish | None = None
        self.id: str | None = None
        self.name: str | None = None
        self.model: str | None = None
        self.started = False

    @property
    def usage(self) -> Usage | None:
        """The tokens counted so far."""
        return self._usage

    def add(self, chunk: Message) -> None:
        """Add the next chunk."""
        self.started = True
        for part in chunk.parts:
            self._parts.add(part)
        if self.id is None:
            self.id = chunk.id
        if self.name is None:
            self.name = chunk.name
        if chunk.additional_kwargs:
            self._additional.update(chunk.additional_kwargs)
        if isinstance(chunk, AIMessage):
            self._add_answer(chunk)

    def _add_answer(self, chunk: AIMessage) -> None:
        if chunk.usage is not None:
            self._usage = chunk.usage if self._usage is None else self._usage + chunk.usage
        if chunk.finish is not None:
            self.finish = chunk.finish
        if self.model is None:
            self.model = chunk.model
        if chunk.response_metadata:
            self._metadata.update(chunk.response_metadata)

    def chunk(self) -> AIMessageChunk:
        """The sum so far, as a chunk."""
        return AIMessageChunk(parts=self._parts.parts(), **self._answer_facts())

    def message(self) -> AIMessage:
        """The sum so far, as a finished message."""
        return AIMessage(parts=finished_parts(self._parts.parts()), **self._answer_facts())

    def _answer_facts(self) -> dict[str, Any]:
        facts = {"usage": self._usage, "finish": self.finish, "model": self.model}
        return {**self.common_facts(), **facts, "response_metadata": dict(self._metadata)}

    def common_facts(self) -> dict[str, Any]:
        """Id, name and additional kwargs of the sum, as arguments of a message class."""
        return {"id": self.id, "name": self.name, "additional_kwargs": dict(self._additional)}

    def parts(self) -> tuple[Part, ...]:
        """The parts of the sum so far."""
        return self._parts.parts()


def add_chunks(chunks: Sequence[M]) -> M:
    """The sum of chunks of one class, in linear time. Raises ``ValueError`` for none at all."""
    if not chunks:
        raise ValueError("There is nothing to add: give at least one chunk.")
    total = Accumulator()
    for chunk in chunks:
        total.add(chunk)
    first = chunks[0]
    if isinstance(first, AIMessageChunk):
        return total.chunk()  # type: ignore[return-value]  # M is AIMessageChunk here
    return type(first)(parts=total.parts(), **total.common_facts())
