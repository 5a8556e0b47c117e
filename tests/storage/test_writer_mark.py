"""Answers that another process writes are told from those that a process left behind."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from app.domain.turns import MessageStatus
from app.storage.database import Database
from app.storage.session_store import SessionStore
from app.storage.writer_mark import FORGOTTEN_SECONDS, WriterMark


def begin_answer(chats: Database, session_id: str) -> subprocess.Popen[str]:
    """A process that has stored the beginning of an answer and goes on when its input ends."""
    script = Path(__file__).with_name("answering.py")
    process = subprocess.Popen(
        [sys.executable, str(script), str(chats.path), session_id],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert process.stdout is not None
    assert process.stdout.readline()
    return process


def test_an_answer_of_a_living_process_is_left_alone_and_that_of_a_killed_one_marked(
    sessions: SessionStore, chats: Database
) -> None:
    chat = sessions.create("Pumps").id
    with begin_answer(chats, chat) as living:
        assert sessions.mark_interrupted() == 0
        with begin_answer(chats, chat) as killed:
            killed.kill()
        assert sessions.mark_interrupted() == 1
        statuses = [message.status for message in sessions.messages(chat)]
        assert statuses == [MessageStatus.STREAMING, MessageStatus.INTERRUPTED]
        living.communicate("", timeout=30)
    assert living.returncode == 0
    assert sessions.mark_interrupted() == 0
    assert [message.text for message in sessions.messages(chat)] == ["the whole", "the part so far"]


def test_our_own_answers_are_left_alone_until_the_store_is_closed(sessions: SessionStore, chats: Database) -> None:
    chat = sessions.create().id
    answer = sessions.add_message(chat, "assistant", "", status=MessageStatus.STREAMING)
    other = SessionStore(chats)
    assert other.mark_interrupted() == 0
    sessions.close()
    assert other.mark_interrupted() == 1
    assert sessions.message(answer.id).status is MessageStatus.INTERRUPTED
    sessions.update_message(answer.id, status=MessageStatus.STREAMING)  # it is gone on with
    assert other.mark_interrupted() == 0
    sessions.close()


def test_an_answer_from_before_there_were_marks(sessions: SessionStore, chats: Database) -> None:
    sessions.add_message(sessions.create().id, "assistant", "", status=MessageStatus.STREAMING)
    with chats.write() as connection:
        connection.execute("UPDATE messages SET writer = ''")
    assert SessionStore(chats).mark_interrupted() == 1


def test_marks_of_processes_that_ended_are_removed(tmp_path: Path) -> None:
    folder = tmp_path / "writers"
    mark, other = WriterMark(folder), WriterMark(folder)
    name = mark.name()
    assert mark.name() == name
    assert other.living(name)
    left = [folder / "old", folder / "young"]
    for path in left:
        path.touch()
    long_ago = time.time() - 2 * FORGOTTEN_SECONDS
    for path in (left[0], folder / name):
        os.utime(path, (long_ago, long_ago))
    other.tidy()
    assert sorted(path.name for path in folder.iterdir()) == sorted([name, "young"])
    mark.release()
    mark.release()
    assert not other.living(name)
    assert [path.name for path in folder.iterdir()] == ["young"]


def test_a_folder_that_cant_be_made_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    mark = WriterMark(tmp_path / "file" / "writers")
    assert mark.name() == ""
    assert not mark.living("")
    mark.tidy()
    mark.release()
