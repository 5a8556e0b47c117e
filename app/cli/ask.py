"""``footnote ask``: a question answered from the library, with footnotes."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path

from app.bootstrap import open_services
from app.bootstrap.services import Services
from app.cli.main import EXIT_FAILED
from app.cli.output import Output, printable
from app.cli.scopes import scope_from
from app.domain.citations import AnswerSentence, Citation, Support
from app.domain.errors import BadInputError
from app.domain.turn_options import Attachment, TurnOptions
from app.domain.turns import NoteAdded, StoredMessage, TextAdded, TurnEvent, TurnFailed, TurnFinished, TurnStopped

Addresses = Mapping[Path, str]
LONGEST_SENTENCE = 80
_MARKS = {Support.PARTLY: "(partly)", Support.UNSUPPORTED: "(not in the documents)", Support.GENERAL: "(general)"}


def ask(options: argparse.Namespace, output: Output) -> int:
    """Stream the answer to the terminal, or print it as JSON. Returns 1 if the model failed."""
    question = options.question.strip()
    if not question:
        raise BadInputError("The question is empty. Write what you want to know.")
    with open_services(os.environ, writer=False) as services:
        services.models.model(options.model)  # a name that is none is refused before anything is stored
        scope = scope_from(options, services)
        attached = [_attachment(services, each) for each in options.attach]
        session = services.sessions.create()
        events = services.chat.stream_answer(
            session.id, question, model=options.model, scope=scope, options=TurnOptions(attachments=tuple(attached))
        )
        message = _stream(events, output)
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
        output.write("".join(_support_line(each) for each in message.sentences if each.support in _MARKS))
    return True


def _attachment(services: Services, name: str) -> Attachment:
    """A file for the question. Raises ``BadInputError`` for one that can't be attached."""
    path = Path(os.path.abspath(name))  # noqa: PTH100  as the user knows it, links unresolved
    if not path.is_file():
        raise BadInputError(f"There is no file {name} to attach.")
    if not services.attachments.can_attach(path):
        raise BadInputError(f"{name} is of a kind that Footnote can't read.")
    return Attachment(path)


def _stream(events: Iterable[TurnEvent], output: Output) -> StoredMessage:
    last: StoredMessage | None = None
    for event in events:
        if isinstance(event, NoteAdded):
            output.note(event.text)
        elif isinstance(event, TextAdded) and not output.as_json:
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
        "sentences": [_sentence_row(each) for each in message.sentences],
        "citations": [_citation_row(citation, addresses) for citation in message.citations],
        "model": message.model,
        "timings": {name: round(seconds, 4) for name, seconds in message.timings.items()},
    }


def _sentence_row(sentence: AnswerSentence) -> dict[str, object]:
    return {
        "text": sentence.text,
        "citations": list(sentence.citations),
        "support": sentence.support.value,
        "reason": sentence.reason,
    }


def _support_line(sentence: AnswerSentence) -> str:
    """What is to be said of a sentence that the documents don't bear out, or not wholly."""
    mark = _MARKS[sentence.support]
    text = " ".join(sentence.text.split())
    shown = text if len(text) <= LONGEST_SENTENCE else f"{text[:LONGEST_SENTENCE]}…"
    return printable(f"{mark} {shown}: {sentence.reason}") + "\n"


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
