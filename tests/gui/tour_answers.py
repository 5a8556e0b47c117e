"""The states of answers and their sources for the pictures: every kind of document, what bears an answer, tasks."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QPoint
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QApplication

from app.chat_models.providers.openai import LM_STUDIO_URL
from app.domain.documents import DocumentState
from app.domain.turn_details import SentPassage
from app.domain.turns import MemoryUsed, QueryRewritten, ToolCalled
from app.gui.desktop import Desktop
from app.gui.ports import Services
from app.gui.turn_notes import TurnNotes, noted
from tests.chat_models.stub_replies import chat_chunk, chat_stream, sse
from tests.chat_models.stub_server import StubServer

CODE = '''"""Rain that the barrels catch."""

from dataclasses import dataclass

LITRES_PER_SQUARE_METRE_AND_MILLIMETRE = 1.0


@dataclass(frozen=True)
class Roof:
    """A roof that drains into a barrel; ``area`` in square metres."""

    area: float
    runoff: float = 0.8

    def harvest(self, rain: float) -> float:
        """Litres that ``rain`` millimetres bring."""
        return self.area * self.runoff * rain * LITRES_PER_SQUARE_METRE_AND_MILLIMETRE


def barrels(roofs: list[Roof], rain: float, size: float = 300.0) -> int:
    """How many barrels of ``size`` litres one rain fills."""
    caught = sum(roof.harvest(rain) for roof in roofs)
    return int(caught // size)  # what is left over runs into the pond
'''
PLACES = {
    "viewer-markdown": ("Welcome to Footnote.md", "No account is needed and nothing is sent anywhere"),
    "viewer-html": ("Bees and wasps.html", ""),
    "viewer-word": ("Meeting notes.docx", ""),
    "viewer-sheet": ("Plot prices.csv", "Half plot | 100 | 78 | 18 | 60"),
    "viewer-code": ("rain.py", "caught = sum(roof.harvest(rain) for roof in roofs)"),
}
ANSWER = (
    "A half plot costs 78 euros a year [p1]. The water share comes on top and is 28 euros [p1]. "
    "Most gardeners find that a fair price."
)


class AnswerTour:
    """Leads the window through the states of answers and of the viewer."""

    def __init__(
        self,
        desktop: Desktop,
        services: Services,
        take: Callable[..., None],
        wait_for: Callable[[Callable[[], bool], str], None],
    ) -> None:
        self._desktop = desktop
        self._services = services
        self._take = take
        self._wait_for = wait_for

    def run(self, folder: Path) -> None:
        """Take the pictures. ``folder`` is for the documents that are read."""
        self._kinds(folder)
        with StubServer() as server:
            self._services.settings.set(LM_STUDIO_URL, f"{server.url}/v1")
            self._desktop.composer.choose_model("lmstudio:tiny")
            self._support(server)
            self._waiting(server)
            self._desktop.composer.choose_model("extractive")
        self._task()

    def _kinds(self, folder: Path) -> None:
        desktop = self._desktop
        papers = folder / "Garden"  # the sample is there already
        (papers / "rain.py").write_text(CODE, encoding="utf-8")
        desktop.add_paths([papers])
        card, panel = desktop.window.right.library.card, desktop.window.right.source
        entries = desktop.documents
        self._wait_for(lambda: _ready(desktop, papers) == 7 and card.isHidden(), "the documents")
        desktop.window.toast.dismiss()
        for state, (name, words) in PLACES.items():
            path = papers / name
            entry = next(each for each in entries.entries if each.path == path)
            text = self._services.library.source(entry.id or 0).text
            start = text.index(words) if words else len(text) // 3
            end = start + len(words) if words else text.index(".", start + 60) + 1
            passage = SentPassage("", entry.id or 0, path, name, None, start, end, text[start:end], 0.8)
            desktop.sources.show_passage(passage)
            self._wait_for(partial(_shows, desktop, path), name)
            panel.tools.outline_button.setChecked(state in {"viewer-html", "viewer-markdown"})
            self._take(state)
        panel.tools.outline_button.setChecked(False)
        (papers / "rain.py").unlink()
        desktop.sources.show_document(entry.id or 0, path)
        self._wait_for(lambda: bool(panel.notice_text), "the notice")
        self._take("viewer-gone")

    def _support(self, server: StubServer) -> None:
        desktop = self._desktop
        desktop.begin_chat()
        desktop.window.show_library()
        server.reply(chat_stream(ANSWER))
        desktop.ask("What does a half plot cost?")
        self._wait_for(lambda: not desktop.chat.answering, "the answer")
        self._take("support")
        widget = desktop.window.chat.messages.widget_at(desktop.messages.rowCount() - 1)
        browser = widget.browser  # type: ignore[union-attr]  # the last message is an answer
        place = browser.document().documentLayout().blockBoundingRect(browser.document().lastBlock()).center()
        where = QPoint(60, int(place.y()))
        QApplication.sendEvent(
            browser.viewport(), QHelpEvent(QHelpEvent.Type.ToolTip, where, browser.viewport().mapToGlobal(where))
        )
        desktop.window.chat.why_wished.emit(desktop.messages.entries[-1].id)
        self._wait_for(lambda: desktop.window.right.answer.account is not None, "the account")
        self._take("why")
        bar = desktop.window.right.answer.verticalScrollBar()
        bar.setValue(bar.maximum())
        self._take("why-prompt")
        desktop.window.show_library()

    def _waiting(self, server: StubServer) -> None:
        """A follow-up whose model wants to use a tool; what it wants is put in, as the scripted server knows none."""
        desktop = self._desktop
        server.reply(sse(chat_chunk("")), server.gate())
        desktop.ask("And the deposit?")
        entry = desktop.messages.entries[-1]
        self._wait_for(lambda: entry.passage_count is not None, "the passages")
        notes = TurnNotes()
        for event in (
            QueryRewritten("What is the deposit for a half plot?"),
            MemoryUsed(4, 6, "They talked about prices."),
            ToolCalled("1", "read_pages", '{"document": "Plot prices.csv", "pages": "1-2"}', needs_approval=True),
        ):
            notes = noted(notes, event)
        desktop.chat.note(entry, notes)
        self._take("tool-approval")
        desktop.chat.stop()
        self._wait_for(lambda: not desktop.chat.answering, "the end")

    def _task(self) -> None:
        desktop = self._desktop
        desktop.begin_chat()
        composer = desktop.window.chat.composer
        composer.edit.setPlainText("Which documents say something about water?")
        desktop.check_every_document()
        seen: list[int] = []

        def look() -> bool:
            widget = desktop.window.chat.messages.widget_at(desktop.messages.rowCount() - 1)
            task = getattr(getattr(widget, "notes", None), "task", None)
            if task is not None and not seen:
                seen.append(1)
                self._take("task", settle=False)
            return not desktop.chat.answering and desktop.messages.rowCount() == 2

        self._wait_for(look, "the task")
        self._take("task-answer")


def _ready(desktop: Desktop, folder: Path) -> int:
    ready = DocumentState.READY
    return sum(folder in each.path.parents and each.state is ready for each in desktop.documents.entries)


def _shows(desktop: Desktop, path: Path) -> bool:
    source = desktop.window.right.source.source
    return source is not None and source.path == path
