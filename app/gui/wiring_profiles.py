"""Profiles: the entry of the tools menu, and the name beside the program's."""

from __future__ import annotations

from app.gui.controllers.profile_controller import ProfileController
from app.gui.wiring import Stage
from app.services.profile_service import ProfileService
from app.settings.paths import AppPaths


class ProfileWiring:
    """The switcher of profiles."""

    def __init__(self, stage: Stage, paths: AppPaths) -> None:
        window = stage.window
        self.controller = ProfileController(stage.runner, stage.appearance, ProfileService(paths), window.close)
        window.sessions.profiles_wished.connect(lambda: self.controller.open_dialog(window))
        if paths.profile:
            self.controller.name_current(lambda name: window.sessions.heading.setText(f"Footnote · {name}"))
