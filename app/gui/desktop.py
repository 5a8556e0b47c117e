"""The whole window program put together: models, widgets, controllers and the services below them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QFileDialog

from app.domain.documents import DocumentState
from app.domain.errors import UserFacingError
from app.gui import external
from app.gui.announcements import announce
from app.gui.controllers.bench_controller import BenchController
from app.gui.controllers.chat_controller import ChatController
from app.gui.controllers.feedback_controller import FeedbackController
from app.gui.controllers.folder_controller import FolderController
from app.gui.controllers.library_controller import LibraryController
from app.gui.controllers.session_controller import SessionController
from app.gui.controllers.settings_controller import SettingsController
from app.gui.controllers.source_controller import SourceController
from app.gui.controllers.web_controller import WebController
from app.gui.crash_reports import CrashReports, report_of
from app.gui.jobs import JobRunner
from app.gui.models.document_list_model import WAITING_STATES, DocumentEntry, DocumentListModel
from app.gui.models.folder_list_model import FolderListModel
from app.gui.models.message_list_model import MessageListModel
from app.gui.models.session_list_model import SessionListModel
from app.gui.ports import Services
from app.gui.sample_library import suggested_questions
from app.gui.theme import Appearance
from app.gui.widgets.dialogs import CrashDialog, ShortcutsDialog, ask_about_link, ask_about_many_files
from app.gui.widgets.main_window import MainWindow
from app.gui.widgets.page_dialog import PageDialog
from app.gui.window_state import WindowState
from app.gui.wording import counted
from app.settings.paths import AppPaths
from app.settings.resources import resource

BuildServices = Callable[[], Services]
STATE_FILE = "window.ini"
SAMPLE_FLAG = "sample_added"
CLOSE_SECONDS = 5.0


class Desktop(QObject):
    """Make it, ``show()`` it, ``close()`` it. Services are built in the background once the window is painted."""

    def __init__(
        self, application: QApplication, paths: AppPaths, build: BuildServices, *, sample: Path | None = None
    ) -> None:
        super().__init__()
        self._paths = paths
        self._build = build
        self._sample = sample
        self._closing = threading.Lock()
        self._closed = False
        self._services: Services | None = None
        self.state = WindowState(paths.config / STATE_FILE)
        self.appearance = Appearance(application, self.state.theme)
        self.crashes = CrashReports(self._report_from_any_thread)
        self.runner = JobRunner(on_unhandled=self._on_unhandled)
        self._post_crash: Callable[[BaseException], None] = self.runner.channel(self._show_crashes)
        self.session_list = SessionListModel()
        self.messages = MessageListModel()
        self.documents = DocumentListModel()
        self.folder_list = FolderListModel()
        self.window = MainWindow(
            self.appearance, self.state, self.session_list, self.messages, self.documents, self.folder_list
        )
        self.sessions = SessionController(self.runner, self.session_list, self.messages, self.window.toast)
        self.chat = ChatController(
            self.runner,
            self.sessions,
            self.session_list,
            self.messages,
            lambda: self.documents.count(*WAITING_STATES),
        )
        self.library = LibraryController(self.runner, self.documents, self.window.right.library.card, self.window.toast)
        self.web = WebController(self.runner, self.window.toast, self.library.add)
        self.folders = FolderController(self.runner, self.folder_list, self.window.toast)
        self.sources = SourceController(self.runner, self.window.right.source, self.window.toast)
        self.settings = SettingsController(self.runner, self.appearance, self.state)
        toast = self.window.toast
        self.feedback = FeedbackController(self.runner, self.sessions, self.messages, self.window.chat, toast)
        self.bench = BenchController(self.runner, self.appearance, self.messages, self.sources, toast)
        self._connect_chat()
        self._connect_library()
        self._connect_window()
        self._add_shortcuts()
        self.window.chat.invitation.show_opening()
        self._on_session_opened("")

    # -- life ------------------------------------------------------------------------------------------------------

    def show(self) -> None:
        """Show the window; everything slow begins after it is painted."""
        self.window.first_painted.connect(self.start)
        self.window.show()
        self.window.chat.composer.edit.setFocus()

    def start(self) -> None:
        """Build the services in the background."""
        self.window.chat.invitation.show_opening()
        self.runner.run(self._build_or_give_up, self._attach, self._on_build_error)

    def quit(self) -> None:
        """Close the window, which ends the program."""
        self.window.close()

    def close(self, timeout: float = CLOSE_SECONDS) -> bool:
        """Stop all work and close the services. False if something did not end in time."""
        deadline = time.monotonic() + timeout
        self.window.toast.dismiss()  # what could still be undone is done now
        self.state.session_id = self.sessions.current
        self.state.save()
        self.chat.stop_all()
        self.folders.detach()
        self.library.detach()
        self.window.right.source.clear()
        # Pending deletions and the end of stopped answers are still on their way to the databases.
        idle = self.runner.wait(max(0.1, min(2.0, timeout / 2)))
        with self._closing:
            self._closed = True
            services, self._services = self._services, None
        closer = threading.Thread(
            target=services.close if services else lambda: None, name="close-services", daemon=True
        )
        closer.start()
        ended = self.runner.close(max(0.1, deadline - time.monotonic()))
        closer.join(max(0.1, deadline - time.monotonic()))
        return idle and ended and not closer.is_alive()

    def _build_or_give_up(self) -> Services | None:
        """On a worker thread. Services that are ready only after the program was told to quit are closed at once."""
        services = self._build()
        with self._closing:
            if not self._closed:
                self._services = services
                return services
        services.close()
        return None

    def _attach(self, services: Services | None) -> None:
        if services is None:
            return
        self.sources.attach(services)
        self.settings.attach(services)
        self.feedback.attach(services)
        self.bench.attach(services)
        self.chat.attach(services)
        self.sessions.attach(services, self.state.session_id)
        self.web.attach(services)
        self.library.attach(services)
        self.folders.attach(services)
        self.window.chat.composer.set_ready(True)
        self._add_sample()

    def _add_sample(self) -> None:
        if self._sample is not None and not self.state.flag(SAMPLE_FLAG):
            self.state.set_flag(SAMPLE_FLAG, True)
            self.library.add([self._sample])

    # -- wiring ----------------------------------------------------------------------------------------------------

    def _connect_chat(self) -> None:
        chat, panel = self.window.chat, self.window.sessions
        panel.new_wished.connect(self.begin_chat)
        panel.opened.connect(self.sessions.open)
        panel.delete_wished.connect(self.sessions.delete)
        self.sessions.opened.connect(self._on_session_opened)
        chat.composer.question_sent.connect(self.ask)
        chat.composer.stop_wished.connect(self.chat.stop)
        chat.invitation.question_chosen.connect(self.ask)
        chat.invitation.retry_wished.connect(self.start)
        chat.regenerate_wished.connect(self.chat.ask_again)
        chat.copy_wished.connect(self._copy_message)
        chat.link_activated.connect(lambda link: ask_about_link(link, external.open_link, self.window))
        chat.footnote_activated.connect(self.open_footnote)
        self.chat.answering_changed.connect(chat.composer.set_answering)
        self.chat.answer_began.connect(lambda: announce(chat, "The answer begins."))
        self.chat.answer_ended.connect(lambda text: announce(chat, f"The answer is complete. {text}"))
        self.chat.failed.connect(self._on_unhandled)

    def _connect_library(self) -> None:
        panel, invitation = self.window.right.library, self.window.chat.invitation
        for adder in (panel, invitation):
            adder.add_files_wished.connect(self.choose_files)
            adder.add_folder_wished.connect(self.choose_folder)
        self.window.chat.composer.add_files_wished.connect(self.choose_files)
        self.window.paths_dropped.connect(self.add_paths)
        self.window.pages_dropped.connect(self.add_pages)
        panel.page_pasted.connect(lambda page: self.add_pages([page]))
        panel.add_page_wished.connect(self.choose_page)
        panel.open_wished.connect(self._open_documents)
        panel.retry_wished.connect(lambda entries: self.web.read_again([entry.path for entry in entries]))
        panel.remove_wished.connect(self.library.remove)
        panel.reveal_wished.connect(lambda entries: self.sources.reveal(entries[0].path))
        panel.pause_wished.connect(self.library.pause)
        panel.resume_wished.connect(self.library.resume)
        panel.cancel_wished.connect(self.library.cancel)
        self.library.documents_changed.connect(self._show_library_state)
        self.library.many_files_found.connect(
            lambda preview, paths: ask_about_many_files(preview, lambda: self.library.add_now(paths), self.window)
        )
        panel.folders.rescan_wished.connect(self.folders.rescan)
        panel.folders.remove_wished.connect(self.folders.remove)
        panel.folders.reveal_wished.connect(lambda entry: self.sources.reveal(entry.path))
        self.folders.documents_changed.connect(self.library.refresh)
        self.library.documents_changed.connect(self.folders.refresh_soon)

    def _connect_window(self) -> None:
        panel = self.window.sessions
        panel.settings_wished.connect(self.open_settings)
        panel.theme_switch_wished.connect(self.settings.switch_theme)
        panel.shortcuts_wished.connect(self.show_shortcuts)
        panel.bench_wished.connect(self.open_bench)
        panel.forget_examples_wished.connect(lambda: self.feedback.ask_to_forget(self.window))
        self.sources.shown.connect(self.window.show_source)

    def _add_shortcuts(self) -> None:
        window, source = self.window, self.window.right.source
        for keys, text, handler in (
            ("Ctrl+N", "New chat", self.begin_chat),
            ("Ctrl+L", "Write a question", self.focus_composer),
            ("Esc", "Stop the answer", self.escape),
            ("Ctrl+O", "Add files", self.choose_files),
            ("Ctrl+Shift+O", "Add a folder", self.choose_folder),
            ("Ctrl+U", "Add a web page", self.choose_page),
            ("Ctrl+B", "Show or hide the chats", window.toggle_sessions),
            ("Ctrl+Shift+B", "Show or hide the library", window.toggle_right),
            ("Ctrl+F", "Find in the document on show", self.find_in_source),
            ("Alt+Up", "Previous footnote", lambda: self.sources.step(-1)),
            ("Alt+Down", "Next footnote", lambda: self.sources.step(1)),
            ("Ctrl++ | Ctrl+=", "Larger document", source.zoom_in),
            ("Ctrl+-", "Smaller document", source.zoom_out),
            ("Ctrl+0", "Fit the document to the width", source.fit_width),
            ("F2", "Rename the chat", lambda: window.sessions.rename(self.sessions.current)),
            ("Ctrl+Shift+E", "Search bench", self.open_bench),
            ("Ctrl+,", "Settings", self.open_settings),
            ("F1", "Keyboard shortcuts", self.show_shortcuts),
            ("Ctrl+Q", "Quit", window.close),
        ):
            window.add_shortcut(keys, text, handler)

    # -- what the user can do --------------------------------------------------------------------------------------

    def ask(self, text: str) -> None:
        """Ask a question in the open chat."""
        self.window.chat.messages.scroll_to_bottom()
        self.chat.ask(text)

    def begin_chat(self) -> None:
        """A new chat, ready to type."""
        self.sessions.begin()
        self.focus_composer()

    def focus_composer(self) -> None:
        """Ready to type."""
        self.window.chat.composer.edit.setFocus()

    def escape(self) -> None:
        """Stop what is being written, else close what is open over the window."""
        self.window.chat.hide_card()
        if self.chat.answering:
            self.chat.stop()
        elif self.window.right.source.find_bar.isVisible():
            self.window.right.source.find_bar.close_bar()

    def add_paths(self, paths: list[Path]) -> None:
        """Add files and folders to the library, and show it."""
        self.window.show_library()
        self.library.add(paths)

    def add_pages(self, addresses: list[str]) -> None:
        """Fetch web pages, add them to the library, and show it."""
        self.window.show_library()
        self.web.add(addresses)

    def choose_page(self) -> None:
        """Let the user type the address of a web page."""
        dialog = PageDialog(self.appearance, self.window)
        dialog.page_wished.connect(lambda address: self.add_pages([address]))
        dialog.open()

    def choose_files(self) -> None:
        """Let the user pick files."""
        dialog = QFileDialog(self.window, "Add files")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        self._choose(dialog)

    def choose_folder(self) -> None:
        """Let the user pick a folder."""
        dialog = QFileDialog(self.window, "Add a folder")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        self._choose(dialog)

    def open_footnote(self, message_id: int, number: int) -> None:
        """Show the place behind a footnote."""
        row = self.messages.row_of(message_id)
        if row is not None:
            self.window.chat.hide_card()
            self.sources.show_citation(self.messages.entry(row).citations, number)

    def find_in_source(self) -> None:
        """Find in the document on show."""
        source = self.window.right.source.source
        if self.window.right.isVisible() and self.window.right.shows_source and source is not None:
            self.window.right.source.find_bar.open_bar()

    def open_settings(self) -> None:
        """Show the settings."""
        self.settings.open_dialog(self.window)

    def open_bench(self) -> None:
        """Show the search bench."""
        self.bench.open_dialog(self.window)

    def show_shortcuts(self) -> None:
        """Show all keyboard shortcuts."""
        ShortcutsDialog(self.appearance, self.window.shortcuts(), self.window).open()

    # -- reactions -------------------------------------------------------------------------------------------------

    def _choose(self, dialog: QFileDialog) -> None:
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.filesSelected.connect(lambda names: self.add_paths([Path(name) for name in names]))
        dialog.open()

    def _open_documents(self, entries: list[DocumentEntry]) -> None:
        entry = next((each for each in entries if each.can_open), entries[0])
        if entry.can_open and entry.id is not None:
            self.sources.show_document(entry.id, entry.path)
        else:
            self.window.toast.say(entry.details)

    def _copy_message(self, message_id: int) -> None:
        row = self.messages.row_of(message_id)
        if row is not None:
            QGuiApplication.clipboard().setText(self.messages.entry(row).text)

    def _on_session_opened(self, session_id: str) -> None:
        self.window.sessions.select(session_id)
        title = self.sessions.title(session_id) if session_id else "New chat"
        self.window.chat.title.set_full_text(title)
        self.window.setWindowTitle(f"{title} – Footnote" if session_id else "Footnote")

    def _show_library_state(self) -> None:
        ready = self.documents.count(DocumentState.READY)
        self.window.chat.composer.set_scope(
            f"Answers from {counted(ready, 'document')}" if ready else "No documents yet"
        )
        if not self.library.loaded:
            return
        invitation = self.window.chat.invitation
        if ready:
            paths = [entry.path for entry in self.documents.entries]
            invitation.show_ready(_ready_words(ready), suggested_questions(paths, resource("sample")))
        elif self.documents.count(*WAITING_STATES) or not self.window.right.library.card.isHidden():
            invitation.show_reading()
        else:
            invitation.show_without_documents()

    def _on_build_error(self, error: Exception) -> None:
        if isinstance(error, UserFacingError):
            self.window.chat.invitation.show_failed(str(error))
        else:
            self.window.chat.invitation.show_failed("Something went wrong inside Footnote. The log has the details.")
            self.crashes.handle(error)

    def _on_unhandled(self, error: Exception) -> None:
        """An error that nobody waited for, on the GUI thread."""
        if isinstance(error, UserFacingError):
            self.window.toast.say(str(error))
        else:
            self.crashes.handle(error)

    def _report_from_any_thread(self, error: BaseException) -> None:
        self._post_crash(error)

    def _show_crashes(self, errors: Sequence[BaseException]) -> None:
        for error in errors:
            self._show_crash(error)

    def _show_crash(self, error: BaseException) -> None:
        if isinstance(error, UserFacingError):
            self.window.toast.say(str(error))
        else:
            CrashDialog(self.appearance, report_of(error), str(self._paths.logs), self.window).open()


def _ready_words(count: int) -> str:
    return "One document is" if count == 1 else f"{count:,} documents are"
