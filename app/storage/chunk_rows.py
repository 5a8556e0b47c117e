"""The chunks of one document: which are kept, changed, new or gone when others take their place."""

from __future__ import annotations

import sqlite3
from collections import defaultdict, deque

from app.domain.documents import Chunk
from app.storage.change_log import Operation, log_change
from app.storage.library_values import ChunkToEmbed, ReplaceResult
from app.storage.rows import clean, embedded_text, id_list, texts_to_column

_SELECT_CHUNKS = (
    'SELECT id, position, start, "end", page, token_count, headings, context, text, search_text FROM chunks '
    "WHERE document_id = ? ORDER BY position"
)
_INSERT_CHUNK = (
    'INSERT INTO chunks (id, document_id, position, start, "end", page, token_count, headings, context, text, '
    "search_text) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
ChunkRow = tuple[int, int, int, int | None, int, str, str, str, str]
"""Position, start, end, page, token count, headings, context, text, search text."""

_SEARCH_TEXT = 8


def chunk_row(position: int, chunk: Chunk, search_text: str) -> ChunkRow:
    """A chunk as it is stored."""
    return (
        position,
        chunk.start,
        chunk.end,
        chunk.page,
        chunk.token_count,
        texts_to_column(chunk.headings),
        clean(chunk.context),
        clean(chunk.text),
        clean(search_text),
    )


def replace_chunks(connection: sqlite3.Connection, document_id: int, rows: list[ChunkRow]) -> ReplaceResult:
    """Store these chunks in place of a document's. One whose embedded text was there keeps its id and its vectors."""
    old = {row[0]: row[1:] for row in connection.execute(_SELECT_CHUNKS, (document_id,))}
    kept, new_rows, removed = _match(old, rows)
    _delete_chunks(connection, removed)
    _update_chunks(connection, {chunk_id: row for chunk_id, row in kept.items() if row != old[chunk_id]}, old)
    _insert_chunks(connection, document_id, new_rows)
    return ReplaceResult(frozenset(kept), _never_embedded(connection, document_id), removed)


def _match(old: dict[int, ChunkRow], rows: list[ChunkRow]) -> tuple[dict[int, ChunkRow], list[ChunkRow], list[int]]:
    """Give each row the first unused old chunk with the same embedded text: (kept by id, new, removed ids)."""
    available: defaultdict[str, deque[int]] = defaultdict(deque)
    for chunk_id, row in old.items():
        available[embedded_text(row[6], row[7])].append(chunk_id)
    kept: dict[int, ChunkRow] = {}
    new: list[ChunkRow] = []
    for row in rows:
        candidates = available.get(embedded_text(row[6], row[7]))
        if candidates:
            kept[candidates.popleft()] = row
        else:
            new.append(row)
    return kept, new, [chunk_id for chunk_id in old if chunk_id not in kept]


def _delete_chunks(connection: sqlite3.Connection, chunk_ids: list[int]) -> None:
    log_change(connection, Operation.REMOVED, _visible(connection, chunk_ids))
    connection.executemany("DELETE FROM chunks WHERE id = ?", [(each,) for each in chunk_ids])


def _update_chunks(connection: sqlite3.Connection, changed: dict[int, ChunkRow], old: dict[int, ChunkRow]) -> None:
    connection.executemany(
        'UPDATE chunks SET position = ?, start = ?, "end" = ?, page = ?, token_count = ?, headings = ?, context = ?, '
        "text = ?, search_text = ? WHERE id = ?",
        [(*row, chunk_id) for chunk_id, row in changed.items()],
    )
    reworded = [each for each, row in changed.items() if row[_SEARCH_TEXT] != old[each][_SEARCH_TEXT]]
    log_change(connection, Operation.REWORDED, _visible(connection, reworded))


def _insert_chunks(connection: sqlite3.Connection, document_id: int, rows: list[ChunkRow]) -> None:
    last = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'chunks'").fetchone()
    first_id = int(last[0]) + 1 if last else 1
    ids = range(first_id, first_id + len(rows))
    connection.executemany(
        _INSERT_CHUNK,
        [(chunk_id, document_id, *row) for chunk_id, row in zip(ids, rows, strict=True)],
    )
    connection.executemany("INSERT INTO hidden_chunks (chunk_id) VALUES (?)", [(each,) for each in ids])


def _never_embedded(connection: sqlite3.Connection, document_id: int) -> list[ChunkToEmbed]:
    rows = connection.execute(
        "SELECT id, context, text FROM chunks WHERE document_id = ? "
        "AND NOT EXISTS (SELECT 1 FROM vectors WHERE chunk_id = chunks.id) ORDER BY id",
        (document_id,),
    )
    return [ChunkToEmbed(chunk_id, embedded_text(context, text)) for chunk_id, context, text in rows]


def _visible(connection: sqlite3.Connection, chunk_ids: list[int]) -> list[int]:
    hidden = connection.execute(
        "SELECT chunk_id FROM hidden_chunks WHERE chunk_id IN (SELECT value FROM json_each(?))", (id_list(chunk_ids),)
    )
    return sorted(set(chunk_ids) - {row[0] for row in hidden})
