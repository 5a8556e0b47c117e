"""Measures a chat in the real window and prints one JSON object: ``python -m tests.benchmarks.window_chat_child WHAT``.

WHAT is ``open`` (a session of MESSAGES messages), ``stream`` (an answer of 1,000 tokens a second in such a session) or
``long`` (an answer of 100,000 tokens, its memory and its cost per token).
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from PySide6.QtCore import QEventLoop, Qt, QTimer
from PySide6.QtWidgets import QApplication

from app.chat_models.providers.openai import LM_STUDIO_URL
from app.gui.desktop import Desktop
from app.gui.early_window import make_application
from app.services.chat_service import CHAT_MODEL
from app.settings.paths import AppPaths
from app.storage.session_store import SessionStore, open_chats
from tests.benchmarks.long_texts import answer_tokens, fill_session
from tests.gui.stand_ins import GatedEmbedder, TestServices

MESSAGES = 5000
RATE, STREAMED_TOKENS = 1000.0, 15_000
LONG_TOKENS = 100_000
FRAME_TOKENS = 16
BEAT_SECONDS = 0.002
SETTLING_MILLISECONDS = 700
PATIENCE_SECONDS = 400


class Heartbeat:
    """Feels how long the thread of the window is away: ``stalls`` are the seconds by which each beat came late."""

    def __init__(self) -> None:
        self.stalls: list[float] = []
        self._last = time.perf_counter()
        self._timer = QTimer(interval=round(BEAT_SECONDS * 1000), timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)

    def start(self) -> None:
        """Feel from now on."""
        self._last = time.perf_counter()
        self._timer.start()

    def stop(self) -> None:
        """Feel no more."""
        self._timer.stop()

    def _beat(self) -> None:
        now = time.perf_counter()
        self.stalls.append(max(0.0, now - self._last - BEAT_SECONDS))
        self._last = now


def live(milliseconds: int) -> None:
    """Let the window live for a while."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


def wait_for(condition: Callable[[], bool]) -> None:
    """Let the window live until something is so."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError
        live(5)


@contextmanager
def paced_server(tokens: int, rate: float) -> Iterator[str]:
    """The address of a chat server in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.paced_server", str(tokens), str(rate)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}/v1"
        finally:
            process.kill()


@contextmanager
def window(home: Path, address: str = "") -> Iterator[Desktop]:
    """The real window over a library of one file and a chat of many messages, with the server's model."""
    paths = AppPaths(home / "data", home / "config", home / "cache", home / "logs")
    paths.create()
    with closing(open_chats(paths.chats_db)) as chats:
        session = SessionStore(chats).create("A long chat")
        fill_session(chats, session.id, MESSAGES, home)
    services: list[TestServices] = []

    def build() -> TestServices:
        services.append(TestServices(paths, GatedEmbedder(), None))
        services[0].settings.set(LM_STUDIO_URL, address)
        services[0].settings.set(CHAT_MODEL, "lmstudio:paced" if address else "extractive")
        return services[0]

    application = QApplication.instance() or make_application()
    desktop = Desktop(application, paths, build)  # type: ignore[arg-type]  # it is one, and these are services
    desktop.show()
    wait_for(lambda: desktop.library.loaded and desktop.sessions.loaded)
    (home / "plots.txt").write_text("The society keeps a list of plots.", encoding="utf-8")
    desktop.add_paths([home / "plots.txt"])
    wait_for(lambda: desktop.documents.count() == 1 and not desktop.runner.busy)
    yield desktop
    desktop.window.close()
    desktop.close(timeout=20)


def resident_megabytes() -> float:
    """The memory of this process that is in RAM."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def open_long_chat(desktop: Desktop) -> float:
    """Seconds from the click on a chat until its end is painted."""
    record = desktop.session_list.records[0]
    desktop.begin_chat()
    live(300)
    done = QEventLoop()
    desktop.sessions.opened.connect(done.quit)
    begun = time.perf_counter()
    desktop.sessions.open(record.id)
    done.exec()
    desktop.window.chat.messages.viewport().repaint()
    seconds = time.perf_counter() - begun
    desktop.sessions.opened.disconnect(done.quit)
    return seconds


def ask(desktop: Desktop) -> None:
    """Ask, and wait for the whole answer."""
    desktop.ask("What about the list of plots?")
    wait_for(lambda: not desktop.chat.answering)


def measure_open(home: Path) -> dict[str, object]:
    """How long a chat of many messages takes to open."""
    with window(home) as desktop:
        return {"idle": resident_megabytes(), "open": [open_long_chat(desktop) for _ in range(7)]}


def measure_stream(home: Path) -> dict[str, object]:
    """How long the window's thread is away from the first word of an answer until it is stored and marked."""
    with paced_server(STREAMED_TOKENS, RATE) as address, window(home, address) as desktop:
        open_long_chat(desktop)
        wait_for(lambda: desktop.messages.rowCount() == MESSAGES)
        live(SETTLING_MILLISECONDS)
        heart = Heartbeat()
        begun: list[float] = []
        desktop.chat.answer_began.connect(lambda: begun.append(time.perf_counter()))
        desktop.chat.answer_began.connect(heart.start)
        ask(desktop)
        seconds = time.perf_counter() - begun[0]
        live(SETTLING_MILLISECONDS)
        heart.stop()
        entry = desktop.messages.entries[-1]
        return {"stalls": heart.stalls, "seconds": seconds, "characters": len(entry.text)}


def measure_long(home: Path) -> dict[str, object]:
    """Memory after a very long answer, and the costs of showing its first and its last tokens."""
    with paced_server(LONG_TOKENS, 0.0) as address, window(home, address) as desktop:
        before = resident_megabytes()
        ask(desktop)
        live(500)
        after = resident_megabytes()
        characters = len(desktop.messages.entries[-1].text)
    return {"before": before, "after": after, "characters": characters, "costs": rendering_costs()}


def rendering_costs() -> list[float]:
    """Seconds of the window's thread a token, for each tenth of an answer that is shown as it grows."""
    from app.domain.turns import MessageStatus
    from app.gui.models.message_list_model import MessageEntry, MessageListModel
    from app.gui.theme import Appearance
    from app.gui.typesetting import Typesetting
    from app.gui.widgets.message_list_view import MessageListView
    from app.gui.widgets.message_widgets import make_message_widget

    application = QApplication.instance()
    assert isinstance(application, QApplication)
    appearance, typesetting, model = Appearance(application), Typesetting(), MessageListModel()
    view = MessageListView(
        model, lambda entry, parent: make_message_widget(appearance, entry, parent, typesetting=typesetting)
    )
    view.resize(800, 700)
    view.show()
    application.processEvents()
    entry = MessageEntry(1, "assistant", "", MessageStatus.STREAMING)
    model.append(entry)
    tokens = list(answer_tokens(LONG_TOKENS))
    costs = []
    for tenth in range(10):
        begun = time.thread_time()
        part = tokens[tenth * LONG_TOKENS // 10 : (tenth + 1) * LONG_TOKENS // 10]
        for start in range(0, len(part), FRAME_TOKENS):
            model.append_text(entry, "".join(part[start : start + FRAME_TOKENS]))
            view.arrange()
            application.processEvents()  # which paints
        costs.append((time.thread_time() - begun) / len(part))
    view.deleteLater()
    return costs


def main(what: str) -> None:
    """Measure and print."""
    measures = {"open": measure_open, "stream": measure_stream, "long": measure_long}
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measures[what](Path(folder))), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
