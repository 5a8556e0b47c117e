"""Notebooks: text, code and outputs of each cell."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.domain.documents import SectionKind
from app.domain.errors import FailureReason
from app.loaders.notebook import LONGEST_OUTPUT
from tests.loaders.conftest import Load, Refused


def write(path: Path, *cells: dict[str, object]) -> Path:
    path.write_text(json.dumps({"nbformat": 4, "metadata": {}, "cells": list(cells)}))
    return path


def code(source: str, *outputs: dict[str, object]) -> dict[str, object]:
    return {"cell_type": "code", "source": source.splitlines(keepends=True), "outputs": list(outputs)}


def markdown(source: str) -> dict[str, object]:
    return {"cell_type": "markdown", "source": source}


def test_cells_keep_their_kind_and_headings(tmp_path: Path, load: Load) -> None:
    path = write(
        tmp_path / "a.ipynb",
        markdown("# Ducks\n\nHow many?"),
        markdown("## Count"),
        code(
            "count = 3\nprint(count)",
            {"output_type": "stream", "text": ["3\n"]},
            {"output_type": "execute_result", "data": {"text/plain": "three", "image/png": "iVBOR"}},
        ),
        code("1 / 0", {"output_type": "error", "ename": "ZeroDivisionError", "evalue": "division", "traceback": ["…"]}),
    )
    document = load(path)
    assert [(each.section.headings, each.section.kind, each.section.text) for each in document.sections] == [
        (("Ducks",), SectionKind.TEXT, "# Ducks\n\nHow many?"),
        (("Ducks", "Count"), SectionKind.TEXT, "## Count"),
        (("Ducks", "Count"), SectionKind.CODE, "count = 3\nprint(count)"),
        (("Ducks", "Count"), SectionKind.TEXT, "3\nthree"),
        (("Ducks", "Count"), SectionKind.CODE, "1 / 0"),
        (("Ducks", "Count"), SectionKind.TEXT, "ZeroDivisionError: division"),
    ]
    assert document.title == "Ducks"


def test_long_outputs_keep_their_ends(tmp_path: Path, load: Load) -> None:
    path = write(tmp_path / "a.ipynb", code("", {"output_type": "stream", "text": "first" + "x" * 10**6 + "last"}))
    text = load(path).text
    assert text.startswith("first")
    assert text.endswith("last")
    assert len(text) < LONGEST_OUTPUT + 10


def test_old_notebooks_are_read(tmp_path: Path, load: Load) -> None:
    cells = [
        {"cell_type": "heading", "level": 2, "source": "Old"},
        {"cell_type": "code", "input": "x = 1", "outputs": [{"output_type": "pyout", "text": "1"}]},
    ]
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps({"nbformat": 3, "worksheets": [{"cells": cells}]}))
    assert load(path).text == "## Old\n\nx = 1\n\n1"


@pytest.mark.parametrize("text", ["{", "[]", '{"cells": 3}', "[" * 100_000, '{"worksheets": "x"}'])
def test_what_is_no_notebook_is_damaged(tmp_path: Path, refused: Refused, text: str) -> None:
    path = tmp_path / "a.ipynb"
    path.write_text(text)
    assert refused(path).reason is FailureReason.DAMAGED


def test_odd_cells_are_passed_over(tmp_path: Path, load: Load) -> None:
    path = tmp_path / "a.ipynb"
    odd = [None, {"cell_type": "code", "source": 3, "outputs": [4]}, {"cell_type": "raw", "source": ["kept", 5]}]
    path.write_text(json.dumps({"cells": odd}))
    assert load(path).text == "kept"
