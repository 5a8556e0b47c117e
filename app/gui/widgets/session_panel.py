"""The chats, on the left."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QFont, QPainter, QPalette
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListView,
    QMenu,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.gui.icons import application_icon
from app.gui.models.session_list_model import SessionListModel
from app.gui.theme import Appearance
from app.gui.widgets.basics import IconButton, TextButton, plain_label

Index = QModelIndex | QPersistentModelIndex
ROW_HEIGHT = 36
GROUP_HEIGHT = 34


class SessionDelegate(QStyledItemDelegate):
    """Paints a chat's title, under a heading where a new day begins."""

    def __init__(self, appearance: Appearance, parent: QWidget) -> None:
        super().__init__(parent)
        self._appearance = appearance

    def sizeHint(self, _option: QStyleOptionViewItem, index: Index) -> QSize:
        group = index.data(SessionListModel.GroupRole)
        return QSize(100, ROW_HEIGHT + (GROUP_HEIGHT if group else 0))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        theme = self._appearance.theme
        whole: QRect = option.rect
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        group = index.data(SessionListModel.GroupRole)
        if group:
            painter.setFont(self._caption())
            painter.setPen(theme.color("text_tertiary"))
            place = QRect(whole.left() + 10, whole.top(), whole.width() - 20, GROUP_HEIGHT - 5)
            painter.drawText(place, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom, group)
        row = self.row_rectangle(whole, bool(group))
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        if selected or hovered:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("selected" if selected else "hover"))
            painter.drawRoundedRect(row, 8, 8)
        self._paint_title(painter, option, index, row)
        painter.restore()

    def _paint_title(self, painter: QPainter, option: QStyleOptionViewItem, index: Index, row: QRect) -> None:
        theme = self._appearance.theme
        painter.setFont(self._appearance.font)
        painter.setPen(theme.color("text"))
        place = row.adjusted(10, 0, -10, 0)
        if index.data(SessionListModel.BusyRole):
            painter.setBrush(theme.color("accent"))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.drawEllipse(QPoint(row.right() - 12, row.center().y()), 3, 3)
            painter.setPen(theme.color("text"))
            place.adjust(0, 0, -14, 0)
        metrics = painter.fontMetrics()
        title = metrics.elidedText(str(index.data()), Qt.TextElideMode.ElideRight, place.width())
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, title)
        if option.state & QStyle.StateFlag.State_HasFocus and option.state & QStyle.StateFlag.State_KeyboardFocusChange:
            painter.setPen(theme.color("accent"))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(row.adjusted(0, 0, -1, -1), 8, 8)

    def row_rectangle(self, whole: QRect, has_group: bool) -> QRect:
        """The part of an item below its heading."""
        return whole.adjusted(0, GROUP_HEIGHT + 1 if has_group else 1, 0, -1)

    def createEditor(self, parent: QWidget, _option: QStyleOptionViewItem, _index: Index) -> QWidget:
        editor = QLineEdit(parent)
        editor.setAccessibleName("Name of the chat")
        editor.setMaxLength(200)
        return editor

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: Index) -> None:
        editor.setGeometry(self.row_rectangle(option.rect, bool(index.data(SessionListModel.GroupRole))))

    def _caption(self) -> QFont:
        font = QFont(self._appearance.font)
        font.setPointSizeF(self._appearance.scale.sizes["caption"])
        font.setWeight(QFont.Weight.DemiBold)
        return font


class SessionList(QListView):
    """The list itself. Signals: ``delete_key_pressed``."""

    delete_key_pressed = Signal()

    def __init__(self, appearance: Appearance, model: SessionListModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setModel(model)
        self.setItemDelegate(SessionDelegate(appearance, self))
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QAbstractItemView.EditTrigger.DoubleClicked | QAbstractItemView.EditTrigger.EditKeyPressed)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setAccessibleName("Chats")
        self.viewport().setBackgroundRole(QPalette.ColorRole.NoRole)

    def keyPressEvent(self, event: object) -> None:
        if event.key() == Qt.Key.Key_Delete:  # type: ignore[attr-defined]  # a key event, always
            self.delete_key_pressed.emit()
            return
        super().keyPressEvent(event)  # type: ignore[arg-type]


class SessionPanel(QWidget):
    """Signals: ``new_wished``; ``opened(session_id)``; ``delete_wished(session_id)``; ``settings_wished``;
    ``shortcuts_wished``; ``theme_switch_wished``; ``bench_wished``; ``forget_examples_wished``;
    ``profiles_wished``.
    """

    new_wished = Signal()
    opened = Signal(str)
    delete_wished = Signal(str)
    settings_wished = Signal()
    shortcuts_wished = Signal()
    theme_switch_wished = Signal()
    bench_wished = Signal()
    forget_examples_wished = Signal()
    profiles_wished = Signal()

    def __init__(self, appearance: Appearance, model: SessionListModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("panel", "sidebar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._appearance = appearance
        self._model = model
        self.list = SessionList(appearance, model)
        self.new_button = TextButton(
            appearance, "New chat", kind="sidebar", icon="new-chat", icon_color="accent", on_click=self.new_wished.emit
        )
        self.new_button.setToolTip("New chat (Ctrl+N)")
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 0, 10, 8)
        column.setSpacing(4)
        column.addWidget(self._make_head())
        column.addWidget(self.new_button)
        column.addWidget(self.list, 1)
        self._hint = plain_label("Your chats will be listed here.", scale="small", tone="tertiary")
        self._hint.setContentsMargins(10, 0, 0, 6)
        column.addWidget(self._hint)
        column.addWidget(self._make_foot())
        self.list.selectionModel().currentChanged.connect(self._on_current_changed)
        self.list.clicked.connect(self._on_current_changed)
        self.list.delete_key_pressed.connect(self._delete_current)
        self.list.customContextMenuRequested.connect(self._show_menu)
        for signal in (model.modelReset, model.rowsInserted, model.rowsRemoved):
            signal.connect(self._show_hint)

    def _make_head(self) -> QWidget:
        head = QWidget()
        head.setFixedHeight(52)
        row = QHBoxLayout(head)
        row.setContentsMargins(8, 0, 4, 0)
        row.setSpacing(9)
        mark = QLabel()
        mark.setTextFormat(Qt.TextFormat.PlainText)
        mark.setPixmap(application_icon().pixmap(QSize(22, 22), self.devicePixelRatioF()))
        row.addWidget(mark)
        self.heading = plain_label("Footnote", scale="heading")
        row.addWidget(self.heading, 1)
        return head

    def _make_foot(self) -> QWidget:
        foot = QWidget()
        row = QHBoxLayout(foot)
        row.setContentsMargins(0, 4, 0, 0)
        row.setSpacing(2)
        self.settings_button = IconButton(
            self._appearance, "settings", "Settings", shortcut="Ctrl+,", on_click=self.settings_wished.emit
        )
        self.theme_button = IconButton(
            self._appearance, "moon", "Switch between light and dark", on_click=self.theme_switch_wished.emit
        )
        self.shortcuts_button = IconButton(
            self._appearance, "keyboard", "Keyboard shortcuts", shortcut="F1", on_click=self.shortcuts_wished.emit
        )
        self.tools_button = IconButton(self._appearance, "tools", "Tools")
        self.tools_button.setMenu(self._make_tools())
        self.tools_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        for button in (self.settings_button, self.theme_button, self.shortcuts_button, self.tools_button):
            row.addWidget(button)
        row.addStretch(1)
        self._show_theme_icon()
        self._appearance.changed.connect(self._show_theme_icon)
        return foot

    def _make_tools(self) -> QMenu:
        menu = QMenu(self)
        menu.addAction("Search bench…").triggered.connect(lambda _checked=False: self.bench_wished.emit())
        menu.addAction("Forget examples kept for measuring…").triggered.connect(
            lambda _checked=False: self.forget_examples_wished.emit()
        )
        menu.addAction("Profiles…").triggered.connect(lambda _checked=False: self.profiles_wished.emit())
        return menu

    def select(self, session_id: str) -> None:
        """Mark a chat as the open one without opening it again."""
        row = self._model.row_of(session_id) if session_id else None
        selection = self.list.selectionModel()
        selection.blockSignals(True)
        if row is None:
            self.list.clearSelection()
            self.list.setCurrentIndex(QModelIndex())
        else:
            self.list.setCurrentIndex(self._model.index(row))
        selection.blockSignals(False)
        self.list.viewport().update()

    def rename(self, session_id: str) -> None:
        """Let the user type another title in place."""
        row = self._model.row_of(session_id)
        if row is not None:
            self.list.edit(self._model.index(row))

    def _show_hint(self) -> None:
        self._hint.setVisible(self._model.rowCount() == 0)

    def _on_current_changed(self, index: QModelIndex, _before: QModelIndex | None = None) -> None:
        if index.isValid():
            self.opened.emit(index.data(SessionListModel.IdRole))

    def _delete_current(self) -> None:
        index = self.list.currentIndex()
        if index.isValid():
            self.delete_wished.emit(index.data(SessionListModel.IdRole))

    def _show_menu(self, position: QPoint) -> None:
        index = self.list.indexAt(position)
        if not index.isValid():
            return
        session_id = index.data(SessionListModel.IdRole)
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        rename = menu.addAction(self._appearance.icon("rename", "text_secondary"), "Rename")
        rename.triggered.connect(lambda: self.rename(session_id))
        delete = menu.addAction(self._appearance.icon("trash", "text_secondary"), "Delete")
        delete.triggered.connect(lambda: self.delete_wished.emit(session_id))
        menu.popup(self.list.viewport().mapToGlobal(position))

    def _show_theme_icon(self) -> None:
        self.theme_button.set_icon("sun" if self._appearance.theme.dark else "moon")
