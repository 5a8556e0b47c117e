"""Holds a library lock until it is killed or its input ends: ``lock_holder.py LOCK``."""

from __future__ import annotations

import sys
from pathlib import Path

from app.storage.library_lock import LibraryLock

if __name__ == "__main__":
    with LibraryLock(Path(sys.argv[1])):
        print("held", flush=True)
        sys.stdin.read()
