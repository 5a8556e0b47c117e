"""The list of chats: its controllers, connected with what is on the screen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QModelIndex, QPoint
from PySide6.QtWidgets import QFileDialog

from app.gui.controllers.chat_search_controller import ChatSearchController
from app.gui.controllers.composer_controller import command
from app.gui.controllers.session_actions import SessionActions
from app.gui.controllers.session_controller import SessionController
from app.gui.controllers.transfer_controller import TransferController
from app.gui.models.session_list_model import SessionListModel
from app.gui.models.suggestion_model import Suggestion
from app.gui.ports import Services
from app.gui.session_menus import SessionMenus
from app.gui.widgets.export_dialog import ExportDialog
from app.gui.widgets.trash_dialog import TrashDialog
from app.gui.wiring import Shortcut, Stage
from app.services.session_files import file_name


class SessionWiring:
    """Which chats there are and which one is open. ``focus_composer`` makes the window ready to type."""

    def __init__(self, stage: Stage, focus_composer: Callable[[], None]) -> None:
        self._stage = stage
        self._focus_composer = focus_composer
        panel, window, model = stage.window.sessions, stage.window, stage.session_list
        self.controller = SessionController(stage.runner, model, stage.messages)
        self.actions = SessionActions(stage.runner, self.controller, model, window.toast)
        self.transfer = TransferController(stage.runner, window, self.actions)
        self.search = ChatSearchController(
            stage.runner, stage.appearance, panel, model, self.controller, stage.messages, window.chat.messages
        )
        self.menus = SessionMenus(stage.appearance, window, model, self.actions, panel.rename, self.ask_to_export)
        self.trash: TrashDialog | None = None
        model.set_folded(stage.state.folded_sections)
        self._connect()

    def _connect(self) -> None:
        panel, model = self._stage.window.sessions, self._stage.session_list
        panel.new_wished.connect(self.begin_chat)
        panel.opened.connect(self.controller.open)
        panel.delete_wished.connect(self.actions.delete)
        panel.menu_wished.connect(self._show_menu)
        panel.import_wished.connect(self.ask_to_import)
        panel.export_all_wished.connect(self.ask_to_export_all)
        panel.trash_wished.connect(self.open_trash)
        self.controller.opened.connect(self.show_title)
        self.controller.opened.connect(self._remember)  # at once: a program that is killed saves nothing
        self.controller.titled.connect(self._on_titled)
        self.actions.trash_changed.connect(self._read_trash)
        for changed in (model.modelReset, model.rowsInserted, model.rowsRemoved):
            changed.connect(lambda *_: panel.select(self.controller.current))

    def attach(self, services: Services) -> None:
        """The services are there."""
        for part in (self.actions, self.transfer, self.search):
            part.attach(services)
        self.controller.attach(services, self._stage.state.session_id)

    def save_state(self) -> None:
        """Remember which chat is open, and what is folded."""
        self._remember()
        self._stage.state.folded_sections = self._stage.session_list.folded_keys

    def _remember(self, _session: str = "") -> None:
        if self.controller.loaded:  # else the library never opened, and what was open before stays remembered
            self._stage.state.session_id = self.controller.current

    def shortcuts(self) -> list[Shortcut]:
        """Keys of this part."""
        return [
            ("Ctrl+N", "New chat", self.begin_chat),
            ("Ctrl+Shift+F", "Search all chats", self.focus_search),
            ("F2", "Rename the chat", lambda: self._rename(self.controller.current)),
        ]

    def commands(self) -> list[Suggestion]:
        """What can be typed behind a slash."""
        return [
            command("search", "Search all chats", "search", self.focus_search),
            command("rename", "Give this chat another name", "rename", self._with_chat(self._rename)),
            command("export", "Export this chat", "external", self._with_chat(self.ask_to_export)),
            command("delete", "Put this chat into the trash", "trash", self._with_chat(self.actions.delete)),
        ]

    def _rename(self, session_id: str) -> None:
        if self._stage.window.sessions.isHidden():
            self._stage.window.toggle_sessions()
        self._stage.window.sessions.rename(session_id)

    def _with_chat(self, use: Callable[[str], object]) -> Callable[[], None]:
        """``use`` with the open chat, where there is one."""

        def run() -> None:
            if self.controller.current:
                use(self.controller.current)
            else:
                self._stage.window.toast.say("This chat begins with your first question.")

        return run

    def begin_chat(self) -> None:
        """A new chat, ready to type."""
        self.controller.begin()
        self._focus_composer()

    def focus_search(self) -> None:
        """Ready to type words to look for."""
        panel = self._stage.window.sessions
        if panel.isHidden():
            self._stage.window.toggle_sessions()
        panel.search.setFocus()
        panel.search.selectAll()

    def show_title(self, session_id: str) -> None:
        """Show which chat is open; empty for a new one."""
        window = self._stage.window
        window.sessions.select(session_id)
        title = self.controller.title(session_id) if session_id else "New chat"
        window.chat.title.set_full_text(title)
        window.setWindowTitle(f"{title} – Footnote" if session_id else "Footnote")

    def ask_to_export(self, session_id: str) -> ExportDialog:
        """Ask as what and where a chat is exported."""
        stage = self._stage
        dialog = ExportDialog(stage.appearance, self.controller.title(session_id), stage.window)
        dialog.export_wished.connect(lambda suffix: self._ask_where(session_id, suffix))
        dialog.open()
        return dialog

    def ask_to_export_all(self) -> None:
        """Ask where all chats are exported to."""
        self._choose_target("Export all chats", "Footnote chats.json", "json", self.transfer.export_all)

    def ask_to_import(self) -> None:
        """Ask which file is imported."""
        dialog = QFileDialog(self._stage.window, "Import chats")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilters(["Chats (*.json *.zip)", "All files (*)"])
        dialog.fileSelected.connect(lambda path: self.transfer.import_file(Path(path)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def open_trash(self) -> TrashDialog:
        """Show what was deleted."""
        stage = self._stage
        dialog = self.trash = TrashDialog(stage.appearance, stage.window)
        dialog.restore_wished.connect(self.actions.restore)
        dialog.delete_wished.connect(self.actions.delete_for_good)
        dialog.destroyed.connect(self._forget_trash)
        dialog.open()
        self._read_trash()
        return dialog

    def _forget_trash(self) -> None:
        self.trash = None

    def _read_trash(self) -> None:
        if self.trash is not None:
            self.actions.read_trash(lambda records: self.trash.show_records(records) if self.trash else None)

    def _ask_where(self, session_id: str, suffix: str) -> None:
        name = file_name(self.controller.title(session_id), suffix)
        self._choose_target("Export", name, suffix, lambda path: self.transfer.export(session_id, path))

    def _choose_target(self, title: str, name: str, suffix: str, use: Callable[[Path], None]) -> None:
        dialog = QFileDialog(self._stage.window, title, name)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilters([f"*.{suffix}"])
        dialog.setDefaultSuffix(suffix)
        dialog.selectFile(name)
        dialog.fileSelected.connect(lambda path: use(Path(path)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _show_menu(self, index: QModelIndex, place: QPoint) -> None:
        record = self._stage.session_list.record(index.data(SessionListModel.IdRole) or "")
        if record is not None:
            self.menus.of_chat(record, place)
        else:
            self.menus.of_section(index.data(SessionListModel.SectionRole), place)

    def _on_titled(self, session_id: str) -> None:
        if session_id == self.controller.current:
            self.show_title(session_id)
