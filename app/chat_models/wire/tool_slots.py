"""Fragments of streamed tool calls, told apart."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field

from app.domain.parts import Extras, ToolCallPart


@dataclass(slots=True)
class _Slot:
    number: int
    id: str
    name: str
    given_id: str = ""
    arguments: list[str] = field(default_factory=list)


class ToolCallSlots:
    """Gives every call of an answer its own number, whatever the server does with ``index`` and ``id``.

    Servers number calls properly, send index 0 for all of them, leave the index or the id out, repeat the name with
    every fragment, or send all at once. A new id or a new name opens a new call; so does a repeated name when the
    arguments before are complete and more come. A call without an id gets one.
    """

    def __init__(self) -> None:
        self._slots: dict[object, _Slot] = {}
        self._last: object = None
        self._count = 0

    @property
    def any(self) -> bool:
        """Whether there was a call."""
        return self._count > 0

    @property
    def count(self) -> int:
        """How many calls there were."""
        return self._count

    def fragment(
        self, key: object, id: str | None, name: str | None, arguments: str, extras: Extras | None = None
    ) -> ToolCallPart | None:
        """The part for one fragment; None for one that says nothing. ``key`` is the server's index, None if missing."""
        if key is None:
            key = id or self._last
        slot = self._slots.get(key)
        if slot is None or _is_new(slot, id, name, arguments):
            if not (id or name or arguments):
                return None
            slot = self._open(key, id or "", name or "")
            slot.arguments.append(arguments)
            return ToolCallPart(slot.id, slot.name, arguments, slot.number, extras or {})
        self._last = key
        slot.arguments.append(arguments)
        new_name = name if name and not slot.name else ""
        slot.name = slot.name or new_name
        if not (arguments or new_name or extras):
            return None
        return ToolCallPart("", new_name, arguments, slot.number, extras or {})

    def completion(self, key: object, id: str | None, name: str | None, arguments: str) -> ToolCallPart | None:
        """The part that completes a call whose whole ``arguments`` are known now; None when nothing is missing."""
        slot = self._slots.get(key)
        if slot is None:
            return self.fragment(key, id, name, arguments)
        seen = "".join(slot.arguments)
        if not arguments.startswith(seen) or arguments == seen:
            return None
        return self.fragment(key, None, None, arguments[len(seen) :])

    def _open(self, key: object, id: str, name: str) -> _Slot:
        slot = _Slot(self._count, id or f"call_{uuid.uuid4().hex[:24]}", name, given_id=id)
        self._count += 1
        self._slots[key] = slot
        self._last = key
        return slot


def _is_new(slot: _Slot, id: str | None, name: str | None, arguments: str) -> bool:
    if id and slot.given_id and id != slot.given_id:
        return True
    if not name or not slot.name or (id and id == slot.given_id):
        return False
    return name != slot.name or (bool(arguments.strip()) and _complete("".join(slot.arguments)))


def _complete(arguments: str) -> bool:
    try:
        return isinstance(json.loads(arguments), dict)
    except ValueError:
        return False
