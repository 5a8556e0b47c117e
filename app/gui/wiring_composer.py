"""The composer: what goes with a question, connected with what is on the screen."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QFileDialog

from app.domain.cancellation import CancelToken
from app.domain.errors import UserFacingError
from app.gui.chips import attachment_chip
from app.gui.controllers.chat_controller import ChatController
from app.gui.controllers.chat_files_controller import ChatFilesController
from app.gui.controllers.choices_controller import ChoicesController
from app.gui.controllers.composer_controller import ComposerController
from app.gui.controllers.draft_controller import DraftController
from app.gui.controllers.history_controller import HistoryController
from app.gui.controllers.meter_controller import MeterController
from app.gui.controllers.paste_controller import PasteController
from app.gui.controllers.session_controller import SessionController
from app.gui.models.suggestion_model import Suggestion
from app.gui.ports import Services
from app.gui.widgets.pick_list import PickList
from app.gui.widgets.template_dialogs import TemplatesDialog, VariablesDialog
from app.gui.wiring import Shortcut, Stage
from app.gui.wiring_models import ModelsWiring
from app.services.template_service import Template, TemplateKind

log = logging.getLogger(__name__)


class ComposerWiring:
    """Choices for the chat and its questions. ``data`` is the folder for drafts, pasted pictures and long texts."""

    def __init__(
        self,
        stage: Stage,
        sessions: SessionController,
        chat: ChatController,
        begin_chat: Callable[[], None],
        data: Path,
    ) -> None:
        self._stage = stage
        self._services: Services | None = None
        self._lists: dict[str, PickList] = {}
        self._composer = stage.window.chat.composer
        self._getting_ready: CancelToken | None = None
        self.choices = ChoicesController(stage.runner, sessions, stage.session_list)
        self.models = ModelsWiring(stage, self._composer)
        self.controller = ComposerController(stage, self.choices, self.models.models, self._composer)
        edit, runner = self._composer.edit, stage.runner
        self.pasted = PasteController(runner, edit, stage.window.toast, data / "pasted", stage.on_unhandled)
        self.history = HistoryController(edit, stage.messages)
        self.files = ChatFilesController(runner, sessions, chat, self.controller)
        self.drafts = DraftController(
            runner, sessions, stage.session_list, self._composer, self.controller, data / "drafts.json"
        )
        self.meter = MeterController(stage.runner, stage.messages, self._composer.meter)
        chat.ask_with = self.controller.ask_with
        chat.answer_ended.connect(self.meter.read)
        sessions.opened.connect(lambda _session: self.meter.read())
        self.controller.new_chat_wished.connect(begin_chat)
        stage.window.sessions.list.typed.connect(self._type)
        self._connect()

    def attach(self, services: Services) -> None:
        """The services are there."""
        self._services = services
        self.choices.attach(services)
        self.meter.attach(services)
        self.files.attach(services)
        self.models.attach(services)
        self.controller.attach(services)
        self.drafts.attach()
        self._get_ready()

    def detach(self) -> None:
        """The services will go."""
        self._services = None
        if self._getting_ready is not None:
            self._getting_ready.cancel()
            self._getting_ready = None

    def shortcuts(self) -> list[Shortcut]:
        """Keys of this part."""
        return [
            ("Ctrl+M", "Choose the model", self.models.pick_model),
            ("Ctrl+K", "Search only in…", self.pick_scope),
        ]

    def pick_scope(self) -> None:
        """Let the user choose where to search."""
        self.controller.reload_collections()
        picker = self._picker("Search only in…", lambda each: self.controller.add(each.value))
        picker.set_suggestions(self.controller.scope_suggestions())
        picker.pop_up(self._composer)

    def pick_persona(self) -> None:
        """Let the user choose how the model answers."""
        picker = self._picker("Persona", self.controller.pick_persona)
        picker.set_suggestions(self.controller.persona_suggestions())
        picker.pop_up(self._composer)

    def open_templates(self) -> None:
        """Let the user write personas and prompt templates."""
        dialog = TemplatesDialog(self._stage.appearance, self._stage.window)
        dialog.set_templates(self.controller.templates)
        dialog.save_wished.connect(lambda kind, name, text: self._save(dialog, kind, name, text))
        dialog.delete_wished.connect(lambda kind, name: self._delete(dialog, kind, name))
        dialog.use_wished.connect(self.controller.use_template)
        dialog.open()

    def _connect(self) -> None:
        composer = self._composer
        composer.edit.textChanged.connect(self._get_ready)
        composer.model_wished.connect(self.models.pick_model)
        self.controller.providers_wished.connect(self.models.pick_provider)
        composer.scope_wished.connect(self.pick_scope)
        composer.persona_wished.connect(self.pick_persona)
        composer.templates_wished.connect(self.open_templates)
        composer.attach_wished.connect(self._choose_files)
        self.pasted.kept.connect(lambda path: self.controller.add(attachment_chip(path)))
        self.controller.values_wished.connect(self._ask_for_values)

    def _get_ready(self) -> None:
        """Search is made ready while the user types, so that the first question is answered as fast as any."""
        services = self._services
        if services is None or self._getting_ready is not None or not self._composer.edit.toPlainText():
            return
        token = self._getting_ready = CancelToken()
        self._stage.runner.run(
            lambda: services.search_readiness.prepare(token), on_error=self._on_not_ready, token=token
        )

    def _on_not_ready(self, error: Exception) -> None:
        if not isinstance(error, UserFacingError):
            raise error
        log.info("search could not be made ready, which the question will say: %s", error)

    def _type(self, text: str) -> None:
        """Letters typed into the list of chats begin a question."""
        self._composer.edit.setFocus()
        self._composer.edit.insertPlainText(text)

    def _picker(self, title: str, on_picked: Callable[[Suggestion], object]) -> PickList:
        if title not in self._lists:
            picker = PickList(self._stage.appearance, title, self._stage.window)
            picker.picked.connect(on_picked)
            self._lists[title] = picker
        return self._lists[title]

    def _choose_files(self) -> None:
        dialog = QFileDialog(self._stage.window, "Attach files to the question")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.filesSelected.connect(lambda names: self.controller.attach_paths([Path(name) for name in names]))
        dialog.open()

    def _ask_for_values(self, template: Template) -> None:
        dialog = VariablesDialog(self._stage.appearance, template, self._stage.window)
        dialog.filled.connect(self.controller.use_template)
        dialog.open()

    def _save(self, dialog: TemplatesDialog, kind: TemplateKind, name: str, text: str) -> None:
        services = self._services
        if services is not None:
            self._stage.runner.run(
                lambda: services.templates.save(kind, name, text),
                lambda saved: self._show_saved(dialog, saved.name, f"“{saved.name}” is saved."),
                lambda error: dialog.say(str(error)),
            )

    def _delete(self, dialog: TemplatesDialog, kind: TemplateKind, name: str) -> None:
        services = self._services
        if services is not None:
            self._stage.runner.run(
                lambda: services.templates.delete(kind, name),
                lambda _gone: self._show_saved(dialog, "", f"“{name}” is deleted."),
                lambda error: dialog.say(str(error)),
            )

    def _show_saved(self, dialog: TemplatesDialog, name: str, words: str) -> None:
        def show() -> None:
            dialog.set_templates(self.controller.templates, name)
            dialog.say(words)

        self.controller.reload_templates(show)
