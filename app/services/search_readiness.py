"""Getting ready for a search before anybody searches."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from app.domain.cancellation import CancelToken
from app.storage.read_ahead import read_through

SHARE_OF_MEMORY = 4
"""The library's file is read ahead where it takes at most this part of the memory that is free for it."""

ANY_QUESTION = "ready"


class SearchReadiness:
    """Has in memory what the first search needs. ``can_search`` tells whether a search would find anything now."""

    def __init__(self, library_file: Path, can_search: Callable[[], bool], search: Callable[[str], object]) -> None:
        self._library_file = library_file
        self._can_search = can_search
        self._search = search

    def prepare(self, cancel: CancelToken) -> None:
        """Open the model and the indexes and read the library ahead. Takes seconds of a large one, less when cancelled.

        Raises what a search raises.
        """
        if cancel.cancelled or not self._can_search():
            return
        import psutil

        self._search(ANY_QUESTION)
        read_through(self._library_file, psutil.virtual_memory().available // SHARE_OF_MEMORY, cancel)
