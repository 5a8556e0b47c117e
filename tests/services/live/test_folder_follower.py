"""The thread that follows folders, where what it does and what ingestion does overtake each other."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from app.domain.folders import ChangeKind, FolderChange
from app.loaders.registry import loaders
from app.services.discovery import FileDiscovery
from app.services.folder_follower import FolderFollower
from app.services.folder_scanner import FolderScanner
from app.services.reconciler import Place, Reconciler
from tests.services.conftest import Rig
from tests.services.live.live_rig import LONG, DefaultSettings


def made_follower(rig: Rig, announce: Callable[[FolderChange], None]) -> FolderFollower:
    registry = loaders()
    scanner = FolderScanner(lambda path: registry.loader_for(path) is not None, choices=rig.store.path_choices)
    discovery = FileDiscovery(lambda path: registry.loader_for(path) is not None, scanner)
    reconciler = Reconciler(rig.store, scanner, discovery, announce)
    return FolderFollower(rig.store, reconciler, lambda: rig.service, DefaultSettings(), lambda: None, announce)


def test_a_file_whose_move_the_reader_saw_first_is_gone_when_it_is_deleted(rig: Rig, folder: Path) -> None:
    """A folder is moved and soon deleted: it is missed in its old place, found by the reader in its new one, and gone
    from there before the first wait is over."""
    before, after = folder / "before.txt", folder / "after.txt"
    before.write_text(LONG)
    rig.ingest(before)
    removed = threading.Event()
    follower = made_follower(rig, lambda change: removed.set() if change.kind is ChangeKind.REMOVED else None)
    rig.store.add_folder(folder)
    follower.reconcile([Place(rig.store.folders()[0])])
    [record] = rig.store.folders()
    before.rename(after)
    follower.reconcile([Place(record, (before,))])
    rig.ingest(after)
    assert [each.path for each in rig.store.documents()] == [after]
    after.unlink()
    follower.reconcile([Place(record, (after,))])
    follower.start()
    try:
        assert removed.wait(10)
    finally:
        follower.close()
    assert rig.store.documents() == []
