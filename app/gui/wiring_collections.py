"""Collections and packs: their controllers, connected with what is on the screen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtWidgets import QFileDialog

from app.domain.collections import CollectionRecord
from app.gui.controllers.collection_controller import CollectionController
from app.gui.controllers.library_controller import LibraryController
from app.gui.controllers.pack_controller import PackController
from app.gui.ports import Services
from app.gui.widgets.name_dialog import NameDialog
from app.gui.wiring import Shortcut, Stage
from app.gui.wording import shown

SUFFIX = "footnotepack"
FILTER = f"Collection packs (*.{SUFFIX})"
ABOUT = "A document can be in several collections. In a question, # limits the search to one."


class CollectionWiring:
    """``collections_changed`` is called when there are others or they have other names."""

    def __init__(self, stage: Stage, library: LibraryController, collections_changed: Callable[[], None]) -> None:
        self._stage = stage
        panel = stage.window.right.library
        self.controller = CollectionController(stage.runner, panel.collections, stage.documents, stage.window.toast)
        self.packs = PackController(stage.runner, stage.appearance, stage.window.toast)
        self._library = library
        self.controller.changed.connect(collections_changed)
        self.packs.imported.connect(library.refresh)
        self.packs.imported.connect(self.controller.refresh)
        self.packs.imported.connect(collections_changed)
        self.packs.place_wished.connect(self._choose_place)
        library.documents_changed.connect(self.controller.refresh_soon)
        self._connect()

    def attach(self, services: Services) -> None:
        """The services are there."""
        self.controller.attach(services)
        self.packs.attach(services)

    def detach(self) -> None:
        """The services will go."""
        self.controller.detach()
        self.packs.detach()

    def shortcuts(self) -> list[Shortcut]:
        """Keys of this part."""
        return [("Ctrl+Shift+N", "New collection of the selected documents", self._collect_selected)]

    # -- what the user can do --------------------------------------------------------------------------------------

    def name_new(self, paths: Sequence[Path] = ()) -> NameDialog:
        """Ask for the name of a new collection, of these documents and folders."""
        dialog = NameDialog(self._stage.appearance, "New collection", "Create", words=ABOUT, parent=self._stage.window)
        dialog.name_wished.connect(lambda name: self.controller.create(name, paths, dialog))
        dialog.open()
        return dialog

    def rename(self, record: CollectionRecord) -> NameDialog:
        """Ask for another name."""
        dialog = NameDialog(
            self._stage.appearance, "Rename the collection", "Rename", record.name, parent=self._stage.window
        )
        dialog.name_wished.connect(lambda name: self.controller.rename(record, name, dialog))
        dialog.open()
        return dialog

    def choose_export(self, record: CollectionRecord | None = None) -> None:
        """Ask where a pack of a collection, or of everything, goes."""
        name = _file_name(record.name if record else "Library")
        dialog = QFileDialog(self._stage.window, "Export a pack")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter(FILTER)
        dialog.setDefaultSuffix(SUFFIX)
        dialog.selectFile(f"{name}.{SUFFIX}")
        collection = record.name if record else None
        dialog.fileSelected.connect(lambda file: self.packs.export(Path(file), collection, self._stage.window))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def choose_import(self) -> None:
        """Ask which pack to take in."""
        dialog = QFileDialog(self._stage.window, "Check and import a pack")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilters([FILTER, "All files (*)"])
        dialog.fileSelected.connect(lambda file: self.packs.open_pack(Path(file), self._stage.window))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    # -- wiring ----------------------------------------------------------------------------------------------------

    def _connect(self) -> None:
        panel = self._stage.window.right.library
        panel.collections.create_wished.connect(self.name_new)
        panel.collections.rename_wished.connect(self.rename)
        panel.collections.delete_wished.connect(self.controller.delete)
        panel.collections.export_wished.connect(self.choose_export)
        panel.collect_wished.connect(self.controller.collect)
        panel.collect_anew_wished.connect(self.name_new)
        panel.take_out_wished.connect(self.controller.take_out)
        panel.import_pack_wished.connect(self.choose_import)
        panel.export_all_wished.connect(self.choose_export)

    def _collect_selected(self) -> None:
        selected = self._stage.window.right.library.selected
        self.name_new([entry.path for entry in selected if entry.id is not None])

    def _choose_place(self, folder: str) -> None:
        dialog = QFileDialog(self.packs.import_dialog, f"Where is “{shown(folder)}” on this computer?")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.fileSelected.connect(lambda place: self.packs.set_place(folder, Path(place)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()


def _file_name(name: str) -> str:
    """The name of a collection as a file can have it on every system."""
    kept = "".join("_" if each in '<>:"/\\|?*' or not each.isprintable() else each for each in name)
    return kept.strip(" .") or "Collection"
