"""How the parts of streamed chunks become whole parts.

- Text and reasoning join the open part of the same kind and index; extras are merged, the last value of a key wins.
- A tool-call fragment joins the newest call of its index if its id is empty or equal and its name is empty or equal.
  Otherwise it opens a call of its own: some servers number every call 0 and only change the id. The name is set, never
  concatenated; arguments are concatenated as text and parsed once, at the end.
- Other parts never merge.

With these rules merging is associative.
"""

from __future__ import annotations

from collections.abc import Iterable

from app.domain.parts import Extras, Part, ReasoningPart, TextPart, ToolCallPart

# Joining now and then keeps the memory of a very long answer at its text instead of a list of tiny strings.
_PIECES = 2048


class _Slot:
    """A part under construction; ``first`` gives its kind, id, name and index."""

    __slots__ = ("extras", "first", "pieces")

    def __init__(self, first: TextPart | ReasoningPart | ToolCallPart) -> None:
        self.first = first
        self.pieces = [first.arguments if isinstance(first, ToolCallPart) else first.text]
        self.extras: Extras = dict(first.extras)

    def add(self, text: str, extras: Extras) -> None:
        self.pieces.append(text)
        if len(self.pieces) > _PIECES:
            self.pieces = ["".join(self.pieces)]
        if extras:
            self.extras.update(extras)

    def takes(self, call: ToolCallPart) -> bool:
        first = self.first
        return isinstance(first, ToolCallPart) and call.id in ("", first.id) and call.name in ("", first.name)

    def part(self) -> Part:
        first, text = self.first, "".join(self.pieces)
        if isinstance(first, ToolCallPart):
            return ToolCallPart(first.id, first.name, text, first.index, dict(self.extras))
        return type(first)(text, first.index, dict(self.extras))


class PartMerger:
    """Adds parts, in linear time."""

    def __init__(self) -> None:
        self._order: list[_Slot | Part] = []
        self._open: dict[tuple[type, int | None], _Slot] = {}

    def add(self, part: Part) -> None:
        """Add the next part."""
        if isinstance(part, (TextPart, ReasoningPart)):
            slot = self._open.get((type(part), part.index))
            if slot is not None:
                slot.add(part.text, part.extras)
                return
            self._start(part)
        elif isinstance(part, ToolCallPart):
            slot = self._open.get((ToolCallPart, part.index))
            if slot is not None and slot.takes(part):
                slot.add(part.arguments, part.extras)
                return
            self._start(part)
        else:
            self._order.append(part)

    def parts(self) -> tuple[Part, ...]:
        """What has been added, merged, in order of first appearance."""
        return tuple(each.part() if isinstance(each, _Slot) else each for each in self._order)

    def _start(self, part: TextPart | ReasoningPart | ToolCallPart) -> None:
        slot = _Slot(part)
        self._open[type(part), part.index] = slot
        self._order.append(slot)


def finished_parts(parts: Iterable[Part]) -> tuple[Part, ...]:
    """The parts of a finished message: no indexes, and calls that a server sent in two halves made one.

    Halves have the same id, or the second brings only the name that the first of its index still lacks.
    """
    result: list[Part] = []
    by_id: dict[str, int] = {}
    by_index: dict[int | None, int] = {}
    for part in parts:
        if isinstance(part, ToolCallPart):
            known = by_id.get(part.id) if part.id else by_index.get(part.index)
            if known is not None and _same_call(result[known], part):
                result[known] = _joined(result[known], part)
                continue
            by_id[part.id] = by_index[part.index] = len(result)
        result.append(_without_index(part))
    return tuple(result)


def _same_call(known: Part, part: ToolCallPart) -> bool:
    if not isinstance(known, ToolCallPart):
        return False
    return not known.name or (bool(part.id) and part.name in ("", known.name))


def _joined(known: Part, part: ToolCallPart) -> Part:
    assert isinstance(known, ToolCallPart)  # noqa: S101  # _same_call has just said so
    arguments = known.arguments + part.arguments
    return ToolCallPart(known.id, known.name or part.name, arguments, None, {**known.extras, **part.extras})


def _without_index(part: Part) -> Part:
    if part.index is None:
        return part
    from dataclasses import replace

    return replace(part, index=None)
