"""Finding the files that ship with the program."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from app.settings.resources import resource


def test_a_checkout_has_its_resources_beside_the_package() -> None:
    assert resource("sample").is_dir()


def test_a_frozen_build_has_them_in_its_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "resources" / "sample").mkdir(parents=True)
    monkeypatch.setattr(sys, "_MEIPASS", str(tmp_path), raising=False)
    assert resource("sample") == tmp_path / "resources" / "sample"


def test_what_is_missing_is_named_with_the_places_looked_at() -> None:
    with pytest.raises(FileNotFoundError, match=r"no themes/none\.json in resources; looked at .*resources"):
        resource("themes", "none.json")
