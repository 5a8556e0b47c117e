"""The files behind documents' paths."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from app.domain.documents import FileStamp


class DocumentFiles(Protocol):
    """What ingestion needs to know of files; a path may lead into an archive."""

    def stamp(self, path: Path) -> FileStamp | None:
        """The file's stamp; None if it is gone or can't be reached."""
        ...

    def opened(self, path: Path) -> AbstractContextManager[Path]:
        """A real file with the same content and name, there as long as the block runs. Raises ``DocumentError``."""
        ...


class PlainFiles:
    """Files of the file system alone."""

    def stamp(self, path: Path) -> FileStamp | None:
        """See ``DocumentFiles``."""
        try:
            information = path.stat()
        except OSError:
            return None
        is_file = stat.S_ISREG(information.st_mode)
        return FileStamp(information.st_size, information.st_mtime_ns) if is_file else None

    @contextmanager
    def opened(self, path: Path) -> Iterator[Path]:
        """See ``DocumentFiles``."""
        yield path
