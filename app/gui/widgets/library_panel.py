"""The library, on the right: documents, what is being read, what could not be."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QPoint, Qt, QTimer, Signal, SignalInstance
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence, QPalette
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QLineEdit,
    QListView,
    QMenu,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.domain.documents import DocumentState
from app.gui.external import page_link
from app.gui.models.collection_list_model import CollectionEntry
from app.gui.models.document_list_model import DocumentEntry, DocumentListModel
from app.gui.models.folder_list_model import FolderListModel
from app.gui.theme import Appearance
from app.gui.widgets.basics import IconButton, IconLabel, TextButton, plain_label
from app.gui.widgets.collection_list import CollectionList
from app.gui.widgets.document_delegate import DocumentDelegate
from app.gui.widgets.folder_list import FolderList
from app.gui.widgets.ingestion_card import IngestionCard
from app.gui.widgets.work_card import NoticeCard, WorkCard
from app.gui.wording import counted, shown


class DocumentList(QListView):
    """The list itself. Signals: ``delete_key_pressed``; ``page_pasted(address)`` for an address in the clipboard."""

    delete_key_pressed = Signal()
    page_pasted = Signal(str)

    def __init__(self, appearance: Appearance, model: DocumentListModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setModel(model)
        self.setItemDelegate(DocumentDelegate(appearance, self))
        self.setMouseTracking(True)
        self.setUniformItemSizes(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setAccessibleName("Documents")
        self.viewport().setBackgroundRole(QPalette.ColorRole.NoRole)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Delete:
            self.delete_key_pressed.emit()
            return
        if event.matches(QKeySequence.StandardKey.Paste) and (page := page_link(QGuiApplication.clipboard().text())):
            self.page_pasted.emit(page)
            return
        super().keyPressEvent(event)


class LibraryPanel(QWidget):
    """Signals, each with a list of ``DocumentEntry``: ``open_wished``, ``retry_wished``, ``remove_wished``,
    ``reveal_wished``, ``summary_wished``; ``add_files_wished``, ``add_folder_wished``, ``add_page_wished``;
    ``page_pasted(address)``; ``pause_wished``, ``resume_wished`` and
    ``cancel_wished`` for the reading under way; ``import_pack_wished``, ``export_all_wished``,
    ``search_model_wished``, ``check_wished``; with paths: ``collect_wished(record, paths)``,
    ``collect_anew_wished(paths)``, ``take_out_wished(record, paths)``.
    """

    open_wished = Signal(list)
    retry_wished = Signal(list)
    remove_wished = Signal(list)
    reveal_wished = Signal(list)
    summary_wished = Signal(list)
    add_files_wished = Signal()
    add_folder_wished = Signal()
    add_page_wished = Signal()
    page_pasted = Signal(str)
    pause_wished = Signal()
    resume_wished = Signal()
    cancel_wished = Signal()
    import_pack_wished = Signal()
    export_all_wished = Signal()
    search_model_wished = Signal()
    check_wished = Signal()
    collect_wished = Signal(object, list)
    collect_anew_wished = Signal(list)
    take_out_wished = Signal(object, list)

    def __init__(
        self,
        appearance: Appearance,
        model: DocumentListModel,
        folders: FolderListModel,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self._model = model
        self._is_open = False
        self.folders = FolderList(appearance, folders)
        self.collections = CollectionList(appearance)
        self.rebuilding = WorkCard(appearance)
        self.notice = NoticeCard(appearance)
        self.list = DocumentList(appearance, model)
        self.card = IngestionCard(appearance)
        self.filter = self._make_filter()
        self._counts = plain_label("", scale="small", tone="tertiary")
        self.problems = TextButton(appearance, "", kind="link")
        self.problems.setCheckable(True)
        self.problems.toggled.connect(model.set_problems_only)
        self._pages = QStackedWidget()
        self._pages.addWidget(self.list)
        self._pages.addWidget(self._make_empty())
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 6, 14, 10)
        column.setSpacing(10)
        column.addLayout(self._make_buttons())
        column.addLayout(self._make_more())
        for widget in (self.card, self.rebuilding, self.notice, self.folders, self.collections):
            column.addWidget(widget)
        column.addWidget(self.filter)
        column.addWidget(self._pages, 1)
        column.addLayout(self._make_foot())
        self._connect()
        self._update_counts()

    def _make_filter(self) -> QLineEdit:
        line = QLineEdit()
        line.setPlaceholderText("Filter by name or folder")
        line.setAccessibleName("Filter documents")
        line.setClearButtonEnabled(True)
        line.textChanged.connect(self._model.set_filter)
        return line

    def _make_buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(8)
        self.add_files = TextButton(
            self._appearance, "Add files…", icon="file-add", on_click=self.add_files_wished.emit
        )
        self.add_folder = TextButton(
            self._appearance, "Add folder…", icon="folder-add", on_click=self.add_folder_wished.emit
        )
        row.addWidget(self.add_files, 1)
        row.addWidget(self.add_folder, 1)
        return row

    def _make_more(self) -> QHBoxLayout:
        self.add_page = TextButton(self._appearance, "Add web page…", kind="link", on_click=self.add_page_wished.emit)
        self.more_button = IconButton(self._appearance, "more", "More for the library")
        self.more_button.setMenu(self._make_menu())
        self.more_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        row = QHBoxLayout()
        row.addWidget(self.add_page)
        row.addStretch(1)
        row.addWidget(self.more_button)
        return row

    def _make_menu(self) -> QMenu:
        menu = QMenu(self)
        for text, signal in (
            ("New collection…", self.collections.create_wished),
            ("Check and import a pack…", self.import_pack_wished),
            ("Export everything as a pack…", self.export_all_wished),
            ("", None),
            ("Search model and passages…", self.search_model_wished),
            ("Check the library…", self.check_wished),
        ):
            if signal is None:
                menu.addSeparator()
            else:
                menu.addAction(text).triggered.connect(lambda _checked=False, chosen=signal: chosen.emit())
        return menu

    def _make_empty(self) -> QWidget:
        empty = QWidget()
        column = QVBoxLayout(empty)
        column.setSpacing(8)
        column.addStretch(1)
        column.addWidget(
            IconLabel(self._appearance, "library", color="text_tertiary", size=34),
            alignment=Qt.AlignmentFlag.AlignHCenter,
        )
        self._empty_words = plain_label("", tone="secondary", wrap=True)
        self._empty_words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        column.addWidget(self._empty_words)
        column.addStretch(2)
        return empty

    def _make_foot(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.addWidget(self._counts, 1)
        row.addWidget(self.problems)
        return row

    def _connect(self) -> None:
        self.list.activated.connect(lambda _index: self._emit(self.open_wished))
        self.list.page_pasted.connect(self.page_pasted)
        self.list.delete_key_pressed.connect(lambda: self._emit(self.remove_wished))
        self.list.customContextMenuRequested.connect(self._show_menu)
        self.card.pause_wished.connect(self.pause_wished)
        self.card.resume_wished.connect(self.resume_wished)
        self.card.cancel_wished.connect(self.cancel_wished)
        self._model.counts_changed.connect(self._update_counts)
        self.folders.extend_menu = self._add_collecting
        self.collections.model.collections_changed.connect(self._update_counts)
        self.collections.model.paths_dropped.connect(self._on_dropped)

    def show_open(self) -> None:
        """The library has been read; until then nobody knows whether it is empty."""
        if not self._is_open:
            self._is_open = True
            self._update_counts()

    @property
    def selected(self) -> list[DocumentEntry]:
        """The entries that are selected."""
        return [index.data(DocumentListModel.EntryRole) for index in self.list.selectionModel().selectedIndexes()]

    def _emit(self, signal: SignalInstance) -> None:
        entries = self.selected
        if entries:
            signal.emit(entries)

    def _update_counts(self) -> None:
        total = self._model.count()
        failed = self._model.count(DocumentState.FAILED)
        ready = self._model.count(DocumentState.READY)
        words = counted(ready, "document")
        if self._model.members is not None:
            self._counts.setText(f"{self._model.rowCount():,} of {counted(total, 'document')}")
        else:
            self._counts.setText(f"{words} · {counted(self._model.passage_count, 'passage')}" if total else "")
        self.collections.setVisible(total > 0 or self.collections.model.rowCount() > 0)
        self.problems.setVisible(failed > 0 or self.problems.isChecked())
        self.problems.setText("Show all" if self.problems.isChecked() else f"{counted(failed, 'problem')}")
        self.problems.setAccessibleName(f"{counted(failed, 'file')} could not be read")
        self.filter.setVisible(total > 5 or bool(self.filter.text()))
        nothing_shown = self._model.rowCount() == 0
        self._pages.setCurrentIndex(1 if nothing_shown else 0)
        self._empty_words.setText(self._words_for_nothing(total))

    def _words_for_nothing(self, total: int) -> str:
        if not total:
            if not self._is_open:
                return ""
            return "Your library is empty.\nDrop files or folders anywhere on this window."
        if self._model.members == frozenset():
            return "This collection is empty.\nDrag documents or folders onto its name, or use their menu."
        return "No document matches."

    def _on_dropped(self, entry: CollectionEntry, paths: list[Path]) -> None:
        """Tearing lists down inside a drop crashes; what it sets off comes after it."""
        shown = self.collections.model.record(self.collections.shown or 0)
        if entry.record is not None:
            QTimer.singleShot(0, self, lambda: self.collect_wished.emit(entry.record, paths))
        elif shown is not None:
            QTimer.singleShot(0, self, lambda: self.take_out_wished.emit(shown, paths))

    def _show_menu(self, position: QPoint) -> None:
        entries = self.selected
        if entries:
            self.menu_for(entries).popup(self.list.viewport().mapToGlobal(position))

    def menu_for(self, entries: list[DocumentEntry]) -> QMenu:
        """What can be done with these documents."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        actions = (
            (
                "Open",
                "file-text",
                self.open_wished,
                any(entry.can_open for entry in entries),
            ),
            ("Summarise", "summary", self.summary_wished, len(entries) == 1 and entries[0].can_open),
            ("Read again", "refresh", self.retry_wished, True),
            ("Show in folder", "reveal", self.reveal_wished, True),
            ("Remove from library", "trash", self.remove_wished, True),
        )
        for text, icon, signal, enabled in actions:
            action = menu.addAction(self._appearance.icon(icon, "text_secondary"), text)
            action.setEnabled(enabled)
            action.triggered.connect(lambda _checked=False, chosen=signal: chosen.emit(entries))
        self._add_collecting(menu, [entry.path for entry in entries if entry.id is not None])
        return menu

    def _add_collecting(self, menu: QMenu, paths: Sequence[Path]) -> None:
        """Into a collection, and out of the one on show."""
        model, chosen = self.collections.model, list(paths)
        menu.addSeparator()
        into = menu.addMenu(self._appearance.icon("library", "text_secondary"), "Add to collection")
        into.setEnabled(bool(chosen))
        for record in model.records:
            action = into.addAction(shown(record.name).replace("&", "&&"))
            action.triggered.connect(lambda _checked=False, each=record: self.collect_wished.emit(each, chosen))
        into.addSeparator()
        into.addAction("New collection…").triggered.connect(
            lambda _checked=False: self.collect_anew_wished.emit(chosen)
        )
        on_show = model.record(self.collections.shown or 0)
        if on_show is not None and chosen:
            out = menu.addAction(
                self._appearance.icon("close", "text_secondary"),
                f"Take out of “{shown(on_show.name)}”".replace("&", "&&"),
            )
            out.triggered.connect(lambda _checked=False: self.take_out_wished.emit(on_show, chosen))
