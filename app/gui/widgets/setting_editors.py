"""An editor for each type of setting."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QLineEdit, QSpinBox, QWidget

from app.settings.setting import Setting

SMALLEST_INT, LARGEST_INT = -(2**31), 2**31 - 1
TEXT_MARGINS = (8, 0, 0, 0)
Report = Callable[[Any], None]


class _QuietComboBox(QComboBox):
    """Doesn't change when the wheel scrolls the page over it."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()


class _QuietSpinBox(QSpinBox):
    """Doesn't change when the wheel scrolls the page over it."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()


def make_editor(setting: Setting[Any], value: Any, report: Report) -> QWidget:
    """A widget that shows ``value`` and calls ``report`` with what the user makes of it."""
    editor = _choose(setting)(setting, value, report)
    editor.setAccessibleName(setting.label)
    editor.setAccessibleDescription(setting.help)
    return editor


def _choose(setting: Setting[Any]) -> Callable[[Setting[Any], Any, Report], QWidget]:
    if isinstance(setting.default, bool):
        return _check_box
    if setting.choices:
        return _combo_box
    if isinstance(setting.default, int):
        return _spin_box
    if isinstance(setting.default, float):
        return _decimal_box
    return _line


def _check_box(_setting: Setting[Any], value: bool, report: Report) -> QWidget:
    box = QCheckBox()
    box.setChecked(value)
    box.toggled.connect(report)
    return box


def _combo_box(setting: Setting[Any], value: Any, report: Report) -> QWidget:
    box = _QuietComboBox()
    for choice in setting.choices:
        plain = choice.value if isinstance(choice, Enum) else choice
        box.addItem(str(plain).replace("_", " ").capitalize())
    box.setCurrentIndex(setting.choices.index(value))
    box.activated.connect(lambda row: report(setting.choices[row]))
    return box


def _spin_box(setting: Setting[Any], value: int, report: Report) -> QWidget:
    box = _QuietSpinBox()
    box.setRange(
        SMALLEST_INT if setting.minimum is None else setting.minimum,
        LARGEST_INT if setting.maximum is None else setting.maximum,
    )
    box.setValue(value)
    box.lineEdit().setTextMargins(*TEXT_MARGINS)
    box.editingFinished.connect(lambda: report(box.value()))
    return box


def _decimal_box(setting: Setting[Any], value: float, report: Report) -> QWidget:
    box = QDoubleSpinBox()
    box.setDecimals(3)
    box.setRange(
        float(SMALLEST_INT) if setting.minimum is None else setting.minimum,
        float(LARGEST_INT) if setting.maximum is None else setting.maximum,
    )
    box.setSingleStep(0.05)
    box.lineEdit().setTextMargins(*TEXT_MARGINS)
    box.setValue(value)
    box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    box.editingFinished.connect(lambda: report(box.value()))
    return box


def _line(setting: Setting[Any], value: Any, report: Report) -> QWidget:
    line = QLineEdit()
    line.setText(", ".join(value) if isinstance(value, tuple) else str(value))

    def read() -> None:
        text = line.text().strip()
        if isinstance(setting.default, tuple):
            report(tuple(part.strip() for part in text.split(",") if part.strip()))
        else:
            report(Path(text) if isinstance(setting.default, Path) else text)

    line.editingFinished.connect(read)
    return line
