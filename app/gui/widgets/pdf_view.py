"""The pages of a PDF, one below the other, with passages marked."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QMenu, QWidget

from app.domain.documents import Box
from app.domain.page_text import PageText
from app.gui.pdf_file import PdfFile
from app.gui.pdf_images import PdfImages
from app.gui.pdf_selection import PdfSelection
from app.gui.theme import Appearance

PAGE_GAP = 14
MARGIN = 16
ZOOM_STEP = 1.2
SMALLEST_SCALE, LARGEST_SCALE = 0.2, 6.0
# Pages are white in every theme.
SELECTED_TEXT = "#A9CCF5"
FOUND_TEXT, FOUND_HERE = "#BFDEDA", "#FFB066"


class PdfView(QAbstractScrollArea):
    """Shows a ``PdfFile``. Pages are rendered by a thread of Qt's own; until then they are blank sheets.

    Text can be selected on pages whose text is known. Signals: ``page_changed(page)`` counts from 1;
    ``scale_changed(scale)`` in pixels per point; ``text_wished(page)`` for a page that can be seen.
    """

    page_changed = Signal(int)
    scale_changed = Signal(float)
    text_wished = Signal(int)

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self._file: PdfFile | None = None
        self._scale = 1.0
        self._fitting = True
        self._tops: list[float] = [0.0]
        self._images = PdfImages(self)
        self._images.arrived.connect(self.viewport().update)
        self._highlights: dict[int, tuple[Box, ...]] = {}
        self._matches: dict[int, list[QRectF]] = {}
        self._current_match: tuple[int, QRectF] | None = None
        self._page = 0
        self._selection = PdfSelection()
        self._texts_wished: set[int] = set()
        # Where the reader was taken; once he scrolls himself, a change of size no longer takes him back there.
        self._target: tuple[int, tuple[Box, ...]] | None = None
        self._settled = QTimer(self, singleShot=True, interval=60)
        self._settled.timeout.connect(self._request_visible)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Pages of the document")
        self.viewport().setMouseTracking(True)
        self.verticalScrollBar().valueChanged.connect(self._on_scrolled)
        self.verticalScrollBar().setSingleStep(40)
        self.verticalScrollBar().actionTriggered.connect(self._forget_target)

    # -- for others ------------------------------------------------------------------------------------------------

    @property
    def file(self) -> PdfFile | None:
        """The PDF on show."""
        return self._file

    @property
    def page_count(self) -> int:
        """How many pages there are."""
        return len(self._file.page_sizes) if self._file else 0

    @property
    def page(self) -> int:
        """The page in the middle of the view, from 1; 0 without a file."""
        return self._page

    @property
    def scale(self) -> float:
        """Pixels per point."""
        return self._scale

    def show_file(self, file: PdfFile | None, page: int = 1, boxes: Sequence[Box] = ()) -> None:
        """Show a file with ``boxes`` marked on ``page``. A file that is on show already is not loaded again."""
        self._matches = {}
        if file is not self._file:
            self._take(file)
        self._highlights = {page: tuple(boxes)} if boxes else {}
        self._target = (page, tuple(boxes))
        self._lay_out()
        self._go_to(page, boxes)
        self.viewport().update()

    def go_to_page(self, page: int) -> None:
        """Bring the top of a page to the top of the view."""
        if 1 <= page <= self.page_count:
            self._target = None
            self.verticalScrollBar().setValue(round(self._tops[page - 1]) - 4)

    def zoom_in(self) -> None:
        """Larger."""
        self._zoom(self._scale * ZOOM_STEP)

    def zoom_out(self) -> None:
        """Smaller."""
        self._zoom(self._scale / ZOOM_STEP)

    def fit_width(self) -> None:
        """As wide as the view, also when its size changes."""
        self._fitting = True
        self._lay_out()

    def show_matches(self, matches: dict[int, list[QRectF]], current: tuple[int, QRectF] | None) -> None:
        """Mark what a search found, rectangles in points by page, and bring one of them into view."""
        self._matches, self._current_match = matches, current
        if current is not None:
            self._target = None
            page, place = current
            self._reveal(page, place)
        self.viewport().update()

    def page_rectangle(self, page: int) -> QRectF:
        """Where a page is in the viewport."""
        if self._file is None:
            return QRectF()
        size = self._file.page_sizes[page - 1] * self._scale
        left = max(MARGIN, (self.viewport().width() - size.width()) / 2) - self.horizontalScrollBar().value()
        return QRectF(QPointF(left, self._tops[page - 1] - self.verticalScrollBar().value()), size)

    def highlight_rectangles(self, page: int) -> list[QRectF]:
        """Where the marked boxes of a page are painted in the viewport."""
        return [self._place(page, box) for box in self._highlights.get(page, ())]

    def rendered(self, page: int) -> bool:
        """Whether the picture of a page is there."""
        return self._images.image(page) is not None

    def take_text(self, file: PdfFile, page: int, text: PageText) -> None:
        """The text of a page has arrived; nothing happens if another file is on show by now."""
        if file is self._file:
            self._selection.add_page(page, text)

    @property
    def selected_text(self) -> str:
        """The text that is selected."""
        return self._selection.text

    def copy(self) -> None:
        """Put the selected text on the clipboard."""
        if not self._selection.empty:
            QGuiApplication.clipboard().setText(self._selection.text)

    def select_page(self) -> None:
        """Select all text of the page in the middle of the view."""
        self._selection.select_page(self._page)
        self.viewport().update()

    def close_file(self) -> None:
        """Let go of the file and the thread that renders it."""
        self._settled.stop()
        self._take(None)

    # -- layout ----------------------------------------------------------------------------------------------------

    def _forget_target(self) -> None:
        self._target = None

    def _take(self, file: PdfFile | None) -> None:
        self._images.use(file)
        self._file = file
        self._selection = PdfSelection()
        self._texts_wished.clear()

    def _lay_out(self) -> None:
        if self._file is None:
            self.verticalScrollBar().setRange(0, 0)
            return
        sizes = self._file.page_sizes
        widest = max(size.width() for size in sizes)
        if self._fitting:
            self._scale = max(SMALLEST_SCALE, (self.viewport().width() - 2 * MARGIN) / max(widest, 1.0))
        self._tops = list(
            accumulate((size.height() * self._scale + PAGE_GAP for size in sizes), initial=float(PAGE_GAP))
        )
        height, width = self.viewport().height(), self.viewport().width()
        self.verticalScrollBar().setPageStep(height)
        self.verticalScrollBar().setRange(0, max(0, round(self._tops[-1]) - height))
        self.horizontalScrollBar().setPageStep(width)
        self.horizontalScrollBar().setRange(0, max(0, round(widest * self._scale) + 2 * MARGIN - width))
        self.scale_changed.emit(self._scale)
        self._on_scrolled()
        self.viewport().update()

    def _go_to(self, page: int, boxes: Sequence[Box]) -> None:
        if self._file is None or not 1 <= page <= self.page_count:
            return
        if boxes:
            first = min(boxes, key=lambda box: box.top)
            self._reveal(page, QRectF(first.left, first.top, first.right - first.left, first.bottom - first.top))
        else:
            self.verticalScrollBar().setValue(round(self._tops[page - 1]) - 4)

    def _reveal(self, page: int, place: QRectF) -> None:
        """Bring a rectangle in points to the upper third of the view."""
        top = self._tops[page - 1] + place.top() * self._scale
        self.verticalScrollBar().setValue(round(top - self.viewport().height() / 3))
        left = place.left() * self._scale
        bar = self.horizontalScrollBar()
        if not bar.value() <= left <= bar.value() + self.viewport().width():
            bar.setValue(round(left - MARGIN))
        self.viewport().update()

    def _zoom(self, scale: float) -> None:
        bar = self.verticalScrollBar()
        page = max(1, self._page)
        inside = (bar.value() + bar.pageStep() / 2 - self._tops[page - 1]) / self._scale
        self._fitting = False
        self._scale = max(SMALLEST_SCALE, min(LARGEST_SCALE, scale))
        self._lay_out()
        bar.setValue(round(self._tops[page - 1] + inside * self._scale - bar.pageStep() / 2))

    def _place(self, page: int, box: Box) -> QRectF:
        return self._placed(page, QRectF(QPointF(box.left, box.top), QPointF(box.right, box.bottom)))

    def _placed(self, page: int, place: QRectF) -> QRectF:
        """Where a rectangle of a page, in points, is in the viewport."""
        origin = self.page_rectangle(page).topLeft()
        return QRectF(origin + place.topLeft() * self._scale, place.size() * self._scale)

    def _point(self, position: QPointF) -> tuple[int, QPointF]:
        """The page at, or nearest to, a position in the viewport, and the point on it."""
        page = bisect_right(self._tops, position.y() + self.verticalScrollBar().value())
        page = max(1, min(self.page_count, page))
        return page, (position - self.page_rectangle(page).topLeft()) / self._scale

    # -- rendering -------------------------------------------------------------------------------------------------

    def _visible_pages(self) -> range:
        if self._file is None:
            return range(0)
        top = self.verticalScrollBar().value()
        first = max(1, bisect_right(self._tops, top))
        last = min(self.page_count, bisect_right(self._tops, top + self.viewport().height()))
        return range(first, last + 1)

    def _request_visible(self) -> None:
        visible = self._visible_pages()
        for page in (*visible, visible.stop):
            if not 1 <= page <= self.page_count:
                continue
            self._images.request(page, self._scale * self.devicePixelRatioF())
            if page not in self._texts_wished:
                self._texts_wished.add(page)
                self.text_wished.emit(page)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.fillRect(event.rect(), self._appearance.theme.color("page_backdrop"))
        for page in self._visible_pages():
            self._paint_page(painter, page)
        painter.end()

    def _paint_page(self, painter: QPainter, page: int) -> None:
        theme = self._appearance.theme
        sheet = self.page_rectangle(page)
        painter.fillRect(sheet.adjusted(0, 2, 0, 3), theme.color("shadow"))
        painter.fillRect(sheet, Qt.GlobalColor.white)
        image = self._images.image(page)
        if image is not None:
            painter.drawImage(sheet, image)
        # Multiplied, as a marker pen would: the letters stay black.
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Multiply)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("highlight"))
        for rectangle in self.highlight_rectangles(page):
            painter.drawRect(rectangle)
        painter.setBrush(QColor(SELECTED_TEXT))
        for selected in self._selection.rectangles(page):
            painter.drawRect(self._placed(page, selected))
        for match in self._matches.get(page, ()):
            painter.setBrush(QColor(FOUND_HERE if (page, match) == self._current_match else FOUND_TEXT))
            painter.drawRect(self._placed(page, match))
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceOver)

    # -- events ----------------------------------------------------------------------------------------------------

    def _on_scrolled(self, _value: int = 0) -> None:
        middle = self.verticalScrollBar().value() + self.viewport().height() / 2
        page = min(self.page_count, max(1, bisect_right(self._tops, middle))) if self._file else 0
        if page != self._page:
            self._page = page
            self.page_changed.emit(page)
        self._request_visible() if not len(self._images) else self._settled.start()
        self.viewport().update()

    def scrollContentsBy(self, _dx: int, _dy: int) -> None:
        self.viewport().update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        kept = self._page
        at = (self.verticalScrollBar().value() - self._tops[max(0, kept - 1)]) / self._scale if kept else 0.0
        self._lay_out()
        if self._target is not None:
            self._go_to(*self._target)
        elif kept and self._fitting:
            self.verticalScrollBar().setValue(round(self._tops[kept - 1] + at * self._scale))

    def wheelEvent(self, event: QWheelEvent) -> None:
        self._target = None
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            if event.angleDelta().y():
                self._zoom(self._scale * (ZOOM_STEP if event.angleDelta().y() > 0 else 1 / ZOOM_STEP))
            event.accept()
            return
        super().wheelEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton and self._file is not None:
            self._selection.clear()
            self._selection.begin(*self._point(event.position()))
            self.viewport().update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._file is None:
            return
        page, point = self._point(event.position())
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._target = None
            self._selection.extend(page, point)
            self._scroll_to(event.position().y())
            self.viewport().update()
        places = self._selection.page(page)
        over_text = places is not None and places.hits(point)
        self.viewport().setCursor(Qt.CursorShape.IBeamCursor if over_text else Qt.CursorShape.ArrowCursor)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self._file is not None:
            self._selection.select_word(*self._point(event.position()))
            self.viewport().update()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = QMenu(self)
        copy = menu.addAction("Copy")
        copy.setEnabled(not self._selection.empty)
        copy.triggered.connect(self.copy)
        menu.addAction("Select all of this page").triggered.connect(self.select_page)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(event.globalPos())

    def _scroll_to(self, y: float) -> None:
        """Scroll on while a selection is drawn over the edge."""
        over = min(0.0, y) + max(0.0, y - self.viewport().height())
        if over:
            bar = self.verticalScrollBar()
            bar.setValue(bar.value() + round(over))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
            return
        if event.matches(QKeySequence.StandardKey.SelectAll):
            self.select_page()
            return
        self._target = None
        bar = self.verticalScrollBar()
        if event.key() == Qt.Key.Key_Home:
            bar.setValue(0)
        elif event.key() == Qt.Key.Key_End:
            bar.setValue(bar.maximum())
        else:
            super().keyPressEvent(event)

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() is QEvent.Type.DevicePixelRatioChange:
            self._request_visible()
        return super().viewportEvent(event)
