"""The menus of the list of chats."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPoint
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QInputDialog, QMenu, QWidget

from app.domain.turns import SessionRecord
from app.gui.controllers.session_actions import SessionActions
from app.gui.models.session_list_model import SessionListModel
from app.gui.session_sections import Section, SectionKind
from app.gui.theme import Appearance
from app.gui.wording import shown

LONGEST_NAME = 100


class SessionMenus:
    """Makes menus; ``rename`` edits a title in place, ``export`` asks as what and where."""

    def __init__(
        self,
        appearance: Appearance,
        window: QWidget,
        model: SessionListModel,
        actions: SessionActions,
        rename: Callable[[str], object],
        export: Callable[[str], object],
    ) -> None:
        self._appearance = appearance
        self._window = window
        self._model = model
        self._actions = actions
        self._rename = rename
        self._export = export

    def of_chat(self, record: SessionRecord, place: QPoint | None = None) -> QMenu:
        """What can be done with a chat; shown at once where a place is given."""
        ident, actions = record.id, self._actions
        menu = QMenu(self._window)
        self._add(menu, "rename", "Rename", lambda: self._rename(ident))
        self._add(menu, "refresh", "Name after the question", lambda: actions.name_after_question(ident))
        menu.addSeparator()
        self._add(menu, "pin", "Unpin" if record.pinned else "Pin", lambda: actions.pin(ident, not record.pinned))
        self._add_folders(menu, record)
        self._add(menu, "tag", "Tags…", lambda: self.ask_for_tags(record))
        self._add(menu, "archive", *self._archiving(record))
        menu.addSeparator()
        self._add(menu, "copy", "Duplicate", lambda: actions.duplicate(ident))
        self._add(menu, "external", "Export…", lambda: self._export(ident))
        menu.addSeparator()
        self._add(menu, "trash", "Delete", lambda: actions.delete(ident))
        return self._shown(menu, place)

    def of_section(self, section: Section, place: QPoint | None = None) -> QMenu | None:
        """What can be done with a folder; other headings have no menu."""
        if section.kind is not SectionKind.FOLDER:
            return None
        folder = next((each for each in self._model.folders if shown(each) == section.title), section.title)
        menu = QMenu(self._window)
        self._add(menu, "rename", "Rename folder…", lambda: self.ask_for_folder_name(folder))
        self._add(menu, "close", "Remove folder, keep its chats", lambda: self._actions.dissolve(folder))
        return self._shown(menu, place)

    def ask_for_tags(self, record: SessionRecord) -> QInputDialog:
        """Let the user type tags."""
        tags = ", ".join(shown(tag) for tag in record.tags)
        return self._ask("Tags", "Tags, separated by commas:", tags, lambda words: self._actions.tag(record.id, words))

    def ask_for_new_folder(self, session_id: str) -> QInputDialog:
        """Let the user name a folder for a chat."""
        return self._ask("New folder", "Name of the folder:", "", lambda name: self._actions.move(session_id, name))

    def ask_for_folder_name(self, folder: str) -> QInputDialog:
        """Let the user rename a folder."""
        return self._ask(
            "Rename folder",
            "Name of the folder:",
            shown(folder),
            lambda name: self._actions.rename_folder(folder, name),
        )

    def _archiving(self, record: SessionRecord) -> tuple[str, Callable[[], object]]:
        words = "Take out of the archive" if record.archived else "Archive"
        return words, lambda: self._actions.archive(record.id, not record.archived)

    def _add_folders(self, menu: QMenu, record: SessionRecord) -> None:
        folders = menu.addMenu(self._icon("folder"), "Move to folder")
        for folder in self._model.folders:
            action = folders.addAction(shown(folder).replace("&", "&&"))
            action.setCheckable(True)
            action.setChecked(folder == record.folder)
            action.triggered.connect(lambda _checked=False, name=folder: self._actions.move(record.id, name))
        if self._model.folders:
            folders.addSeparator()
        if record.folder:
            folders.addAction("No folder").triggered.connect(lambda _checked=False: self._actions.move(record.id, ""))
        folders.addAction("New folder…").triggered.connect(lambda _checked=False: self.ask_for_new_folder(record.id))

    def _shown(self, menu: QMenu, place: QPoint | None) -> QMenu:
        if place is not None:
            menu.aboutToHide.connect(menu.deleteLater)
            menu.popup(place)
        return menu

    def _add(self, menu: QMenu, icon: str, words: str, on_click: Callable[[], object]) -> None:
        menu.addAction(self._icon(icon), words).triggered.connect(lambda _checked=False: on_click())

    def _icon(self, name: str) -> QIcon:
        return self._appearance.icon(name, "text_secondary")

    def _ask(self, title: str, words: str, text: str, on_text: Callable[[str], object]) -> QInputDialog:
        dialog = QInputDialog(self._window)
        dialog.setWindowTitle(title)
        dialog.setLabelText(words)
        dialog.setTextValue(text)
        dialog.setInputMode(QInputDialog.InputMode.TextInput)
        dialog.textValueSelected.connect(lambda value: on_text(value[:LONGEST_NAME]))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()
        return dialog
