"""One declaration per setting: key, type, default, label, help, bounds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

from app.domain.errors import BadInputError

T = TypeVar("T")

_TRUE_WORDS = frozenset({"1", "on", "true", "yes"})
_FALSE_WORDS = frozenset({"0", "off", "false", "no"})


@dataclass(frozen=True, slots=True, eq=False)
class Setting(Generic[T]):
    """A setting, declared as a module-level constant in the room that uses it.

    ``T`` is the type of ``default``: bool, int, float, str, Path, an ``Enum`` with plain values, or a tuple of
    strings. ``minimum`` and ``maximum`` are inclusive. An enum's members are its choices. ``restart`` means that a
    change shows after the next start. ``was`` lists keys the setting had before. ``secret`` values belong in the
    OS keyring and are refused by ``SettingsStore``. A declaration that contradicts itself raises ValueError.
    """

    key: str
    default: T
    label: str
    help: str = ""
    minimum: T | None = None
    maximum: T | None = None
    choices: tuple[T, ...] = ()
    restart: bool = False
    was: tuple[str, ...] = ()
    secret: bool = False

    def __post_init__(self) -> None:
        if not self.key or not self.label:
            raise ValueError("a setting needs a key and a label")
        if isinstance(self.default, Enum) and not self.choices:
            object.__setattr__(self, "choices", tuple(type(self.default)))
        try:
            self.validate(self.default)
        except BadInputError as error:
            raise ValueError(f"the default of {self.key} is not allowed: {error}") from error

    def validate(self, value: object) -> T:
        """Return ``value`` as ``T``. Raises ``BadInputError`` naming the label and what is allowed."""
        typed = self._convert(value)
        if self.choices and typed not in self.choices:
            allowed = ", ".join(str(self.to_plain(choice)) for choice in self.choices)
            raise BadInputError(f"{self.label}: {value!r} is not one of {allowed}.")
        self._check_bounds(typed)
        return typed

    def parse(self, text: str) -> T:
        """Read a value typed as text (command line, environment). Raises ``BadInputError`` as ``validate`` does."""
        value: object = text
        try:
            if isinstance(self.default, bool):
                value = self._parse_bool(text)
            elif isinstance(self.default, int) and not isinstance(self.default, Enum):
                value = int(text)
            elif isinstance(self.default, float):
                value = float(text)
            elif isinstance(self.default, tuple):
                value = tuple(part for part in (piece.strip() for piece in text.split(",")) if part)
        except ValueError:
            raise self._wrong_type(text) from None
        return self.validate(value)

    def to_plain(self, value: T) -> Any:
        """The value as JSON can hold it; ``validate`` takes it back."""
        if isinstance(value, Enum):
            return value.value
        if isinstance(value, Path):
            return str(value)
        return list(value) if isinstance(value, tuple) else value

    def _convert(self, value: object) -> T:
        default = self.default
        converted: object = None
        if isinstance(default, Enum):
            converted = next((member for member in type(default) if value in (member, member.value)), None)
        elif isinstance(default, Path):
            converted = Path(value) if isinstance(value, (str, Path)) else None
        elif isinstance(default, tuple):
            if isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
                converted = tuple(value)
        elif isinstance(default, float):
            if isinstance(value, (int, float)) and not isinstance(value, bool) and value - value == 0:
                converted = float(value)
        elif type(value) is type(default):  # bool is an int to isinstance
            converted = value
        if converted is None:
            raise self._wrong_type(value)
        return cast("T", converted)

    def _parse_bool(self, text: str) -> bool:
        word = text.strip().lower()
        if word in _TRUE_WORDS or word in _FALSE_WORDS:
            return word in _TRUE_WORDS
        raise self._wrong_type(text)

    def _wrong_type(self, value: object) -> BadInputError:
        default = self.default
        if isinstance(default, Enum):
            return BadInputError(
                f"{self.label}: {value!r} is not one of {', '.join(str(m.value) for m in type(default))}."
            )
        kinds = {bool: "on or off", int: "a whole number", float: "a number", str: "text", tuple: "a list of texts"}
        wanted = kinds.get(type(default), "a path")
        return BadInputError(f"{self.label}: {value!r} is not {wanted}.")

    def _check_bounds(self, value: Any) -> None:
        low: Any = self.minimum
        high: Any = self.maximum
        if (low is None or value >= low) and (high is None or value <= high):
            return
        if low is not None and high is not None:
            raise BadInputError(f"{self.label}: {value} is not between {low} and {high}.")
        if low is not None:
            raise BadInputError(f"{self.label}: {value} is less than {low}.")
        raise BadInputError(f"{self.label}: {value} is more than {high}.")
