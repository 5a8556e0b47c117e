"""The dialog for keys and addresses: saving, trying out, removing, all of it off the GUI thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.domain.cancellation import CancelToken
from app.domain.errors import UserFacingError
from app.gui.model_words import saved_words, trial_words
from app.gui.ports import Services
from app.gui.wiring import Stage

if TYPE_CHECKING:
    from app.gui.widgets.provider_dialog import ProviderDialog
    from app.services.model_service import Trial
    from app.services.provider_access import KeyPlace, ProviderAccess


class ProviderController(QObject):
    """Signals: ``changed``: a key or an address is another one; ``ready(spec)``: the model that was wished for has its
    key now.
    """

    changed = Signal()
    ready = Signal(str)

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self._stage = stage
        self._services: Services | None = None
        self._trying: CancelToken | None = None
        self.dialog: ProviderDialog | None = None

    def attach(self, services: Services) -> None:
        """The services are there."""
        self._services = services

    def open(self, name: str, model: str = "") -> None:
        """Ask for the key or the address of a provider; ``model`` is the one that is to be used then."""
        services = self._services
        if services is not None:
            self._stage.runner.run(
                lambda: services.provider_access.access(name),
                lambda access: self._show(access, model),
                group="provider-dialog",
            )

    def _show(self, access: ProviderAccess, model: str) -> None:
        from app.gui.widgets.provider_dialog import ProviderDialog

        if self.dialog is not None:
            self.dialog.reject()
        dialog = self.dialog = ProviderDialog(self._stage.appearance, access, self._stage.window)
        dialog.save_wished.connect(lambda key, address: self._save(dialog, access, model, key, address))
        dialog.test_wished.connect(lambda key, address: self._test(dialog, access.name, model, key, address))
        dialog.remove_wished.connect(lambda: self._remove(dialog, access.name))
        dialog.finished.connect(self._on_finished)
        dialog.open()

    def _on_finished(self) -> None:
        self.dialog = None
        self._stop_trying()

    def _stop_trying(self) -> None:
        if self._trying is not None:
            self._trying.cancel()
            self._trying = None

    def _save(self, dialog: ProviderDialog, access: ProviderAccess, model: str, key: str, address: str) -> None:
        services, moved = self._services, dialog.address_changed
        if services is None:
            return
        reach = services.provider_access

        def save() -> tuple[KeyPlace | None, ProviderAccess]:
            if moved:
                reach.set_address(access.name, address)
            place = reach.save_key(access.name, key) if key.strip() else None
            return place, reach.access(access.name)

        self._stop_trying()
        self._stage.runner.run(
            save,
            lambda saved: self._on_saved(dialog, model, *saved),
            lambda error: self._on_failed(dialog, error),
        )

    def _on_saved(self, dialog: ProviderDialog, model: str, place: KeyPlace | None, access: ProviderAccess) -> None:
        if self.dialog is dialog:
            dialog.accept()
        self._stage.window.toast.say(saved_words(place, access))
        self.changed.emit()
        if model and (access.key_source or not access.needs_key):
            self.ready.emit(f"{access.name}:{model}")

    def _test(self, dialog: ProviderDialog, name: str, model: str, key: str, address: str) -> None:
        services, where = self._services, address if dialog.address_changed else None
        if services is None:
            return
        self._stop_trying()
        token = self._trying = CancelToken()
        dialog.set_testing()
        self._stage.runner.run(
            lambda: services.provider_access.test(name, model, key=key, address=where, cancel=token),
            lambda trial: self._on_tried(dialog, trial),
            lambda error: self._on_failed(dialog, error),
            token=token,
        )

    def _on_tried(self, dialog: ProviderDialog, trial: Trial) -> None:
        if self.dialog is dialog:
            dialog.say(trial_words(trial), failed=not trial.works)

    def _remove(self, dialog: ProviderDialog, name: str) -> None:
        services = self._services
        if services is None:
            return
        reach = services.provider_access

        def remove() -> ProviderAccess:
            reach.remove_key(name)
            return reach.access(name)

        self._stage.runner.run(
            remove, lambda access: self._on_removed(dialog, access), lambda error: self._on_failed(dialog, error)
        )

    def _on_removed(self, dialog: ProviderDialog, access: ProviderAccess) -> None:
        if self.dialog is dialog:
            dialog.show_access(access)
            dialog.say("The key is removed.")
        self.changed.emit()

    def _on_failed(self, dialog: ProviderDialog, error: Exception) -> None:
        if isinstance(error, UserFacingError) and self.dialog is dialog:
            dialog.say(str(error), failed=True)
        else:
            self._stage.on_unhandled(error)
