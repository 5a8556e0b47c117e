"""Folders that stay live, over a library with everything real but the embedding model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.loaders.registry import loaders
from app.services.discovery import FileDiscovery
from app.services.folder_scanner import FolderScanner
from app.services.live_folders import LiveFolders
from tests.services.conftest import Rig
from tests.services.live.live_rig import LONG, DefaultSettings, LiveRig


@pytest.fixture
def make_live(make_rig: Callable[[], Rig]) -> Iterator[Callable[..., LiveRig]]:
    """Makes live folders over one library, as one start of the program after another does."""
    made: list[LiveFolders] = []

    def make(**settings: object) -> LiveRig:
        rig = make_rig()
        registry = loaders()
        scanner = FolderScanner(lambda path: registry.loader_for(path) is not None, choices=rig.store.path_choices)
        discovery = FileDiscovery(lambda path: registry.loader_for(path) is not None, scanner)
        folders = LiveFolders(
            rig.store, scanner, discovery, lambda: rig.service, DefaultSettings(settings), lambda: None
        )
        made.append(folders)
        return LiveRig(rig, folders)

    yield make
    for folders in made:
        folders.close()


@pytest.fixture
def live(make_live: Callable[..., LiveRig], folder: Path) -> LiveRig:
    """A followed folder with one document, ``first.txt``."""
    (folder / "first.txt").write_text(LONG)
    rig = make_live()
    rig.folders.start()
    rig.folders.add([folder])
    rig.until(lambda: rig.is_ready(folder / "first.txt"))
    return rig
