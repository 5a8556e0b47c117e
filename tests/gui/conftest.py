"""The real window with real services; only the embedding model and the chat model are stand-ins."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.gui.jobs import JobRunner
from app.gui.theme import Appearance, ThemeMode

# The offscreen platform says so once per window with a minimum size; it means nothing.
IGNORED_QT_LOG = "propagateSizeHints"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.qt_log_ignore(IGNORED_QT_LOG, extend=True))


@pytest.fixture
def appearance(qapp: QApplication) -> Appearance:
    return Appearance(qapp, ThemeMode.LIGHT)


@pytest.fixture
def make_runner(qtbot: QtBot) -> Iterator[Callable[[], JobRunner]]:
    """Makes runners that are closed at the end; errors nobody waited for fail the test."""
    runners: list[JobRunner] = []
    unhandled: list[Exception] = []

    def make() -> JobRunner:
        runners.append(JobRunner(on_unhandled=unhandled.append))
        return runners[-1]

    yield make
    for runner in runners:
        assert runner.close()
    assert not unhandled


@pytest.fixture
def runner(make_runner: Callable[[], JobRunner]) -> JobRunner:
    return make_runner()


@pytest.fixture
def touch() -> Callable[[Path], None]:
    """Makes a file look changed."""

    def set_later(path: Path) -> None:
        stamp = path.stat().st_mtime_ns + 2_000_000_000
        os.utime(path, ns=(stamp, stamp))

    return set_later
