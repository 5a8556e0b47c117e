"""Text and its character map, cut and put together in step."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from app.domain.char_map import CharMap

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class MappedText:
    """A text and, for each of its characters, the glyph it stands on (None: no places are known)."""

    text: str
    char_map: CharMap | None = None

    def rearranged(self, parts: Iterable[Span | str]) -> MappedText:
        """Return the text made of ``parts`` in their order: spans ``[start, end)`` of this text, or new characters,
        which stand on no glyph. A part may be used once only.
        """
        texts: list[str] = []
        runs: list[tuple[int, int, int]] = []
        length = 0
        for part in parts:
            if isinstance(part, str):
                texts.append(part)
                length += len(part)
                continue
            start, end = part
            texts.append(self.text[start:end])
            if self.char_map is not None:
                moved = length - start
                runs.extend((at + moved, index, size) for at, index, size in self.char_map.runs_between(start, end))
            length += end - start
        return MappedText("".join(texts), None if self.char_map is None else CharMap(length, runs))

    def without(self, spans: Iterable[Span]) -> MappedText:
        """Return the text without ``spans``, which are sorted and don't overlap."""
        kept: list[Span] = []
        position = 0
        for start, end in spans:
            if position < start:
                kept.append((position, start))
            position = end
        if position < len(self.text):
            kept.append((position, len(self.text)))
        return self.rearranged(kept)
