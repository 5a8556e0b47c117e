"""Pictures as PDF pages, so that the viewer shows and highlights them like any other page."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.loaders.parser_tasks import Performer


KEPT = 24


class PicturePages:
    """Makes the pages in a parser process, as pictures come from strangers too, and keeps those shown last."""

    def __init__(self, folder: Path, performer: Callable[[], Performer]) -> None:
        self._folder = folder
        self._performer = performer

    def pdf(self, picture: Path) -> Path:
        """Return a PDF whose pages are those of ``picture``, a point a pixel.

        Raises ``DocumentError`` if the picture can't be read any more. Safe from several threads.
        """
        from app.loaders.parser_tasks import write_picture_pages

        information = picture.stat()
        known = f"{picture}\n{information.st_size}\n{information.st_mtime_ns}"
        target = self._folder / f"{hashlib.sha256(os.fsencode(known)).hexdigest()[:32]}.pdf"
        if target.is_file():
            target.touch()
            return target
        self._folder.mkdir(parents=True, exist_ok=True)
        part = target.with_suffix(f".{os.getpid()}.part")
        try:
            write_picture_pages(self._performer(), picture, part)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
        self._forget_old()
        return target

    def _forget_old(self) -> None:
        files = sorted(self._folder.glob("*.pdf"), key=lambda file: file.stat().st_mtime_ns, reverse=True)
        for file in files[KEPT:]:
            file.unlink(missing_ok=True)
