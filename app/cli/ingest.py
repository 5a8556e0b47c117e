"""``footnote ingest``: files and folders into the library."""

from __future__ import annotations

import argparse
import os
import queue
from pathlib import Path

from app.bootstrap import Services, open_services
from app.cli.main import EXIT_FAILED
from app.cli.output import Output
from app.domain.documents import DocumentState
from app.domain.errors import BadInputError, UserFacingError
from app.domain.findings import counted
from app.domain.ingestion import FileOutcome, IngestSummary
from app.services.ingest_job import IngestEvent, IngestJob


def ingest(options: argparse.Namespace, output: Output) -> int:
    """Ingest the given paths, and follow the folders among them from now on. Returns 1 if any file failed.

    Addresses of web pages are fetched, now and not again by themselves.
    """
    from app.cli import pages

    urls = [text for text in options.paths if pages.is_page(text)]
    paths = [Path(text) for text in options.paths if not pages.is_page(text)]
    missing = [path for path in paths if not path.exists() and not path.is_symlink()]
    if missing:
        raise BadInputError(f"There is no file or folder {missing[0]}. Nothing was changed.")
    if options.dry_run:
        return _preview(paths, output)
    with open_services(os.environ, writer=True) as services:
        if options.collection is not None:
            services.packs.collections.named_or_new(options.collection)
            services.packs.collections.gather(options.collection, paths)
        try:
            summary, failure = _read(services, paths, urls, output)
            if options.collection is not None:
                services.packs.collections.gather(options.collection, paths, urls)
            pages.print_summary(summary, output)
        except KeyboardInterrupt:
            output.note("Stopped. `footnote ingest` with the same paths goes on where this ended.")
            raise
        if failure:
            raise failure
    return EXIT_FAILED if summary.failed else 0


def _read(
    services: Services, paths: list[Path], urls: list[str], output: Output
) -> tuple[IngestSummary, UserFacingError | None]:
    """Read what an earlier run left, then pages and files. Returns also what ended the reading of the files."""
    from app.cli import pages

    events: queue.SimpleQueue[IngestEvent] = queue.SimpleQueue()
    unsubscribe = services.ingest.subscribe(events.put)
    try:
        services.ingest.wait_no_longer()  # who types the command wants it done
        if services.ingest.resume_pending():
            follow(events, output)
        summaries = pages.add_pages(services, urls, events, output)
        job = _begin(services, paths) if paths else None
        if job is not None:
            summaries.append(follow(events, output))
        return pages.total(summaries), job.failure if job else None
    finally:
        unsubscribe()


def _begin(services: Services, paths: list[Path]) -> IngestJob:
    """Begin to read files and folders, and to follow the folders."""
    followed = services.folders.register(Path(os.path.abspath(path)) for path in paths)  # noqa: PTH100
    services.folders.catch_up(folder.path for folder in followed)
    services.ingest.wait_no_longer()
    return services.ingest.add(paths)


def _preview(paths: list[Path], output: Output) -> int:
    """Say what would be read, without opening a file."""
    with open_services(os.environ, writer=False) as services:
        found = services.folders.preview(paths)
    row = {"files": found.files, "bytes": found.size, "passed_over": found.passed_over}
    row["unreadable"] = [str(path) for path in found.unreadable]
    left_out = ", ".join(f"{count:,} {reason}" for reason, count in sorted(found.passed_over.items()))
    output.row(row, f"{found.files:,} files, {found.size / 1e6:,.1f} MB{f'; left out: {left_out}' if left_out else ''}")
    for path in found.unreadable:
        output.problem(f"{path} can't be read.")
    return 0


def follow(events: queue.SimpleQueue[IngestEvent], output: Output) -> IngestSummary:
    """Print what became of each file, until the ingestion ends."""
    while True:
        event = events.get()
        if isinstance(event, FileOutcome):
            output.row(outcome_row(event), outcome_text(event))
        elif isinstance(event, IngestSummary):
            return event


def outcome_row(outcome: FileOutcome) -> dict[str, object]:
    """What became of a file, for scripts."""
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
        "warning": outcome.warning or None,
    }


def outcome_text(outcome: FileOutcome) -> str:
    """What became of a file, for people."""
    name = str(outcome.path).replace("\n", "\N{RETURN SYMBOL}")
    if outcome.state is DocumentState.FAILED:
        return f"failed   {name}: {outcome.error}"
    if outcome.skipped:
        return f"as it was {name}"
    pages = f", {counted(outcome.pages, 'page')}" if outcome.pages else ""
    warning = f"; {outcome.warning}" if outcome.warning else ""
    return f"ready    {name} ({counted(outcome.chunks, 'passage')}{pages}, {outcome.seconds:.1f} s){warning}"


def summary_row(summary: IngestSummary) -> dict[str, object]:
    """The end of an ingestion, for scripts."""
    return {
        "documents": summary.documents,
        "chunks": summary.chunks,
        "failed": summary.failed,
        "skipped": summary.skipped,
        "seconds": round(summary.seconds, 3),
    }


def summary_text(summary: IngestSummary) -> str:
    """The end of an ingestion, for people."""
    documents, passages = counted(summary.documents, "document"), counted(summary.chunks, "passage")
    return f"{documents} ({summary.skipped} unchanged), {passages}, {summary.failed} failed, {summary.seconds:.1f} s"
