"""What the window remembers about itself: size, splitters, theme. Everything else is in the databases."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QByteArray, QSettings

from app.gui.colors import ThemeMode


class WindowState:
    """Kept in an INI file in the configuration folder."""

    def __init__(self, path: Path) -> None:
        self._settings = QSettings(str(path), QSettings.Format.IniFormat)

    @property
    def theme(self) -> ThemeMode:
        """The theme of the last run; needed before the settings can be read."""
        stored = self._settings.value("window/theme", ThemeMode.SYSTEM.value)
        return next((mode for mode in ThemeMode if mode.value == stored), ThemeMode.SYSTEM)

    @theme.setter
    def theme(self, mode: ThemeMode) -> None:
        self._settings.setValue("window/theme", mode.value)

    @property
    def panes(self) -> tuple[int, int] | None:
        """The widths of the left and the right panel, 0 where one is hidden; None if they are not known."""
        stored = str(self._settings.value("window/panes", ""))
        left, _, right = stored.partition(" ")
        return (int(left), int(right)) if left.isdecimal() and right.isdecimal() else None

    @panes.setter
    def panes(self, widths: tuple[int, int]) -> None:
        self._settings.setValue("window/panes", f"{widths[0]} {widths[1]}")

    def flag(self, name: str) -> bool:
        """A stored yes or no; no if there is none."""
        return bool(self._settings.value(f"window/{name}", "no") == "yes")

    def set_flag(self, name: str, value: bool) -> None:
        """Store a yes or no."""
        self._settings.setValue(f"window/{name}", "yes" if value else "no")

    @property
    def session_id(self) -> str:
        """The chat that was open."""
        return str(self._settings.value("window/session", ""))

    @session_id.setter
    def session_id(self, session_id: str) -> None:
        self._settings.setValue("window/session", session_id)

    @property
    def folded_sections(self) -> list[str]:
        """The sections of the list of chats that are folded; the archive, until the user says otherwise."""
        stored = self._settings.value("window/folded", None)
        return ["archive:Archived"] if stored is None else [each for each in str(stored).split("\n") if each]

    @folded_sections.setter
    def folded_sections(self, keys: list[str]) -> None:
        self._settings.setValue("window/folded", "\n".join(keys))

    def bytes(self, name: str) -> QByteArray:
        """A stored geometry or splitter state; empty if there is none."""
        value = self._settings.value(f"window/{name}", QByteArray())
        return value if isinstance(value, QByteArray) else QByteArray()

    def set_bytes(self, name: str, value: QByteArray) -> None:
        """Store a geometry or splitter state."""
        self._settings.setValue(f"window/{name}", value)

    def save(self) -> None:
        """Write everything to the file now."""
        self._settings.sync()
