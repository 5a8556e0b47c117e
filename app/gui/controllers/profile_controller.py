"""Profiles: list, create, switch."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from app.domain.errors import UserFacingError
from app.gui.jobs import JobRunner
from app.gui.relaunch import start_footnote
from app.gui.theme import Appearance
from app.gui.widgets.profiles_dialog import ProfileRow, ProfilesDialog
from app.services.profile_service import ProfileService, ProfileState

NOT_STARTED = "The window of that profile could not be opened. Start Footnote with: footnote --profile NAME"


class ProfileController(QObject):
    """Shows the profiles, and opens the window of another one in place of this.

    ``start`` opens the window of a profile by its name and tells whether it could; ``leave`` closes this one.
    """

    def __init__(
        self,
        runner: JobRunner,
        appearance: Appearance,
        service: ProfileService,
        leave: Callable[[], object],
        start: Callable[[str], bool] = start_footnote,
    ) -> None:
        super().__init__()
        self._runner = runner
        self._appearance = appearance
        self._service = service
        self._leave = leave
        self.start = start
        self.dialog: ProfilesDialog | None = None

    def name_current(self, show: Callable[[str], None]) -> None:
        """Give the name of this window's profile to ``show``."""

        def name() -> str:
            return next(each.profile.name for each in self._service.states() if each.current)

        self._runner.run(name, show, group="profile-name")

    def open_dialog(self, parent: QWidget) -> None:
        """Show the profiles."""
        if self.dialog is not None:
            self.dialog.raise_()
            return
        dialog = self.dialog = ProfilesDialog(self._appearance, parent)
        dialog.create_wished.connect(self._create)
        dialog.switch_wished.connect(self._switch)
        dialog.finished.connect(self._forget_dialog)
        self._list()
        dialog.open()

    def _list(self, chosen: str = "") -> None:
        def show(states: Sequence[ProfileState]) -> None:
            if self.dialog is not None:
                self.dialog.show_rows([_row(each) for each in states], chosen)

        self._runner.run(self._service.states, show, self._show_problem, group="profiles")

    def _create(self, name: str) -> None:
        self._runner.run(
            lambda: self._service.create(name), lambda made: self._list(made.name), self._show_problem, group="profiles"
        )

    def _switch(self, name: str) -> None:
        def closed() -> str:
            profile = self._service.profile(name)
            self._service.make_sure_it_is_closed(profile)
            return profile.name

        self._runner.run(closed, self._open, self._show_problem, group="profiles")

    def _open(self, name: str) -> None:
        if self.start(name):
            self._leave()
        elif self.dialog is not None:
            self.dialog.show_problem(NOT_STARTED)

    def _show_problem(self, error: Exception) -> None:
        if not isinstance(error, UserFacingError):
            raise error
        if self.dialog is not None:
            self.dialog.show_problem(str(error))

    def _forget_dialog(self) -> None:
        self.dialog = None


def _row(state: ProfileState) -> ProfileRow:
    if state.current:
        return ProfileRow(state.profile.name, "this window", current=True)
    return ProfileRow(state.profile.name, f"open, process {state.owner}" if state.owner else "")
