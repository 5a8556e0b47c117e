"""Checks that the rows of a library agree with each other and with their seals."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Callable, Iterator, Sequence

from app.domain.documents import SECTION_SEPARATOR, DocumentState, SectionKind
from app.domain.findings import Finding, FindingCode, Severity, counted
from app.storage.database import Database
from app.storage.rows import path_from_column, text_from_blob
from app.storage.seals import compare_seal
from app.storage.vector_integrity import VectorRule

Progress = Callable[[int, int], None]
"""Told (documents done, documents in all)."""

# Each query returns one row per problem: what it is called, and how often.
_CHECKS = (
    (
        "documents are ready but have chunks that are hidden",
        "SELECT count(DISTINCT documents.id) FROM hidden_chunks JOIN chunks ON chunks.id = chunk_id "
        "JOIN documents ON documents.id = document_id WHERE state = 'ready'",
    ),
    (
        "documents have another number of chunks than they say",
        "SELECT count(*) FROM documents WHERE chunk_count <> "
        "(SELECT count(*) FROM chunks WHERE document_id = documents.id)",
    ),
    (
        "documents are ready but have chunks without a vector",
        "SELECT count(DISTINCT document_id) FROM chunks JOIN documents ON documents.id = document_id "
        "WHERE state = 'ready' AND NOT EXISTS (SELECT 1 FROM vectors WHERE vectors.chunk_id = chunks.id)",
    ),
    (
        "chunks have a text of another length than their span",
        'SELECT count(*) FROM chunks WHERE length(text) <> "end" - start AND instr(text, char(0)) = 0',
    ),
    (
        "embedding models have vectors of different lengths",
        "SELECT count(*) FROM (SELECT model_id FROM vectors GROUP BY model_id "
        "HAVING min(length(vector)) <> max(length(vector)))",
    ),
)
_STATES = {
    "ready, but with passages that can't be found": (
        "SELECT DISTINCT document_id FROM hidden_chunks JOIN chunks ON chunks.id = chunk_id "
        "JOIN documents ON documents.id = document_id WHERE state = 'ready'"
    ),
    "left out of searches, but with passages that can be found": (
        "SELECT DISTINCT document_id FROM visible_chunks JOIN documents ON documents.id = document_id "
        "WHERE state = 'excluded'"
    ),
    "in no state that exists": ("SELECT id FROM documents WHERE state NOT IN (SELECT value FROM json_each(:states))"),
}
_PENDING = "SELECT count(*) FROM documents WHERE state IN ('queued', 'parsing', 'embedding')"
_UNCOVERED = """
    SELECT count(*) FROM chunks WHERE NOT EXISTS (
        SELECT 1 FROM chunk_runs WHERE chunk_runs.document_id = chunks.document_id
        AND id BETWEEN first_id AND last_id)
"""
_FOREIGN = """
    SELECT count(*) FROM chunk_runs JOIN chunks ON id BETWEEN first_id AND last_id
    WHERE chunks.document_id <> chunk_runs.document_id
"""
_ROW_PROBLEMS = 20


def library_problems(database: Database) -> list[str]:
    """What is wrong, in words; empty when all is well. Counts only: ``inspect_library`` reads every text."""
    with database.read() as connection:
        counted = [(connection.execute(query).fetchone()[0], words) for words, query in _CHECKS]
    return [f"{count} {words}" for count, words in counted if count]


def shown_chunk_ids(database: Database) -> set[int]:
    """The chunks that searches may show."""
    with database.read() as connection:
        return {row[0] for row in connection.execute("SELECT id FROM visible_chunks")}


def recorded_index_files(database: Database) -> set[str]:
    """Names of the files and folders that make up the derived indexes."""
    with database.read() as connection:
        return {row[0] for row in connection.execute("SELECT file_name FROM index_segments")}


def inspect_pages(database: Database) -> Iterator[Finding]:
    """Every page of the file, and every reference from row to row."""
    with database.read() as connection:
        found = [row[0] for row in connection.execute(f"PRAGMA integrity_check({_ROW_PROBLEMS})")]
        broken = connection.execute("PRAGMA foreign_key_check").fetchmany(_ROW_PROBLEMS)
    if found != ["ok"]:
        message = f"{database.path} is damaged: {'; '.join(found[:3])}. {database.schema.damaged_advice}"
        yield Finding(FindingCode.DATABASE, message, database=database.path)
    for table, row, parent, _ in broken:
        message = f"{database.path.name}: row {row} of {table} points to a missing row of {parent}."
        yield Finding(FindingCode.ROWS, message, database=database.path)


def inspect_library(database: Database, vectors: VectorRule | None, progress: Progress) -> Iterator[Finding]:
    """Every document with its text, chunks and vectors; then what concerns all of them.

    ``vectors`` says what vectors of the model in use look like; None if that can't be told.
    """
    with database.read() as connection:
        documents = [row[0] for row in connection.execute("SELECT id FROM documents ORDER BY id")]
    for done, document_id in enumerate(documents, start=1):
        with database.read() as connection:
            yield from _inspect_document(connection, document_id, vectors)
        progress(done, len(documents))
    with database.read() as connection:
        yield from _inspect_states(connection)
        yield from _inspect_change_log(connection)
        yield from _inspect_chunk_runs(connection)


def _inspect_document(
    connection: sqlite3.Connection, document_id: int, vectors: VectorRule | None
) -> Iterator[Finding]:
    row = connection.execute(
        "SELECT path, CAST(state AS BLOB), chunk_count FROM documents WHERE id = ?", (document_id,)
    ).fetchone()
    if row is None:
        return  # removed meanwhile
    name = str(path_from_column(row[0])) if isinstance(row[0], str | bytes) else f"document {document_id}"
    broken = compare_seal(connection, document_id)
    wrong = _text_problem(connection, document_id, row[2])
    if wrong is None and broken is not None and broken.text_altered:
        wrong = "what is stored of it was altered"
    if wrong is not None:
        yield Finding(FindingCode.TEXT, f"{name}: {wrong}. It must be read again.", document_ids=(document_id,))
    if row[1] == DocumentState.READY.encode() and vectors is not None:
        altered = broken.vectors if broken is not None and broken.model_key == vectors.model_key else ()
        yield from _inspect_vectors(connection, document_id, name, vectors, altered)


def _text_problem(connection: sqlite3.Connection, document_id: int, chunk_count: int) -> str | None:
    """What is wrong with a document's text and chunks, in words."""
    try:
        pieces = connection.execute(
            'SELECT start, "end", text, kind FROM sections WHERE document_id = ? ORDER BY position', (document_id,)
        ).fetchall()
        chunks = connection.execute(
            'SELECT start, "end", text FROM chunks WHERE document_id = ? ORDER BY position', (document_id,)
        ).fetchall()
        texts = [text_from_blob(text) for _, _, text, _ in pieces]
    except (sqlite3.OperationalError, zlib.error, UnicodeDecodeError, TypeError) as error:
        if isinstance(error, sqlite3.OperationalError) and "UTF-8" not in str(error):
            raise
        return "its text can't be decoded"
    if len(chunks) != chunk_count:
        return f"it has {counted(len(chunks), 'passage')} instead of {chunk_count}"
    text = SECTION_SEPARATOR.join(texts)
    if any(text[start:end] != piece for (start, end, *_), piece in zip(pieces, texts, strict=True)):
        return "its sections are not where they should be in its text"
    repeated = [(start, end) for start, end, _, kind in pieces if kind == SectionKind.REPEATED]
    return _span_problem(text, chunks, repeated)


def _span_problem(text: str, chunks: Sequence[tuple[int, int, str]], repeated: Sequence[tuple[int, int]]) -> str | None:
    """``repeated`` are the places that stand in no chunk, because others say the same."""
    if any(text[start:end] != piece for start, end, piece in chunks):
        return "passages differ from its text"
    for start, end in repeated:
        text = text[:start] + " " * (end - start) + text[end:]
    reached = 0
    for start, end, _ in sorted(chunks, key=lambda chunk: chunk[0]) if chunks else ():
        if start < reached:
            return "passages overlap"
        if text[reached:start].strip():
            return "part of its text is in no passage"
        reached = end
    return "part of its text is in no passage" if chunks and text[reached:].strip() else None


def _inspect_vectors(
    connection: sqlite3.Connection, document_id: int, name: str, rule: VectorRule, altered: tuple[int, ...]
) -> Iterator[Finding]:
    missing, impossible = rule.examine(connection, document_id)
    waiting = [chunk_id for chunk_id in missing if rule.has_other_vector(connection, chunk_id)]
    bad = sorted({*impossible, *altered, *missing} - set(waiting))
    if bad:
        message = f"{name}: {counted(len(bad), 'passage')} without a valid vector must be embedded again."
        yield Finding(FindingCode.VECTOR, message, document_ids=(document_id,), chunk_ids=tuple(bad))
    if waiting:
        message = f"{name}: {counted(len(waiting), 'passage')} must still be embedded by the search model now in use."
        yield Finding(FindingCode.PENDING, message, Severity.NOTE, (document_id,))


def _inspect_states(connection: sqlite3.Connection) -> Iterator[Finding]:
    import json

    parameters = {"states": json.dumps(list(DocumentState))}
    for words, query in _STATES.items():
        named = parameters if ":states" in query else {}
        ids = tuple(row[0] for row in connection.execute(query, named))
        if ids:
            yield Finding(FindingCode.STATE, f"{counted(len(ids), 'document')} {words}.", document_ids=ids)
    pending = connection.execute(_PENDING).fetchone()[0]
    if pending:
        message = f"{counted(pending, 'document')} to be read by the next start of Footnote or `footnote ingest`."
        yield Finding(FindingCode.PENDING, message, Severity.NOTE)


def _inspect_change_log(connection: sqlite3.Connection) -> Iterator[Finding]:
    bad = connection.execute(
        "SELECT count(*) FROM changes WHERE typeof(chunk_ids) <> 'blob' OR length(chunk_ids) % 8 <> 0 "
        "OR operation NOT BETWEEN 1 AND 4"
    ).fetchone()[0]
    last = connection.execute("SELECT max(sequence) FROM changes").fetchone()[0] or 0
    counted = connection.execute("SELECT max(seq) FROM sqlite_sequence WHERE name = 'changes'").fetchone()[0] or 0
    if bad or last > counted:
        yield Finding(FindingCode.CHANGE_LOG, "The log of changes is damaged; both indexes must be made again.")


def _inspect_chunk_runs(connection: sqlite3.Connection) -> Iterator[Finding]:
    if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'chunk_runs'").fetchone():
        return
    wrong = sum(connection.execute(query).fetchone()[0] for query in (_UNCOVERED, _FOREIGN))
    if wrong:
        message = f"{counted(wrong, 'passage')} can't be found where a search is limited to some documents."
        yield Finding(FindingCode.CHUNK_RUNS, message)
