"""Followed folders on the command line: listed, removed, looked through, watched."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Footnote


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "kept.txt").write_text("The gate closes at sunset.")
    (folder / "gone.txt").write_text("The well is two metres deep.")
    return folder


def test_an_ingested_folder_is_followed_until_it_is_removed(footnote: Footnote, papers: Path) -> None:
    assert footnote("ingest", papers).status == 0
    [row] = footnote("folders", "--json").rows
    assert (row["path"], row["state"], row["documents"]) == (str(papers), "live", 2)
    (papers / "gone.txt").unlink()
    (papers / "kept.txt").rename(papers / "moved.txt")
    events = footnote("folders", "rescan", "--json").rows
    assert {(event["event"], Path(event["path"]).name) for event in events} == {
        ("moved", "moved.txt"),
        ("removed", "gone.txt"),
    }
    assert footnote("folders", "exclude", papers / "moved.txt").status == 0
    again = footnote("ingest", papers, "--json").rows[-1]["summary"]
    assert again["documents"] == 0
    assert footnote("folders", "remove", papers).status == 0
    assert footnote("folders", "--json").rows == []
    assert footnote("folders", "remove", papers).status == 2


def test_passages_of_a_folder_that_went_away_are_found_with_a_note(footnote: Footnote, papers: Path) -> None:
    assert footnote("ingest", papers).status == 0
    assert "offline" not in footnote("search", "gate at sunset", "-k", "1", "--json").rows[0]
    papers.rename(papers.parent / "away")
    assert footnote("folders", "rescan").status == 0
    [row] = footnote("folders", "--json").rows
    assert (row["state"], row["offline"]) == ("offline", 2)
    [found] = footnote("search", "gate at sunset", "-k", "1", "--json").rows
    assert found["offline"] is True
    assert "not reachable now" in footnote("search", "gate at sunset", "-k", "1").out
    (papers.parent / "away").rename(papers)
    assert footnote("folders", "rescan").status == 0
    assert "offline" not in footnote("search", "gate at sunset", "-k", "1", "--json").rows[0]


def test_a_dry_run_counts_and_changes_nothing(footnote: Footnote, papers: Path) -> None:
    (papers / ".hidden.txt").write_text("x")
    (papers / "id_rsa.txt").write_text("x")
    [row] = footnote("ingest", "--dry-run", papers, "--json").rows
    assert (row["files"], row["bytes"]) == (2, 54)
    assert row["passed_over"] == {"hidden": 1, "keys and passwords": 1}
    assert footnote("documents", "--json").rows == []
    assert footnote("folders", "--json").rows == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_watch_prints_what_happens_until_it_is_told_to_end(
    footnote: Footnote, papers: Path, number: signal.Signals
) -> None:
    assert footnote("ingest", papers).status == 0
    watching = subprocess.Popen(
        [sys.executable, "-m", "app", "watch", "--json"],
        env=footnote.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert watching.stdout is not None
    try:
        assert json.loads(watching.stdout.readline())["state"] == "live"
        (papers / "new.txt").write_text("Herons nest in the old oak.")
        events = [json.loads(watching.stdout.readline()) for _ in range(2)]
        assert [event["event"] for event in events] == ["reading", "ready"]
        assert {event["path"] for event in events} == {str(papers / "new.txt")}
        watching.send_signal(number)
        out, errors = watching.communicate(timeout=60)
    finally:
        watching.kill()
        watching.wait()
    assert (watching.returncode, out, errors) == (0, "", "")


def test_watch_without_any_folder_is_bad_input(footnote: Footnote) -> None:
    result = footnote("watch")
    assert result.status == 2
    assert "No folder is followed" in result.err
