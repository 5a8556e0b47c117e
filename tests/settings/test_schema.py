"""Collecting the settings of a package's modules."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.settings.schema import collect_settings
from app.settings.setting import Setting

MakePackage = Callable[..., str]
HEADER = "from app.settings.setting import Setting\n"
SIZE = HEADER + 'SIZE = Setting("rooms.size", 3, "Size")\n'
_numbers = itertools.count()


@pytest.fixture
def make_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MakePackage]:
    """Writes a package of the given modules (path: source) and returns its name."""
    monkeypatch.syspath_prepend(str(tmp_path))
    made = []

    def make(**modules: str) -> str:
        name = f"sample_rooms_{next(_numbers)}"
        made.append(name)
        for dotted, source in {"__init__": "", **modules}.items():
            file = tmp_path / name / f"{dotted.replace('__in__', '/')}.py"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(source.replace("PACKAGE", name))
            (file.parent / "__init__.py").touch()
        return name

    yield make
    for module in [each for each in sys.modules if each.split(".")[0] in made]:
        del sys.modules[module]


def test_constants_of_nested_modules_are_found_sorted_by_key(make_package: MakePackage) -> None:
    depth = HEADER + 'DEPTH = Setting("a.depth", 1, "Depth")\n'
    found = collect_settings(make_package(one=SIZE, inner__in__two=depth))
    assert list(found) == ["a.depth", "rooms.size"]
    assert found["rooms.size"].label == "Size"


def test_importing_a_constant_elsewhere_is_no_second_declaration(make_package: MakePackage) -> None:
    found = collect_settings(make_package(one=SIZE, two="from PACKAGE.one import SIZE\n"))
    assert list(found) == ["rooms.size"]


def test_a_key_declared_twice_is_an_error(make_package: MakePackage) -> None:
    with pytest.raises(ValueError, match=r"rooms\.size is declared twice"):
        collect_settings(make_package(one=SIZE, two=SIZE))


@pytest.mark.parametrize(
    "second", ['Setting("b", 1, "B", was=("rooms.size",))', 'Setting("b", 1, "B", was=("c", "c"))']
)
def test_a_former_key_that_is_taken_is_an_error(make_package: MakePackage, second: str) -> None:
    with pytest.raises(ValueError, match="belongs to another setting"):
        collect_settings(make_package(one=SIZE, two=f"{HEADER}B = {second}\n"))


def test_nothing_found_is_an_error(make_package: MakePackage) -> None:
    with pytest.raises(RuntimeError, match="no settings found"):
        collect_settings(make_package(one="X = 1\n"))


def test_entry_points_and_skipped_rooms_are_not_imported(make_package: MakePackage) -> None:
    bomb = "raise AssertionError('imported')\n"
    name = make_package(one=SIZE, __main__=bomb, window__in__panel=bomb)
    assert list(collect_settings(name, skip=[f"{name}.window"])) == ["rooms.size"]


def test_the_programs_own_declarations_agree() -> None:
    for key, setting in collect_settings(skip=["app.gui"]).items():
        assert isinstance(setting, Setting)
        assert setting.key == key
