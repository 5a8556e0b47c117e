"""Source code as numbered lines with its tokens coloured."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from app.gui.code_tokens import code_spans
from app.gui.reading.blocks import Block, BlockKind, Run


def code_blocks(code: str, offset: int, language: str, numbers: Sequence[int] | None = None) -> Iterator[Block]:
    """Set ``code``, which begins at ``offset`` in the document, line by line.

    ``numbers`` are those of its lines, 0 for none; None leaves all without.
    """
    spans = list(code_spans(code, language))
    at, line_start = 0, 0
    for index, line in enumerate(code.split("\n")):
        line_end = line_start + len(line)
        while at < len(spans) and spans[at][0] + spans[at][1] <= line_start:
            at += 1
        runs = tuple(_runs(line, line_start, offset, islice(spans, at, None)))
        number = numbers[index] if numbers is not None else 0
        yield Block(BlockKind.CODE, runs, number=number, tight=index > 0)
        line_start = line_end + 1


def _runs(line: str, line_start: int, offset: int, spans: Iterable[tuple[int, int, str]]) -> Iterator[Run]:
    line_end, done = line_start + len(line), line_start
    for start, length, role in spans:
        if start >= line_end:
            break
        first, last = max(start, done), min(start + length, line_end)
        if first > done:
            yield Run(line[done - line_start : first - line_start], offset + done)
        if last > first:
            yield Run(line[first - line_start : last - line_start], offset + first, role)
            done = last
    if done < line_end:
        yield Run(line[done - line_start :], offset + done)


def line_numbers(stored: str, file_text: str) -> list[int] | None:
    """The number in the file, from 1, of each line of the stored text; None if they don't match.

    Reading leaves out empty lines and white space at line ends, nothing else.
    """
    file_lines = [line.rstrip() for line in file_text.splitlines()]
    numbers: list[int] = []
    at = 0
    for line in stored.split("\n"):
        wanted = line.rstrip()
        if not wanted:
            numbers.append(0)
            continue
        while at < len(file_lines) and file_lines[at] != wanted:
            if file_lines[at]:
                return None
            at += 1
        if at == len(file_lines):
            return None
        at += 1
        numbers.append(at)
    return _with_empty_lines(numbers)


def _with_empty_lines(numbers: list[int]) -> list[int]:
    """Empty lines that stand directly behind a numbered one have the next number."""
    for index in range(1, len(numbers)):
        if not numbers[index] and numbers[index - 1]:
            numbers[index] = numbers[index - 1] + 1
    return numbers
