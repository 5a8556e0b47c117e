"""The check of the library: how far it is, what it found, and what can be done about it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from app.domain.findings import Finding, Severity
from app.gui.theme import Appearance
from app.gui.widgets.basics import IconLabel, TextButton, plain_label
from app.gui.widgets.work_card import WorkCard
from app.gui.wording import shown

SIZE = (620, 460)
ABOUT = "Reads everything the way a search does: databases, texts, vectors, indexes, settings. It changes nothing."


class CheckDialog(QDialog):
    """Signals: ``check_wished``; ``stop_wished``, also when it is closed; ``repair_wished``."""

    check_wished = Signal()
    stop_wished = Signal()
    repair_wished = Signal()

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self._lines: list[str] = []
        self.setWindowTitle("Check the library")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(*SIZE)
        self.outcome = plain_label("", scale="heading", wrap=True)
        self.advice = plain_label("", tone="secondary", wrap=True)
        self.work = WorkCard(appearance)
        self.work.stop_wished.connect(self.stop_wished)
        self.copy_button = TextButton(appearance, "Copy", icon="copy", on_click=self._copy)
        self.again_button = TextButton(appearance, "Check again", on_click=self.check_wished.emit)
        self.repair_button = TextButton(appearance, "Repair", kind="primary", on_click=self.repair_wished.emit)
        self.close_button = TextButton(appearance, "Close", on_click=self.reject)
        buttons = QHBoxLayout()
        buttons.addWidget(self.copy_button)
        buttons.addStretch(1)
        for button in (self.again_button, self.close_button, self.repair_button):
            button.setAutoDefault(False)
            buttons.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(26, 22, 26, 18)
        column.setSpacing(10)
        column.addWidget(plain_label("Check the library", scale="title"))
        column.addWidget(plain_label(ABOUT, scale="small", tone="secondary", wrap=True))
        for widget in (self.work, self.outcome, self.advice):
            column.addWidget(widget)
            widget.hide()
        column.addWidget(self._make_list(), 1)
        column.addLayout(buttons)
        self._show_buttons(busy=True)
        self.finished.connect(lambda _result: self.stop_wished.emit())

    def _make_list(self) -> QWidget:
        inner = QWidget()
        self._list = QVBoxLayout(inner)
        self._list.setContentsMargins(0, 4, 10, 4)
        self._list.setSpacing(10)
        self._list.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidget(inner)
        return scroll

    @property
    def lines(self) -> list[str]:
        """What the list says, a line each."""
        return list(self._lines)

    def show_work(self, headline: str, done: int = 0, total: int = 0, *, may_stop: bool = True) -> None:
        """Something is under way."""
        self._clear()
        self.outcome.hide()
        self.advice.hide()
        self.work.show_progress(headline, done, total)
        self.work.stop_button.setVisible(may_stop)
        self._show_buttons(busy=True)
        self.close_button.setEnabled(may_stop)

    def show_findings(self, outcome: str, findings: Sequence[Finding], advice: str, *, can_repair: bool) -> None:
        """What was found."""
        self._show_end(outcome, advice)
        for finding in findings:
            problem = finding.severity is Severity.PROBLEM
            self._add("warning" if problem else "info", "danger" if problem else "text_secondary", finding.message)
        self.repair_button.setVisible(can_repair)

    def show_repairs(self, outcome: str, done: Sequence[str], left: Sequence[str], advice: str) -> None:
        """What was repaired, and what is left for the user to decide."""
        self._show_end(outcome, advice)
        for sentence in done:
            self._add("check", "accent", sentence[:1].upper() + sentence[1:])
        for sentence in left:
            self._add("warning", "warning", f"Left as it is: {sentence}")

    def show_problem(self, message: str) -> None:
        """It could not be done."""
        self._show_end(message, "")

    def _show_end(self, outcome: str, advice: str) -> None:
        self._clear()
        self.work.hide()
        self.outcome.setText(outcome)
        self.outcome.show()
        self.advice.setText(advice)
        self.advice.setVisible(bool(advice))
        self._lines = [outcome]
        self._show_buttons(busy=False)

    def _show_buttons(self, *, busy: bool) -> None:
        self.again_button.setEnabled(not busy)
        self.copy_button.setEnabled(not busy)
        self.close_button.setEnabled(True)
        self.repair_button.hide()

    def _add(self, icon: str, color: str, message: str) -> None:
        line = QWidget()
        row = QHBoxLayout(line)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(10)
        row.addWidget(IconLabel(self._appearance, icon, color=color), alignment=Qt.AlignmentFlag.AlignTop)
        row.addWidget(plain_label(shown(message), wrap=True), 1)
        self._list.insertWidget(self._list.count() - 1, line)
        self._lines.append(shown(message))

    def _clear(self) -> None:
        self._lines = []
        while self._list.count() > 1:
            item = self._list.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.deleteLater()

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText("\n".join(self._lines))
