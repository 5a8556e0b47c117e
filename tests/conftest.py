"""What every test gets: no screen, no network but loopback, no thread left behind, the reference data."""

from __future__ import annotations

import ipaddress
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from app.__main__ import prepare_process

# Machines are busy: how long examples take says nothing, and what hangs is ended as a whole. A change is judged by the
# same examples each time; those who look for new ones set FOOTNOTE_EXPLORE.
settings.register_profile(
    "footnote",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
    derandomize=not os.environ.get("FOOTNOTE_EXPLORE"),
)
settings.load_profile("footnote")

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
prepare_process()
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "true"

REPOSITORY = Path(__file__).resolve().parent.parent
THREAD_GRACE_SECONDS = 5.0
# Pools of libraries that live as long as the process; none of ours is among them.
LASTING_THREADS = ("asyncio_", "QThread", "Dummy-", "tokio", "pytest_timeout", "execnet", "tqdm")


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of real documents and benchmark sets that lies beside the repository."""
    folder = Path(os.environ.get("FOOTNOTE_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no reference data at {folder}: set FOOTNOTE_TEST_DATA to the folder that holds it")
    return folder


def _is_loopback(address: Any) -> bool:
    if not isinstance(address, tuple):
        return True  # a Unix socket
    host = str(address[0])
    if host in {"localhost", ""}:
        return True
    try:
        return ipaddress.ip_address(host.split("%")[0]).is_loopback
    except ValueError:
        return False


@pytest.fixture(autouse=True)
def only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection that would leave this machine."""
    real_connect, real_connect_ex = socket.socket.connect, socket.socket.connect_ex

    def guarded_connect(self: socket.socket, address: Any) -> None:
        if not _is_loopback(address):
            raise AssertionError(f"a test tried to reach {address}")
        real_connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Any) -> int:
        if not _is_loopback(address):
            raise AssertionError(f"a test tried to reach {address}")
        return real_connect_ex(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded_connect)
    monkeypatch.setattr(socket.socket, "connect_ex", guarded_connect_ex)


def _own_threads() -> set[threading.Thread]:
    return {
        thread
        for thread in threading.enumerate()
        if thread.is_alive() and not thread.name.startswith(LASTING_THREADS) and thread is not threading.main_thread()
    }


@pytest.fixture(autouse=True)
def no_leaked_threads() -> Iterator[None]:
    """Fail a test that leaves a thread running."""
    before = _own_threads()
    yield
    deadline = time.monotonic() + THREAD_GRACE_SECONDS
    for thread in _own_threads() - before:
        thread.join(max(0.0, deadline - time.monotonic()))
    left = sorted(thread.name for thread in _own_threads() - before)
    assert not left, f"threads left running: {left}"


@pytest.fixture(autouse=True)
def no_leaked_timers(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test of the window that leaves a timer of a living top-level widget running."""
    yield
    if "qtbot" not in request.fixturenames:
        return
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication

    left = [
        timer
        for widget in QApplication.topLevelWidgets()
        if not widget.isVisible()
        for timer in widget.findChildren(QTimer)
        if timer.isActive()
    ]
    assert not left, f"timers left running: {left}"
