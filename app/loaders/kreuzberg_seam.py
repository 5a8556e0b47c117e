"""The one place that knows the ``kreuzberg`` library. It turns what that returns into sections."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.domain.documents import Section
from app.domain.errors import DocumentError, FailureReason
from app.loaders.archive_guard import damaged, encrypted
from app.loaders.document_loader import LoadedDocument
from app.loaders.section_builder import SectionBuilder

if TYPE_CHECKING:
    from kreuzberg import ExtractionConfig, ExtractionResult

MOST_THREADS = 2
_PASSWORD_WORDS = ("password", "encrypted", "decrypt")
_RUNNING_LAYERS = {"header", "footer"}
_MARKS = re.compile(r"(\*\*|~~|`)(\S(?:.*?\S)?)\1")


def extract(path: Path, media_type: str) -> LoadedDocument:
    """Read a text document as ``media_type``. Raises ``DocumentError``."""
    result = _extracted(path, media_type, structure=True)
    structure = result.document
    sections = _sections(structure["nodes"]) if structure else []
    return _loaded(result, sections)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet of a spreadsheet: its number from 1, its name, and the cells of the area that holds any."""

    number: int
    name: str
    cells: list[list[str]]


def read_sheets(path: Path, media_type: str) -> tuple[list[Sheet], dict[str, str]]:
    """Read the sheets of a spreadsheet, those without cells too, and what it states of itself.

    Raises ``DocumentError``.
    The structure of a large sheet, an object per cell, would take a kilobyte a cell.
    """
    result = _extracted(path, media_type, structure=False)
    names = result.metadata.get("sheet_names") or []
    cells = {table.page_number: table.cells for table in result.tables}
    numbers = sorted({*cells, *range(1, len(names) + 1)})
    sheets = [Sheet(n, names[n - 1] if 0 < n <= len(names) else "", cells.get(n, [])) for n in numbers]
    return sheets, _metadata(result.metadata)


def _extracted(path: Path, media_type: str, *, structure: bool) -> ExtractionResult:
    import kreuzberg

    try:
        return kreuzberg.extract_file_sync(str(path), mime_type=media_type, config=_config(structure=structure))
    except kreuzberg.MissingDependencyError as error:
        message = f"“{path.name}” is of a kind that can't be read yet."
        raise DocumentError(FailureReason.UNSUPPORTED, message) from error
    except kreuzberg.KreuzbergError as error:
        told = str(error).lower()
        raise encrypted(path) if any(word in told for word in _PASSWORD_WORDS) else damaged(path) from error


def _loaded(result: ExtractionResult, sections: list[Section]) -> LoadedDocument:
    if not any(section.text.strip() for section in sections):
        sections = [Section(_tidied(result.content))]
    metadata = _metadata(result.metadata)
    pages = max((section.page or 0 for section in sections), default=0)
    return LoadedDocument(sections, metadata.get("title", ""), pages or None, metadata)


def _config(*, structure: bool) -> ExtractionConfig:
    import kreuzberg

    return kreuzberg.ExtractionConfig(
        use_cache=False,
        enable_quality_processing=False,
        include_document_structure=structure,
        disable_ocr=True,  # type: ignore[call-arg]  # its type stubs forgot it
        tree_sitter=kreuzberg.TreeSitterConfig(enabled=False),  # it would download grammars
        concurrency=kreuzberg.ConcurrencyConfig(max_threads=MOST_THREADS),
    )


def _metadata(stated: Any) -> dict[str, str]:
    authors = stated.get("authors") or []
    found = {
        "title": stated.get("title") or stated.get("subject"),
        "author": ", ".join(authors) if isinstance(authors, list) else authors,
        "created": stated.get("created_at"),
        "language": stated.get("language"),
    }
    return {key: str(value) for key, value in found.items() if value}


def _sections(nodes: Sequence[Any]) -> list[Section]:
    builder = SectionBuilder()
    numbers: dict[int, int] = {}
    for node in nodes:
        if node.get("content_layer") not in _RUNNING_LAYERS:
            builder.page = node["content"].get("number") or node.get("page") or builder.page
            _add(builder, node, nodes, numbers)
    return builder.finish()


def _add(builder: SectionBuilder, node: Any, nodes: Sequence[Any], numbers: dict[int, int]) -> None:
    content = node["content"]
    kind = content["node_type"]
    text = _tidied(content.get("text") or content.get("title") or "")
    if kind in {"heading", "slide"}:
        builder.heading(content.get("level") or 1, text)
    elif kind == "table":
        builder.table(_grid_rows(content["grid"]))
    elif kind == "code":
        builder.code(text)
    elif kind == "list_item":
        builder.line(_bullet(node, nodes, numbers) + text)
    elif kind == "metadata_block":
        builder.heading(1, dict(content.get("entries") or []).get("Subject", ""))
    elif kind not in {"group", "list", "image"}:
        builder.paragraph(text)


def _bullet(node: Any, nodes: Sequence[Any], numbers: dict[int, int]) -> str:
    """What a list item begins with: its number where the list has numbers. ``numbers`` counts, by list."""
    parent = node.get("parent")
    if parent is None or not nodes[parent]["content"].get("ordered"):
        return "- "
    numbers[parent] = numbers.get(parent, 0) + 1
    return f"{numbers[parent]}. "


def _grid_rows(grid: Any) -> list[list[str]]:
    rows = [[""] * grid["cols"] for _ in range(grid["rows"])]
    for cell in grid["cells"]:
        if cell["row"] < grid["rows"] and cell["col"] < grid["cols"]:
            rows[cell["row"]][cell["col"]] = _MARKS.sub(r"\2", _tidied(cell["content"]))
    return rows


def _tidied(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "").strip()
