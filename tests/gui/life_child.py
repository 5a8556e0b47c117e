"""A window in a process of its own that a test kills: ``python -m tests.gui.life_child HOME SERVER``.

It types a question, waits until half an answer stands on the screen, says so on standard output, and waits for its end.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest

from app.chat_models.providers.openai import LM_STUDIO_URL
from app.gui.desktop import Desktop
from app.gui.early_window import make_application
from app.services.chat_service import CHAT_MODEL
from app.settings.paths import AppPaths
from tests.gui.stand_ins import GatedEmbedder, TestServices

QUESTION = "Why is the sea salty?"


def main(home: Path, server: str) -> None:
    """Open the window and ask."""
    application = make_application()
    paths = AppPaths(home / "data", home / "config", home / "cache", home / "logs")

    def build() -> TestServices:
        services = TestServices(paths, GatedEmbedder(), None)
        services.settings.set(LM_STUDIO_URL, server)
        services.settings.set(CHAT_MODEL, "lmstudio:tiny")
        return services

    desktop = Desktop(application, paths, build)
    desktop.show()
    looking = QTimer(desktop, interval=50)
    edit = desktop.window.chat.composer.edit
    asked: list[bool] = []

    def look() -> None:
        if not asked and desktop.sessions.loaded and desktop.library.loaded:
            asked.append(True)
            desktop.window.toggle_right()
            QTest.keyClicks(edit, QUESTION)
            QTest.keyClick(edit, Qt.Key.Key_Return)
        elif asked and desktop.messages.entries and "salt" in desktop.messages.entries[-1].text:
            looking.stop()
            QTest.keyClicks(edit, "and then")
            QTimer.singleShot(1_500, lambda: print("half", flush=True))  # what is typed is kept a moment later

    looking.timeout.connect(look)
    looking.start()
    application.exec()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
