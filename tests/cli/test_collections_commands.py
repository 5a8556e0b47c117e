"""Collections and packs from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Footnote


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two folders of notes that share a word."""
    for name, text in (("east/gate.txt", "The gate closes at sunset."), ("west/gate.md", "The gate opens at dawn.")):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(text)
    return tmp_path


def test_searches_and_answers_keep_to_a_collection(footnote: Footnote, folder: Path) -> None:
    assert footnote("ingest", folder / "east", "--collection", "East").status == 0
    assert footnote("ingest", folder / "west").status == 0
    assert [row["documents"] for row in footnote("collections", "--json").rows] == [1]
    found = footnote("search", "gate", "--collection", "east", "--json")
    assert [row["title"] for row in found.rows] == ["gate"]
    assert found.rows[0]["path"].endswith("east/gate.txt")
    assert len(footnote("search", "gate", "--json").rows) == 2
    assert len(footnote("search", "gate", "--folder", folder / "west", "--type", "text", "--json").rows) == 1
    assert footnote("search", "gate", "--until", "2001-01-01", "--json").rows == []
    answer = footnote("ask", "When does the gate open?", "--collection", "East", "--json")
    assert all(row["path"].endswith("east/gate.txt") for row in answer.rows[0]["citations"])
    for arguments in (("--collection", "nowhere"), ("--since", "yesterday")):
        refused = footnote("search", "gate", *arguments)
        assert refused.status == 2
        assert "Traceback" not in refused.err


def test_collections_are_made_changed_and_deleted(footnote: Footnote, folder: Path) -> None:
    assert footnote("ingest", folder / "east").status == 0
    made = footnote("collections", "create", "Gates", folder / "east", "--json")
    assert made.rows[-1] == {"name": "Gates", "documents": 1, "folders": [str(folder / "east")]}
    assert footnote("collections", "rename", "gates", "Doors", "--json").rows[0]["name"] == "Doors"
    assert footnote("collections", "remove", "Doors", folder / "east", "--json").rows[0]["documents"] == 0
    assert footnote("collections", "add", "Doors", folder / "nothing.txt").status == 2
    assert footnote("collections", "delete", "Doors", "--json").rows[0]["deleted"]
    assert footnote("collections", "--json").rows == []
    assert len(footnote("documents", "--json").rows) == 1


def test_a_pack_goes_to_another_computer(footnote: Footnote, folder: Path, tmp_path: Path) -> None:
    assert footnote("ingest", folder / "east", "--collection", "East").status == 0
    assert footnote("ingest", folder / "west").status == 0
    pack, other = tmp_path / "east.footnotepack", Footnote(tmp_path / "other")
    exported = footnote("pack", "export", pack, "--collection", "East", "--json")
    assert exported.rows[0]["documents"] == 1
    (other.home / "data").mkdir(parents=True)
    (other.home / "data" / "models").symlink_to(footnote.home / "data" / "models")
    planned = other("pack", "import", pack, "--map", f"{folder}={tmp_path / 'mine'}", "--dry-run", "--json")
    assert (planned.rows[0]["added"], planned.rows[0]["embedded"]) == (1, 0)
    assert other("documents", "--json").rows == []
    taken = other("pack", "import", pack, "--map", f"{folder}={tmp_path / 'mine'}", "--json")
    assert (taken.rows[0]["added"], taken.rows[0]["offline"]) == (1, 1)
    [row] = other("search", "gate", "--collection", "East", "--json").rows
    assert (row["path"], row["offline"]) == (str(tmp_path / "mine" / "east" / "gate.txt"), True)
    pack.write_bytes(pack.read_bytes()[:-20])
    refused = other("pack", "verify", pack)
    assert refused.status == 2
    assert "damaged" in refused.err
