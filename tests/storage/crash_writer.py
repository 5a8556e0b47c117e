"""Writes messages and documents for ever and tells what is safely stored: ``crash_writer.py FOLDER``.

Each line on the standard output is an acknowledgement: ``message ID``, ``document NAME VERSION``.
"""

from __future__ import annotations

import itertools
import os
import sys
from pathlib import Path

from app.domain.documents import DocumentState
from app.domain.turns import MessageStatus
from app.storage.library_lock import LibraryLock
from app.storage.library_store import LibraryStore, open_library
from app.storage.session_store import SessionStore, open_chats
from tests.storage.samples import MODEL, embed, put, vector

DOCUMENTS = 4


def say(line: str) -> None:
    """Written at once, whatever happens next."""
    os.write(1, f"{line}\n".encode())


def text_of(message_number: int) -> str:
    return f"message {message_number} " + "word " * (message_number % 50)


def paragraphs(version: int) -> list[str]:
    """Half of the paragraphs change with each version."""
    return [f"version {version} number {number}" if number % 2 else f"lasting {number}" for number in range(20)]


def resume(library: LibraryStore) -> None:
    """Finish what an earlier run left half embedded."""
    for record in library.documents([DocumentState.EMBEDDING]):
        lacking = library.chunks_without_vector(MODEL, record.id)
        library.store_vectors(MODEL, [(each.chunk_id, vector(each.chunk_id)) for each in lacking])
        library.finish(record.id, MODEL)


def write_document(library: LibraryStore, name: str) -> None:
    path = Path("/") / name
    known = library.document_by_path(path)
    text = library.document_text(known.id) if known else ""
    version = int(text.split("version ")[1].split()[0]) + 1 if text else 1
    result = put(library, path, paragraphs(version))
    embed(library, result)
    record = library.document_by_path(path)
    assert record is not None
    assert library.finish(record.id, MODEL)
    say(f"document {name} {version}")


def main(folder: Path) -> None:
    chats, database = open_chats(folder / "chats.db"), open_library(folder / "library.db")
    sessions, library = SessionStore(chats), LibraryStore(database)
    with LibraryLock(folder / "library.lock"):
        vector(0)  # loads numpy, so that the time until the kill is spent writing
        say("ready")
        sessions.mark_interrupted()
        resume(library)
        known = sessions.sessions()
        session = known[0] if known else sessions.create("crash")
        for number in itertools.count():
            message = sessions.add_message(session.id, "user", text_of(number), status=MessageStatus.STREAMING)
            sessions.update_message(message.id, text=text_of(number) + "done", status=MessageStatus.COMPLETE)
            say(f"message {message.id}")
            if number % 3 == 0:
                write_document(library, f"document{number % DOCUMENTS}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
