"""``footnote doctor --check`` and ``--repair`` as a user runs them, with the real embedding model."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Footnote, sample_footnote
from tests.faults.conftest import Library
from tests.faults.damage import DAMAGES

__all__ = ["sample_footnote"]


@pytest.fixture
def footnote(sample_footnote: Footnote, tmp_path: Path) -> Footnote:
    """A Footnote with a copy of the sample library, to be damaged."""
    shutil.copytree(sample_footnote.home, tmp_path / "home")
    return Footnote(tmp_path / "home")


def test_a_sound_library(sample_footnote: Footnote) -> None:
    words = sample_footnote("doctor", "--check")
    assert words.status == 0
    assert "Everything is in order: 6 documents" in words.out
    [row] = sample_footnote("doctor", "--check", "--json").rows
    assert row["check"]["problems"] == row["check"]["notes"] == 0
    assert row["check"]["chunks"] == row["check"]["vectors"] > 0


@pytest.mark.requirement("R18")
def test_damage_is_told_repaired_and_gone(footnote: Footnote) -> None:
    library = Library(footnote.home, Path())
    for name in ("vector altered", "passage hidden", "keyword index altered", "message index altered"):
        if name != "message index altered":
            DAMAGES[name][0](library)
    before = footnote("search", "how long do tomato seeds keep", "--json").rows
    checked = footnote("doctor", "--check", "--json")
    assert checked.status == 1
    assert {row["code"] for row in checked.rows[:-1]} >= {"vector", "state", "keyword_index"}
    assert "footnote doctor --repair" in footnote("doctor", "--check").out
    repaired = footnote("doctor", "--repair")
    assert repaired.status == 0, repaired.out + repaired.err
    assert "repaired:" in repaired.out
    assert "Everything is in order" in repaired.out
    after = footnote("search", "how long do tomato seeds keep", "--json").rows
    assert after[0]["text"] == before[0]["text"]


@pytest.mark.requirement("R5")
def test_a_database_that_cant_be_opened_comes_with_an_offer(footnote: Footnote) -> None:
    library = Library(footnote.home, Path())
    content = bytearray(library.database.read_bytes())
    content[:4096] = bytes(4096)
    library.database.write_bytes(content)
    refused = footnote("documents")
    assert refused.status == 1
    assert "footnote doctor --repair" in refused.err
    assert "Traceback" not in refused.err
    checked = footnote("doctor", "--check", "--json")
    assert checked.status == 1
    assert checked.rows[0]["code"] == "database"
    repaired = footnote("doctor", "--repair")
    assert repaired.status == 0, repaired.out + repaired.err
    assert list(library.database.parent.glob("library.db.corrupt-*"))
    assert footnote("documents").status == 0
