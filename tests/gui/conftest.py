"""The real window with real services; only the embedding model and the chat model are stand-ins."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.chat_models.model import ChatModel
from app.chat_models.providers.openai import LM_STUDIO_URL
from app.gui.colors import ThemeMode
from app.gui.desktop import Desktop
from app.gui.jobs import JobRunner
from app.gui.models.document_list_model import WAITING_STATES
from app.gui.models.message_list_model import MessageEntry
from app.gui.theme import Appearance
from app.services.chat_service import CHAT_MODEL
from app.settings.paths import AppPaths
from tests.chat_models.stub_server import StubServer
from tests.gui.stand_ins import GatedEmbedder, QuotingModel, TestServices, Witness

# The offscreen platform says so of windows with a minimum size, and of pop-ups; it means nothing.
IGNORED_QT_LOG = "This plugin does not support"
WAIT = 30_000


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


class DesktopRig:
    """A running window over one home folder; ``restart`` closes it and opens another one over the same folder."""

    def __init__(self, application: QApplication, bot: QtBot, home: Path) -> None:
        self._application = application
        self._bot = bot
        self.paths = AppPaths(home / "data", home / "config", home / "cache", home / "logs")
        self.embedder = GatedEmbedder()
        self.model: ChatModel | None = QuotingModel(model="quoting")
        self.sample: Path | None = None
        self.calls: list[tuple[str, int]] = []
        self.built: list[TestServices] = []
        self.desktop: Desktop | None = None

    def open(self) -> Desktop:
        """Open the window and wait until it is of use."""
        desktop = self.open_without_waiting()
        self._bot.waitUntil(lambda: desktop.library.loaded and desktop.sessions.loaded, timeout=WAIT)
        return desktop

    def open_remote(self, server: StubServer) -> Desktop:
        """Open the window with a chosen model that lives on a scripted server."""
        desktop = self.open()
        self.built[-1].settings.set(LM_STUDIO_URL, f"{server.url}/v1")
        self.built[-1].settings.set(CHAT_MODEL, "lmstudio:tiny")
        return desktop

    def open_without_waiting(self) -> Desktop:
        self.desktop = Desktop(self._application, self.paths, self.build, sample=self.sample)
        self.desktop.appearance.set_mode(ThemeMode.LIGHT)
        self.desktop.show()
        return self.desktop

    def close(self) -> None:
        """Close it as the user does."""
        desktop, self.desktop = self.desktop, None
        if desktop is not None:
            for gate in (self.embedder.gate, getattr(self.model, "gate", None)):
                if gate is not None:
                    gate.set()
            desktop.window.close()
            assert desktop.close(timeout=20), "it did not close in time"
            desktop.window.deleteLater()
            self._bot.wait(1)

    def restart(self) -> Desktop:
        self.close()
        return self.open()

    def add(self, *paths: Path) -> None:
        """Add files and wait until the library is done with them."""
        assert self.desktop is not None
        documents, library = self.desktop.documents, self.desktop.window.right.library
        self.desktop.add_paths(list(paths))
        self._bot.waitUntil(lambda: not library.card.isHidden(), timeout=WAIT)
        self._bot.waitUntil(
            lambda: library.card.isHidden() and documents.count() > 0 and not documents.count(*WAITING_STATES),
            timeout=WAIT,
        )

    def ask(self, question: str) -> MessageEntry:
        """Ask and wait for the whole answer."""
        assert self.desktop is not None
        chat = self.desktop.chat
        self.desktop.ask(question)
        self._bot.waitUntil(lambda: not chat.answering, timeout=WAIT)
        return self.desktop.messages.entries[-1]

    def build(self) -> Any:
        """What the window is given as its services."""
        self.built.append(TestServices(self.paths, self.embedder, self.model))
        return Witness(self.built[-1], self.calls)


@pytest.fixture
def stub() -> Iterator[StubServer]:
    """A scripted chat server."""
    with StubServer() as server:
        yield server


@pytest.fixture
def rig(qapp: QApplication, qtbot: QtBot, tmp_path: Path) -> Iterator[DesktopRig]:
    """Makes windows; the last one is closed at the end, and the crash hooks stay as they are."""
    rig = DesktopRig(qapp, qtbot, tmp_path / "home")
    yield rig
    rig.close()


@pytest.fixture
def desktop(rig: DesktopRig) -> Desktop:
    """An open window over an empty library."""
    return rig.open()
