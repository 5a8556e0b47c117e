"""Tables in text files keep their rows whole."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.documents import SectionKind
from app.loaders.delimited import delimiter_of
from app.loaders.tables import table_text
from tests.loaders.conftest import Load, Refused


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("suffix", [".csv", ".tsv"])
def test_the_delimiter_is_found(tmp_path: Path, load: Load, delimiter: str, suffix: str) -> None:
    path = tmp_path / f"table{suffix}"
    rows = [["name", "price, net"], ["Oats", "1,50"], ["Rye; whole", "2"]]
    with path.open("w", newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)

    (placed,) = load(path).sections

    assert placed.section.kind is SectionKind.TABLE
    assert placed.section.text == "name | price, net\nOats | 1,50\nRye; whole | 2"


def test_line_breaks_inside_cells_do_not_break_rows(tmp_path: Path, load: Load) -> None:
    path = tmp_path / "table.csv"
    path.write_text('name,note\nOats,"first line\nsecond line"\nRye,plain\n')
    assert load(path).text == "name | note\nOats | first line second line\nRye | plain"


def test_rows_of_other_lengths_and_empty_rows_are_tolerated(tmp_path: Path, load: Load) -> None:
    path = tmp_path / "table.csv"
    path.write_text("a,b,c\n1\n\n,,\n1,2,3,4\n")
    assert load(path).text == "a | b | c\n1\n1 | 2 | 3 | 4"


def test_a_binary_is_refused(tmp_path: Path, refused: Refused) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)))
    assert refused(path).reason.value == "binary"


CELLS = st.lists(st.lists(st.text(alphabet="ab1 ,;\"'", min_size=1), min_size=2, max_size=2), min_size=3, max_size=8)


@given(CELLS, st.sampled_from(",;\t|"))
def test_every_cell_comes_back(rows: list[list[str]], delimiter: str) -> None:
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows(rows)

    assert delimiter_of(buffer.getvalue()) == delimiter
    read = csv.reader(io.StringIO(buffer.getvalue()), delimiter=delimiter)
    assert table_text(read) == table_text(rows)
