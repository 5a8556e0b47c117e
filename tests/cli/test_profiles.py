"""``footnote profiles`` and ``--profile``, as a user runs them."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.settings.paths import AppPaths
from app.storage.library_lock import LibraryLock
from tests.cli.conftest import Footnote


@pytest.fixture
def footnote(tmp_path: Path) -> Footnote:
    """No command here needs a search model."""
    return Footnote(tmp_path / "home")


def names(footnote: Footnote, *options: str) -> list[str]:
    return [str(row["name"]) for row in footnote(*options, "profiles", "list", "--json").rows]


def paths(footnote: Footnote, name: str = "") -> AppPaths:
    return AppPaths.from_environment({"FOOTNOTE_HOME": str(footnote.home), "FOOTNOTE_PROFILE": name})


def test_profiles_have_libraries_of_their_own(footnote: Footnote, tmp_path: Path) -> None:
    assert footnote("profiles", "create", "Work").status == 0
    assert names(footnote) == ["default", "Work"]
    assert footnote("--profile", "Work", "collections", "create", "Contracts").status == 0
    assert "Contracts" in footnote("--profile", "work", "collections").out
    assert "Contracts" not in footnote("collections").out
    assert paths(footnote, "Work").library_db.is_file()
    listed = footnote("--profile", "Work", "profiles")
    assert [line[0] for line in listed.out.splitlines()] == [" ", "*"]


def test_what_can_not_be_is_said_and_changes_nothing(footnote: Footnote) -> None:
    footnote("profiles", "create", "Work")
    for options, words in (
        (("--profile", "Play", "documents"), "no profile “Play”"),
        (("profiles", "create", "work"), "already"),
        (("profiles", "create", "a/b"), "can't be a profile's name"),
        (("profiles", "create"), "Say which"),
        (("profiles", "rename", "Work"), "new name"),
        (("profiles", "delete", "Play"), "no profile “Play”"),
        (("profiles", "delete", "default"), "can't be deleted"),
        (("--profile", "Work", "profiles", "delete", "Work"), "is open here"),
    ):
        result = footnote(*options)
        assert (result.status, words in result.err) == (2, True), result
    assert names(footnote) == ["default", "Work"]
    assert not (footnote.home / "data" / "profiles" / "Play").exists()


def test_a_deleted_profile_lies_aside_whole_and_can_be_put_back(footnote: Footnote) -> None:
    footnote("profiles", "create", "Work")
    footnote("--profile", "Work", "collections", "create", "Contracts")
    home = paths(footnote, "Work").data.parent
    deleted = footnote("profiles", "delete", "Work", "--json")
    aside = Path(deleted.rows[0]["folder"])
    assert (aside / "data" / "library.db").is_file()
    assert names(footnote) == ["default"]
    assert footnote("profiles", "create", "Work").status == 0  # the name is free again
    assert footnote("profiles", "rename", "Work", "Other").status == 0
    aside.rename(home)
    assert "Contracts" in footnote("--profile", "Work", "collections").out


def test_a_profile_that_another_process_has_open_is_not_deleted(footnote: Footnote) -> None:
    footnote("profiles", "create", "Work")
    work = paths(footnote, "Work")
    work.create()
    with LibraryLock(work.library_lock):
        refused = footnote("profiles", "delete", "Work")
        assert refused.status == 1
        assert "is open in another Footnote (process" in refused.err
        row = footnote("profiles", "--json").rows[1]
        assert isinstance(row["process"], int)
        assert footnote("profiles", "rename", "Work", "Office").status == 0
    assert names(footnote) == ["default", "Office"]
    assert footnote("profiles", "delete", "Office").status == 0
