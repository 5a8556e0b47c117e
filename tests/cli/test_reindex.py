"""``footnote reindex``: another search model, told before, answered by the old one until it is done."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Footnote
from tests.retrieval.tiny_model import write_tiny_model


def test_another_model_takes_over_and_the_first_can_come_back(footnote: Footnote, tmp_path: Path) -> None:
    text = tmp_path / "river.txt"
    text.write_text("The boat is on the river.\n\nThe ice of winter is on it.\n", encoding="utf-8")
    assert footnote("ingest", text).status == 0
    [plan] = footnote("reindex", "--json").rows[:1]
    assert plan["chunks"] == 0
    model = write_tiny_model(tmp_path / "tiny")
    told = footnote("reindex", "--model", model, "--dry-run", "--json")
    assert (told.status, told.rows[0]["documents"]) == (0, 1)
    assert told.rows[0]["chunks"] > 0
    assert told.rows[0]["wanted"] != plan["serving"]
    done = footnote("reindex", "--model", model, "--json")
    assert (done.status, done.rows[-1]["serving"]) == (0, told.rows[0]["wanted"])
    [doctor] = footnote("doctor", "--json").rows
    assert doctor["model"]["key"] == told.rows[0]["wanted"]
    assert doctor["problems"] == []
    assert "river" in footnote("search", "boat river", "--json").rows[0]["text"]
    assert footnote("doctor", "--check").status == 0


def test_a_folder_without_a_model_changes_nothing(footnote: Footnote, tmp_path: Path) -> None:
    text = tmp_path / "river.txt"
    text.write_text("The boat is on the river.\n", encoding="utf-8")
    footnote("ingest", text)
    refused = footnote("reindex", "--model", tmp_path / "nothing")
    assert refused.status != 0
    assert "nothing" in refused.err
    assert footnote("search", "boat", "--json").rows
