"""Profiles: found by name, made whole or not at all, renamed without moving."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.errors import BadInputError, StorageError
from app.settings.paths import AppPaths
from app.settings.profiles import FIRST_PROFILE, LONGEST_NAME, Profiles


def base(folder: Path) -> AppPaths:
    return AppPaths.from_environment({"FOOTNOTE_HOME": str(folder)})


@pytest.fixture
def profiles(tmp_path: Path) -> Profiles:
    return Profiles(base(tmp_path))


def test_without_any_other_there_is_the_first(profiles: Profiles, tmp_path: Path) -> None:
    (only,) = profiles.profiles()
    assert (only.id, only.name, only.paths) == ("", FIRST_PROFILE, base(tmp_path))


def test_each_profile_has_folders_of_its_own(profiles: Profiles, tmp_path: Path) -> None:
    work, home = profiles.create("Work"), profiles.create("Home")
    assert [each.name for each in profiles.profiles()] == [FIRST_PROFILE, "Home", "Work"]
    folders = {each.paths.chats_db for each in profiles.profiles()} | {each.paths.index_dir for each in (work, home)}
    assert len(folders) == 5
    assert work.paths.profile == work.id
    assert work.paths.chats_db.is_relative_to(tmp_path)


def test_the_environment_names_the_profile(profiles: Profiles, tmp_path: Path) -> None:
    work = profiles.create("Work")
    environ = {"FOOTNOTE_HOME": str(tmp_path), "FOOTNOTE_PROFILE": "work"}
    assert AppPaths.from_environment(environ) == work.paths
    assert work.paths.first == base(tmp_path)
    assert Profiles(work.paths).profiles() == profiles.profiles()
    with pytest.raises(BadInputError, match="no profile “play”"):
        AppPaths.from_environment(environ | {"FOOTNOTE_PROFILE": "play"})
    for first in ("", "Default"):
        assert AppPaths.from_environment(environ | {"FOOTNOTE_PROFILE": first}) == base(tmp_path)


@pytest.mark.parametrize(
    "name", ["", "   ", "x" * (LONGEST_NAME + 1), "-x", "a/b", "a\\b", "a\nb", "a\x00b", "\u202ea"]
)
def test_what_is_no_name_is_refused(profiles: Profiles, name: str) -> None:
    with pytest.raises(BadInputError, match="name"):
        profiles.create(name)
    assert len(profiles.profiles()) == 1


@pytest.mark.parametrize("name", ["work", " WORK ", "Default"])
def test_a_name_is_taken_whatever_its_case(profiles: Profiles, name: str) -> None:
    profiles.create("Work")
    with pytest.raises(BadInputError, match="already"):
        profiles.create(name)


def test_renaming_moves_nothing(profiles: Profiles) -> None:
    work = profiles.create("Work")
    renamed = profiles.rename("work", "Büro")
    assert (renamed.id, renamed.paths) == (work.id, work.paths)
    assert profiles.profile("büro") == renamed
    assert profiles.rename("Büro", "BÜRO").name == "BÜRO"
    with pytest.raises(BadInputError, match="no profile"):
        profiles.profile("Work")


def test_the_first_profile_keeps_its_name(profiles: Profiles) -> None:
    with pytest.raises(BadInputError, match="can't be renamed"):
        profiles.rename("default", "Mine")


@pytest.mark.parametrize("facts", ["", "{", "[]", '{"name": 7}', '{"name": ""}', None])
def test_a_profile_whose_name_is_damaged_can_be_opened_by_its_id(profiles: Profiles, facts: str | None) -> None:
    work = profiles.create("Work")
    file = work.paths.data.parent / "profile.json"
    file.unlink() if facts is None else file.write_text(facts, encoding="utf-8")
    assert profiles.profile(work.id).paths == work.paths
    assert profiles.rename(work.id, "Work again").name == "Work again"
    assert json.loads(file.read_text(encoding="utf-8")) == {"name": "Work again"}


def test_what_lies_beside_the_profiles_is_none(profiles: Profiles) -> None:
    folder = profiles.create("Work").paths.data.parent
    (folder.parent / ".0123456789ab").mkdir()  # a profile that was being made when the power failed
    (folder.parent / "notes").mkdir()
    assert [each.name for each in profiles.profiles()] == [FIRST_PROFILE, "Work"]


def test_a_home_that_refuses_is_said(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where a folder should be", encoding="utf-8")
    profiles = Profiles(base(tmp_path))
    assert len(profiles.profiles()) == 1
    with pytest.raises(StorageError, match="can't be used"):
        profiles.create("Work")


@settings(deadline=None)
@given(st.text(max_size=LONGEST_NAME))
def test_any_name_is_refused_or_found_again(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    profiles = Profiles(base(tmp_path_factory.mktemp("home")))
    try:
        made = profiles.create(name)
    except BadInputError:
        assert len(profiles.profiles()) == 1
        return
    assert profiles.profile(made.name) == made
    assert profiles.profile(name) == made
