"""``footnote folders`` and ``footnote watch``: the folders that the library follows."""

from __future__ import annotations

import argparse
import os
import queue
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.bootstrap import Services, open_services
from app.cli.ingest import follow, outcome_row, outcome_text, summary_row, summary_text
from app.cli.main import EXIT_FAILED
from app.cli.output import Output
from app.domain.errors import BadInputError
from app.domain.findings import counted
from app.domain.folders import ChangeKind, FolderChange, FolderStatus
from app.domain.ingestion import FileOutcome
from app.services.ingest_job import IngestEvent

WatchEvent = FolderChange | IngestEvent | None


def folders(options: argparse.Namespace, output: Output) -> int:
    """List the followed folders, end following one, leave out a part of one, or look through them now."""
    path = Path(os.path.abspath(options.path)) if options.path else None  # noqa: PTH100  as the user knows it
    if options.action is None:
        return _list(output)
    with open_services(os.environ, writer=True) as services:
        if options.action == "rescan":
            return _rescan(services, path, output)
        if path is None:
            raise BadInputError(f"Say which: footnote folders {options.action} PATH")
        take_out = services.folders.remove_folder if options.action == "remove" else services.folders.exclude
        for each in take_out(path):
            output.row({"path": str(each), "removed": True}, f"removed {each}")
    return 0


def watch(options: argparse.Namespace, output: Output) -> int:
    """Follow the folders, and those given, until interrupted; print what happens."""
    events: queue.SimpleQueue[WatchEvent] = queue.SimpleQueue()
    with _until_signalled(events), open_services(os.environ, writer=True) as services:
        unsubscribe = [services.folders.subscribe(events.put), services.ingest.subscribe(events.put)]
        services.ingest.resume_pending()
        services.folders.start()
        if options.paths:
            services.folders.add(options.paths)
        statuses = services.folders.status()
        if not statuses:
            raise BadInputError("No folder is followed yet. `footnote watch FOLDER` follows one.")
        for status in statuses:
            output.row(_status_row(status), f"watching {_status_text(status)}")
        while (event := events.get()) is not None:
            _print(event, output)
        for end in unsubscribe:
            end()
    output.note("Stopped. Changes are taken over when Footnote starts again.")
    return 0


@contextmanager
def _until_signalled(events: queue.SimpleQueue[WatchEvent]) -> Iterator[None]:
    """Turn SIGINT and SIGTERM into None at the end of the queue."""
    before = {each: signal.signal(each, lambda *_: events.put(None)) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _list(output: Output) -> int:
    with open_services(os.environ, writer=False) as services:
        statuses = services.folders.status()
        for status in statuses:
            output.row(_status_row(status), _status_text(status))
        if not statuses:
            output.note("No folder is followed. `footnote ingest FOLDER` adds one.")
    return 0


def _rescan(services: Services, path: Path | None, output: Output) -> int:
    events: queue.SimpleQueue[IngestEvent] = queue.SimpleQueue()
    unsubscribe = [
        services.folders.subscribe(lambda change: _print(change, output)),
        services.ingest.subscribe(events.put),
    ]
    try:
        if services.folders.rescan(path) is None:
            output.note("Nothing new to read.")
            return 0
        summary = follow(events, output)
        output.row({"summary": summary_row(summary)}, summary_text(summary))
    finally:
        for end in unsubscribe:
            end()
    return EXIT_FAILED if summary.failed else 0


def _print(event: FolderChange | IngestEvent, output: Output) -> None:
    if isinstance(event, FolderChange):
        output.row(_change_row(event), _change_text(event))
    elif isinstance(event, FileOutcome) and not event.skipped:
        output.row({"event": event.state.value} | outcome_row(event), outcome_text(event))


def _change_row(change: FolderChange) -> dict[str, object]:
    row: dict[str, object] = {"event": change.kind.value, "path": str(change.path)}
    if change.source is not None:
        row["source"] = str(change.source)
    return row | ({"message": change.message} if change.message else {})


def _change_text(change: FolderChange) -> str:
    name = str(change.path).replace("\n", "\N{RETURN SYMBOL}")
    if change.kind is ChangeKind.MOVED:
        return f"moved    {change.source} -> {name}"
    return f"{change.kind.value:<8} {name}{': ' + change.message if change.message else ''}"


def _status_row(status: FolderStatus) -> dict[str, object]:
    return {
        "path": str(status.path),
        "state": status.state.value,
        "message": status.message or None,
        "documents": status.documents,
        "offline": status.offline,
        "failed": status.failed,
    }


def _status_text(status: FolderStatus) -> str:
    counts = counted(status.documents, "document")
    if status.offline:
        counts += f", {status.offline} offline"
    if status.failed:
        counts += f", {status.failed} could not be read"
    return f"{status.state.value:<8} {status.path}  ({counts}){' ' + status.message if status.message else ''}"
