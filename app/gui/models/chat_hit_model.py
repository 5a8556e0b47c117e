"""What a search over all chats found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, Qt

from app.domain.chat_transfer import ChatHit
from app.domain.turns import SessionRecord
from app.gui.models.session_list_model import UNTITLED
from app.gui.wording import shown

Index = QModelIndex | QPersistentModelIndex


class ChatHitModel(QAbstractListModel):
    """Rows are first the chats whose titles or tags fit, then the messages. ``HitRole`` is None for a chat."""

    SessionRole = Qt.ItemDataRole.UserRole
    HitRole = Qt.ItemDataRole.UserRole + 1
    DetailRole = Qt.ItemDataRole.UserRole + 2

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[SessionRecord | ChatHit] = []

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  Qt's own default
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        row = self._rows[index.row()]
        hit = row if isinstance(row, ChatHit) else None
        title = shown(hit.session_title if hit else row.title) or UNTITLED  # type: ignore[union-attr]  # a record
        values: dict[int, Any] = {
            Qt.ItemDataRole.DisplayRole: title,
            Qt.ItemDataRole.AccessibleTextRole: f"{title}: {hit.excerpt}" if hit else f"{title}, chat",
            self.SessionRole: hit.session_id if hit else row.id,  # type: ignore[union-attr]  # a record
            self.HitRole: hit,
            self.DetailRole: "" if hit else _about(row),  # type: ignore[arg-type]  # a record
        }
        return values.get(role)

    def show(self, chats: Sequence[SessionRecord], hits: Sequence[ChatHit]) -> None:
        """Show these and no others."""
        self.beginResetModel()
        self._rows = [*chats, *hits]
        self.endResetModel()


def _about(record: SessionRecord) -> str:
    where = "Archived" if record.archived else shown(record.folder)
    return "  ".join(filter(None, (where, *(f"#{shown(tag)}" for tag in record.tags))))
