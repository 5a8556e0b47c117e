"""Starting and ending the program, as the user and the operating system do it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, Qt, qWarning
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.domain.errors import UserFacingError
from app.gui.colors import ThemeMode
from app.gui.desktop import Desktop
from app.gui.early_window import DISPLAY_VARIABLES, make_window
from app.gui.widgets.dialogs import CrashDialog
from tests.gui.conftest import WAIT, DesktopRig

REPOSITORY = Path(__file__).resolve().parents[2]
HEAVY = (
    "numpy",
    "faiss",
    "torch",
    "sqlite_utils",
    "sentence_transformers",
    "openvino",
    "onnxruntime",
    "tantivy",
    "kreuzberg",
    "keyring",
    "pydantic",
    "pypdfium2",
    "httpx2",
    "asyncio",
    "app.services.model_service",
    "PySide6.QtPdf",
    "app.bootstrap",
)
PATIENCE_SECONDS = 60

# Prints which heavy modules are loaded at the moment at which the window has been painted for the first time.
PROBE = f"""
import os, sys, tempfile
from pathlib import Path
from app.gui.early_window import make_application
from app.gui.early_window import DISPLAY_VARIABLES, make_window
from app.gui.desktop import Desktop
from app.settings.paths import AppPaths

root = Path(tempfile.mkdtemp())
paths = AppPaths(root / "data", root / "config", root / "cache", root / "logs")
application = make_application()

def build():
    print("loaded:", [name for name in {HEAVY!r} if name in sys.modules], flush=True)
    os._exit(0)

desktop = Desktop(application, paths, build)
desktop.show()
application.exec()
"""


# Prints what of the program is loaded at the moment at which the empty window is on the screen.
EARLY_PROBE = """
import sys
from app.__main__ import early_window

early = early_window()
names = ("app.gui.desktop", "app.gui.widgets.chat_panel", "app.gui.theme", "app.cli", "logging.handlers")
print("painted:", early.window.isVisible(), "loaded:", [name for name in names if name in sys.modules], flush=True)
early.window.close()
"""


def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "FOOTNOTE_HOME": str(home), "QT_QPA_PLATFORM": "offscreen", "PYTHONFAULTHANDLER": "1"}


@pytest.fixture
def program(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """The real program in a process of its own, ended at the latest with the test."""
    process = subprocess.Popen(
        [sys.executable, "-m", "app"],
        cwd=REPOSITORY,
        env=environment(tmp_path / "home"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    yield process
    if process.poll() is None:
        process.kill()
    process.communicate()


def wait_for_file(path: Path, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not path.exists():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline, f"{path} did not appear"
        time.sleep(0.05)


def test_nothing_heavy_is_loaded_before_the_window_is_painted(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROBE],
        cwd=REPOSITORY,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert "loaded: []" in done.stdout, done.stdout + done.stderr


def test_the_window_is_painted_before_the_program_is_imported(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", EARLY_PROBE],
        cwd=REPOSITORY,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert "painted: True loaded: []" in done.stdout, done.stdout + done.stderr


def test_keys_typed_into_the_empty_window_reach_the_composer(qtbot: QtBot, qapp: QApplication, rig: DesktopRig) -> None:
    window = make_window(rig.paths)
    qtbot.addWidget(window)
    with qtbot.waitSignal(window.first_painted):
        window.show()
    handle = window.windowHandle()
    for character in "why?":
        for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
            key = QKeyEvent(kind, ord(character.upper()), Qt.KeyboardModifier.NoModifier, character)
            QApplication.postEvent(handle, key)  # typed, but nobody has looked yet
    desktop = Desktop(qapp, rig.paths, rig.build, window=window)
    rig.desktop = desktop
    desktop.show()
    qtbot.waitUntil(lambda: desktop.window.chat.composer.edit.toPlainText() == "why?", timeout=WAIT)
    qtbot.waitUntil(lambda: desktop.library.loaded and desktop.sessions.loaded, timeout=WAIT)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends programs in other ways")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_the_program_in_good_order(
    program: subprocess.Popen[str], tmp_path: Path, number: signal.Signals
) -> None:
    wait_for_file(tmp_path / "home" / "data" / "chats.db", program)
    began = time.monotonic()
    program.send_signal(number)
    output, _ = program.communicate(timeout=PATIENCE_SECONDS)
    assert program.returncode == 0, output
    assert "Traceback" not in output
    assert "Fatal Python error" not in output
    assert time.monotonic() - began < 15
    assert (tmp_path / "home" / "config" / "window.ini").exists()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems always have a display")
def test_without_a_display_it_says_so(tmp_path: Path) -> None:
    bare = {name: value for name, value in environment(tmp_path).items() if name not in DISPLAY_VARIABLES}
    done = subprocess.run(
        [sys.executable, "-m", "app"],
        cwd=REPOSITORY,
        env=bare,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 2
    assert "no display" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_home_that_is_no_folder_is_told_in_the_window(qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file", encoding="utf-8")
    rig = DesktopRig(qapp, qtbot, tmp_path / "home")
    desktop = rig.open_without_waiting()
    invitation = desktop.window.chat.invitation
    qtbot.waitUntil(lambda: "is a file" in invitation.words, timeout=WAIT)
    (tmp_path / "home").unlink()
    invitation.retry_wished.emit()
    qtbot.waitUntil(lambda: desktop.library.loaded, timeout=WAIT)
    rig.close()


def test_quitting_while_services_are_being_built_closes_them(qtbot: QtBot, rig: DesktopRig) -> None:
    desktop = rig.open_without_waiting()
    desktop.start()
    rig.close()
    for services in rig.built:
        with pytest.raises(Exception, match="closed"):
            services.sessions.sessions()


def test_size_and_panels_are_remembered(qtbot: QtBot, rig: DesktopRig, desktop: Desktop) -> None:
    desktop.window.sessions.hide()
    desktop.window.resize(760, 520)  # the offscreen screen is small
    desktop.window.splitter.setSizes([0, 450, 310])
    desktop.settings.switch_theme()
    assert desktop.appearance.theme.dark
    qtbot.waitUntil(lambda: not desktop.runner.busy, timeout=WAIT)
    sizes = desktop.window.splitter.sizes()
    rig.close()
    desktop = Desktop(QApplication.instance(), rig.paths, rig.build)  # type: ignore[arg-type]  # it is one
    rig.desktop = desktop
    desktop.show()
    qtbot.waitUntil(lambda: desktop.sessions.loaded and desktop.library.loaded, timeout=WAIT)
    assert desktop.appearance.mode is ThemeMode.DARK
    assert (desktop.window.width(), desktop.window.height()) == (760, 520)
    assert desktop.window.splitter.sizes() == sizes


def test_errors_for_users_show_their_message_and_bugs_their_traceback(qtbot: QtBot, desktop: Desktop) -> None:
    def world() -> None:
        raise UserFacingError("The disk is full. Free some space.")

    def bug() -> None:
        raise ZeroDivisionError("ours")

    desktop.runner.run(world)
    qtbot.waitUntil(lambda: desktop.window.toast.text == "The disk is full. Free some space.", timeout=WAIT)
    desktop.runner.run(bug)
    qtbot.waitUntil(lambda: bool(desktop.window.findChildren(CrashDialog)), timeout=WAIT)
    dialog = desktop.window.findChildren(CrashDialog)[0]
    assert "ZeroDivisionError: ours" in dialog.details.toPlainText()
    dialog.close()


def test_what_nobody_caught_reaches_the_crash_dialog_from_any_thread(qtbot: QtBot, desktop: Desktop) -> None:
    desktop.crashes.install()
    try:
        error = LookupError("on the GUI thread")
        sys.excepthook(LookupError, error, None)
        thread = threading.Thread(target=[].pop, name="window-call-of-a-test")
        thread.start()
        thread.join()
        qtbot.waitUntil(lambda: len(desktop.window.findChildren(CrashDialog)) == 2, timeout=WAIT)
    finally:
        desktop.crashes.remove()
    reports = [dialog.details.toPlainText() for dialog in desktop.window.findChildren(CrashDialog)]
    assert any("on the GUI thread" in report for report in reports)
    assert any("IndexError" in report for report in reports)
    for dialog in desktop.window.findChildren(CrashDialog):
        dialog.close()


def test_warnings_of_qt_reach_the_log(qtbot: QtBot, desktop: Desktop, caplog: pytest.LogCaptureFixture) -> None:
    desktop.crashes.install()
    try:
        qWarning("something odd")
    finally:
        desktop.crashes.remove()
    assert "Qt: something odd" in caplog.text


def test_shortcuts(qtbot: QtBot, rig: DesktopRig, desktop: Desktop) -> None:
    window = desktop.window
    keys = [key.toString() for action in window.actions() for key in action.shortcuts()]
    assert len(keys) == len(set(keys)), "two actions share a key"
    assert all(action.text() for action in window.actions())
    window.activateWindow()
    window.sessions.list.setFocus()
    QTest.keyClick(window, Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: window.chat.composer.edit.hasFocus(), timeout=WAIT)
    QTest.keyClick(window, Qt.Key.Key_B, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: window.sessions.isHidden(), timeout=WAIT)
    QTest.keyClick(window, Qt.Key.Key_B, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(window, Qt.Key.Key_B, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    qtbot.waitUntil(lambda: window.right.isHidden() and not window.sessions.isHidden(), timeout=WAIT)
