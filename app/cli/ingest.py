"""``footnote ingest``: files and folders into the library."""

from __future__ import annotations

import argparse
import os
import queue

from app.bootstrap import open_services
from app.cli.main import EXIT_FAILED
from app.cli.output import Output
from app.domain.documents import DocumentState
from app.domain.errors import BadInputError
from app.domain.ingestion import FileOutcome, IngestSummary
from app.services.ingest_job import IngestEvent


def ingest(options: argparse.Namespace, output: Output) -> int:
    """Ingest the given paths. Returns 1 if any file failed."""
    missing = [path for path in options.paths if not path.exists() and not path.is_symlink()]
    if missing:
        raise BadInputError(f"There is no file or folder {missing[0]}. Nothing was changed.")
    events: queue.SimpleQueue[IngestEvent] = queue.SimpleQueue()
    with open_services(os.environ, writer=True) as services:
        unsubscribe = services.ingest.subscribe(events.put)
        try:
            if services.ingest.resume_pending():
                _follow(events, output)
            job = services.ingest.add(options.paths)
            summary = _follow(events, output)
            output.row({"summary": _summary_row(summary)}, _summary_text(summary))
        except KeyboardInterrupt:
            output.note("Stopped. `footnote ingest` with the same paths goes on where this ended.")
            raise
        finally:
            unsubscribe()
        if job.failure:
            raise job.failure
    return EXIT_FAILED if summary.failed else 0


def _follow(events: queue.SimpleQueue[IngestEvent], output: Output) -> IngestSummary:
    while True:
        event = events.get()
        if isinstance(event, FileOutcome):
            output.row(_outcome_row(event), _outcome_text(event))
        elif isinstance(event, IngestSummary):
            return event


def _outcome_row(outcome: FileOutcome) -> dict[str, object]:
    status = "skipped" if outcome.skipped else outcome.state.value
    error = (
        {"reason": outcome.reason.value if outcome.reason else "", "message": outcome.error} if outcome.error else None
    )
    return {
        "path": str(outcome.path),
        "status": status,
        "chunks": outcome.chunks,
        "pages": outcome.pages,
        "seconds": round(outcome.seconds, 3),
        "error": error,
    }


def _outcome_text(outcome: FileOutcome) -> str:
    name = str(outcome.path).replace("\n", "\N{RETURN SYMBOL}")
    if outcome.state is DocumentState.FAILED:
        return f"failed   {name}: {outcome.error}"
    if outcome.skipped:
        return f"as it was {name}"
    pages = f", {outcome.pages} pages" if outcome.pages else ""
    return f"ready    {name} ({outcome.chunks} passages{pages}, {outcome.seconds:.1f} s)"


def _summary_row(summary: IngestSummary) -> dict[str, object]:
    return {
        "documents": summary.documents,
        "chunks": summary.chunks,
        "failed": summary.failed,
        "skipped": summary.skipped,
        "seconds": round(summary.seconds, 3),
    }


def _summary_text(summary: IngestSummary) -> str:
    return (
        f"{summary.documents} documents ({summary.skipped} unchanged), {summary.chunks} passages, "
        f"{summary.failed} failed, {summary.seconds:.1f} s"
    )
