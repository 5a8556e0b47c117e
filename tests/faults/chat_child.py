"""Asks one question after another of a chat server and tells on the standard output what it has kept.

It waits for lines ``HOME URL`` on the standard input and chats in a process forked for each, until that is killed:
forking saves the second that imports take. It tells ``pid N`` when a child starts and ``ended STATUS`` when it is gone.
From the child come ``opened``, ``asked ID`` once a question is stored, ``shown ID LENGTH`` for every piece of an answer
and ``finished ID`` once the whole is stored.
"""

from __future__ import annotations

import os
import shlex
import sys
import traceback
from pathlib import Path

CHECKPOINT_SECONDS = 0.02


def say(event: str) -> None:
    """At once, in one piece, whatever happens next."""
    os.write(1, f"{event}\n".encode())


def chat(folder: Path, url: str) -> None:
    """Open the chats as a start of the program does, and ask until somebody ends this process."""
    from app.chat_models.loop_thread import LoopThread
    from app.domain.turns import TextAdded, TurnFinished, TurnStarted
    from app.services.chat_service import ChatService
    from app.storage.session_store import SessionStore, open_chats
    from app.storage.settings_store import SettingsStore
    from tests.chat_models.providers.protocols import CHAT, model_at
    from tests.services.scripted_chat import ScriptedRetriever

    database = open_chats(folder / "chats.db")
    sessions = SessionStore(database)
    sessions.mark_interrupted()
    say("opened")
    loop = LoopThread("chat-child")
    service = ChatService(
        loop,
        ScriptedRetriever,
        sessions,
        lambda name: model_at(url, CHAT, loop),
        lambda passage, start, end: (),
        SettingsStore(database),
        checkpoint_seconds=CHECKPOINT_SECONDS,
    )
    session_id = sessions.create().id
    number = 0
    while True:
        number += 1
        answer_id = length = 0
        for event in service.stream_answer(session_id, f"Question {number}?", model=CHAT.spec):
            if isinstance(event, TurnStarted):
                answer_id = event.answer_id
                say(f"asked {event.question_id}")
            elif isinstance(event, TextAdded):
                length += len(event.text)
                say(f"shown {answer_id} {length}")
            elif isinstance(event, TurnFinished):
                say(f"finished {answer_id}")


def serve() -> None:
    """Fork a child for each line until there are no more."""
    import sqlite_utils  # noqa: F401  what follows is only imported, so that the children needn't

    import tests.chat_models.providers.protocols
    import tests.services.scripted_chat  # noqa: F401

    say("ready")
    for line in sys.stdin:
        folder, url = shlex.split(line)
        pid = os.fork()
        if pid == 0:
            try:
                chat(Path(folder), url)
            except BaseException:  # noqa: BLE001  # the edge of a process: the parent reads what went wrong
                say(f"failure {traceback.format_exc()!r}")
            os._exit(1)
        say(f"pid {pid}")
        _, status = os.waitpid(pid, 0)
        say(f"ended {os.waitstatus_to_exitcode(status)}")


if __name__ == "__main__":
    serve()
