"""Pictures of the real window in named states, light and dark: ``python -m tests.gui.screenshots [FOLDER]``.

Everything is the real program: its services, its models, the sample library. Needs a display, which
``make screenshots`` brings.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEventLoop, QRect, QTimer
from PySide6.QtWidgets import QApplication, QWidget

from app.bootstrap import Services
from app.domain.documents import DocumentState
from app.gui.colors import ThemeMode
from app.gui.desktop import Desktop
from app.gui.early_window import make_application
from app.gui.widgets.dialogs import ShortcutsDialog
from app.gui.widgets.message_widgets import AnswerWidget
from app.gui.widgets.template_dialogs import TemplatesDialog
from app.settings.paths import AppPaths
from app.settings.resources import resource
from tests.gui.tour_answers import AnswerTour
from tests.gui.tour_chat import ChatTour
from tests.gui.tour_library import LibraryTour
from tests.gui.tour_models import ModelTour
from tests.gui.tour_sessions import SessionTour

SIZE = (1320, 840)
PATIENCE_SECONDS = 180
QUESTIONS = (
    "What does a half plot cost?",
    "How long do tomato seeds keep?",
    "How often may I water my plot in a dry summer?",
)


def pause(milliseconds: int) -> None:
    """Let the window live for a moment."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Let the window live until something is so."""
    for _ in range(PATIENCE_SECONDS * 100):
        if condition():
            return
        pause(10)
    raise TimeoutError(f"waited in vain for {what}")


class Tour:
    """Leads one window through its states."""

    def __init__(self, desktop: Desktop, folder: Path, documents: Path, services: Services) -> None:
        self._desktop = desktop
        self._folder = folder
        self._documents = documents
        self._services = services
        self._theme = desktop.appearance.theme.name
        self._number = 0

    def run(self) -> None:
        """Take all pictures."""
        self._beginnings()
        self._reading()
        self._asking()
        self._sources()
        self._composing()
        self._dialogs()
        LibraryTour(self._desktop, self.take, wait_for).run(self._documents)
        SessionTour(self._desktop, self.take, wait_for).run(self._documents.parent)
        AnswerTour(self._desktop, self._services, self.take, wait_for).run(self._documents)
        ChatTour(self._desktop, self._services, self.take, wait_for).run()

    def take(self, name: str, widget: QWidget | None = None, *, settle: bool = True) -> None:
        """Take a picture of the window, or of one widget."""
        if settle:
            pause(150)
        self._number += 1
        path = self._folder / f"{self._number:02}-{name}-{self._theme}.png"
        if not (widget or self._desktop.window).grab().save(str(path)):
            raise OSError(f"could not write {path}")

    def _beginnings(self) -> None:
        window = self._desktop.window
        wait_for(lambda: self._desktop.library.loaded, "the library")
        self.take("empty")
        window.overlay.cover()
        self.take("dropping")
        window.overlay.hide()

    def _reading(self) -> None:
        desktop = self._desktop
        locked = self._documents / "Tax letter 2024.pdf"
        locked.write_bytes(b"%PDF-1.7 and then nothing of use")
        garden = self._documents / "Garden"  # a path as a user has it, not the checkout's
        shutil.copytree(resource("sample"), garden, dirs_exist_ok=True)
        desktop.add_paths([garden, locked])
        card = desktop.window.right.library.card
        wait_for(lambda: "of 7" in card.headline.text() and bool(card.detail.full_text), "progress")
        self.take("ingesting")
        wait_for(lambda: desktop.documents.count(DocumentState.READY) == 6 and card.isHidden(), "the sample")
        self.take("problems")
        desktop.library.remove([entry for entry in desktop.documents.entries if entry.failed])
        desktop.window.toast.dismiss()
        self.take("ready")

    def _asking(self) -> None:
        desktop = self._desktop
        for question in QUESTIONS[:-1]:
            desktop.begin_chat()
            self._ask(question)
        desktop.begin_chat()
        taken: list[int] = []

        def while_it_streams(_row: int, _text: str) -> None:
            if not taken and len(desktop.messages.entries[-1].text) > 60:
                taken.append(1)
                desktop.window.chat.messages.arrange()
                self.take("answering", settle=False)

        desktop.messages.text_appended.connect(while_it_streams)
        self._ask(QUESTIONS[-1])
        desktop.messages.text_appended.disconnect(while_it_streams)
        self.take("answer")
        self._hover_footnote()

    def _ask(self, question: str) -> None:
        self._desktop.ask(question)
        wait_for(lambda: not self._desktop.chat.answering, "the answer")

    def _hover_footnote(self) -> None:
        answer = self._answer
        chip = answer.browser.chips[0]
        place = answer.browser.chip_rectangle(chip).toRect()
        where = QRect(answer.browser.viewport().mapToGlobal(place.topLeft()), place.size())
        answer.footnote_hovered.emit(answer.entry.id, chip.number, where)
        pause(300)
        self.take("footnote")
        self._desktop.window.chat.hide_card()

    def _sources(self) -> None:
        desktop = self._desktop
        entry = desktop.messages.entries[-1]
        source = desktop.window.right.source
        pdf = next(each for each in entry.citations if each.page)
        desktop.open_footnote(entry.id, pdf.number)
        wait_for(lambda: source.pdf.page == pdf.page and source.pdf.rendered(pdf.page or 0), "the page")
        self.take("viewer")
        desktop.sessions.open(desktop.session_list.records[1].id)
        wait_for(lambda: desktop.messages.entries[-1] is not entry, "the other chat")
        other = desktop.messages.entries[-1]
        desktop.open_footnote(other.id, other.citations[0].number)
        wait_for(lambda: source.source is not None and source.source.reading is not None, "the text")
        self.take("viewer-text")
        desktop.window.show_library()

    def _composing(self) -> None:
        desktop, composer = self._desktop, self._desktop.window.chat.composer
        desktop.begin_chat()
        wait_for(lambda: len(desktop.composer.templates) > 0, "the templates")
        brief = next(each for each in desktop.composer.templates if each.name == "Brief")
        desktop.composer.use_template(brief)
        desktop.composer.choose_model("openai:gpt-4o-mini")
        places = {each.label: each.value for each in desktop.composer.scope_suggestions()}
        for label in ("Garden", "PDF", "This year"):
            desktop.composer.add(places[label])
        desktop.window.toast.dismiss()
        composer.edit.insertPlainText("Which dates matter for @")
        self.take("composing")
        composer.close_suggestions()
        composer.edit.clear()
        ModelTour(desktop, self._services, self.take, wait_for).run()
        desktop.composer.choose_model("extractive")
        composer.templates_wished.emit()
        dialog = desktop.window.findChild(TemplatesDialog)
        self.take("templates", dialog)
        if dialog is not None:
            dialog.close()

    def _dialogs(self) -> None:
        desktop = self._desktop
        desktop.open_settings()
        wait_for(lambda: desktop.settings.dialog is not None, "the settings")
        self.take("settings", desktop.settings.dialog)
        if desktop.settings.dialog is not None:
            desktop.settings.dialog.close()
        shortcuts = ShortcutsDialog(desktop.appearance, desktop.window.shortcuts(), desktop.window)
        shortcuts.open()
        self.take("shortcuts", shortcuts)
        shortcuts.close()
        desktop.session_actions.delete(desktop.session_list.records[-1].id)
        self.take("undo")

    @property
    def _answer(self) -> AnswerWidget:
        widget = self._desktop.window.chat.messages.widget_at(self._desktop.messages.rowCount() - 1)
        if not isinstance(widget, AnswerWidget):
            raise TypeError("the last message is no answer")
        return widget


def photograph(application: QApplication, mode: ThemeMode, folder: Path) -> None:
    """Open the window over a fresh home folder and take it on a tour."""
    with tempfile.TemporaryDirectory() as home:
        root = Path(home)
        os.environ["HOME"] = home  # folders are shown as those of any user
        paths = AppPaths(root / "data", root / "config", root / "cache", root / "logs")
        (root / "documents").mkdir()
        built: list[Services] = []

        def build() -> Services:
            built.append(Services(paths, writer=True))
            return built[-1]

        desktop = Desktop(application, paths, build)
        desktop.state.theme = mode
        desktop.appearance.set_mode(mode)
        desktop.window.resize(*SIZE)
        desktop.show()
        try:
            wait_for(lambda: desktop.sessions.loaded, "the services")
            desktop.settings.use_theme(mode)
            Tour(desktop, folder, root / "documents", built[-1]).run()
        finally:
            desktop.window.close()
            desktop.close(timeout=20)


def main(arguments: list[str]) -> int:
    """Take the pictures of every theme. Returns the exit status."""
    folder = Path(arguments[0]) if arguments else Path("build/screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.png"):
        old.unlink()
    application = make_application()
    for mode in (ThemeMode.LIGHT, ThemeMode.DARK):
        photograph(application, mode, folder)
    print(f"{len(list(folder.glob('*.png')))} pictures in {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
