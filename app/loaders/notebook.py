"""Jupyter notebooks (nbformat 3 and 4): text, code and what the code printed, cell by cell."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.domain.documents import Section, SectionKind
from app.loaders.archive_guard import damaged
from app.loaders.document_loader import DocumentLoader, LoadedDocument
from app.loaders.markdown import markdown_sections
from app.loaders.text_decoding import read_text

# Training logs and tables of whole data sets say little; what they begin and end with is kept.
LONGEST_OUTPUT = 4_000
_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


class NotebookLoader(DocumentLoader):
    """Notebooks. Headings of text cells hold for the code below them; pictures among the outputs are left out."""

    extensions = frozenset({".ipynb"})
    plain_text = True

    def media_type(self, path: Path) -> str:
        """Return ``application/x-ipynb+json``."""
        del path
        return "application/x-ipynb+json"

    def load(self, path: Path) -> LoadedDocument:
        """Read the cells in order. Raises ``DocumentError``; ``damaged`` if it is no notebook."""
        try:
            notebook = json.loads(read_text(path))
        except (ValueError, RecursionError) as error:
            raise damaged(path) from error
        cells = _cells(notebook)
        if cells is None:
            raise damaged(path)
        headings: list[tuple[int, str]] = []
        sections = [section for cell in cells if isinstance(cell, dict) for section in _sections(cell, headings)]
        return LoadedDocument(sections, _stated_title(notebook))


def _cells(notebook: object) -> list[Any] | None:
    if not isinstance(notebook, dict):
        return None
    if isinstance(cells := notebook.get("cells"), list):
        return cells
    sheets = notebook.get("worksheets")  # until 2013
    if not isinstance(sheets, list):
        return None
    return [cell for sheet in sheets if isinstance(sheet, dict) for cell in sheet.get("cells") or []]


def _stated_title(notebook: dict[str, Any]) -> str:
    metadata = notebook.get("metadata")
    return _text(metadata.get("title")) if isinstance(metadata, dict) else ""


def _sections(cell: dict[str, Any], headings: list[tuple[int, str]]) -> Iterator[Section]:
    kind = cell.get("cell_type")
    source = _text(cell.get("source") or cell.get("input")).strip("\n")
    if kind in {"markdown", "heading"}:
        level = cell.get("level")
        marks = "#" * level + " " if kind == "heading" and isinstance(level, int) else ""
        yield from markdown_sections((marks + source).split("\n"), path=headings)
        return
    above = tuple(title for _, title in headings)
    if source.strip():
        yield Section(source, headings=above, kind=SectionKind.CODE if kind == "code" else SectionKind.TEXT)
    outputs = cell.get("outputs")
    shown = [_output(each) for each in outputs if isinstance(each, dict)] if isinstance(outputs, list) else []
    text = "\n".join(each.strip("\n") for each in shown if each.strip())
    if text:
        yield Section(_bounded(text), headings=above)


def _output(output: dict[str, Any]) -> str:
    """What an output shows as plain text: printed lines, a value, or the error that ended the cell."""
    if output.get("output_type") in {"error", "pyerr"}:
        return f"{_text(output.get('ename'))}: {_text(output.get('evalue'))}"
    data = output.get("data")
    plain = data.get("text/plain") if isinstance(data, dict) else None
    return _COLOURS.sub("", _text(output.get("text") or plain))


def _bounded(text: str) -> str:
    if len(text) <= LONGEST_OUTPUT:
        return text
    half = LONGEST_OUTPUT // 2
    return f"{text[:half]}\n[…]\n{text[-half:]}"


def _text(value: object) -> str:
    """Notebooks store text as a string or as a list of lines."""
    if isinstance(value, list):
        return "".join(each for each in value if isinstance(each, str))
    return value if isinstance(value, str) else ""
