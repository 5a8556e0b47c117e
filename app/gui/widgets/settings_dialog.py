"""The settings, generated from their declarations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QFrame, QHBoxLayout, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from app.gui.theme import Appearance
from app.gui.widgets.basics import TextButton, hairline, plain_label
from app.gui.widgets.setting_editors import make_editor
from app.settings.setting import Setting

EDITOR_WIDTH = 210


class SettingRow(QWidget):
    """One setting: label and help on the left, its editor on the right, a complaint below.

    Signals: ``changed(setting, value)``, ``reset(setting)``.
    """

    changed = Signal(object, object)
    reset = Signal(object)

    def __init__(self, appearance: Appearance, setting: Setting[Any], value: Any) -> None:
        super().__init__()
        self.setting = setting
        self._value = value
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(plain_label(setting.label))
        self._help = plain_label(_help_text(setting), scale="small", tone="tertiary", wrap=True)
        self._help.setVisible(bool(self._help.text()))
        self._problem = plain_label("", scale="small", tone="danger", wrap=True)
        self._problem.hide()
        words.addWidget(self._help)
        words.addWidget(self._problem)
        self._reset = TextButton(appearance, "Reset", kind="link", on_click=lambda: self.reset.emit(setting))
        self._reset.setAccessibleName(f"Reset {setting.label}")
        self._holder = QVBoxLayout()
        self.editor = self._place_editor(value)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 9, 0, 9)
        row.setSpacing(14)
        row.addLayout(words, 1)
        row.addWidget(self._reset, alignment=Qt.AlignmentFlag.AlignVCenter)
        row.addLayout(self._holder)
        self._reset.setVisible(value != setting.default)

    @property
    def problem_text(self) -> str:
        """What is wrong with the value that was typed."""
        return self._problem.text()

    def show_value(self, value: Any) -> None:
        """The value is stored."""
        self._value = value
        self._problem.hide()
        self._problem.setText("")
        self._reset.setVisible(value != self.setting.default)

    def show_new_value(self, value: Any) -> None:
        """The value was changed from elsewhere: show it in a new editor."""
        self._holder.removeWidget(self.editor)
        self.editor.deleteLater()
        self.editor = self._place_editor(value)
        self.show_value(value)

    def show_problem(self, text: str) -> None:
        """The value can't be stored."""
        self._problem.setText(text)
        self._problem.show()

    def matches(self, text: str) -> bool:
        """Whether a search for ``text`` finds it."""
        setting = self.setting
        return text.casefold() in f"{setting.label} {setting.help} {setting.key}".casefold()

    def _place_editor(self, value: Any) -> QWidget:
        editor = make_editor(self.setting, value, self._report)
        editor.setFixedWidth(EDITOR_WIDTH)
        self._holder.addWidget(editor)
        return editor

    def _report(self, value: Any) -> None:
        if value != self._value:
            self.changed.emit(self.setting, value)


class SettingsDialog(QDialog):
    """Changes are stored at once. Signals: ``changed(setting, value)``, ``reset(setting)``."""

    changed = Signal(object, object)
    reset = Signal(object)

    def __init__(
        self, appearance: Appearance, values: Mapping[Setting[Any], Any], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Settings")
        self.resize(640, 620)
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search settings")
        self.search.setAccessibleName("Search settings")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._filter)
        self.rows = {setting.key: self._make_row(appearance, setting, value) for setting, value in values.items()}
        self._groups: list[tuple[QWidget, list[SettingRow]]] = []
        self._nothing = plain_label("No setting matches.", tone="secondary")
        self._nothing.hide()
        inner = QWidget()
        self._column = QVBoxLayout(inner)
        self._column.setContentsMargins(26, 6, 26, 20)
        self._column.setSpacing(0)
        self._fill()
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidget(inner)
        head = QHBoxLayout()
        head.setContentsMargins(26, 20, 26, 10)
        head.addWidget(plain_label("Settings", scale="title"), 1)
        head.addWidget(self.search)
        self.search.setFixedWidth(EDITOR_WIDTH)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(hairline())
        column.addWidget(scroll, 1)

    def _make_row(self, appearance: Appearance, setting: Setting[Any], value: Any) -> SettingRow:
        row = SettingRow(appearance, setting, value)
        row.changed.connect(self.changed)
        row.reset.connect(self.reset)
        return row

    def _fill(self) -> None:
        by_group: dict[str, list[SettingRow]] = {}
        # What concerns a whole group comes before what concerns one provider or format in it.
        for key, row in sorted(self.rows.items(), key=lambda item: (item[0].count("."), item[0])):
            by_group.setdefault(key.split(".")[0], []).append(row)
        # The window's own settings come first: they are what people look for.
        for group in sorted(by_group, key=lambda name: (name != "window", name)):
            title = plain_label(group.replace("_", " ").capitalize(), scale="heading")
            title.setContentsMargins(0, 18, 0, 4)
            self._column.addWidget(title)
            for row in by_group[group]:
                self._column.addWidget(row)
            self._groups.append((title, by_group[group]))
        self._column.addWidget(self._nothing)
        self._column.addStretch(1)

    def _filter(self, text: str) -> None:
        found = False
        for title, rows in self._groups:
            shown = [row for row in rows if row.matches(text)]
            for row in rows:
                row.setVisible(row in shown)
            title.setVisible(bool(shown))
            found = found or bool(shown)
        self._nothing.setVisible(not found)


def _help_text(setting: Setting[Any]) -> str:
    restart = "Takes effect after a restart." if setting.restart else ""
    return " ".join(part for part in (setting.help, restart) if part)
