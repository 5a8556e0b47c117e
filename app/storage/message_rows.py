"""Messages and citations as rows of ``chats.db``.

Reading a chat must not wait for what is off the screen: citations and sentences are decoded when they are looked at.
What can't be read in a column is left out and told in ``StoredMessage.damage``; the column itself is never touched.
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from app.domain.citations import AnswerSentence, Citation, Support
from app.domain.deferred import Deferred
from app.domain.documents import Box
from app.domain.turns import MessageStatus, StoredMessage
from app.storage.lenient_rows import MendedText, as_text, read_rows
from app.storage.rows import clean, id_list, path_from_column, path_to_column

MessageRow = tuple[Any, ...]
CitationRow = tuple[Any, ...]
_STATUSES = {each.value: each for each in MessageStatus}
_SUPPORTS = {each.value: each for each in Support}
_UNREADABLE = (ValueError, TypeError, AttributeError)
"""What decoding raises for JSON of another shape."""

BROKEN_TEXT = "Some characters of this message could not be read; \ufffd stands in their place."
BROKEN_STATUS = "It could not be read how this message ended."
BROKEN_SENTENCES = "It could not be read which sentence rests on which footnote."
BROKEN_TIMINGS = "It could not be read how long this answer took."
BROKEN_PLACE = "The message before this one could not be found, so this one may stand in the wrong place."


def message_from(
    row: MessageRow,
    citations: Sequence[CitationRow],
    parent_id: int | None,
    siblings: tuple[int, ...],
    *,
    adrift: bool = False,
) -> StoredMessage:
    """A message from a row of ``message_records``, rows of its citations, and its place in the tree of its chat.

    ``adrift`` says that its own parent is gone.
    """
    (ident, session_id, role, text, status, created_at, model, answered, error, sentences, timings, _) = row
    text, seconds = as_text(text), _timings(timings)
    damage = _damage(text, status, seconds, adrift=adrift)
    columns = _Columns(sentences, citations, damage) if citations or sentences else None
    return StoredMessage(
        id=ident,
        session_id=session_id,
        role=as_text(role),
        text=text,
        status=_STATUSES.get(status, MessageStatus.INTERRUPTED),
        created_at=created_at if isinstance(created_at, float) else 0.0,
        model=as_text(model),
        answered=bool(answered),
        error=as_text(error),
        citations=Deferred(columns.citations) if columns else (),
        sentences=Deferred(columns.sentences) if columns else (),
        timings=seconds or {},
        parent_id=parent_id,
        siblings=siblings,
        damage=Deferred(columns.damage) if columns else damage,
    )


def sentences_to_column(sentences: Sequence[AnswerSentence]) -> str:
    """Sentences as JSON arrays of text, start, end, citation numbers, support, reason; none as nothing."""
    plain = [
        [clean(each.text), each.start, each.end, list(each.citations), each.support, clean(each.reason)]
        for each in sentences
    ]
    return json.dumps(plain, ensure_ascii=False) if plain else ""


def timings_to_column(timings: Mapping[str, float]) -> str:
    """Timings as a JSON object; none as nothing."""
    return json.dumps(dict(timings)) if timings else ""


def citation_rows(message_id: int, citations: Sequence[Citation]) -> Iterator[tuple[Any, ...]]:
    """Rows of ``citations`` in the order of its columns."""
    for each in citations:
        yield (
            message_id,
            each.number,
            each.document_id,
            path_to_column(each.path),
            clean(each.title),
            each.file_hash,
            each.start,
            each.end,
            clean(each.quote),
            each.page,
            json.dumps([[box.left, box.top, box.right, box.bottom] for box in each.boxes]),
            each.score,
        )


def citation_rows_of(connection: sqlite3.Connection, message_ids: Sequence[int]) -> dict[int, list[CitationRow]]:
    """The rows of ``citations`` of messages, by message id, in order of their numbers."""
    rows = read_rows(
        connection,
        "SELECT * FROM citations WHERE message_id IN (SELECT value FROM json_each(?)) ORDER BY message_id, number",
        (id_list(message_ids),),
    )
    found: defaultdict[int, list[CitationRow]] = defaultdict(list)
    for row in rows:
        found[row[0]].append(row)
    return found


class _Columns:
    """What is decoded of a message when it is asked for."""

    def __init__(self, sentences: object, citations: Sequence[CitationRow], damage: tuple[str, ...]) -> None:
        self._sentences = sentences
        self._citations = citations
        self._damage = damage

    def sentences(self) -> tuple[AnswerSentence, ...]:
        return _sentences(self._sentences)[0]

    def citations(self) -> tuple[Citation, ...]:
        return tuple(each for each, _ in map(_citation, self._citations) if each is not None)

    def damage(self) -> tuple[str, ...]:
        notes = (note for _, note in map(_citation, self._citations) if note)
        return (*self._damage, *_sentences(self._sentences)[1], *notes)


def _damage(text: str, status: object, timings: object, *, adrift: bool) -> tuple[str, ...]:
    found = (
        (adrift, BROKEN_PLACE),
        (isinstance(text, MendedText), BROKEN_TEXT),
        (status not in _STATUSES, BROKEN_STATUS),
        (timings is None, BROKEN_TIMINGS),
    )
    return tuple(note for broken, note in found if broken)


def _timings(column: Any) -> dict[str, float] | None:
    """Seconds by moment; None where the column can't be read."""
    try:
        return {str(name): float(value) for name, value in json.loads(column).items()} if column else {}
    except _UNREADABLE:
        return None


def _sentences(column: Any) -> tuple[tuple[AnswerSentence, ...], tuple[str, ...]]:
    try:
        return tuple(_sentence(*each) for each in json.loads(column)) if column else (), ()
    except _UNREADABLE:
        return (), (BROKEN_SENTENCES,)


def _sentence(
    text: str, start: int, end: int, numbers: list[int], support: str = Support.UNCHECKED, reason: str = ""
) -> AnswerSentence:
    """A sentence from its array; those stored before sentences were checked end with the numbers."""
    return AnswerSentence(
        str(text), int(start), int(end), tuple(map(int, numbers)), _SUPPORTS.get(support, Support.UNCHECKED), reason
    )


def _citation(row: CitationRow) -> tuple[Citation | None, str]:
    """A citation from its row, and what could not be read of it."""
    _, number, document_id, path, title, file_hash, start, end, quote, page, boxes, score = row
    try:
        citation = Citation(
            number=int(number),
            document_id=int(document_id),
            path=path_from_column(path),
            title=as_text(title),
            file_hash=as_text(file_hash),
            start=int(start),
            end=int(end),
            quote=as_text(quote),
            page=None if page is None else int(page),
            score=float(score),
        )
    except _UNREADABLE:
        return None, f"Footnote {number} could not be read."
    try:
        return replace(citation, boxes=tuple(Box(*map(float, box)) for box in json.loads(boxes))), ""
    except _UNREADABLE:
        return citation, f"The place of footnote {number} on its page could not be read; its quote is whole."
