"""Markdown: sections by heading, code fences and tables as their kinds. Marks stay; HTML is read as HTML."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from app.domain.documents import Section, SectionKind
from app.loaders.document_loader import DocumentLoader, LoadedDocument
from app.loaders.html import add_html
from app.loaders.html_tree import parse_html
from app.loaders.section_builder import SectionBuilder
from app.loaders.text_decoding import read_text

_ATX = re.compile(r"^ {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$")
_SETEXT = re.compile(r"^ {0,3}(=+|-+)[ \t]*$")
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")
_TABLE_RULE = re.compile(r"^ {0,3}\|?[ \t]*:?-+:?[ \t]*(\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")
_NO_PARAGRAPH = re.compile(r"^\s*([-*+>]|\d+[.)])\s|^ {4}|^\s*$|^ {0,3}\|")
_COMMENT = re.compile(r"^ {0,3}<!--")
_COMMENT_END = re.compile(r"-->")
_BLANK = re.compile(r"^\s*$")
_HTML_BLOCK = re.compile(
    r"^ {0,3}(?:<!--|</?(?:address|article|aside|blockquote|body|center|details|dd|div|dl|dt|figcaption|figure|footer|"
    r"form|h[1-6]|head|header|hr|html|iframe|img|li|link|main|menu|nav|ol|p|picture|section|summary|table|tbody|td|"
    r"tfoot|th|thead|title|tr|ul)(?:\s|/?>|$))",
    re.IGNORECASE,
)
_CODE_SPAN = re.compile(r"(`+[^`\n]+`+)")
_INLINE_TAG = re.compile(
    r"<!--.*?-->|</?[a-zA-Z][\w-]*(?:\s+[\w:-]+(?:\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s\"'>]+))?)*\s*/?>", re.DOTALL
)
_FRONT_TITLE = re.compile(r"""^title\s*:\s*["']?(.*?)["']?\s*$""", re.MULTILINE)
_INLINE = re.compile(r"!?\[([^\]]*)\]\([^)]*\)|[*_`]{1,3}(\S(?:.*?\S)?)[*_`]{1,3}")


class MarkdownLoader(DocumentLoader):
    """CommonMark with pipe tables and front matter."""

    extensions = frozenset({".md", ".markdown", ".mdown", ".mkd", ".mdx", ".qmd", ".rmd"})
    plain_text = True

    def media_type(self, path: Path) -> str:
        """Return ``text/markdown``."""
        del path
        return "text/markdown"

    def load(self, path: Path) -> LoadedDocument:
        """Read one section for every run of text, code or table under one heading."""
        lines = read_text(path).split("\n")
        start, title = _front_matter(lines)
        return LoadedDocument(list(markdown_sections(lines[start:])), title)


@dataclass
class _Block:
    kind: SectionKind
    lines: list[str]
    level: int = 0
    heading: str = ""
    is_html: bool = False


def markdown_sections(
    lines: list[str], page: int | None = None, path: list[tuple[int, str]] | None = None
) -> Iterator[Section]:
    """Yield the sections of Markdown ``lines``. A heading's line opens the section that it names.

    ``path`` has the headings, with their levels, that hold at the first line; afterwards those that hold at the end.
    """
    path = [] if path is None else path
    pending: list[str] = []
    for block in _blocks(lines):
        if block.level:
            yield from _section(pending, path, SectionKind.TEXT, page)
            path[:] = [entry for entry in path if entry[0] < block.level]
            if block.heading:
                path.append((block.level, block.heading))
            pending = block.lines
        elif block.is_html:
            yield from _section(pending, path, SectionKind.TEXT, page)
            yield from _html_sections(block.lines, path, page)
            pending = []
        elif block.kind is SectionKind.TEXT:
            pending = pending + block.lines
        else:
            yield from _section(pending, path, SectionKind.TEXT, page)
            yield from _section(block.lines, path, block.kind, page)
            pending = []
    yield from _section(pending, path, SectionKind.TEXT, page)


def _html_sections(lines: list[str], path: list[tuple[int, str]], page: int | None) -> Iterator[Section]:
    builder = SectionBuilder()
    add_html(builder, parse_html("\n".join(lines)))
    above = tuple(heading for _, heading in path)
    for section in builder.finish():
        yield replace(section, page=page, headings=(*above, *section.headings))


def _section(lines: list[str], path: list[tuple[int, str]], kind: SectionKind, page: int | None) -> Iterator[Section]:
    text = "\n".join(lines).strip("\n").rstrip()
    if kind is not SectionKind.CODE:
        text = _readable(text)
    if text.strip():
        yield Section(text, page, tuple(heading for _, heading in path), kind)


def _blocks(lines: list[str]) -> Iterator[_Block]:
    position = 0
    while position < len(lines):
        block = _fence_at(lines, position) or _heading_at(lines, position) or _table_at(lines, position)
        block = block or _html_at(lines, position) or _Block(SectionKind.TEXT, [lines[position]])
        yield block
        position += len(block.lines)


def _fence_at(lines: list[str], position: int) -> _Block | None:
    opening = _FENCE.match(lines[position])
    if not opening:
        return None
    mark = opening.group(1)
    for end in range(position + 1, len(lines)):
        closing = _FENCE.match(lines[end])
        if closing and closing.group(1).startswith(mark) and lines[end].strip() == closing.group(1):
            return _Block(SectionKind.CODE, lines[position : end + 1])
    return _Block(SectionKind.CODE, lines[position:])


def _html_at(lines: list[str], position: int) -> _Block | None:
    """A comment up to its end, or a block of HTML up to the next empty line (CommonMark 0.31, 4.6)."""
    opening = lines[position]
    if not _HTML_BLOCK.match(opening) or (position and lines[position - 1].strip() and not _COMMENT.match(opening)):
        return None
    closing = _COMMENT_END if _COMMENT.match(opening) else _BLANK
    for end in range(position, len(lines)):
        if closing.search(lines[end]):
            return _Block(SectionKind.TEXT, lines[position : end + 1], is_html=True)
    return _Block(SectionKind.TEXT, lines[position:], is_html=True)


def _readable(text: str) -> str:
    """Return text without tags and with the characters that entities stand for; code between backticks stays."""
    if "<" not in text and "&" not in text:
        return text
    parts = _CODE_SPAN.split(text)
    parts[::2] = [html.unescape(_INLINE_TAG.sub("", part)) for part in parts[::2]]
    return "".join(parts)


def _heading_at(lines: list[str], position: int) -> _Block | None:
    line = lines[position]
    if heading := _ATX.match(line):
        return _Block(SectionKind.TEXT, [line], len(heading.group(1)), plain_inline(heading.group(2) or ""))
    underline = _SETEXT.match(lines[position + 1]) if position + 1 < len(lines) else None
    if underline and not _NO_PARAGRAPH.match(line) and not _SETEXT.match(line):
        level = 1 if underline.group(1)[0] == "=" else 2
        return _Block(SectionKind.TEXT, lines[position : position + 2], level, plain_inline(line))
    return None


def _table_at(lines: list[str], position: int) -> _Block | None:
    following = lines[position + 1] if position + 1 < len(lines) else ""
    if "|" not in lines[position] or not _TABLE_RULE.match(following) or "-" not in following:
        return None
    end = position + 2
    while end < len(lines) and "|" in lines[end] and lines[end].strip():
        end += 1
    return _Block(SectionKind.TABLE, lines[position:end])


def plain_inline(text: str) -> str:
    """Return a heading's text without emphasis, code marks and link targets."""
    return _INLINE.sub(lambda match: match.group(1) or match.group(2) or "", text).strip()


def _front_matter(lines: list[str]) -> tuple[int, str]:
    """Return where the text starts after YAML front matter, and the title stated there."""
    if lines[0].rstrip() != "---":
        return 0, ""
    for end in range(1, min(len(lines), 200)):
        if lines[end].rstrip() in {"---", "..."}:
            stated = _FRONT_TITLE.search("\n".join(lines[1:end]))
            return end + 1, stated.group(1) if stated else ""
    return 0, ""
