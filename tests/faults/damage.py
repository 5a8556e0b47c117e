"""Kinds of damage that a library can take, each done to its files or rows directly."""

from __future__ import annotations

import random
import sqlite3
import struct
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from app.domain.findings import FindingCode
from tests.faults.conftest import Library

PAGE = 4096


@contextmanager
def rows_of(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that nothing holds back."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        yield connection
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def execute(path: Path, *statements: str) -> None:
    with rows_of(path) as connection:
        for statement in statements:
            changed = connection.execute(statement).rowcount
            assert changed, f"{statement} changed nothing"


def _altered_page(library: Library) -> None:
    """The b-tree header of a page in the middle is overwritten."""
    with rows_of(library.database) as connection:
        page = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'documents_state'").fetchone()[0]
    with library.database.open("r+b") as file:
        file.seek((page - 1) * PAGE)
        file.write(b"\xff" * 64)


def _altered_chunk(library: Library) -> None:
    execute(library.database, "UPDATE chunks SET text = replace(text, 'Entry', 'Entri') WHERE id = 3")


def _altered_headings(library: Library) -> None:
    execute(library.database, "UPDATE chunks SET search_text = search_text || ' intruder' WHERE id = 4")


def _lost_section(library: Library) -> None:
    execute(library.database, "DELETE FROM sections WHERE document_id = 2")


def _altered_vector(library: Library) -> None:
    """One number of one vector, by so little that its length hardly changes."""
    with rows_of(library.database) as connection:
        row, vector = connection.execute("SELECT id, vector FROM vectors WHERE chunk_id = 5").fetchone()
        altered = bytearray(vector)
        altered[0] ^= 1
        connection.execute("UPDATE vectors SET vector = ? WHERE id = ?", (bytes(altered), row))


def _impossible_vector(library: Library) -> None:
    """Not a number, with a seal that fits, as if a faulty model had made it."""
    from app.storage.seals import seal_document

    with rows_of(library.database) as connection:
        row, size = connection.execute("SELECT id, length(vector) FROM vectors WHERE chunk_id = 6").fetchone()
        bad = struct.pack("<e", float("nan")) * (size // 2)
        connection.execute("UPDATE vectors SET vector = ? WHERE id = ?", (bad, row))
        document = connection.execute("SELECT document_id FROM chunks WHERE id = 6").fetchone()[0]
        seal_document(connection, document)


def _lost_vector(library: Library) -> None:
    execute(library.database, "DELETE FROM vectors WHERE chunk_id = 7")


def _hidden_chunk(library: Library) -> None:
    execute(library.database, "INSERT INTO hidden_chunks (chunk_id) VALUES (8)")


def _lost_document(library: Library) -> None:
    execute(library.database, "DELETE FROM documents WHERE id = 4")


def _log(library: Library) -> None:
    execute(library.database, "INSERT INTO changes (operation, chunk_ids) VALUES (1, x'0102')")


def _runs(library: Library) -> None:
    execute(library.database, "DELETE FROM chunk_runs WHERE document_id = 3")


def _keyword_index(library: Library) -> None:
    [folder] = library.index.glob("keywords-*")
    path = next(folder.glob("*.idx"))
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 4
    path.write_bytes(content)


def _keyword_record(library: Library) -> None:
    """A sound index of an older state that claims to be up to date."""
    execute(
        library.database,
        "DELETE FROM vectors WHERE chunk_id = 9",
        "DELETE FROM chunks WHERE id = 9",
        "UPDATE documents SET chunk_count = chunk_count - 1 WHERE id = (SELECT document_id FROM sections LIMIT 1)",
    )


def _messages(library: Library) -> None:
    execute(library.chats, "UPDATE messages SET search_text = 'something else' WHERE id = 1")


def _citation(library: Library) -> None:
    execute(library.chats, "DELETE FROM citations")


def _session(library: Library) -> None:
    execute(library.chats, "DELETE FROM sessions")


def _parent(library: Library) -> None:
    execute(library.chats, "UPDATE messages SET parent_id = 999 WHERE id = 2")


def _setting(library: Library) -> None:
    execute(library.chats, "INSERT INTO settings VALUES ('retrieval.embedding_threads', '\"many\"', 0)")


DAMAGES: dict[str, tuple[Callable[[Library], None], FindingCode]] = {
    "database page overwritten": (_altered_page, FindingCode.DATABASE),
    "passage altered": (_altered_chunk, FindingCode.TEXT),
    "search words altered": (_altered_headings, FindingCode.TEXT),
    "section lost": (_lost_section, FindingCode.TEXT),
    "vector altered": (_altered_vector, FindingCode.VECTOR),
    "vector impossible": (_impossible_vector, FindingCode.VECTOR),
    "vector lost": (_lost_vector, FindingCode.VECTOR),
    "passage hidden": (_hidden_chunk, FindingCode.STATE),
    "document row lost": (_lost_document, FindingCode.ROWS),
    "change log damaged": (_log, FindingCode.CHANGE_LOG),
    "chunk ranges lost": (_runs, FindingCode.CHUNK_RUNS),
    "keyword index altered": (_keyword_index, FindingCode.KEYWORD_INDEX),
    "passage lost": (_keyword_record, FindingCode.TEXT),
    "message index altered": (_messages, FindingCode.MESSAGES),
    "footnote lost": (_citation, FindingCode.CITATIONS),
    "chat row lost": (_session, FindingCode.ROWS),
    "message's place lost": (_parent, FindingCode.MESSAGES),
    "setting unusable": (_setting, FindingCode.SETTINGS),
}


def flip(path: Path, chance: random.Random) -> int:
    """Flip a random bit. Returns the place of its byte."""
    with path.open("r+b") as file:
        place = chance.randrange(file.seek(0, 2))
        file.seek(place)
        byte = file.read(1)[0]
        file.seek(place)
        file.write(bytes([byte ^ 1 << chance.randrange(8)]))
    return place
