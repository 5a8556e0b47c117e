"""``footnote search``: passages for one query or for a file of queries."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from app.bootstrap import open_services
from app.cli.output import Output
from app.cli.scopes import scope_from
from app.domain.errors import BadInputError
from app.domain.passages import Passage, Scope, SearchMode

if TYPE_CHECKING:
    from app.services.library_service import LibraryService

MAX_RESULTS = 1000
EXCERPT_CHARACTERS = 240


@dataclass(frozen=True, slots=True)
class Query:
    """A query and, in a batch, its id."""

    text: str
    id: str | None = None


def search(options: argparse.Namespace, output: Output) -> int:
    """Search for one query or a batch of them, in one process."""
    if not 1 <= options.k <= MAX_RESULTS:
        raise BadInputError(f"-k takes a number from 1 to {MAX_RESULTS}, not {options.k}.")
    if (options.query is None) == (options.batch is None):
        raise BadInputError("Give either a query or --batch FILE.")
    if options.excerpts and options.mode != SearchMode.HYBRID:
        raise BadInputError("--excerpts goes with --mode hybrid only.")
    queries = _batch(options.batch) if options.batch is not None else [Query(options.query)]
    with open_services(os.environ, writer=False) as services:
        addresses = services.library.addresses()
        scope = scope_from(options, services)
        for query in queries:
            found = _found(services.library, query.text, options, scope)
            for rank, passage in enumerate(found, start=1):
                output.row(_row(query, rank, passage, addresses.get(passage.path)), _text(rank, passage))
            if not found and query.id is None:
                output.note(
                    "Nothing found." if services.library.documents() else "The library is empty: add files first."
                )
    return 0


def _found(library: LibraryService, query: str, options: argparse.Namespace, scope: Scope) -> list[Passage]:
    if options.excerpts:
        return library.excerpts(query, k=options.k, scope=scope)
    return library.search(query, k=options.k, mode=SearchMode(options.mode), scope=scope)


def _batch(name: str) -> list[Query]:
    if name == "-":
        return list(_read(sys.stdin, "standard input"))
    try:
        with Path(name).open(encoding="utf-8") as file:
            return list(_read(file, name))
    except OSError as error:
        raise BadInputError(f"{name} can't be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise BadInputError(f"{name} is not UTF-8 text.") from error


def _read(lines: IO[str], name: str) -> Iterator[Query]:
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text:
            continue
        yield _json_query(text, f"{name}, line {number}") if text.startswith("{") else Query(text, str(number))


def _json_query(text: str, place: str) -> Query:
    try:
        row = json.loads(text)
        return Query(str(row["text"]), str(row["id"] if "id" in row else row["_id"]))
    except (ValueError, KeyError) as error:
        raise BadInputError(f'{place}: expected JSON with "id" and "text".') from error


def _row(query: Query, rank: int, passage: Passage, url: str | None) -> dict[str, object]:
    row: dict[str, object] = {} if query.id is None else {"query_id": query.id}
    if passage.offline:
        row["offline"] = True
    return row | {
        "rank": rank,
        "score": round(passage.score, 6),
        "path": str(passage.path),
        "title": passage.title,
        "page": passage.page,
        "start": passage.start,
        "end": passage.end,
        "text": passage.text,
        "ocr_confidence": passage.ocr_confidence,
        "url": url,
    }


def _text(rank: int, passage: Passage) -> str:
    page = f", page {passage.page}" if passage.page else ""
    if passage.ocr_confidence is not None:
        page += f", read by OCR ({passage.ocr_confidence:.0%} sure)"
    if passage.offline:
        page += ", not reachable now"
    excerpt = " ".join(passage.text.split())
    if len(excerpt) > EXCERPT_CHARACTERS:
        excerpt = excerpt[:EXCERPT_CHARACTERS] + " …"
    return f"{rank:>2}. {passage.title}{page}  ({passage.score:.3f})\n    {excerpt}"
