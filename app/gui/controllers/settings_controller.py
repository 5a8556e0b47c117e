"""Settings: read, show, store."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Qt

from app.domain.errors import UserFacingError
from app.gui.colors import ThemeMode
from app.gui.jobs import JobRunner
from app.gui.ports import Services
from app.gui.theme import Appearance
from app.gui.widgets.settings_dialog import SettingsDialog
from app.gui.window_settings import THEME
from app.gui.window_state import WindowState
from app.settings.setting import Setting


class SettingsController(QObject):
    """Keeps the theme in step with its setting and runs the settings dialog.

    ``elsewhere(setting, value)`` takes a change that needs more than storing a value, and returns whether it does.
    """

    def __init__(self, runner: JobRunner, appearance: Appearance, state: WindowState) -> None:
        super().__init__()
        self._runner = runner
        self._appearance = appearance
        self._state = state
        self._services: Services | None = None
        self.dialog: SettingsDialog | None = None
        self.elsewhere: Callable[[Setting[Any], Any], bool] = lambda setting, value: False

    def attach(self, services: Services) -> None:
        """The services are there: the stored theme counts."""
        self._services = services
        self._runner.run(lambda: services.settings[THEME], self.use_theme)

    def switch_theme(self) -> None:
        """From light to dark or back."""
        self._change(THEME, ThemeMode.LIGHT if self._appearance.theme.dark else ThemeMode.DARK)

    def open_dialog(self, parent: Any) -> None:
        """Show the settings."""
        services = self._services
        if services is None:
            return
        if self.dialog is not None:
            self.dialog.raise_()
            return

        def read() -> dict[Setting[Any], Any]:
            from app.settings.schema import collect_settings

            declared = collect_settings()
            return {each: services.settings[each] for each in declared.values() if not each.secret}

        self._runner.run(read, lambda values: self._show(values, parent), group="settings")

    def _show(self, values: dict[Setting[Any], Any], parent: Any) -> None:
        dialog = SettingsDialog(self._appearance, values, parent)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.changed.connect(self._change_or_lead)
        dialog.reset.connect(self._reset_or_lead)
        dialog.destroyed.connect(self._forget_dialog)
        self.dialog = dialog
        dialog.open()

    def _forget_dialog(self) -> None:
        self.dialog = None

    def _change_or_lead(self, setting: Setting[Any], value: Any) -> None:
        try:
            setting.validate(value)
        except UserFacingError as error:
            self._on_refused(setting, error)
            return
        if self.elsewhere(setting, value):
            self._close_dialog()
        else:
            self._change(setting, value)

    def _reset_or_lead(self, setting: Setting[Any]) -> None:
        if self.elsewhere(setting, setting.default):
            self._close_dialog()
        else:
            self._reset(setting)

    def _close_dialog(self) -> None:
        if self.dialog is not None:
            self.dialog.close()

    def _change(self, setting: Setting[Any], value: Any) -> None:
        services = self._services
        if setting is THEME:
            self.use_theme(value)
        if services is None:
            return
        self._runner.run(
            lambda: services.settings.set(setting, value),
            lambda _: self._on_stored(setting, value),
            lambda error: self._on_refused(setting, error),
        )

    def _reset(self, setting: Setting[Any]) -> None:
        services = self._services
        if services is None:
            return
        self._runner.run(lambda: services.settings.reset(setting), lambda _: self._on_reset(setting))

    def _on_stored(self, setting: Setting[Any], value: Any) -> None:
        if self.dialog is not None:
            self.dialog.rows[setting.key].show_value(value)

    def _on_reset(self, setting: Setting[Any]) -> None:
        if setting is THEME:
            self.use_theme(setting.default)
        if self.dialog is not None:
            self.dialog.rows[setting.key].show_new_value(setting.default)

    def _on_refused(self, setting: Setting[Any], error: Exception) -> None:
        if not isinstance(error, UserFacingError):
            raise error
        if self.dialog is not None:
            self.dialog.rows[setting.key].show_problem(str(error))

    def use_theme(self, mode: ThemeMode) -> None:
        """Show a theme and remember it for the next start."""
        self._state.theme = mode
        self._appearance.set_mode(mode)
