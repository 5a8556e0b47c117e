"""Reading a file once from its beginning to its end, so that the system has it in memory when parts are looked up.

A search looks up some hundred rows all over the library's file. From a disk each costs a tenth of a millisecond, or
ten where the disk turns; one after the other the whole file is read in a second or a few.
"""

from __future__ import annotations

import logging
from pathlib import Path

from app.domain.cancellation import CancelToken

log = logging.getLogger(__name__)

BLOCK_BYTES = 1 << 20


def read_through(path: Path, most_bytes: int, cancel: CancelToken) -> int:
    """Read a file, until that is cancelled. Returns how many bytes were read: none of one larger than ``most_bytes``.

    A file that can't be read is left to whoever needs it to say so.
    """
    read, block = 0, bytearray(BLOCK_BYTES)
    try:
        with path.open("rb", buffering=0) as file:
            if path.stat().st_size > most_bytes:
                return 0
            while not cancel.cancelled and (count := file.readinto(block)):
                read += count
    except OSError as error:
        log.info("%s was not read ahead: %s", path, error)
    return read
