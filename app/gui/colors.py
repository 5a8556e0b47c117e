"""The colours of the window. Read before the first paint, so nothing here is slow to import."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum

from PySide6.QtGui import QColor, QGuiApplication

from app.settings.resources import resource


class ThemeMode(StrEnum):
    """What the user asked for."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True)
class Theme:
    """Named colours, each ``#RRGGBB`` or ``#AARRGGBB``."""

    name: str
    dark: bool
    window: str
    sidebar: str
    surface: str
    sunken: str
    border: str
    border_strong: str
    text: str
    text_secondary: str
    text_tertiary: str
    accent: str
    accent_hover: str
    accent_soft: str
    on_accent: str
    bubble: str
    hover: str
    pressed: str
    selected: str
    danger: str
    danger_soft: str
    warning: str
    warning_soft: str
    success: str
    highlight: str
    highlight_text: str
    selection: str
    code: str
    page_backdrop: str
    shadow: str
    code_keyword: str
    code_string: str
    code_comment: str
    code_number: str
    code_name: str

    def color(self, name: str) -> QColor:
        """The colour of that name."""
        return QColor(getattr(self, name))


def load_theme(name: str) -> Theme:
    """Read ``resources/themes/<name>.json``."""
    return Theme(**json.loads(resource("themes", f"{name}.json").read_text(encoding="utf-8")))


def wanted_theme(mode: ThemeMode) -> str:
    """The name of the theme for a mode; the desktop decides about ``SYSTEM``."""
    if mode is not ThemeMode.SYSTEM:
        return mode.value
    return "dark" if QGuiApplication.styleHints().colorScheme().name == "Dark" else "light"
