"""Begins to write an answer and waits: ``answering.py CHATS_DB SESSION``. Prints a line once it is stored."""

from __future__ import annotations

import sys
from pathlib import Path

from app.domain.turns import MessageStatus
from app.storage.session_store import SessionStore, open_chats


def main(path: Path, session_id: str) -> None:
    store = SessionStore(open_chats(path))
    message = store.add_message(session_id, "assistant", "the part so far", status=MessageStatus.STREAMING)
    print(message.id, flush=True)
    sys.stdin.read()
    store.update_message(message.id, text="the whole", status=MessageStatus.COMPLETE)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
