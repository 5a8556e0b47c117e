"""The small dialogs: links, shortcuts, errors."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QMessageBox, QPlainTextEdit, QVBoxLayout, QWidget

from app.domain.folders import FolderPreview
from app.gui.external import web_target
from app.gui.theme import Appearance
from app.gui.widgets.basics import TextButton, hairline, plain_label
from app.gui.wording import counted, file_size, shown

LONGEST_SHOWN_LINK = 600


def ask_about_link(link: str, open_link: Callable[[str], object], parent: QWidget) -> QMessageBox:
    """Show where a link leads and open it only if the user says so. Other than web links are only shown."""
    target = web_target(link)
    box = QMessageBox(parent)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setWindowTitle("Link")
    full = shown(link)
    cut = full if len(full) <= LONGEST_SHOWN_LINK else full[:LONGEST_SHOWN_LINK] + "…"
    if target is None:
        box.setText("Footnote doesn't open links of this kind.")
        box.setInformativeText(cut)
        box.setStandardButtons(QMessageBox.StandardButton.Close)
    else:
        place = target.host() or "your mail program"
        box.setText(f"Open this link? It leads to {place} and leaves Footnote.")
        box.setInformativeText(cut)
        yes = box.addButton("Open link", QMessageBox.ButtonRole.AcceptRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.setDefaultButton(QMessageBox.StandardButton.Cancel)
        yes.clicked.connect(lambda: open_link(link))
    box.open()
    return box


def ask_before(question: str, more: str, action: str, do: Callable[[], object], parent: QWidget) -> QMessageBox:
    """Ask before something that can't be taken back: ``do`` is called only on the button ``action``."""
    box = QMessageBox(parent)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setWindowTitle(action)
    box.setText(question)
    box.setInformativeText(more)
    yes = box.addButton(action, QMessageBox.ButtonRole.DestructiveRole)
    box.addButton(QMessageBox.StandardButton.Cancel)
    box.setDefaultButton(QMessageBox.StandardButton.Cancel)
    yes.clicked.connect(lambda _checked=False: do())
    box.open()
    return box


def show_problem(title: str, message: str, parent: QWidget | None) -> QMessageBox:
    """Tell the user that the world failed, in the words of the error."""
    box = QMessageBox(parent)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setIcon(QMessageBox.Icon.Warning)
    box.setWindowTitle(title)
    box.setText(message)
    box.open()
    return box


def ask_about_many_files(preview: FolderPreview, add: Callable[[], None], parent: QWidget) -> QMessageBox:
    """Say how many files a folder would bring in, and add them only if the user says so."""
    box = QMessageBox(parent)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setWindowTitle("Add many files")
    box.setText(f"Add {counted(preview.files, 'file')} with {file_size(preview.size)}?")
    left_out = sum(preview.passed_over.values())
    more = f" {counted(left_out, 'entry', 'entries')} would be left out." if left_out else ""
    box.setInformativeText(f"Reading them takes a while; you can ask questions meanwhile, and stop at any time.{more}")
    yes = box.addButton("Add them", QMessageBox.ButtonRole.AcceptRole)
    box.addButton(QMessageBox.StandardButton.Cancel)
    box.setDefaultButton(yes)
    yes.clicked.connect(lambda _checked=False: add())
    box.open()
    return box


class CrashDialog(QDialog):
    """Footnote itself was wrong: says so and lets the user copy the details. Nothing is sent."""

    def __init__(self, appearance: Appearance, report: str, log_folder: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Footnote ran into a problem")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(620, 420)
        self.details = QPlainTextEdit()
        self.details.setReadOnly(True)
        self.details.setPlainText(report)
        self.details.setFont(appearance.monospace(0.9))
        self.details.setAccessibleName("Details of the problem")
        copy = TextButton(appearance, "Copy details", icon="copy", on_click=self._copy)
        close = TextButton(appearance, "Go on", kind="primary", on_click=self.accept)
        buttons = QHBoxLayout()
        buttons.addWidget(copy)
        buttons.addStretch(1)
        buttons.addWidget(close)
        words = "This is a mistake in Footnote, not yours. Your chats and your library are stored. Nothing was sent."
        column = QVBoxLayout(self)
        column.setContentsMargins(26, 22, 26, 18)
        column.setSpacing(10)
        column.addWidget(plain_label("Something went wrong", scale="title"))
        column.addWidget(plain_label(words, tone="secondary", wrap=True))
        column.addWidget(self.details, 1)
        column.addWidget(plain_label(f"The log is in {log_folder}", scale="small", tone="tertiary", wrap=True))
        column.addLayout(buttons)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.details.toPlainText())


class ShortcutsDialog(QDialog):
    """All keyboard shortcuts."""

    def __init__(
        self, appearance: Appearance, shortcuts: Sequence[tuple[str, str]], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keyboard shortcuts")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(440)
        grid = QGridLayout()
        grid.setHorizontalSpacing(28)
        grid.setVerticalSpacing(9)
        for row, (keys, words) in enumerate(shortcuts):
            grid.addWidget(plain_label(words), row, 0)
            label = plain_label(keys, tone="secondary")
            label.setFont(appearance.monospace())
            grid.addWidget(label, row, 1, Qt.AlignmentFlag.AlignRight)
        column = QVBoxLayout(self)
        column.setContentsMargins(28, 24, 28, 22)
        column.setSpacing(14)
        column.addWidget(plain_label("Keyboard shortcuts", scale="title"))
        column.addWidget(hairline())
        column.addLayout(grid)
