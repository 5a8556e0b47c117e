"""Pictures of what the library offers: collections, a pack before it is taken in, search models, the check."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from PySide6.QtWidgets import QWidget

from app.domain.collections import CollectionRecord
from app.gui.desktop import Desktop
from app.gui.models.folder_list_model import FolderEntry
from app.gui.widgets.name_dialog import NameDialog

LETTER = (
    "Estimada señora: la asamblea general del club de remo se celebra en la casa de botes el primer viernes de mayo."
)
PACK = "Garden year.footnotepack"


class Take(Protocol):
    """Takes one picture."""

    def __call__(self, name: str, widget: QWidget | None = None) -> None: ...


class LibraryTour:
    """Leads through the library's states; the sample must be in it."""

    def __init__(self, desktop: Desktop, take: Take, wait_for: Callable[[Callable[[], bool], str], None]) -> None:
        self._desktop = desktop
        self._take = take
        self._wait_for = wait_for

    def run(self, documents: Path) -> None:
        """Take all pictures. ``documents`` is a folder for more documents."""
        self._desktop.window.show_library()
        self._collections()
        self._pack(documents)
        self._models(documents)
        self._check()

    def _collections(self) -> None:
        desktop, panel = self._desktop, self._desktop.window.right.library
        paths = sorted(entry.path for entry in desktop.documents.entries)
        for name, members in (("Club rules", paths[:2]), ("Garden year", paths[1:4]), ("Letters", [])):
            panel.collect_anew_wished.emit(members)
            dialog = next(each for each in desktop.window.findChildren(NameDialog) if each.isVisible())
            dialog.name.setText(name)
            if name == "Letters":
                self._take("collection-name", dialog)
            dialog.action_button.click()
            self._wait_for(lambda wanted=name: any(each.name == wanted for each in self._records()), "a collection")  # type: ignore[misc]  # a default keeps the name
        panel.collections.choose(next(each.id for each in self._records() if each.name == "Garden year"))
        self._wait_for(lambda: desktop.documents.rowCount() == 3, "its documents")
        panel.list.selectAll()
        self._take("collections")
        panel.list.clearSelection()

    def _records(self) -> list[CollectionRecord]:
        return list(self._desktop.window.right.library.collections.model.records)

    def _pack(self, documents: Path) -> None:
        desktop, file = self._desktop, documents / PACK
        desktop.packs.export(file, "Garden year", desktop.window)
        dialog = desktop.packs.export_dialog
        if dialog is None:
            raise TypeError("no export began")
        self._wait_for(dialog.outcome.isVisible, "the export")
        self._take("pack-export", dialog)
        dialog.reject()
        garden = documents / "Garden"
        away = garden.rename(documents / "Garden elsewhere")
        desktop.packs.open_pack(file, desktop.window)
        preview = desktop.packs.import_dialog
        if preview is None:
            raise TypeError("no import began")
        self._wait_for(preview.effect.isVisible, "the preview")
        self._take("pack-import", preview)
        preview.reject()
        away.rename(garden)
        desktop.folders.rescan(self._folder("Garden"))
        self._wait_for(lambda: not self._folder("Garden").needs_attention, "the folder")
        damaged = documents / "damaged.footnotepack"
        damaged.write_bytes(file.read_bytes()[:-400])
        desktop.packs.open_pack(damaged, desktop.window)
        refused = desktop.packs.import_dialog
        if refused is not None:
            self._wait_for(refused.problem_card.isVisible, "the refusal")
            self._take("pack-refused", refused)
            refused.reject()

    def _models(self, documents: Path) -> None:
        desktop = self._desktop
        desktop.window.right.library.collections.choose(None)
        letters = documents / "Cartas"
        letters.mkdir()
        for number in range(6):
            (letters / f"Carta {number + 1}.txt").write_text("\n\n".join([f"{LETTER} ({each})" for each in range(80)]))
        desktop.add_paths([letters])
        self._wait_for(desktop.window.right.library.notice.isVisible, "the proposal")
        self._take("proposal")
        desktop.window.right.library.notice.action.click()
        dialog = desktop.search_models.dialog
        if dialog is None:
            raise TypeError("no dialog")
        self._wait_for(lambda: bool(dialog.rows) and dialog.proposal.isVisible(), "the models")
        self._take("search-models", dialog)
        dialog.tokens.setValue(180)
        dialog.passages_button.click()
        self._wait_for(dialog.start_button.isVisible, "the cost")
        self._take("passages-cost", dialog)
        dialog.start_button.click()
        self._wait_for(dialog.work.isVisible, "the rebuild")
        self._take("rebuilding", dialog)
        dialog.reject()
        self._wait_for(lambda: desktop.search_models.rebuilding is None, "the end of the rebuild")
        desktop.folders.remove(self._folder(letters.name))
        self._wait_for(lambda: desktop.documents.rowCount() == 6, "the letters to go")
        desktop.window.right.library.notice.close_button.click()

    def _folder(self, name: str) -> FolderEntry:
        return next(each for each in self._desktop.folder_list.entries if each.name == name)

    def _check(self) -> None:
        desktop = self._desktop
        desktop.window.toast.dismiss()
        desktop.window.right.library.check_wished.emit()
        dialog = desktop.check.dialog
        if dialog is None:
            raise TypeError("no dialog")
        self._wait_for(lambda: dialog.outcome.isVisible() and not dialog.work.isVisible(), "the check")
        self._take("check", dialog)
        dialog.reject()
