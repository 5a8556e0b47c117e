"""Extracted running text as blocks: headings, paragraphs, items of lists."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from app.gui.reading.blocks import Block, BlockKind, Run

ITEM = re.compile(r"(?P<indent>[ \t]*)(?P<mark>[-•*–▪◦‣]|\d{1,3}[.)])[ \t]+(?=\S)")
HARD_WRAP = re.compile(r"(?<=[^\n]{55}[\w,;:)\"'”’.-])\n(?!\d+[.)])(?=[^\W_])")
DEEPEST_HEADING = 6


def unwrapped(text: str) -> str:
    """Let lines that were broken at a fixed width flow on, every character keeping its place.

    A line of running text ends where the width ended: it is long, and the next one begins with a letter or digit.
    """
    return HARD_WRAP.sub(" ", text)


def prose_blocks(text: str, offset: int, headings: Sequence[str] = ()) -> Iterator[Block]:
    """Set ``text``, which begins at ``offset`` in the document. A first line that says the last heading is one."""
    position, after_blank = 0, True
    for line in unwrapped(text).split("\n"):
        if line.strip():
            is_heading = position == 0 and bool(headings) and line.strip() == headings[-1]
            if is_heading:
                level = min(len(headings), DEEPEST_HEADING)
                yield Block(BlockKind.HEADING, (Run(line, offset + position),), level)
            else:
                yield _line(line, offset + position, tight=not after_blank)
        after_blank = not line.strip()
        position += len(line) + 1


def _line(line: str, offset: int, *, tight: bool) -> Block:
    item = ITEM.match(line)
    if item is None:
        indent = len(line) - len(line.lstrip())
        return Block(BlockKind.PARAGRAPH, (Run(line[indent:], offset + indent),), tight=tight)
    level = len(item["indent"].replace("\t", "  ")) // 2
    mark = Run(item["mark"] + "\t", offset + item.start("mark"), "quiet")
    return Block(BlockKind.ITEM, (mark, Run(line[item.end() :], offset + item.end())), level, tight=tight)
