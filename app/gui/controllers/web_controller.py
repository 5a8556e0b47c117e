"""Web pages: fetched on a worker when the user asks for one, and fetched again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject

from app.domain.errors import UserFacingError
from app.gui.jobs import JobRunner
from app.gui.ports import Services
from app.gui.widgets.toast import Toast
from app.gui.wording import shown

LONGEST_SHOWN = 80


class WebController(QObject):
    """Adds pages and fetches them again; their reading is followed like that of files.

    ``read_files`` reads files again that are no web pages.
    """

    def __init__(self, runner: JobRunner, toast: Toast, read_files: Callable[[Sequence[Path]], None]) -> None:
        super().__init__()
        self._runner = runner
        self._toast = toast
        self._read_files = read_files
        self._services: Services | None = None

    def attach(self, services: Services) -> None:
        """The services are there."""
        self._services = services

    def add(self, addresses: Sequence[str]) -> None:
        """Fetch pages and add them to the library."""
        services = self._services
        if services is None:
            self._toast.say("The library is still being opened. Try again in a moment.")
            return
        for address in addresses:
            self._toast.say(f"Fetching {_shortened(address)}…")
            self._runner.run(lambda url=address: services.web.add(url), self._on_added, self._on_error)  # type: ignore[misc]  # a default keeps the address

    def read_again(self, paths: Sequence[Path]) -> None:
        """Fetch those that are web pages again, and read the other files again."""
        services = self._services
        if services is None:
            return

        def fetch() -> tuple[list[Path], list[Any]]:
            addresses = services.library.addresses()
            outcomes = [
                outcome for path in paths if path in addresses for outcome in services.web.refresh(addresses[path])
            ]
            return [path for path in paths if path not in addresses], outcomes

        self._runner.run(fetch, self._on_read_again, self._on_error)

    def _on_read_again(self, result: tuple[list[Path], list[Any]]) -> None:
        files, outcomes = result
        self._read_files(files)
        for outcome in outcomes:
            if outcome.error is not None:
                self._toast.say(str(outcome.error))
            elif not outcome.changed:
                self._toast.say(f"{_shortened(outcome.url)} has not changed.")

    def _on_added(self, outcome: Any) -> None:
        if not outcome.changed:
            self._toast.say(f"{_shortened(outcome.url)} is in your library and has not changed.")

    def _on_error(self, error: Exception) -> None:
        if not isinstance(error, UserFacingError):
            raise error
        self._toast.say(str(error))


def _shortened(address: str) -> str:
    text = shown(address)
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"
