"""``footnote summarise`` and ``footnote find``: tasks that read whole documents."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

from app.bootstrap import open_services
from app.bootstrap.services import Services
from app.cli.ask import finish_answer
from app.cli.main import EXIT_FAILED
from app.cli.output import Output, printable
from app.cli.scopes import scope_from
from app.domain.errors import BadInputError
from app.domain.turns import StoredMessage, TextAdded, TurnFailed, TurnFinished, TurnStopped
from app.domain.whole_document import TaskEvent, TaskProgress


def summarise(options: argparse.Namespace, output: Output) -> int:
    """Summarise one file. Returns 1 if that failed."""
    with open_services(os.environ, writer=False) as services:
        services.models.model(options.model)
        document = _document(services, options.path)
        session = services.sessions.create()
        events = services.whole_documents.summarise(session.id, document, model=options.model)
        return _shown(events, services, output)


def find(options: argparse.Namespace, output: Output) -> int:
    """Name every file that answers. Returns 1 if that failed."""
    with open_services(os.environ, writer=False) as services:
        services.models.model(options.model)
        scope = scope_from(options, services)
        session = services.sessions.create()
        events = services.whole_documents.find_in_all(session.id, options.question, scope=scope, model=options.model)
        return _shown(events, services, output)


def _document(services: Services, name: str) -> int:
    """The document at a path or address. Raises ``BadInputError`` if the library holds none."""
    path = Path(os.path.abspath(name))  # noqa: PTH100  as the user knows it, links unresolved
    addresses = services.library.addresses()
    for record in services.library.documents():
        if record.path == path or addresses.get(record.path) == name:
            return record.id
    raise BadInputError(f"{name} is not in the library. Read it in first: footnote ingest {name}")


def _shown(events: Iterator[TaskEvent], services: Services, output: Output) -> int:
    message: StoredMessage | None = None
    for event in events:
        if isinstance(event, TextAdded) and not output.as_json:
            output.write(printable(event.text))
        elif isinstance(event, TaskProgress) and event.done == event.total > 0:
            output.note(f"[{event.step}: {event.total} {event.unit}]")
        elif isinstance(event, TurnFinished | TurnFailed | TurnStopped):
            message = event.message
    assert message is not None, "a task ends with exactly one final event"  # noqa: S101  the protocol of turns
    if not output.as_json:
        output.write("\n")
    return 0 if finish_answer(message, services.library.addresses(), output) else EXIT_FAILED
