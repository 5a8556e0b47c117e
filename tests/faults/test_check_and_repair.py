"""``footnote doctor --check`` finds every kind of damage, ``--repair`` mends what can be, and no text is deleted."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest

from app.domain.findings import FindingCode, Severity
from app.services.library_repair import salvage
from tests.faults.conftest import Library
from tests.faults.damage import DAMAGES
from tests.faults.snapshot import differences, snapshot
from tests.faults.stand_ins import paths_in


def messages(library: Library) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(library.chats)) as connection:
        return connection.execute("SELECT role, text FROM messages ORDER BY id").fetchall()


@pytest.mark.requirement("R18")
@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_found_and_repaired(library: Library, pristine: Library, damage: str) -> None:
    inflict, code = DAMAGES[damage]
    before = messages(library)
    inflict(library)
    report = library.check()
    assert code in {finding.code for finding in report.problems}, [finding.message for finding in report.findings]
    for _ in range(2):
        damaged = next((each.database for each in report.problems if each.code is FindingCode.DATABASE), None)
        if damaged is not None:
            assert salvage(paths_in(library.home), damaged).kept.exists()
            report = library.check()
    library.repair(report)
    library.ingest()
    after = library.check()
    assert after.findings == (), [finding.message for finding in after.findings]
    assert messages(library) == before
    told = differences(snapshot(library.home, library.documents), snapshot(pristine.home, pristine.documents))
    assert told == []


def test_a_sound_library_has_no_findings(library: Library) -> None:
    report = library.check()
    assert report.findings == ()
    assert report.looked_at["documents"] == len(list(library.documents.iterdir()))
    assert report.looked_at["chunks"] == report.looked_at["vectors"] > 0


def test_a_text_whose_file_is_gone_is_kept(own_library: Callable[[int], Library]) -> None:
    library = own_library(3)
    DAMAGES["passage altered"][0](library)
    report = library.check()
    [number] = report.problems[0].document_ids
    with library.services() as services:
        path, text = services.library.document(number).path, services.library.source(number).text
    path.unlink()
    repairs = library.repair(report)
    assert [path.name in sentence for sentence in repairs.left] == [True]
    with library.services() as services:
        assert services.library.source(number).text == text


def test_leftovers_are_a_note_and_deleted_by_repair(library: Library) -> None:
    left = [library.index / "vectors-000000000000-00000007.faiss.tmp", library.index / "keywords-1-00000099"]
    left[0].write_bytes(b"half")
    left[1].mkdir()
    report = library.check()
    assert [(each.code, each.severity) for each in report.findings] == [(FindingCode.LEFTOVERS, Severity.NOTE)]
    assert set(report.findings[0].paths) == set(left)
    library.repair(report)
    assert not any(path.exists() for path in left)
    assert library.check().findings == ()


def test_repaired_chats_keep_every_message_and_a_copy_of_the_file(library: Library) -> None:
    DAMAGES["chat row lost"][0](library)
    before = messages(library)
    library.repair(library.check())
    assert messages(library) == before
    with library.services() as services:
        [session] = services.sessions.sessions()
        assert len(services.sessions.messages(session.id)) == len(before)
    assert list((library.home / "data" / "backups").glob("chats-before-repair-*.db"))
