"""The window without a mouse, without eyes, and with tired ones."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QProgressBar,
    QTextEdit,
    QWidget,
)
from pytestqt.qtbot import QtBot

from app.gui.colors import Theme, load_theme
from app.gui.desktop import Desktop
from app.gui.theme import Appearance, palette_of, theme_names
from app.gui.widgets.dialogs import CrashDialog, ShortcutsDialog
from app.gui.widgets.profiles_dialog import ProfilesDialog
from app.gui.widgets.settings_dialog import SettingsDialog
from app.services.chat_service import CONTEXT_TOKENS
from tests.gui.conftest import WAIT, DesktopRig

CONTROLS = (
    QAbstractButton,
    QLineEdit,
    QPlainTextEdit,
    QTextEdit,
    QAbstractItemView,
    QComboBox,
    QAbstractSpinBox,
    QProgressBar,
)
# Text and what it stands on. Large or bold text and icons may have less, but none of ours needs to.
PAIRS = [
    *itertools.product(("text", "text_secondary", "text_tertiary"), ("window", "sidebar", "surface", "sunken")),
    ("text", "bubble"),
    ("text", "hover"),
    ("text", "selected"),
    ("text", "selection"),
    ("text", "highlight_text"),
    ("text", "code"),
    ("text", "warning_soft"),
    ("text", "danger_soft"),
    ("accent", "accent_soft"),
    ("accent", "window"),
    ("accent", "sidebar"),
    ("accent", "surface"),
    ("on_accent", "accent"),
    ("on_accent", "accent_hover"),
    ("danger", "sidebar"),
    ("danger", "danger_soft"),
    ("warning", "warning_soft"),
    ("window", "text"),
]


def luminance(color: QColor) -> float:
    """Relative luminance as WCAG 2 defines it."""
    raw = (color.redF(), color.greenF(), color.blueF())
    channels = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in raw]
    return 0.2126 * channels[0] + 0.7152 * channels[1] + 0.0722 * channels[2]


def contrast(first: QColor, second: QColor) -> float:
    """Contrast ratio as WCAG 2 defines it, 1 to 21."""
    lighter, darker = sorted((luminance(first), luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("name", theme_names())
@pytest.mark.parametrize(("text", "ground"), PAIRS, ids=["-".join(pair) for pair in PAIRS])
def test_text_stands_out_from_its_ground(name: str, text: str, ground: str) -> None:
    theme = load_theme(name)
    assert contrast(theme.color(text), theme.color(ground)) >= 4.5


def test_black_letters_stay_readable_under_the_highlight() -> None:
    for name in theme_names():
        assert contrast(QColor("black"), load_theme(name).color("highlight")) >= 7


def test_the_themes_differ_and_name_every_colour() -> None:
    light, dark = load_theme("light"), load_theme("dark")
    assert theme_names() == ["dark", "light"]
    assert not light.dark
    assert dark.dark
    for field in Theme.__dataclass_fields__:
        if field not in {"name", "dark"}:
            assert light.color(field).isValid()
            assert dark.color(field).isValid()
    assert palette_of(light).window().color() != palette_of(dark).window().color()


def unnamed(top: QWidget) -> list[str]:
    """Controls that a screen reader has no words for."""
    found = []
    for widget in [top, *top.findChildren(QWidget)]:
        inner = widget.objectName().startswith("qt_") or isinstance(widget.parent(), (QAbstractSpinBox, QComboBox))
        parent = widget.parent()
        inner = inner or (parent is not None and "QComboBox" in parent.metaObject().className())
        inner = inner or (isinstance(widget, QAbstractButton) and isinstance(widget.parent(), QLineEdit))
        if isinstance(widget, CONTROLS) and not inner:
            text = widget.text() if isinstance(widget, QAbstractButton) else ""
            if not (widget.accessibleName() or text):
                found.append(f"{type(widget).__name__} in {type(widget.parent()).__name__}")
    return found


def test_every_control_has_a_name(qtbot: QtBot, rig: DesktopRig, desktop: Desktop, tmp_path: Path) -> None:
    path = tmp_path / "harbour.txt"
    path.write_text("The harbour was opened in 1887.", encoding="utf-8")
    rig.add(path)
    entry = rig.ask("When was the harbour opened?")
    desktop.open_footnote(entry.id, 1)
    desktop.open_settings()
    qtbot.waitUntil(lambda: desktop.settings.dialog is not None, timeout=WAIT)
    dialogs = [
        CrashDialog(desktop.appearance, "report", "folder", desktop.window),
        ShortcutsDialog(desktop.appearance, desktop.window.shortcuts(), desktop.window),
        ProfilesDialog(desktop.appearance, desktop.window),
    ]
    tops = [desktop.window, desktop.settings.dialog, *dialogs]
    assert [name for top in tops if top is not None for name in unnamed(top)] == []
    for dialog in (desktop.settings.dialog, *dialogs):
        if dialog is not None:
            dialog.close()


def test_tab_reaches_every_panel_and_comes_back(qtbot: QtBot, rig: DesktopRig, desktop: Desktop) -> None:
    window = desktop.window
    window.activateWindow()
    window.chat.composer.edit.setFocus()
    seen: list[QWidget] = []
    for _ in range(60):
        QTest.keyClick(QApplication.focusWidget() or window, Qt.Key.Key_Tab)
        focused = QApplication.focusWidget()
        assert focused is not None
        if focused is window.chat.composer.edit:
            break
        assert focused.isVisible()
        seen.append(focused)
    assert QApplication.focusWidget() is window.chat.composer.edit, "Tab never came back"
    for panel in (window.sessions, window.chat, window.right):
        assert any(panel.isAncestorOf(widget) for widget in seen), type(panel).__name__


def test_footnotes_are_reached_and_opened_by_keys(
    qtbot: QtBot, rig: DesktopRig, desktop: Desktop, tmp_path: Path
) -> None:
    path = tmp_path / "harbour.txt"
    path.write_text("The harbour was opened in 1887.", encoding="utf-8")
    rig.add(path)
    rig.ask("When was the harbour opened?")
    widget = desktop.window.chat.messages.widget_at(1)
    browser = widget.browser  # type: ignore[union-attr]  # the last message is an answer
    desktop.window.activateWindow()
    browser.setFocus()
    QTest.keyClick(browser, Qt.Key.Key_Tab)
    assert browser.textCursor().selectedText() == "[1]"
    QTest.keyClick(browser, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: desktop.window.right.source.source is not None, timeout=WAIT)


def test_settings_find_change_refuse_and_reset(qtbot: QtBot, rig: DesktopRig, desktop: Desktop) -> None:
    desktop.open_settings()
    qtbot.waitUntil(lambda: desktop.settings.dialog is not None, timeout=WAIT)
    dialog = desktop.settings.dialog
    assert isinstance(dialog, SettingsDialog)
    assert "window.theme" in dialog.rows
    assert "retrieval.chunk_tokens" in dialog.rows
    dialog.search.setText("room for passages")
    visible = [key for key, row in dialog.rows.items() if row.isVisible()]
    assert visible == [CONTEXT_TOKENS.key]
    row = dialog.rows[CONTEXT_TOKENS.key]
    row.changed.emit(row.setting, 10**9)
    qtbot.waitUntil(lambda: bool(row.problem_text), timeout=WAIT)
    assert row.setting.label in row.problem_text
    row.changed.emit(row.setting, row.setting.default + 1)
    qtbot.waitUntil(lambda: not row.problem_text, timeout=WAIT)
    assert rig.built[-1].settings[row.setting] == row.setting.default + 1
    row.reset.emit(row.setting)
    qtbot.waitUntil(lambda: rig.built[-1].settings[row.setting] == row.setting.default, timeout=WAIT)
    dialog.search.clear()
    assert all(each.isVisible() for each in dialog.rows.values())
    dialog.close()
    qtbot.waitUntil(lambda: desktop.settings.dialog is None, timeout=WAIT)


def test_secrets_are_not_shown_as_settings(qtbot: QtBot, desktop: Desktop) -> None:
    desktop.open_settings()
    qtbot.waitUntil(lambda: desktop.settings.dialog is not None, timeout=WAIT)
    dialog = desktop.settings.dialog
    assert dialog is not None
    assert not any(row.setting.secret for row in dialog.rows.values())
    dialog.close()


def test_announcements_do_not_fail_without_a_screen_reader(qtbot: QtBot, appearance: Appearance) -> None:
    from app.gui.announcements import announce

    widget = QWidget()
    qtbot.addWidget(widget)
    announce(widget, "The answer begins.")
