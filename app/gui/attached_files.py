"""Files that came with a question, as they stand beside it in the chat."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QImage

from app.domain.turn_details import AttachedNote
from app.domain.turn_options import Attachment
from app.gui.pictures import picture_in

PICTURE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".webp"})
MOST_BYTES = 8 * 1024 * 1024
THUMBNAIL = QSize(220, 140)
SHARPNESS = 2  # device pixels in one of ours, on the sharpest common screens


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """One file. ``document_id`` is that of its text: negative for a file of this chat alone, 0 where it isn't known.

    ``picture`` is small, None where there is none or it was not read yet.
    """

    path: Path
    document_id: int = 0
    is_picture: bool = False
    picture: QImage | None = None


def files_sent(attachments: Iterable[Attachment]) -> tuple[AttachedFile, ...]:
    """The files of a question that is just asked."""
    return tuple(
        AttachedFile(each.path, is_picture=each.path.suffix.lower() in PICTURE_SUFFIXES) for each in attachments
    )


def files_noted(notes: Iterable[AttachedNote]) -> tuple[AttachedFile, ...]:
    """The files of a stored question."""
    return tuple(AttachedFile(each.path, each.document_id, each.picture) for each in notes)


def thumbnail(content: bytes) -> QImage | None:
    """The picture in the bytes of a file, small; None for everything that is no harmless picture."""
    picture = picture_in(content)
    if picture is None:
        return None
    room = THUMBNAIL * SHARPNESS
    if picture.width() > room.width() or picture.height() > room.height():
        picture = picture.scaled(room, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation)
    return picture


def content_of(path: Path) -> bytes:
    """The bytes of a picture that is just being sent, b"" if it is gone or too large."""
    try:
        return path.read_bytes() if path.stat().st_size <= MOST_BYTES else b""
    except OSError:
        return b""
