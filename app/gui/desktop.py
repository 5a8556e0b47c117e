"""The whole window program put together: models, widgets, controllers and the services below them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QApplication

from app.domain.errors import LibraryLockedError, UserFacingError
from app.gui.crash_reports import CrashReports, report_of
from app.gui.early_window import make_window
from app.gui.jobs import JobRunner
from app.gui.models.document_list_model import DocumentListModel
from app.gui.models.folder_list_model import FolderListModel
from app.gui.models.message_list_model import MessageListModel
from app.gui.models.session_list_model import SessionListModel
from app.gui.ports import Services
from app.gui.theme import Appearance
from app.gui.widgets.dialogs import CrashDialog
from app.gui.widgets.main_window import MainWindow
from app.gui.wiring import Stage, Wiring
from app.gui.wiring_answering import AnsweringWiring
from app.gui.wiring_chat import ChatWiring
from app.gui.wiring_collections import CollectionWiring
from app.gui.wiring_composer import ComposerWiring
from app.gui.wiring_library import LibraryWiring
from app.gui.wiring_profiles import ProfileWiring
from app.gui.wiring_sessions import SessionWiring
from app.gui.wiring_sources import SourceWiring
from app.gui.wiring_upkeep import UpkeepWiring
from app.gui.wiring_window import WindowWiring
from app.settings.paths import AppPaths

BuildServices = Callable[[], Services]
CLOSE_SECONDS = 5.0
REOPEN_SECONDS = 2.0
LOCKED_MILLISECONDS = 1_500


class Desktop(QObject):
    """Make it, ``show()`` it, ``close()`` it. Services are built in the background once the window is painted.

    ``window`` is one that is on the screen already, empty; without it a window is made.

    What the user can do stands in the ``wiring_…`` files, one for each part of the window.

    Signals: ``library_opened`` once the services are there.
    """

    library_opened = Signal()

    def __init__(
        self,
        application: QApplication,
        paths: AppPaths,
        build: BuildServices,
        *,
        sample: Path | None = None,
        window: MainWindow | None = None,
    ) -> None:
        super().__init__()
        self._paths = paths
        self._build = build
        self._sample = sample
        self._closing = threading.Lock()
        self._closed = False
        self._services: Services | None = None
        self._until_free = QTimer(self, singleShot=True, interval=LOCKED_MILLISECONDS)
        self._until_free.timeout.connect(self._open)
        self.window = window or make_window(paths)
        self.state = self.window.state
        self.appearance = Appearance(application, self.state.theme)
        self.crashes = CrashReports(self._report_from_any_thread)
        self.runner = JobRunner(on_unhandled=self._on_unhandled)
        self._post_crash: Callable[[BaseException], None] = self.runner.channel(self._show_crashes)
        self.session_list = SessionListModel()
        self.messages = MessageListModel()
        self.documents = DocumentListModel()
        self.folder_list = FolderListModel()
        self.window.fill(self.appearance, self.session_list, self.messages, self.documents, self.folder_list)
        self._wire(self._stage())
        self.window.chat.invitation.show_opening()
        self._sessions.show_title("")

    def _stage(self) -> Stage:
        return Stage(
            self.runner,
            self.appearance,
            self.state,
            self.window,
            self.session_list,
            self.messages,
            self.documents,
            self.folder_list,
            self._on_unhandled,
        )

    def _wire(self, stage: Stage) -> None:
        self._sessions = SessionWiring(stage, self._focus_composer)
        self._sources = SourceWiring(stage)
        self._chat = ChatWiring(stage, self._sessions.controller)
        self.composer_wiring = ComposerWiring(
            stage, self._sessions.controller, self._chat.controller, self._sessions.begin_chat, self._paths.data
        )
        self._answering = AnsweringWiring(stage, self._chat.controller, self.composer_wiring.choices)
        self.composer_wiring.controller.every_document_wished.connect(self._answering.check_every_document)
        self._library = LibraryWiring(stage, self._sources.controller, self.start)
        self._window = WindowWiring(stage, self._sources.controller, self._chat.feedback)
        self.profiles = ProfileWiring(stage, self._paths).controller
        self._collections = CollectionWiring(
            stage, self._library.controller, self.composer_wiring.controller.reload_collections
        )
        self._upkeep = UpkeepWiring(stage, self._library.controller, self._window.settings, self.reopen)
        composer = self.composer_wiring.controller
        composer.commands_of_others = [
            *self._sessions.commands(),
            *self._library.commands(),
            *self._window.commands(),
        ]
        composer.library_wished.connect(self._library.add_paths)
        self.window.chat.composer.pages_dropped.connect(self._library.add_pages)
        self._name_parts()
        chat: tuple[Wiring, ...] = (self._sessions, self._chat, self.composer_wiring, self._answering)
        for wiring in (*chat, self._library, self._collections, self._upkeep, self._sources, self._window):
            for keys, text, handler in wiring.shortcuts():
                self.window.add_shortcut(keys, text, handler)

    def _name_parts(self) -> None:
        """The controllers and what the user can do, by name."""
        self.sessions, self.session_actions = self._sessions.controller, self._sessions.actions
        self.transfer, self.session_menus = self._sessions.transfer, self._sessions.menus
        self.open_trash, self.ask_to_export = self._sessions.open_trash, self._sessions.ask_to_export
        self.chat = self._chat.controller
        self.feedback = self._chat.feedback
        self.composer, self.choices = self.composer_wiring.controller, self.composer_wiring.choices
        self.library, self.web, self.folders = self._library.controller, self._library.web, self._library.folders
        self.collections, self.packs = self._collections.controller, self._collections.packs
        self.search_models, self.check = self._upkeep.models, self._upkeep.check
        self.sources = self._sources.controller
        self.settings, self.bench = self._window.settings, self._window.bench
        self.ask, self.escape = self._chat.ask, self._chat.escape
        self.begin_chat = self._sessions.begin_chat
        self.add_paths, self.add_pages = self._library.add_paths, self._library.add_pages
        self.open_footnote, self.find_in_source = self._sources.open_footnote, self._sources.find_in_source
        self.summarise, self.check_every_document = self._answering.summarise, self._answering.check_every_document
        self.open_settings = self._window.open_settings

    def _focus_composer(self) -> None:
        self._chat.focus_composer()

    # -- life ------------------------------------------------------------------------------------------------------

    def show(self) -> None:
        """Show the window; everything slow begins after it is painted."""
        if self.window.painted:
            self.start()
        else:
            self.window.first_painted.connect(self.start)
            self.window.show()
        self._focus_composer()

    def start(self) -> None:
        """Build the services in the background."""
        self.window.chat.invitation.show_opening()
        self._open()

    def _open(self) -> None:
        self._until_free.stop()
        self.runner.run(self._build_or_give_up, self._attach, self._on_build_error)

    def reopen(
        self, work: Callable[[Any], Any], on_done: Callable[[Any], None], on_error: Callable[[Exception], None]
    ) -> None:
        """Close the services, give fresh ones to ``work`` on a worker, close these, and open the window's again."""
        self.window.toast.dismiss()
        self._sessions.save_state()
        self._detach()
        self.window.chat.composer.set_ready(False)
        self.runner.wait(REOPEN_SECONDS)
        with self._closing:
            services, self._services = self._services, None

        def again() -> tuple[Services | None, Callable[[], None]]:
            if services is not None:
                services.close()
            try:
                fresh = self._build()
                try:
                    result = work(fresh)
                finally:
                    fresh.close()
            except UserFacingError as error:
                failure = error  # the name of an except clause ends with it
                return self._build_or_give_up(), lambda: on_error(failure)
            return self._build_or_give_up(), lambda: on_done(result)

        def go_on(opened: tuple[Services | None, Callable[[], None]]) -> None:
            self._attach(opened[0])
            opened[1]()

        self.runner.run(again, go_on, self._on_build_error)

    def quit(self) -> None:
        """Close the window, which ends the program."""
        self.window.close()

    def close(self, timeout: float = CLOSE_SECONDS) -> bool:
        """Stop all work and close the services. False if something did not end in time."""
        deadline = time.monotonic() + timeout
        self.window.toast.dismiss()  # what could still be undone is done now
        self._until_free.stop()
        self._sessions.save_state()
        self.composer_wiring.drafts.save()
        self.state.save()
        self._detach()
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

    def _detach(self) -> None:
        """The services will go."""
        self.chat.stop_all()
        for part in (self.composer_wiring, self._library, self._collections, self._upkeep):
            part.detach()
        self.window.right.source.clear()

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
        first: tuple[Wiring, ...] = (self._sources, self._window, self._chat, self._answering, self.composer_wiring)
        for wiring in (*first, self._sessions, self._library, self._collections, self._upkeep):
            wiring.attach(services)
        self.window.chat.composer.set_ready(True)
        if self._sample is not None:
            self._library.add_sample(self._sample)
        self.library_opened.emit()

    # -- errors ----------------------------------------------------------------------------------------------------

    def _on_build_error(self, error: Exception) -> None:
        if isinstance(error, UserFacingError):
            self.window.chat.invitation.show_failed(str(error))
            if isinstance(error, LibraryLockedError):
                self._until_free.start()  # it is often a program that is just ending
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
