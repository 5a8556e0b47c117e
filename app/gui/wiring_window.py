"""Settings, the search bench, panels and shortcuts: what belongs to the window as a whole."""

from __future__ import annotations

from app.gui.controllers.bench_controller import BenchController
from app.gui.controllers.composer_controller import command
from app.gui.controllers.feedback_controller import FeedbackController
from app.gui.controllers.settings_controller import SettingsController
from app.gui.controllers.source_controller import SourceController
from app.gui.models.suggestion_model import Suggestion
from app.gui.ports import Services
from app.gui.widgets.dialogs import ShortcutsDialog
from app.gui.wiring import Shortcut, Stage


class WindowWiring:
    """The menu and the keys."""

    def __init__(self, stage: Stage, sources: SourceController, feedback: FeedbackController) -> None:
        self._stage = stage
        window = stage.window
        self.settings = SettingsController(stage.runner, stage.appearance, stage.state)
        self.bench = BenchController(stage.runner, stage.appearance, stage.messages, sources, window.toast)
        panel = window.sessions
        panel.settings_wished.connect(self.open_settings)
        panel.theme_switch_wished.connect(self.settings.switch_theme)
        panel.shortcuts_wished.connect(self.show_shortcuts)
        panel.bench_wished.connect(self.open_bench)
        panel.forget_examples_wished.connect(lambda: feedback.ask_to_forget(window))

    def attach(self, services: Services) -> None:
        """The services are there."""
        self.settings.attach(services)
        self.bench.attach(services)

    def shortcuts(self) -> list[Shortcut]:
        """Keys of this part."""
        window = self._stage.window
        return [
            ("Ctrl+B", "Show or hide the chats", window.toggle_sessions),
            ("Ctrl+Shift+B", "Show or hide the library", window.toggle_right),
            ("Ctrl+Shift+E", "Search bench", self.open_bench),
            ("Ctrl+,", "Settings", self.open_settings),
            ("F1", "Keyboard shortcuts", self.show_shortcuts),
            ("Ctrl+Q", "Quit", window.close),
        ]

    def commands(self) -> list[Suggestion]:
        """What can be typed behind a slash."""
        return [
            command("settings", "Settings", "settings", self.open_settings),
            command("help", "Keyboard shortcuts", "keyboard", self.show_shortcuts),
        ]

    def open_settings(self) -> None:
        """Show the settings."""
        self.settings.open_dialog(self._stage.window)

    def open_bench(self) -> None:
        """Show the search bench."""
        self.bench.open_dialog(self._stage.window)

    def show_shortcuts(self) -> None:
        """Show all keyboard shortcuts."""
        window = self._stage.window
        ShortcutsDialog(self._stage.appearance, window.shortcuts(), window).open()
