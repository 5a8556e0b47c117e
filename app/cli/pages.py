"""Web pages on the command line: ``footnote ingest URL`` and ``footnote refresh``."""

from __future__ import annotations

import argparse
import os
import queue
from collections.abc import Sequence
from pathlib import Path

from app.bootstrap import Services, open_services
from app.cli.ingest import follow, summary_row, summary_text
from app.cli.main import EXIT_FAILED
from app.cli.output import Output
from app.domain.errors import BadInputError, UserFacingError
from app.domain.ingestion import IngestSummary
from app.services.ingest_job import IngestEvent
from app.services.web_pages import PageOutcome

SCHEMES = ("http://", "https://")


def is_page(text: str) -> bool:
    """Whether an argument is the address of a web page and no path."""
    return text.lower().startswith(SCHEMES)


def refresh(options: argparse.Namespace, output: Output) -> int:
    """Fetch the pages of the library again, or one of them. Returns 1 if one could not be had."""
    with open_services(os.environ, writer=True) as services:
        return refresh_pages(services, options.url, output)


def refresh_pages(services: Services, url: str | None, output: Output) -> int:
    """``refresh`` with services at hand."""
    events: queue.SimpleQueue[IngestEvent] = queue.SimpleQueue()
    unsubscribe = services.ingest.subscribe(events.put)
    try:
        outcomes = services.web.refresh(url)
        summaries = [_report(outcome, events, output) for outcome in outcomes]
    finally:
        unsubscribe()
    if not outcomes:
        output.note("There are no web pages in the library. `footnote ingest https://…` adds one.")
    failed = any(outcome.error for outcome in outcomes) or any(each.failed for each in summaries if each)
    return EXIT_FAILED if failed else 0


def add_pages(
    services: Services, urls: Sequence[str], events: queue.SimpleQueue[IngestEvent], output: Output
) -> list[IngestSummary]:
    """Fetch pages and read them, one after the other. One that can't be had is told, and counts as failed.

    Raises ``BadInputError`` for an address that is none or not public, if it is the only one.
    """
    summaries = []
    for url in urls:
        try:
            outcome = services.web.add(url)
        except UserFacingError as error:
            if len(urls) == 1 and isinstance(error, BadInputError):
                raise
            outcome = PageOutcome(url, None, error=error)
        summary = _report(outcome, events, output)
        summaries.append(summary or IngestSummary(documents=0, chunks=0, failed=1, skipped=0, seconds=0.0))
    return summaries


def page_at(services: Services, url: str) -> Path:
    """The file of the page with that address. Raises ``BadInputError`` if there is none."""
    for path, known in services.library.addresses().items():
        if known.rstrip("/") == url.strip().rstrip("/"):
            return path
    raise BadInputError(f"{url} is not in the library. `footnote documents` lists what is.")


def total(summaries: Sequence[IngestSummary]) -> IngestSummary:
    """Several ingestions as one."""
    return IngestSummary(
        documents=sum(each.documents for each in summaries),
        chunks=sum(each.chunks for each in summaries),
        failed=sum(each.failed for each in summaries),
        skipped=sum(each.skipped for each in summaries),
        seconds=sum(each.seconds for each in summaries),
    )


def print_summary(summary: IngestSummary, output: Output) -> None:
    """The end of an ingestion."""
    output.row({"summary": summary_row(summary)}, summary_text(summary))


def _report(outcome: PageOutcome, events: queue.SimpleQueue[IngestEvent], output: Output) -> IngestSummary | None:
    """Say what became of a page, then of the file that holds it."""
    row: dict[str, object] = {"url": outcome.url, "path": str(outcome.path) if outcome.path else None}
    if outcome.error is not None:
        reason = str(outcome.error)
        output.row(row | {"status": "failed", "error": {"message": reason}}, f"failed   {outcome.url}: {reason}")
        return None
    word = "changed" if outcome.changed else "as it was"
    output.row(row | {"status": "changed" if outcome.changed else "unchanged"}, f"{word:<9}{outcome.url}")
    return follow(events, output)
