"""Files, folders and web pages: their controllers, connected with what is on the screen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog

from app.domain.documents import DocumentState
from app.gui.controllers.composer_controller import command
from app.gui.controllers.folder_controller import FolderController
from app.gui.controllers.library_controller import LibraryController
from app.gui.controllers.source_controller import SourceController
from app.gui.controllers.web_controller import WebController
from app.gui.models.document_list_model import WAITING_STATES, DocumentEntry
from app.gui.models.suggestion_model import Suggestion
from app.gui.ports import Services
from app.gui.sample_library import suggested_questions
from app.gui.widgets.dialogs import ask_about_many_files
from app.gui.widgets.page_dialog import PageDialog
from app.gui.wiring import Shortcut, Stage
from app.gui.wording import shown_name
from app.settings.resources import resource

SAMPLE_FLAG = "sample_added"


class LibraryWiring:
    """What the user adds, and how it gets on. ``retry_start`` builds the services again after they failed."""

    def __init__(self, stage: Stage, sources: SourceController, retry_start: Callable[[], None]) -> None:
        self._stage = stage
        self._sources = sources
        window, runner = stage.window, stage.runner
        self.controller = LibraryController(runner, stage.documents, window.right.library.card, window.toast)
        self.web = WebController(runner, window.toast, self.controller.add)
        self.folders = FolderController(runner, stage.folder_list, window.toast)
        window.chat.invitation.retry_wished.connect(retry_start)
        self._connect_adding()
        self._connect_panel()
        self._connect_folders()
        self._connect_sources()
        self.controller.documents_changed.connect(self._show_state)

    def attach(self, services: Services) -> None:
        """The services are there."""
        self.web.attach(services)
        self.controller.attach(services)
        self.folders.attach(services)

    def detach(self) -> None:
        """The services will go."""
        self.folders.detach()
        self.controller.detach()

    def add_sample(self, sample: Path) -> None:
        """Read the sample library, once in the life of this installation."""
        if not self._stage.state.flag(SAMPLE_FLAG):
            self._stage.state.set_flag(SAMPLE_FLAG, True)
            self.controller.add([sample])

    def shortcuts(self) -> list[Shortcut]:
        """Keys of this part."""
        return [
            ("Ctrl+O", "Add files", self.choose_files),
            ("Ctrl+Shift+O", "Add a folder", self.choose_folder),
            ("Ctrl+U", "Add a web page", self.choose_page),
        ]

    def commands(self) -> list[Suggestion]:
        """What can be typed behind a slash."""
        return [
            command("add", "Add files to the library", "file-add", self.choose_files),
            command("folder", "Add a folder to the library", "folder-add", self.choose_folder),
            command("page", "Add a web page to the library", "external", self.choose_page),
        ]

    # -- what the user can do --------------------------------------------------------------------------------------

    def add_paths(self, paths: list[Path]) -> None:
        """Add files and folders to the library, and show it."""
        self._stage.window.show_library()
        self.controller.add(paths)

    def add_pages(self, addresses: list[str]) -> None:
        """Fetch web pages, add them to the library, and show it."""
        self._stage.window.show_library()
        self.web.add(addresses)

    def choose_page(self) -> None:
        """Let the user type the address of a web page."""
        dialog = PageDialog(self._stage.appearance, self._stage.window)
        dialog.page_wished.connect(lambda address: self.add_pages([address]))
        dialog.open()

    def choose_files(self) -> None:
        """Let the user pick files."""
        dialog = QFileDialog(self._stage.window, "Add files")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        self._choose(dialog)

    def choose_folder(self) -> None:
        """Let the user pick a folder."""
        dialog = QFileDialog(self._stage.window, "Add a folder")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        self._choose(dialog)

    def _choose(self, dialog: QFileDialog) -> None:
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.filesSelected.connect(lambda names: self.add_paths([Path(name) for name in names]))
        dialog.open()

    # -- wiring ----------------------------------------------------------------------------------------------------

    def _connect_adding(self) -> None:
        window = self._stage.window
        for adder in (window.right.library, window.chat.invitation):
            adder.add_files_wished.connect(self.choose_files)
            adder.add_folder_wished.connect(self.choose_folder)
        window.chat.composer.add_files_wished.connect(self.choose_files)
        window.paths_dropped.connect(self.add_paths)
        window.pages_dropped.connect(self.add_pages)
        window.right.library.page_pasted.connect(lambda page: self.add_pages([page]))
        window.right.library.add_page_wished.connect(self.choose_page)
        self.controller.many_files_found.connect(
            lambda preview, paths: ask_about_many_files(preview, lambda: self.controller.add_now(paths), window)
        )

    def _connect_panel(self) -> None:
        panel = self._stage.window.right.library
        panel.open_wished.connect(self._open_documents)
        panel.retry_wished.connect(lambda entries: self.web.read_again([entry.path for entry in entries]))
        panel.remove_wished.connect(self.controller.remove)
        panel.reveal_wished.connect(lambda entries: self._sources.reveal(entries[0].path))
        panel.pause_wished.connect(self.controller.pause)
        panel.resume_wished.connect(self.controller.resume)
        panel.cancel_wished.connect(self.controller.cancel)

    def _connect_folders(self) -> None:
        panel = self._stage.window.right.library
        panel.folders.rescan_wished.connect(self.folders.rescan)
        panel.folders.remove_wished.connect(self.folders.remove)
        panel.folders.reveal_wished.connect(lambda entry: self._sources.reveal(entry.path))
        self.folders.documents_changed.connect(self.controller.refresh)
        self.controller.documents_changed.connect(self.folders.refresh_soon)

    def _connect_sources(self) -> None:
        self._sources.reading_wished.connect(lambda path: self.controller.add([Path(path)]))
        self._sources.file_wished.connect(lambda path: self._find_file(Path(path)))
        self.controller.documents_changed.connect(self._tell_sources)

    # -- reactions -------------------------------------------------------------------------------------------------

    def _open_documents(self, entries: list[DocumentEntry]) -> None:
        entry = next((each for each in entries if each.can_open), entries[0])
        if entry.can_open and entry.id is not None:
            self._sources.show_document(entry.id, entry.path)
        else:
            self._stage.window.toast.say(entry.details)

    def _find_file(self, path: Path) -> None:
        """Let the user say where a file is now, and read it there."""
        dialog = QFileDialog(self._stage.window, f"Where is “{shown_name(path)}”?")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.filesSelected.connect(lambda names: self.controller.add([Path(name) for name in names]))
        dialog.open()

    def _tell_sources(self) -> None:
        settled = not self._stage.documents.count(*WAITING_STATES)
        if settled and self._stage.window.right.library.card.isHidden():
            self._sources.library_settled()

    def _show_state(self) -> None:
        documents, chat = self._stage.documents, self._stage.window.chat
        ready = documents.count(DocumentState.READY)
        if not self.controller.loaded:
            return
        self._stage.window.right.library.show_open()
        if ready:
            paths = [entry.path for entry in documents.entries]
            chat.invitation.show_ready(_ready_words(ready), suggested_questions(paths, resource("sample")))
        elif documents.count(*WAITING_STATES) or not self._stage.window.right.library.card.isHidden():
            chat.invitation.show_reading()
        else:
            chat.invitation.show_without_documents()


def _ready_words(count: int) -> str:
    return "One document is" if count == 1 else f"{count:,} documents are"
