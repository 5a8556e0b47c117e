"""Sequences that are made when they are first looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar, overload

T_co = TypeVar("T_co", covariant=True)


class Deferred(Sequence[T_co]):
    """The items that ``make`` gives, asked for once and only when they are needed.

    Equal to a tuple, or to another of its kind, with equal items. Two threads that look first at the same time may
    both make the items.
    """

    __slots__ = ("_items", "_make")

    def __init__(self, make: Callable[[], tuple[T_co, ...]]) -> None:
        self._make = make
        self._items: tuple[T_co, ...] | None = None

    @property
    def items(self) -> tuple[T_co, ...]:
        """The items as a tuple."""
        if self._items is None:
            self._items = self._make()
        return self._items

    @overload
    def __getitem__(self, index: int) -> T_co: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[T_co, ...]: ...
    def __getitem__(self, index: int | slice) -> T_co | tuple[T_co, ...]:
        return self.items[index]

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[T_co]:
        return iter(self.items)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Deferred):
            return self.items == other.items
        return self.items == other if isinstance(other, tuple) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.items)

    def __repr__(self) -> str:
        return repr(self.items)
