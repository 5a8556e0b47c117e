"""Secrets that don't show themselves."""

from __future__ import annotations

import hmac
from typing import NoReturn, Protocol, runtime_checkable

HIDDEN = "**********"


@runtime_checkable
class HoldsSecret(Protocol):
    """Anything that gives out its secret on request, such as pydantic's ``SecretStr``."""

    def get_secret_value(self) -> str:
        """The secret."""


class SecretStr:
    """A secret text such as an API key. Printing, logging and formatting show stars; it can't be pickled.

    The same interface as pydantic's class of this name, which would cost the start of the program 0.15 s.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def get_secret_value(self) -> str:
        """The secret. For headers of requests only."""
        return self._value

    def __repr__(self) -> str:
        return f"SecretStr({HIDDEN!r})"

    def __str__(self) -> str:
        return HIDDEN if self._value else ""

    def __bool__(self) -> bool:
        return bool(self._value)

    def __len__(self) -> int:
        return len(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SecretStr) and hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash((SecretStr, self._value))

    def __reduce__(self) -> NoReturn:
        raise TypeError("A secret can't be pickled or copied into a file.")

    def __copy__(self) -> SecretStr:
        return self

    def __deepcopy__(self, memo: object) -> SecretStr:
        return self


def as_secret(value: str | HoldsSecret | None) -> SecretStr | None:
    """``value`` as a secret; None for None and for empty text. Surrounding white space, as of pasting, is dropped."""
    if value is None:
        return None
    text = value if isinstance(value, str) else value.get_secret_value()
    return SecretStr(text.strip()) if text.strip() else None


def redact(text: str, *secrets: SecretStr | None) -> str:
    """``text`` with every one of ``secrets`` replaced by stars."""
    for secret in secrets:
        if secret:
            text = text.replace(secret.get_secret_value(), HIDDEN)
    return text
