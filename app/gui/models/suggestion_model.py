"""What can be picked from a list that is narrowed down by typing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

Index = QModelIndex | QPersistentModelIndex
MOST_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A thing to pick: what it is called, more about it, an icon, and what it stands for."""

    label: str
    detail: str
    icon: str
    value: Any
    enabled: bool = True


class SuggestionModel(QAbstractListModel):
    """Rows are the suggestions that hold every typed word, those whose names begin with it first."""

    DetailRole = Qt.ItemDataRole.UserRole + 1
    IconRole = Qt.ItemDataRole.UserRole + 2
    EnabledRole = Qt.ItemDataRole.UserRole + 3

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._all: tuple[tuple[str, Suggestion], ...] = ()
        self._shown: list[Suggestion] = []
        self._typed = ""

    def set_suggestions(self, suggestions: Iterable[Suggestion]) -> None:
        """Everything there is to pick from."""
        self._all = tuple((f"{each.label} {each.detail}".casefold(), each) for each in suggestions)
        self.narrow(self._typed)

    def narrow(self, typed: str) -> None:
        """Show what fits these words."""
        self._typed = typed
        self.beginResetModel()
        self._shown = _fitting(self._all, typed.casefold())[:MOST_SHOWN]
        self.endResetModel()

    def suggestion(self, row: int) -> Suggestion | None:
        """What stands in a row."""
        return self._shown[row] if 0 <= row < len(self._shown) else None

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  Qt's own default
        return 0 if parent.isValid() else len(self._shown)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        each = self.suggestion(index.row()) if index.isValid() else None
        if each is None:
            return None
        values: dict[int, Any] = {
            Qt.ItemDataRole.DisplayRole: each.label,
            Qt.ItemDataRole.AccessibleTextRole: f"{each.label}, {each.detail}" if each.detail else each.label,
            Qt.ItemDataRole.ToolTipRole: each.detail.replace("<", "‹"),  # tool tips read markup
            self.DetailRole: each.detail,
            self.IconRole: each.icon,
            self.EnabledRole: each.enabled,
        }
        return values.get(role)


def _fitting(everything: Sequence[tuple[str, Suggestion]], typed: str) -> list[Suggestion]:
    words = typed.split()
    found = [(text, each) for text, each in everything if all(word in text for word in words)]
    if words:
        found.sort(key=lambda entry: not entry[0].startswith(words[0]))
    return [each for _, each in found]
