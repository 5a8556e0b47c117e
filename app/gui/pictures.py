"""Pictures that are part of a text: ``data:`` addresses. Anything that would have to be fetched is none."""

from __future__ import annotations

import base64
import binascii
import re

from PySide6.QtCore import QBuffer, QByteArray, QIODevice
from PySide6.QtGui import QImage, QImageReader

# No SVG: it is a program of sorts, and may refer to other files. Qt goes by the content, whatever an address claims.
_KINDS = frozenset({"png", "jpeg", "gif", "webp", "bmp"})
_DATA = re.compile(r"data:image/(png|jpeg|gif|webp|bmp);base64,([A-Za-z0-9+/=\s]+)\Z")
LONGEST_ADDRESS = 12_000_000
MOST_PIXELS = 40_000_000


def picture_from(address: str) -> QImage | None:
    """The picture in a ``data:`` address, of a kind and size that is harmless; None for every other address."""
    if len(address) > LONGEST_ADDRESS or not (match := _DATA.match(address)):
        return None
    try:
        content = base64.b64decode("".join(match[2].split()), validate=True)
    except binascii.Error:
        return None
    return picture_in(content)


def picture_in(content: bytes) -> QImage | None:
    """The picture in the bytes of a file, of a kind and size that is harmless; None for everything else."""
    buffer = QBuffer()
    buffer.setData(QByteArray(content))
    buffer.open(QIODevice.OpenModeFlag.ReadOnly)
    reader = QImageReader(buffer)
    if bytes(reader.format().data()).decode("ascii", "replace") not in _KINDS:
        return None  # before the size is asked for, which would read all of a drawing
    reader.setAutoTransform(True)
    size = reader.size()
    if not size.isValid() or size.width() * size.height() > MOST_PIXELS:
        return None
    picture = reader.read()
    return None if picture.isNull() else picture
