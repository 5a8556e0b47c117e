"""Opens compound files ([MS-CFB]), the container of Office before 2007 and of Outlook's messages."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from app.loaders.archive_guard import damaged

if TYPE_CHECKING:
    from olefile import OleFileIO

# The library lets errors of many kinds through when sectors or directories are broken.
_BROKEN = (OSError, ValueError, LookupError, struct.error, TypeError, AttributeError, RecursionError)


@contextmanager
def compound_file(path: Path) -> Iterator[OleFileIO]:
    """Open the container at ``path``. Raises ``DocumentError`` (``damaged``) where it is broken."""
    import olefile

    try:
        with olefile.OleFileIO(str(path)) as container:
            yield container
    except _BROKEN as error:
        raise damaged(path) from error
