"""Asks as what a chat is exported."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QDialog, QHBoxLayout, QRadioButton, QVBoxLayout, QWidget

from app.gui.theme import Appearance
from app.gui.widgets.basics import ElidedLabel, TextButton, plain_label


@dataclass(frozen=True, slots=True)
class ExportKind:
    """A format: the ending of its files, its name, and what it is good for."""

    suffix: str
    name: str
    about: str


KINDS = (
    ExportKind("md", "Markdown", "Text for notes and editors, the sources below each answer."),
    ExportKind("html", "Web page", "Opens in every browser. It loads nothing and runs nothing."),
    ExportKind("pdf", "PDF", "To print or to hand on."),
    ExportKind("json", "JSON", "Everything with all branches; Footnote can import it again."),
)


class ExportDialog(QDialog):
    """Signals: ``export_wished(suffix)``."""

    export_wished = Signal(str)

    def __init__(self, appearance: Appearance, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Export")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(440)
        self.group = QButtonGroup(self)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 18)
        column.setSpacing(1)
        column.addWidget(plain_label("Export this chat", scale="title"))
        column.addWidget(ElidedLabel(title, tone="secondary"))
        column.addSpacing(10)
        for number, kind in enumerate(KINDS):
            choice = QRadioButton(kind.name)
            choice.setAccessibleDescription(kind.about)
            choice.setChecked(number == 0)
            self.group.addButton(choice, number)
            column.addWidget(choice)
            about = plain_label(kind.about, scale="small", tone="secondary", wrap=True)
            about.setContentsMargins(25, 0, 0, 10)
            column.addWidget(about)
        cancel = TextButton(appearance, "Cancel", on_click=self.reject)
        self.export_button = TextButton(appearance, "Export…", kind="primary", on_click=self._export)
        self.export_button.setDefault(True)
        cancel.setAutoDefault(False)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addStretch(1)
        buttons.addWidget(cancel)
        buttons.addWidget(self.export_button)
        column.addSpacing(6)
        column.addLayout(buttons)

    def choose(self, suffix: str) -> None:
        """Check the format with that ending."""
        number = next(number for number, kind in enumerate(KINDS) if kind.suffix == suffix)
        self.group.button(number).setChecked(True)

    def _export(self) -> None:
        self.export_wished.emit(KINDS[self.group.checkedId()].suffix)
        self.accept()
