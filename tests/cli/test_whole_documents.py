"""Summaries and answers from every file, from the command line."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Footnote


def test_a_file_is_summarised_in_its_own_sentences(sample_footnote: Footnote) -> None:
    path = sample_footnote("documents", "--json").rows[0]["path"]
    result = sample_footnote("summarise", path, "--json")
    assert result.status == 0
    (row,) = result.rows
    assert row["answer"]
    assert {each["path"] for each in row["citations"]} == {path}
    assert "[1]" in sample_footnote("summarise", path).out


def test_every_file_is_looked_through(sample_footnote: Footnote) -> None:
    count = len(sample_footnote("documents", "--json").rows)
    result = sample_footnote("find", "Which documents mention tomato?", "--json")
    assert result.status == 0
    (row,) = result.rows
    assert f"Checked {count} of {count} files." in row["answer"]
    assert row["citations"]
    assert {Path(each["path"]).name for each in row["citations"]} == {"Seed saving.txt", "Welcome to Footnote.md"}


def test_a_file_that_is_not_in_the_library_is_bad_input(sample_footnote: Footnote, tmp_path: Path) -> None:
    result = sample_footnote("summarise", tmp_path / "nowhere.pdf")
    assert result.status == 2
    assert "nowhere.pdf" in result.err
    assert sample_footnote("find", "  ").status == 2


def test_a_file_is_attached_to_one_question(sample_footnote: Footnote, tmp_path: Path) -> None:
    note = tmp_path / "boiler.txt"
    note.write_text("The boiler of the Sabra mill was bought in 1974 for 900 crowns.")

    result = sample_footnote("ask", "When was the boiler of the Sabra mill bought?", "--attach", note, "--json")

    assert result.status == 0
    (row,) = result.rows
    assert row["answered"]
    assert "1974" in row["answer"]
    assert {each["path"] for each in row["citations"]} == {str(note)}
    again = sample_footnote("ask", "When was the boiler of the Sabra mill bought?", "--json")
    assert not again.rows[0]["answered"]
    assert sample_footnote("ask", "When?", "--attach", tmp_path / "nowhere.txt").status == 2
