"""Ingestion: what becomes of files, and that nothing is done twice or lost."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

from app.domain.documents import DocumentState
from app.domain.errors import FailureReason, StorageError
from app.domain.ingestion import IngestProgress, IngestSummary
from tests.services.conftest import Rig

LONG = "\n\n".join(f"Paragraph number {number} tells about subject {number * 7}. " * 6 for number in range(12))


def test_files_become_searchable_documents(rig: Rig, folder: Path) -> None:
    (folder / "a.txt").write_text("The well is two metres deep.")
    (folder / "b.md").write_text("# Rules\n\nThe gate closes at sunset.")
    summary = rig.ingest(folder)
    assert (summary.documents, summary.failed, summary.skipped) == (2, 0, 0)
    assert [record.state for record in rig.store.documents()] == [DocumentState.READY] * 2
    assert rig.store.vector_count("hash-8") == summary.chunks == rig.store.chunk_count()
    assert isinstance(rig.events[-1], IngestSummary)


def test_an_unchanged_file_costs_no_reading_and_no_embedding(rig: Rig, folder: Path) -> None:
    (folder / "a.txt").write_text(LONG)
    first = rig.ingest(folder)
    embedded = len(rig.embedder.embedded)
    second = rig.ingest(folder)
    assert (second.documents, second.skipped, second.chunks) == (1, 1, first.chunks)
    assert len(rig.embedder.embedded) == embedded


def test_a_touched_file_with_the_same_content_is_not_embedded_again(rig: Rig, folder: Path) -> None:
    file = folder / "a.txt"
    file.write_text(LONG)
    rig.ingest(folder)
    embedded = len(rig.embedder.embedded)
    file.write_text(LONG + " ")
    file.write_text(LONG)
    rig.ingest(folder)
    assert len(rig.embedder.embedded) == embedded
    assert rig.store.document_by_path(file).state is DocumentState.READY  # type: ignore[union-attr]


def test_a_changed_file_embeds_only_what_changed(rig: Rig, folder: Path) -> None:
    file = folder / "a.txt"
    file.write_text(LONG)
    rig.ingest(folder)
    embedded = len(rig.embedder.embedded)
    file.write_text(LONG.replace("subject 77", "something else"))
    summary = rig.ingest(folder)
    assert 1 <= len(rig.embedder.embedded) - embedded < summary.chunks
    text = rig.store.document_text(rig.store.documents()[0].id)
    assert "something else" in text
    assert "subject 77" not in text


def test_a_moved_file_is_renamed_in_the_library(rig: Rig, folder: Path) -> None:
    file = folder / "before.txt"
    file.write_text(LONG)
    rig.ingest(folder)
    embedded = len(rig.embedder.embedded)
    file.rename(folder / "after.txt")
    rig.ingest(folder)
    assert [record.path.name for record in rig.store.documents()] == ["after.txt"]
    assert len(rig.embedder.embedded) == embedded


def test_bad_files_fail_with_a_reason_and_the_rest_is_unharmed(rig: Rig, folder: Path) -> None:
    (folder / "good.txt").write_text("All is well.")
    (folder / "empty.txt").write_bytes(b"")
    (folder / "binary.txt").write_bytes(bytes(range(256)) * 64)
    (folder / "cut.pdf").write_bytes(b"%PDF-1.7\n1 0 obj\n<<")
    summary = rig.ingest(folder)
    assert (summary.documents, summary.failed) == (1, 3)
    reasons = {name: outcome.reason for name, outcome in rig.outcomes.items()}
    assert reasons == {
        "good.txt": None,
        "empty.txt": FailureReason.EMPTY,
        "binary.txt": FailureReason.BINARY,
        "cut.pdf": FailureReason.DAMAGED,
    }
    assert all(outcome.error for outcome in rig.outcomes.values() if outcome.reason)


def test_odd_names_are_kept(rig: Rig, folder: Path) -> None:
    names = {"it's.txt", 'say "hi".txt', "🦊 fox.txt", "two\nlines.txt", " lead.txt"}
    for name in names:
        (folder / name).write_text(f"This is the text of {name!r}.")
    assert rig.ingest(folder).failed == 0
    assert {record.path.name for record in rig.store.documents()} == names


def test_closing_in_the_middle_loses_nothing_and_does_nothing_twice(make_rig: Callable[[], Rig], folder: Path) -> None:
    for number in range(6):
        (folder / f"{number}.txt").write_text(f"File {number}. {LONG}")
    first = make_rig()
    first.embedder.gate.clear()
    job = first.service.add([folder])
    assert first.embedder.called.wait(30)
    job.token.on_cancel(first.embedder.gate.set)
    first.service.close()
    done_before = set(first.embedder.embedded)

    second = make_rig()
    resumed = second.service.resume_pending()
    if resumed:
        second.wait(resumed)
    second.ingest(folder)
    records = second.store.documents()
    assert [record.state for record in records] == [DocumentState.READY] * 6
    assert len({record.path for record in records}) == 6
    assert second.store.vector_count("hash-8") == second.store.chunk_count() == sum(r.chunk_count for r in records)
    stored_by_first = done_before - set(second.embedder.embedded)
    assert len(second.embedder.embedded) + len(stored_by_first) == second.store.chunk_count()
    assert second.store.integrity() == []


def test_cancel_leaves_finished_files_and_forgets_the_others(rig: Rig, folder: Path) -> None:
    (folder / "done.txt").write_text("Finished before.")
    rig.ingest(folder)
    for number in range(5):
        (folder / f"{number}.txt").write_text(f"File {number}. {LONG}")
    rig.embedder.called.clear()
    rig.embedder.gate.clear()
    job = rig.service.add([folder])
    assert rig.embedder.called.wait(30)
    job.cancel()
    rig.embedder.gate.set()
    rig.wait(job)
    assert job.summary.cancelled
    assert rig.store.document_by_path(folder / "done.txt").state is DocumentState.READY  # type: ignore[union-attr]
    assert rig.store.pending() == []
    assert rig.ingest(folder).documents == 6


def test_a_full_disk_stops_the_job_with_one_message_and_keeps_the_queue(rig: Rig, folder: Path) -> None:
    for number in range(3):
        (folder / f"{number}.txt").write_text(f"File {number}. {LONG}")
    rig.embedder.failure = StorageError("The disk is full. Free some space.")
    job = rig.service.add([folder])
    rig.wait(job)
    assert str(job.failure) == "The disk is full. Free some space."
    assert rig.store.counts()[DocumentState.FAILED] == 0
    rig.embedder.failure = None
    assert rig.ingest(folder).documents == 3


def test_no_room_met_by_an_engine_stops_the_job_and_blames_no_file(rig: Rig, folder: Path) -> None:
    for number in range(3):
        (folder / f"{number}.txt").write_text(f"File {number}. {LONG}")
    rig.embedder.failure = OSError(errno.ENOSPC, "No space left on device")
    job = rig.service.add([folder])
    rig.wait(job)
    assert "The disk is full" in str(job.failure)
    assert rig.store.counts()[DocumentState.FAILED] == 0
    rig.embedder.failure = None
    assert rig.ingest(folder).documents == 3


def test_a_bug_in_the_engine_fails_files_with_words_for_the_user(rig: Rig, folder: Path) -> None:
    (folder / "a.txt").write_text("One.")
    rig.embedder.failure = RuntimeError("tensor 7")
    rig.ingest(folder)
    outcome = rig.outcomes["a.txt"]
    assert outcome.reason is FailureReason.CRASHED
    assert "tensor 7" not in outcome.error


def test_pause_holds_the_work_and_says_so(rig: Rig, folder: Path) -> None:
    (folder / "a.txt").write_text("One.")
    rig.service.pause()
    job = rig.service.add([folder])
    rig.service.pause()
    assert not job.wait(0.3)
    assert any(isinstance(event, IngestProgress) and event.paused for event in rig.events)
    rig.service.resume()
    rig.wait(job)
    assert job.summary.documents == 1


def test_a_document_removed_while_it_is_embedded_is_gone(rig: Rig, folder: Path) -> None:
    (folder / "a.txt").write_text(LONG)
    rig.embedder.gate.clear()
    job = rig.service.add([folder])
    assert rig.embedder.called.wait(30)
    rig.store.remove(rig.store.documents()[0].id)
    rig.embedder.gate.set()
    rig.wait(job)
    assert rig.store.documents() == []
    assert rig.store.vector_count("hash-8") == 0


def test_after_a_change_of_model_every_document_is_embedded_anew_and_stays_ready(
    make_rig: Callable[[], Rig], folder: Path
) -> None:
    (folder / "a.txt").write_text(LONG)
    (folder / "b.txt").write_text("Short.")
    make_rig().ingest(folder)
    second = make_rig()
    second.embedder.model_key = "other-8"
    resumed = second.service.resume_pending()
    assert resumed is not None
    second.wait(resumed)
    assert second.store.vector_count("other-8") == second.store.chunk_count() == len(second.embedder.embedded)
    assert {record.state for record in second.store.documents()} == {DocumentState.READY}
    assert second.service.resume_pending() is None


def test_a_changed_file_is_whole_for_the_model_in_use(make_rig: Callable[[], Rig], folder: Path) -> None:
    (folder / "a.txt").write_text(LONG)
    make_rig().ingest(folder)
    (folder / "a.txt").write_text(LONG.replace("subject 77", "something else"))
    second = make_rig()
    second.embedder.model_key = "other-8"
    summary = second.ingest(folder)
    assert second.store.vector_count("other-8") == summary.chunks
