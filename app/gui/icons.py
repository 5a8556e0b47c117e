"""Icons: stroked SVGs of ours, tinted with a colour of the theme at whatever scale the screen has."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from app.settings.resources import resource

SCALES = (1.0, 1.5, 2.0, 3.0)


@lru_cache(maxsize=256)
def _source(name: str) -> str:
    return resource("icons", f"{name}.svg").read_text(encoding="utf-8")


def icon_pixmap(name: str, color: QColor, size: int, scale: float = 1.0) -> QPixmap:
    """The icon drawn in ``color``, ``size`` logical pixels square."""
    source = _source(name).replace("currentColor", color.name(QColor.NameFormat.HexRgb))
    pixmap = QPixmap(round(size * scale), round(size * scale))
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setOpacity(color.alphaF())
    QSvgRenderer(QByteArray(source.encode())).render(painter, QRectF(0, 0, pixmap.width(), pixmap.height()))
    painter.end()
    pixmap.setDevicePixelRatio(scale)
    return pixmap


def tinted_icon(name: str, color: QColor, *, disabled: QColor | None = None, size: int = 18) -> QIcon:
    """An icon in ``color`` with a paler variant for disabled controls."""
    icon = QIcon()
    faded = disabled or QColor(color.red(), color.green(), color.blue(), 110)
    for scale in SCALES:
        icon.addPixmap(icon_pixmap(name, color, size, scale), QIcon.Mode.Normal)
        icon.addPixmap(icon_pixmap(name, faded, size, scale), QIcon.Mode.Disabled)
    return icon


def application_icon() -> QIcon:
    """The program's mark for window frames and task bars."""
    return QIcon(str(resource("icons", "app.svg")))
