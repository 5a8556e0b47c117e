"""Light markup other than Markdown: the text exactly as it stands, cut at headings."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from app.domain.documents import Section
from app.loaders.document_loader import DocumentLoader, LoadedDocument
from app.loaders.drawings import image_mark
from app.loaders.text_decoding import read_text

# Position of the heading's first line, its level from 1, and its text.
Heading = tuple[int, int, str]

_ASCIIDOC = re.compile(r"^(={1,6})[ \t]+(\S.*?)(?:[ \t]+=+)?[ \t]*$")
_ASCIIDOC_IMAGE = re.compile(r"\bimage::?[^\s\[]+\[([^\],]*)[^\]]*\]")
_ORG = re.compile(r"^(\*+)[ \t]+(?:TODO[ \t]+|DONE[ \t]+)?(\S.*?)(?:[ \t]+:[\w@:]+:)?[ \t]*$")
_TEX = re.compile(r"^\s*\\(part|chapter|section|subsection|subsubsection|paragraph)\*?(?:\[[^\]]*\])?\{(.*?)\}")
_TEX_LEVELS = {"part": 1, "chapter": 2, "section": 3, "subsection": 4, "subsubsection": 5, "paragraph": 6}
_UNDERLINE = re.compile(r"^([=\-`:.'\"~^_*+#<>!$%&(),/;?@\[\\\]{|}])\1{2,}[ \t]*$")
_TITLES = {
    ".tex": re.compile(r"\\title\{(.+?)\}"),
    ".org": re.compile(r"^#\+title:\s*(.+)$", re.IGNORECASE | re.MULTILINE),
}


class MarkupLoader(DocumentLoader):
    """reStructuredText, AsciiDoc, Org and LaTeX."""

    extensions = frozenset({".rst", ".rest", ".adoc", ".asciidoc", ".asc", ".org", ".tex", ".latex"})
    plain_text = True

    def media_type(self, path: Path) -> str:
        """Return ``text/x-rst`` and its like."""
        return _DIALECTS[path.suffix.lower()][0]

    def load(self, path: Path) -> LoadedDocument:
        """Read one section for every heading."""
        text = read_text(path)
        _, find = _DIALECTS[path.suffix.lower()]
        stated = _TITLES[path.suffix.lower()].search(text) if path.suffix.lower() in _TITLES else None
        lines = text.split("\n")
        if find is _find_asciidoc:
            lines = [_ASCIIDOC_IMAGE.sub(lambda match: image_mark(match.group(1)), line) for line in lines]
        return LoadedDocument(list(_sections(lines, find(lines))), stated.group(1) if stated else "")


def _sections(lines: Sequence[str], headings: Sequence[Heading]) -> Iterator[Section]:
    path: list[tuple[int, str]] = []
    starts = [position for position, _, _ in headings]
    yield from _section(lines[: starts[0] if starts else None], path)
    for (start, level, title), end in zip(headings, [*starts, len(lines)][1:], strict=True):
        path = [*(entry for entry in path if entry[0] < level), (level, title)]
        yield from _section(lines[start:end], path)


def _section(lines: Sequence[str], path: Sequence[tuple[int, str]]) -> Iterator[Section]:
    text = "\n".join(lines).strip("\n").rstrip()
    if text.strip():
        yield Section(text, headings=tuple(title for _, title in path))


def _marked(pattern: re.Pattern[str]) -> Callable[[Sequence[str]], list[Heading]]:
    """Headings that begin with as many marks as their level."""

    def find(lines: Sequence[str]) -> list[Heading]:
        matches = ((position, pattern.match(line)) for position, line in enumerate(lines))
        return [(position, len(match.group(1)), match.group(2)) for position, match in matches if match]

    return find


def _tex_headings(lines: Sequence[str]) -> list[Heading]:
    matches = ((position, _TEX.match(line)) for position, line in enumerate(lines))
    return [(position, _TEX_LEVELS[match.group(1)], match.group(2)) for position, match in matches if match]


def _underlined(lines: Sequence[str]) -> list[Heading]:
    """Headings of reStructuredText: underlined, some overlined too; their levels follow the order of appearance."""
    styles: list[tuple[str, bool]] = []
    headings: list[Heading] = []
    for position in range(1, len(lines)):
        rule, title = _UNDERLINE.match(lines[position]), lines[position - 1].strip()
        before = lines[position - 2].strip() if position >= 2 else ""
        if not rule or not title or _UNDERLINE.match(title) or len(lines[position].strip()) < len(title):
            continue
        overlined = before == lines[position].strip()
        if before and not overlined:
            continue  # the last line of a paragraph, or a table
        style = (rule.group(1), overlined)
        if style not in styles:
            styles.append(style)
        headings.append((position - 2 if overlined else position - 1, styles.index(style) + 1, title))
    return headings


_find_asciidoc = _marked(_ASCIIDOC)
_DIALECTS: dict[str, tuple[str, Callable[[Sequence[str]], list[Heading]]]] = {
    **dict.fromkeys((".rst", ".rest"), ("text/x-rst", _underlined)),
    **dict.fromkeys((".adoc", ".asciidoc", ".asc"), ("text/asciidoc", _find_asciidoc)),
    ".org": ("text/org", _marked(_ORG)),
    **dict.fromkeys((".tex", ".latex"), ("text/x-tex", _tex_headings)),
}
