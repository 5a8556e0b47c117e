"""Search model, size of passages and the check of the library, connected with what is on the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QFileDialog

from app.domain.documents import DocumentState
from app.gui.controllers.check_controller import CheckController, Reopen
from app.gui.controllers.library_controller import LibraryController
from app.gui.controllers.search_model_controller import SearchModelController
from app.gui.controllers.settings_controller import SettingsController
from app.gui.models.document_list_model import WAITING_STATES
from app.gui.ports import Services
from app.gui.wiring import Shortcut, Stage
from app.settings.setting import Setting

if TYPE_CHECKING:
    from app.services.embedding_model_service import Proposal

DISMISSED_FLAG = "search_model_proposal_dismissed"


class UpkeepWiring:
    """What keeps search good. ``reopen`` is described at ``CheckController``."""

    def __init__(self, stage: Stage, library: LibraryController, settings: SettingsController, reopen: Reopen) -> None:
        self._stage = stage
        panel = stage.window.right.library
        self.models = SearchModelController(stage.runner, stage.appearance, panel.rebuilding, stage.window.toast)
        self.check = CheckController(stage.runner, stage.appearance, reopen)
        self._services: Services | None = None
        self._ready = 0
        settings.elsewhere = self._lead
        panel.search_model_wished.connect(self.open_models)
        panel.check_wished.connect(self.open_check)
        panel.notice.acted.connect(self._on_notice)
        panel.notice.dismissed.connect(self._on_dismissed)
        self.models.folder_wished.connect(self._choose_folder)
        self.models.rebuilt.connect(library.refresh)
        library.documents_changed.connect(self._look_at_languages)

    def attach(self, services: Services) -> None:
        """The services are there."""
        self._services = services
        self.models.attach(services)
        self.check.attach(services)

    def detach(self) -> None:
        """The services will go."""
        self._services = None
        self._ready = 0
        self.models.detach()
        self.check.detach()

    def shortcuts(self) -> list[Shortcut]:
        """Keys of this part."""
        return []

    def open_models(self) -> None:
        """Show the search models and the size of passages."""
        self.models.open_dialog(self._stage.window)

    def open_check(self) -> None:
        """Check the library."""
        self.check.open_dialog(self._stage.window)

    def _lead(self, setting: Setting[Any], value: Any) -> bool:
        """Settings whose change makes something anew are changed where its cost is shown."""
        from app.retrieval.text_splitter import CHUNK_TOKENS
        from app.services.serving_model import CHOICES

        if setting is CHUNK_TOKENS:
            self.open_models()
            self.models.plan_passages(value)
            return True
        if setting in CHOICES:
            self.open_models()
            self.models.plan_settings({setting.key: setting.to_plain(value)})
            return True
        return False

    def _choose_folder(self) -> None:
        dialog = QFileDialog(self.models.dialog, "The folder of a search model")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.fileSelected.connect(self.models.plan_model)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    # -- a better model for the documents --------------------------------------------------------------------------

    def _look_at_languages(self) -> None:
        """Once reading has settled, and there are others than at the last look."""
        services, documents = self._services, self._stage.documents
        ready = documents.count(DocumentState.READY)
        if services is None or documents.count(*WAITING_STATES) or ready == self._ready:
            return
        self._ready = ready
        if self._stage.state.flag(DISMISSED_FLAG):
            return

        def look() -> Proposal | None:
            return services.embedding_models.proposal()  # the first use of a service imports it: never on this thread

        self._stage.runner.run(look, self._on_proposal, group="proposal")

    def _on_proposal(self, proposal: Proposal | None) -> None:
        notice = self._stage.window.right.library.notice
        if proposal is None or self.models.rebuilding is not None:
            notice.hide()
        else:
            notice.say(f"{proposal.why}.", "Choose a search model…")

    def _on_notice(self) -> None:
        self._stage.window.right.library.notice.hide()
        self.open_models()

    def _on_dismissed(self) -> None:
        self._stage.window.right.library.notice.hide()
        self._stage.state.set_flag(DISMISSED_FLAG, True)
