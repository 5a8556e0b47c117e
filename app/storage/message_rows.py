"""Messages and citations as rows of ``chats.db``."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from app.domain.citations import AnswerSentence, Citation, Support
from app.domain.documents import Box
from app.domain.turns import MessageStatus, StoredMessage
from app.storage.rows import clean, id_list, path_from_column, path_to_column

MessageRow = tuple[Any, ...]


def message_from(
    row: MessageRow, citations: Sequence[Citation], parent_id: int | None, siblings: tuple[int, ...]
) -> StoredMessage:
    """A message from a row of ``message_records``, and its place in the tree of its chat."""
    (ident, session_id, role, text, status, created_at, model, answered, error, sentences, timings, _) = row
    return StoredMessage(
        id=ident,
        session_id=session_id,
        role=role,
        text=text,
        status=MessageStatus(status),
        created_at=created_at,
        model=model,
        answered=bool(answered),
        error=error,
        citations=tuple(citations),
        sentences=_sentences_from_column(sentences),
        timings=json.loads(timings) if timings else {},
        parent_id=parent_id,
        siblings=siblings,
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


def citations_of(connection: sqlite3.Connection, message_ids: Sequence[int]) -> dict[int, list[Citation]]:
    """The citations of messages, by message id, in order of their numbers."""
    found: defaultdict[int, list[Citation]] = defaultdict(list)
    rows = connection.execute(
        "SELECT * FROM citations WHERE message_id IN (SELECT value FROM json_each(?)) ORDER BY message_id, number",
        (id_list(message_ids),),
    )
    for message_id, number, document_id, path, *texts, page, boxes, score in rows:
        title, file_hash, start, end, quote = texts
        found[message_id].append(
            Citation(
                number=number,
                document_id=document_id,
                path=path_from_column(path),
                title=title,
                file_hash=file_hash,
                start=start,
                end=end,
                quote=quote,
                page=page,
                boxes=tuple(Box(*box) for box in json.loads(boxes)),
                score=score,
            )
        )
    return dict(found)


def _sentences_from_column(value: str) -> tuple[AnswerSentence, ...]:
    if not value:
        return ()
    return tuple(_sentence(*each) for each in json.loads(value))


def _sentence(
    text: str, start: int, end: int, numbers: list[int], support: str = Support.UNCHECKED, reason: str = ""
) -> AnswerSentence:
    """A sentence from its array; those stored before sentences were checked end with the numbers."""
    return AnswerSentence(text, start, end, tuple(numbers), Support(support), reason)
