"""A collection pack before it is taken in: what is in it, where its files are now, and what will happen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from app.domain.packs import ImportSummary, PackSummary
from app.gui.theme import Appearance
from app.gui.widgets.basics import ElidedLabel, IconLabel, TextButton, card, plain_label
from app.gui.widgets.work_card import WorkCard
from app.gui.wording import counted, file_size, shown, shown_name
from app.services.pack_roots import PackRoot

WIDTH, MOST_ROOTS_HEIGHT = 640, 190
FATES = (
    ("added", "new"),
    ("updated", "in place of an older text"),
    ("moved", "now at their new place"),
    ("known", "here already"),
    ("kept", "different from what is here, which stays"),
    ("excluded", "left out, as you once decided"),
)
WITHOUT_FILES = "A document without its file can be searched and quoted, but not opened."


class RootRow(QWidget):
    """A folder there, and the folder here that stands for it. Signals: ``choose_wished(folder)``."""

    choose_wished = Signal(str)

    def __init__(self, appearance: Appearance, root: PackRoot) -> None:
        super().__init__()
        self.root = root
        name = ElidedLabel(shown(root.folder), mode=Qt.TextElideMode.ElideMiddle)
        self.state = ElidedLabel(mode=Qt.TextElideMode.ElideMiddle, scale="small", tone="secondary")
        self._icon = IconLabel(appearance, "folder")
        self.choose = TextButton(appearance, "Choose folder…", on_click=lambda: self.choose_wished.emit(root.folder))
        self.choose.setAccessibleName(f"Choose the folder that stands for {shown(root.folder)}")
        self.choose.setAutoDefault(False)
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(name)
        words.addWidget(self.state)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 4, 0, 4)
        row.setSpacing(12)
        row.addWidget(self._icon)
        row.addLayout(words, 1)
        row.addWidget(self.choose)
        self.show_place(None)

    def show_place(self, place: Path | None) -> None:
        """The user has said where it is now."""
        count = counted(self.root.documents, "document")
        if place is not None:
            where = f"now {shown(str(place))}"
        else:
            where = "here too" if self.root.here else "not on this computer"
        missing = place is None and not self.root.here
        self._icon.set_icon("warning" if missing else "folder", "warning" if missing else "text_secondary")
        self.state.set_full_text(f"{count} · {where}")


class PackImportDialog(QDialog):
    """Signals: ``place_wished(folder there)``; ``import_wished``; ``stop_wished``, also when it is closed."""

    place_wished = Signal(str)
    import_wished = Signal()
    stop_wished = Signal()

    def __init__(self, appearance: Appearance, file: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self.setWindowTitle("Import a pack")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(WIDTH)
        self.rows: list[RootRow] = []
        self.work = WorkCard(appearance)
        self.facts = self._make_facts()
        self.places = self._make_places()
        self.effect = plain_label("", wrap=True)
        self.problem_card = card("danger")
        self.problem = plain_label("", tone="danger", wrap=True)
        inner = QVBoxLayout(self.problem_card)
        inner.setContentsMargins(14, 10, 14, 10)
        inner.addWidget(self.problem)
        self.import_button = TextButton(appearance, "Import", kind="primary", on_click=self.import_wished.emit)
        self.cancel_button = TextButton(appearance, "Cancel", on_click=self.reject)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(self.cancel_button)
        buttons.addWidget(self.import_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(26, 22, 26, 18)
        column.setSpacing(12)
        column.addWidget(plain_label(f"Import “{shown_name(file)}”", scale="title", wrap=True))
        for widget in (self.facts, self.places, self.effect, self.problem_card, self.work):
            column.addWidget(widget)
            widget.hide()
        column.addStretch(1)
        column.addLayout(buttons)
        self.import_button.setEnabled(False)
        self.work.stop_wished.connect(self.stop_wished)
        self.finished.connect(lambda _result: self.stop_wished.emit())

    def _make_facts(self) -> QWidget:
        facts = QWidget()
        self._facts = plain_label("", tone="secondary", wrap=True)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(IconLabel(self._appearance, "check", color="accent"))
        row.addWidget(plain_label("Checked: the pack is complete and undamaged."), 1)
        column = QVBoxLayout(facts)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(row)
        column.addWidget(self._facts)
        return facts

    def _make_places(self) -> QWidget:
        places = QWidget()
        self._rows = QVBoxLayout()
        self._rows.setSpacing(2)
        self._rows.setContentsMargins(0, 0, 8, 0)
        inner = QWidget()
        inner.setLayout(self._rows)
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setWidget(inner)
        column = QVBoxLayout(places)
        column.setContentsMargins(0, 6, 0, 0)
        column.setSpacing(4)
        column.addWidget(plain_label("Where its files are on this computer", scale="heading"))
        column.addWidget(plain_label(WITHOUT_FILES, scale="small", tone="secondary", wrap=True))
        column.addWidget(self._scroll)
        return places

    # -- states ----------------------------------------------------------------------------------------------------

    @property
    def effect_text(self) -> str:
        """What importing would do, in words."""
        return self.effect.text()

    def show_work(self, headline: str, done: int = 0, total: int = 0, *, may_import: bool = False) -> None:
        """Something is under way."""
        self.problem_card.hide()
        self.import_button.setEnabled(may_import)
        for row in self.rows:
            row.choose.setEnabled(may_import)
        self.work.show_progress(headline, done, total)

    def show_pack(self, summary: PackSummary, roots: Sequence[PackRoot]) -> None:
        """The pack was checked."""
        self._facts.setText(facts_words(summary))
        self.facts.show()
        for root in roots:
            row = RootRow(self._appearance, root)
            row.choose_wished.connect(self.place_wished)
            self._rows.addWidget(row)
            self.rows.append(row)
        height = self._rows.sizeHint().height() + 4
        self._scroll.setFixedHeight(min(MOST_ROOTS_HEIGHT, height))
        self.places.setVisible(bool(roots))

    def show_place(self, folder: str, place: Path) -> None:
        """The user has said where a folder of the pack is now."""
        for row in self.rows:
            if row.root.folder == folder:
                row.show_place(place)

    def show_effect(self, effect: ImportSummary, note: str = "") -> None:
        """What importing would do. The user may go on."""
        self.work.hide()
        self.effect.setText(effect_words(effect) + (f"\n\n{note}" if note else ""))
        self.effect.show()
        for row in self.rows:
            row.choose.setEnabled(True)
        self.import_button.setEnabled(True)
        self.import_button.setFocus()

    def show_problem(self, message: str) -> None:
        """Why it can't be imported."""
        self.work.hide()
        self.effect.hide()
        self.problem.setText(message)
        self.problem_card.show()
        self.import_button.setEnabled(False)
        self.cancel_button.setText("Close")
        for row in self.rows:
            row.choose.setEnabled(True)


def facts_words(summary: PackSummary) -> str:
    """What is in a pack."""
    parts = [counted(summary.documents, "document"), counted(summary.chunks, "passage"), file_size(summary.size)]
    names = ", ".join(f"“{shown(name)}”" for name in summary.collections)
    made = f"Made by Footnote {shown(summary.app_version)}" if summary.app_version else "Made by Footnote"
    model = shown(summary.model_key.partition("@")[0])
    lines = [" · ".join(parts), f"{made} with the search model {model}."]
    return "\n".join([*lines, f"Collections: {names}"] if names else lines)


def effect_words(effect: ImportSummary) -> str:
    """What importing does or did, a line each."""
    counts = {name: getattr(effect, name) for name, _ in FATES}
    lines = [f"{counts[name]:,} {words}" for name, words in FATES if counts[name]]
    text = f"Of {counted(effect.documents, 'document')}: " + ", ".join(lines) + "."
    if effect.offline:
        text += f"\n{counted(effect.offline, 'document')} without a file on this computer."
    if effect.embedded:
        text += (
            f"\nAnother search model answers here than in the pack: {counted(effect.embedded, 'passage')} will be "
            "embedded again, which takes a while."
        )
    return text
