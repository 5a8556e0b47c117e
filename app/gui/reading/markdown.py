"""Markdown as blocks. Marks are left out, every word keeps its place; nothing is loaded and HTML stays text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING

from app.gui.reading.blocks import NOWHERE, Block, BlockKind, Cell, Part, Run, Table
from app.gui.reading.code import code_blocks
from app.gui.reading.prose import unwrapped

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_WORDS = re.compile(r"\s+|\S+")
_STYLES = {"strong": "bold", "em": "italic", "s": "strike", "link": "link"}


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def markdown_parts(text: str, offset: int) -> Iterator[Part]:
    """Set the Markdown ``text``, which begins at ``offset`` in the document."""
    yield from _Setter(text, offset).parts(_parser().parse(text))


class _Setter:
    """Walks the tokens of one text. ``_at`` is how far the words were found in it, so that none is found twice."""

    def __init__(self, text: str, offset: int) -> None:
        self._text = text
        self._offset = offset
        self._at = 0
        self._line_starts = [0]
        for line in text.split("\n"):
            self._line_starts.append(self._line_starts[-1] + len(line) + 1)
        self._lists: list[int] = []  # the number of the next item, 0 for bullets
        self._mark: Run | None = None
        self._quotes = 0

    def parts(self, tokens: Sequence[Token]) -> Iterator[Part]:
        at = 0
        while at < len(tokens):
            token = tokens[at]
            if token.type == "table_open":
                end = next(index for index in range(at, len(tokens)) if tokens[index].type == "table_close")
                yield self._table(tokens[at:end])
                at = end
            else:
                yield from self._block(tokens, at)
            at += 1

    def _block(self, tokens: Sequence[Token], at: int) -> Iterator[Part]:
        token = tokens[at]
        self._track(token)
        if token.type == "inline":
            yield self._paragraph(tokens, at)
        elif token.type in {"fence", "code_block"}:
            start = self._find(token.content, token)
            code, place = token.content.rstrip("\n"), NOWHERE if start < 0 else self._offset + start
            language = token.info.split()[0] if token.info.strip() else ""
            yield from (
                _unplaced(block) if place < 0 else block for block in code_blocks(code, max(place, 0), language)
            )
        elif token.type == "hr":
            yield Block(BlockKind.RULE, ())

    def _track(self, token: Token) -> None:
        """Keep up with the lists and quotations that a block stands in."""
        if token.type in {"bullet_list_open", "ordered_list_open"}:
            self._lists.append(int(token.attrs.get("start", 1)) if token.type == "ordered_list_open" else 0)
        elif token.type in {"bullet_list_close", "ordered_list_close"}:
            self._lists.pop()
        elif token.type == "list_item_open":
            number = self._lists[-1]
            self._mark = Run(f"{number}.\t" if number else "•\t", NOWHERE, "quiet")
            self._lists[-1] += 1 if number else 0
        elif token.type == "blockquote_open":
            self._quotes += 1
        elif token.type == "blockquote_close":
            self._quotes -= 1

    def _paragraph(self, tokens: Sequence[Token], at: int) -> Block:
        opening, runs = tokens[at - 1], tuple(self._inline(tokens[at]))
        if opening.type == "heading_open":
            return Block(BlockKind.HEADING, runs, int(opening.tag[1:]))
        if self._lists:
            mark, self._mark = self._mark, None
            lead = (mark,) if mark is not None else (Run("\t"),)
            return Block(BlockKind.ITEM, (*lead, *runs), len(self._lists) - 1, tight=opening.hidden)
        if self._quotes:
            return Block(BlockKind.QUOTE, runs, self._quotes - 1)
        return Block(BlockKind.PARAGRAPH, runs)

    def _table(self, tokens: Sequence[Token]) -> Table:
        rows: list[tuple[Cell, ...]] = []
        cells: list[Cell] = []
        for token in tokens:
            if token.type == "tr_open":
                cells = []
                self._skip_to(token)
            elif token.type == "inline":
                cells.append(tuple(self._inline(token)))
            elif token.type == "tr_close":
                rows.append(tuple(cells))
        return Table(tuple(rows))

    # -- words -----------------------------------------------------------------------------------------------------

    def _inline(self, token: Token) -> Iterator[Run]:
        styles: list[str] = []
        end = self._end_of(token)
        for child in token.children or ():
            if child.nesting and (style := _STYLES.get(child.type.removesuffix("_open").removesuffix("_close"))):
                styles.append(style) if child.nesting > 0 else styles.remove(style)
            elif child.type == "softbreak":
                yield Run(" ", self._place("\n", end), " ".join(styles))
            elif child.type == "hardbreak":
                yield Run("\u2028", NOWHERE)
            elif child.type == "image":
                yield Run(f"[image: {child.content or 'not shown'}]", NOWHERE, "quiet")
            elif child.content:
                more = ["code"] if child.type == "code_inline" else []
                yield from self._words(child.content, end, " ".join(styles + more))

    def _words(self, content: str, end: int, style: str) -> Iterator[Run]:
        """The run of ``content``, or word by word where the Markdown spells some of it in another way."""
        place = self._place(content, end)
        if place >= 0:
            yield Run(unwrapped(content), place, style)
            return
        for word in _WORDS.findall(content):
            yield Run(word, self._place(word, end), style)

    def _place(self, words: str, end: int) -> int:
        """Where ``words`` stand in the document, looked for behind the last ones; ``NOWHERE`` for decoded entities."""
        found = self._text.find(words, self._at, end)
        if found < 0:
            return NOWHERE
        self._at = found + len(words)
        return self._offset + found

    def _find(self, content: str, token: Token) -> int:
        self._skip_to(token)
        found = self._text.find(content.rstrip("\n"), self._at, self._end_of(token))
        if found >= 0:
            self._at = found + len(content.rstrip("\n"))
        return found

    def _skip_to(self, token: Token) -> None:
        if token.map is not None:
            self._at = max(self._at, self._line_starts[token.map[0]])

    def _end_of(self, token: Token) -> int:
        return self._line_starts[min(token.map[1], len(self._line_starts) - 1)] if token.map else len(self._text)


def _unplaced(block: Block) -> Block:
    return Block(block.kind, tuple(Run(run.text, NOWHERE, run.style) for run in block.runs), tight=block.tight)
