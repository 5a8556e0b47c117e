"""Prompt templates.

``{name}`` is replaced by a value; values are data and are never read as templates. Names are plain: a template that
asks for attributes or items (``{x.__class__}``, ``{x[0]}``) is refused, since it could reach into objects.
"""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.chat_models.inputs import message_from_chatml
from app.domain.chat_errors import ChatInputError
from app.domain.messages import Message, SystemMessage, TextPart


class _PlainFormatter(string.Formatter):
    """``str.format`` without reaching into values, conversions and format specifications."""

    def get_field(self, field_name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        if not field_name.isidentifier():
            raise ChatInputError(
                f"{{{field_name}}} is not allowed in a template: use plain names. Write {{{{ and }}}} for braces."
            )
        if field_name not in kwargs:
            raise ChatInputError(f"The template needs a value for {field_name!r}.")
        return kwargs[field_name], field_name

    def format_field(self, value: Any, format_spec: str) -> str:
        if format_spec:
            raise ChatInputError(f"The format {format_spec!r} is not allowed in a template.")
        return str(value)

    def convert_field(self, value: Any, conversion: str | None) -> Any:
        if conversion:
            raise ChatInputError(f"The conversion !{conversion} is not allowed in a template.")
        return value


def variables_of(template: str) -> list[str]:
    """The names in ``template``, each once, in order. Raises ``ChatInputError`` for unbalanced braces."""
    try:
        names = [name for _, name, _, _ in string.Formatter().parse(template) if name is not None]
    except ValueError as error:
        raise ChatInputError(f"The template is damaged: {error}. Write {{{{ and }}}} for braces.") from error
    return list(dict.fromkeys(names))


def fill(template: str, values: Mapping[str, Any]) -> str:
    """``template`` with ``values`` filled in; values it doesn't name are ignored.

    Raises ``ChatInputError`` naming a variable without value, and for anything but plain names.
    """
    try:
        return _PlainFormatter().vformat(template, (), values)
    except ChatInputError:
        raise
    except ValueError as error:
        raise ChatInputError(f"The template is damaged: {error}. Write {{{{ and }}}} for braces.") from error


@dataclass(frozen=True)
class PromptTemplate:
    """A text with variables. ``input_variables`` are found in ``template`` where they aren't given."""

    template: str
    input_variables: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        found = tuple(variables_of(self.template))
        object.__setattr__(self, "input_variables", tuple(self.input_variables or found))

    def format(self, **values: Any) -> str:
        """The text with ``values`` filled in. Raises ``ChatInputError`` naming what is missing."""
        return fill(self.template, values)


@dataclass(frozen=True)
class MessagesPlaceholder:
    """A place for a list of messages; ``optional`` ones may be left out."""

    variable_name: str
    optional: bool = False


TemplateItem = Message | MessagesPlaceholder | tuple[str, str]


@dataclass(frozen=True)
class ChatPromptTemplate:
    """Messages with variables: ("system" | "human" | "ai", template) pairs, messages, and placeholders for lists."""

    items: tuple[TemplateItem, ...]

    @classmethod
    def from_messages(cls, items: Sequence[TemplateItem]) -> ChatPromptTemplate:
        """A template of ``items``. Raises ``ChatInputError`` for a role that isn't known."""
        for item in items:
            if isinstance(item, tuple):
                message_from_chatml({"role": item[0], "content": ""})
        return cls(tuple(items))

    @property
    def input_variables(self) -> list[str]:
        """The names of all variables and placeholders, each once."""
        names: list[str] = []
        for item in self.items:
            if isinstance(item, MessagesPlaceholder):
                names.append(item.variable_name)
            elif isinstance(item, tuple):
                names += variables_of(item[1])
        return list(dict.fromkeys(names))

    def format_messages(self, **values: Any) -> list[Message]:
        """The messages with ``values`` filled in. Raises ``ChatInputError`` naming what is missing."""
        messages: list[Message] = []
        for item in self.items:
            if isinstance(item, MessagesPlaceholder):
                messages += _placed(item, values)
            elif isinstance(item, Message):
                messages.append(item)
            else:
                messages.append(message_from_chatml({"role": item[0], "content": fill(item[1], values)}))
        return messages


def _placed(place: MessagesPlaceholder, values: Mapping[str, Any]) -> list[Message]:
    if place.variable_name not in values:
        if place.optional:
            return []
        raise ChatInputError(f"The template needs a list of messages for {place.variable_name!r}.")
    return [each if isinstance(each, Message) else _message(each) for each in values[place.variable_name]]


def _message(item: Any) -> Message:
    if isinstance(item, Mapping):
        return message_from_chatml(item)
    if isinstance(item, tuple) and len(item) == 2:
        return message_from_chatml({"role": item[0], "content": item[1]})
    raise ChatInputError(f"A placeholder takes messages, not {type(item).__name__}.")


def cleared(history: Sequence[Message]) -> list[Message]:
    """What remains of a conversation when its context is cleared: the system messages."""
    return [message for message in history if isinstance(message, SystemMessage)]


def text_of(messages: Sequence[Message]) -> str:
    """A conversation as text, one line "role: text" per message, for templates that want text."""
    names = {"user": "Human", "assistant": "AI", "system": "System", "tool": "Tool"}
    return "\n".join(f"{names[message.role]}: {_plain(message)}" for message in messages)


def _plain(message: Message) -> str:
    return message.text or " ".join(part.text for part in message.parts if isinstance(part, TextPart))
