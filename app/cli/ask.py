"""``footnote ask``: a question answered from the library, with footnotes."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from app.bootstrap import open_services
from app.cli.main import EXIT_FAILED
from app.cli.output import Output, printable
from app.cli.scopes import scope_from
from app.domain.citations import Citation
from app.domain.errors import BadInputError
from app.domain.passages import Scope
from app.domain.turns import StoredMessage, TextAdded, TurnFailed, TurnFinished, TurnStopped
from app.services.chat_service import ChatService

Addresses = Mapping[Path, str]


def ask(options: argparse.Namespace, output: Output) -> int:
    """Stream the answer to the terminal, or print it as JSON. Returns 1 if the model failed."""
    question = options.question.strip()
    if not question:
        raise BadInputError("The question is empty. Write what you want to know.")
    with open_services(os.environ, writer=False) as services:
        services.models.model(options.model)  # a name that is none is refused before anything is stored
        scope = scope_from(options, services)
        session = services.sessions.create()
        message = _stream(services.chat, session.id, question, options.model, scope, output)
        addresses = services.library.addresses()
    return 0 if finish_answer(message, addresses, output) else EXIT_FAILED


def finish_answer(message: StoredMessage, addresses: Addresses, output: Output) -> bool:
    """Print what belongs behind an answer that was streamed, or the whole as JSON. Returns False if it failed."""
    if message.error:
        output.problem(message.error)
        return False
    if output.as_json:
        output.row(_answer_row(message, addresses), "")
    else:
        output.write("\n" + "".join(_citation_line(citation, addresses) for citation in message.citations))
    return True


def _stream(
    chat: ChatService, session_id: str, question: str, model: str, scope: Scope, output: Output
) -> StoredMessage:
    last: StoredMessage | None = None
    for event in chat.stream_answer(session_id, question, model=model, scope=scope):
        if isinstance(event, TextAdded) and not output.as_json:
            output.write(printable(event.text))
        elif isinstance(event, TurnFinished | TurnFailed | TurnStopped):
            last = event.message
    assert last is not None, "a turn ends with exactly one final event"  # noqa: S101 - the protocol of turns
    if not output.as_json:
        output.write("\n")
    return last


def _answer_row(message: StoredMessage, addresses: Addresses) -> dict[str, object]:
    return {
        "answer": message.text,
        "answered": message.answered,
        "sentences": [{"text": each.text, "citations": list(each.citations)} for each in message.sentences],
        "citations": [_citation_row(citation, addresses) for citation in message.citations],
        "model": message.model,
        "timings": {name: round(seconds, 4) for name, seconds in message.timings.items()},
    }


def _citation_row(citation: Citation, addresses: Addresses) -> dict[str, object]:
    return {
        "n": citation.number,
        "path": str(citation.path),
        "title": citation.title,
        "page": citation.page,
        "start": citation.start,
        "end": citation.end,
        "quote": citation.quote,
        "boxes": [asdict(box) for box in citation.boxes],
        "url": addresses.get(citation.path),
    }


def _citation_line(citation: Citation, addresses: Addresses) -> str:
    page = f", page {citation.page}" if citation.page else ""
    return printable(f"[{citation.number}] {addresses.get(citation.path, citation.path)}{page}") + "\n"
