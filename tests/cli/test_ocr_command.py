"""A scan is found, marked and quoted like any other document."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Footnote
from tests.loaders.scans import line_middle, scan

LINES = (
    "The lighthouse keeper logs every ship",
    "that passes the northern channel.",
    "In October 1987 he counted 412 vessels.",
)


def test_a_picture_is_searched_and_quoted_with_its_place(footnote: Footnote, tmp_path: Path) -> None:
    picture = tmp_path / "logbook.png"
    scan(LINES).save(picture)
    (tmp_path / "note.txt").write_text("The bakery opens at six.")
    assert footnote("ingest", picture, tmp_path / "note.txt").status == 0

    found = {Path(row["path"]).name: row for row in footnote("search", "lighthouse ships", "--json").rows}
    assert found["logbook.png"]["page"] == 1
    assert 0.8 < found["logbook.png"]["ocr_confidence"] <= 1
    assert found.get("note.txt", {"ocr_confidence": None})["ocr_confidence"] is None

    rows = footnote("ask", "How many vessels did he count in October 1987?", "--json").rows
    (citation, *_) = next(row["citations"] for row in rows if row.get("citations"))
    assert "412 vessels" in citation["quote"]
    assert any(box["top"] < line_middle(2) < box["bottom"] for box in citation["boxes"])
