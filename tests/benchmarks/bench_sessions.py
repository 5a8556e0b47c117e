"""Many chats and long ones: listing, searching, opening, importing, exporting."""

from __future__ import annotations

import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from app.domain.chat_transfer import ArrivingChat, ArrivingMessage
from app.domain.citations import AnswerSentence, Citation
from app.domain.documents import Box
from app.domain.turns import SessionRecord
from app.services.session_export import SessionExport
from app.services.session_files import ExportFormat
from app.services.session_import import SessionImport
from app.services.session_service import SessionService
from app.storage.database import Database
from app.storage.session_store import SessionStore, open_chats
from tests.benchmarks.report import Report

CHATS, MESSAGES_A_CHAT = 5_000, 10
LONG = 5_000
CONVERSATIONS, NODES = 500, 20
DAY = 86_400.0
WORDS = [
    f"{begin}{middle}{end}"
    for begin in ("pu", "gar", "wel", "tor", "mi")
    for middle in ("m", "den", "la")
    for end in ("p", "ing", "o", "er")
]
QUERIES = ("pump", "gardening wela", "rarest", "tormi nosuchword")


def run(report: Report) -> None:
    """Fill a database of chats, then measure what the list, the search and the files of chats cost."""
    with tempfile.TemporaryDirectory() as folder:
        database = open_chats(Path(folder) / "chats.db")
        store = SessionStore(database)
        _fill(database, store)
        report.note(f"{CHATS:,} chats of {MESSAGES_A_CHAT} messages, one of {LONG:,} with footnotes")
        _list(report, store)
        _search(report, database, SessionService(store))
        _open(report, store)
        _transfer(report, store, Path(folder))
        database.close()


def _list(report: Report, store: SessionStore) -> None:
    from app.gui.models.session_list_model import SessionListModel

    records = store.sessions()
    _lower(report, f"list {len(records):,} chats from the database", _median(store.sessions), 100)
    model = SessionListModel()
    _lower(report, "put them under their headings", _median(lambda: model.set_sessions(records)), 50)
    used = _moved(model, records)
    _lower(report, "move the chat that is used to the top", _median(lambda: model.put_first(next(used))), 50)


def _moved(model: object, records: list[SessionRecord]) -> Iterator[SessionRecord]:
    from dataclasses import replace

    for record in random.Random(1).sample(records, 100):
        yield replace(record, updated_at=time.time())


def _search(report: Report, database: Database, service: SessionService) -> None:
    for query in QUERIES:
        found = len(service.search(query))
        first = query.split()[0]

        def scan(word: str = first) -> None:
            with database.read() as connection:
                connection.execute(
                    "SELECT id FROM messages WHERE text LIKE ? ORDER BY id DESC", (f"%{word}%",)
                ).fetchall()

        value = _median(lambda query=query: service.search(query))  # type: ignore[misc]  # bound at once
        report.figure(
            f"search “{query}” ({found} hits shown)",
            value,
            "ms",
            baseline=_median(scan),
            goal=100,
            higher_is_better=False,
        )


def _open(report: Report, store: SessionStore) -> None:
    _lower(report, f"newest 100 messages of a chat of {LONG:,}", _median(lambda: store.messages("long", last=100)), 50)
    _lower(report, f"all {LONG:,} messages, footnotes undecoded", _median(lambda: store.messages("long")), 150)
    decoded = _median(lambda: [(len(each.citations), len(each.sentences)) for each in store.messages("long")])
    _lower(report, "the same with every footnote decoded", decoded, None)


def _transfer(report: Report, store: SessionStore, folder: Path) -> None:
    path = folder / "conversations.json"
    path.write_text(json.dumps([_conversation(number) for number in range(CONVERSATIONS)]), encoding="utf-8")
    importer = SessionImport(store)
    for what in ("new", "known"):
        began = time.perf_counter()
        importer.from_file(path)
        report.figure(
            f"import chats of {NODES} messages, {what}", CONVERSATIONS / (time.perf_counter() - began), "chats/s"
        )
    export = SessionExport(store)
    for kind in ExportFormat:
        seconds = _seconds(lambda kind=kind: export.to_file("long", folder / f"long.{kind}", kind))  # type: ignore[misc]
        report.figure(f"export {LONG:,} messages as {kind}", seconds, "s", higher_is_better=False)


def _fill(database: Database, store: SessionStore) -> None:
    chance = random.Random(7)
    now = time.time()
    with database.write():  # one commit for all
        for number in range(CHATS):
            moment = now - number * DAY / 20
            messages = [
                ArrivingMessage(
                    f"{number}/{place}",
                    f"{number}/{place - 1}" if place else "",
                    "user",
                    _text(chance),
                    created_at=moment,
                )
                for place in range(MESSAGES_A_CHAT)
            ]
            folder = f"Folder {number % 40}" if number % 4 == 0 else ""
            store.take_in(ArrivingChat(f"chat{number}", _text(chance)[:40], moment, moment, messages, folder=folder))
        store.take_in(ArrivingChat("long", "Long", now, now, _long_chat()))


def _text(chance: random.Random) -> str:
    words = chance.choices(WORDS, k=60)
    return " ".join(words) + (" rarest" if chance.random() < 0.0005 else "")


def _long_chat() -> list[ArrivingMessage]:
    sentence = "The pump was repaired in March by the second team and has run without a fault since [1]. "
    sentences = [AnswerSentence(sentence, n * len(sentence), (n + 1) * len(sentence), (1, 2)) for n in range(4)]
    citations = [
        Citation(
            n, 7, Path("/documents/manual.pdf"), "Manual", "ab" * 32, 3, 200, "x" * 200, 4, (Box(1, 2, 3, 4),) * 3, 0.7
        )
        for n in (1, 2, 3)
    ]
    messages: list[ArrivingMessage] = []
    for number in range(LONG):
        parent = messages[-1].origin if messages else ""
        if number % 2 == 0:
            messages.append(ArrivingMessage(f"m{number}", parent, "user", f"Question {number} about pumps?"))
        else:
            messages.append(
                ArrivingMessage(
                    f"m{number}",
                    parent,
                    "assistant",
                    sentence * 4,
                    citations=citations,
                    sentences=sentences,
                    timings={"finished": 1.0},
                )
            )
    return messages


def _conversation(number: int) -> dict[str, object]:
    chance = random.Random(number)
    mapping: dict[str, object] = {}
    for place in range(NODES):
        role = "assistant" if place % 2 else "user"
        content = {"content_type": "text", "parts": [_text(chance)]}
        message = {"author": {"role": role}, "create_time": 1.7e9 + place, "content": content}
        mapping[f"n{place}"] = {"parent": f"n{place - 1}" if place else None, "children": [], "message": message}
    return {"title": f"Conversation {number}", "id": f"c{number}", "create_time": 1.7e9, "mapping": mapping}


def _median(work: Callable[[], object]) -> float:
    """Milliseconds, the median of seven runs."""
    return 1000 * statistics.median(_seconds(work) for _ in range(7))


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _lower(report: Report, name: str, value: float, goal: float | None) -> None:
    report.figure(name, value, "ms", goal=goal, higher_is_better=False)
