"""A window in a process of its own that a test kills: ``python -m tests.gui.life_child HOME SERVER``.

It types a question, waits until half an answer stands on the screen, types on, waits until both are on the disk, says
so on standard output, and waits for its end.
"""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
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
    typed: list[bool] = []

    def look() -> None:
        if typed:
            if _is_kept(paths):
                looking.stop()
                print("half", flush=True)
        elif not asked and desktop.sessions.loaded and desktop.library.loaded:
            asked.append(True)
            desktop.window.toggle_right()
            QTest.keyClicks(edit, QUESTION)
            QTest.keyClick(edit, Qt.Key.Key_Return)
        elif asked and desktop.messages.entries and "salt" in desktop.messages.entries[-1].text:
            typed.append(True)
            QTest.keyClicks(edit, "and then")

    looking.timeout.connect(look)
    looking.start()
    application.exec()


def _is_kept(paths: AppPaths) -> bool:
    """Whether what came and what was typed since are on the disk."""
    drafts = paths.data / "drafts.json"
    if not drafts.exists() or "and then" not in drafts.read_text(encoding="utf-8"):
        return False
    with closing(sqlite3.connect(paths.chats_db)) as connection:
        [stored] = connection.execute("SELECT count(*) FROM messages WHERE text LIKE 'Because rivers carry salt%'")
    return bool(stored[0])


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
