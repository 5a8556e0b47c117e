"""Whole documents: summaries that read everything, and answers from every document, as answers in a chat."""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.chat_models.loop_thread import LoopThread
from app.domain.cancellation import CancelToken
from app.domain.documents import Box, DocumentState, FileStamp
from app.domain.errors import BadInputError, FailureReason
from app.domain.passages import Passage, Scope
from app.domain.turns import MessageStatus, StoredMessage, TextAdded, TurnFailed, TurnFinished, TurnStarted, TurnStopped
from app.domain.whole_document import DocumentFound, TaskEvent, TaskProgress, TaskStep
from app.services.chat_service import CONTEXT_TOKENS
from app.services.library_passages import LibraryPassages
from app.services.turn_registry import BusyError, TurnRegistry
from app.services.whole_document import WholeDocumentService
from app.storage.session_store import SessionStore, open_chats
from app.storage.settings_store import SettingsStore
from tests.chat_models.providers.protocols import CHAT
from tests.chat_models.stub_replies import Reply, Stall, chat_chunk, chat_stream, sse
from tests.chat_models.stub_server import RecordedRequest, StubServer
from tests.services.http_chat import stub_models
from tests.services.small_shelf import Shelf, open_shelf

TOPICS = [
    "millers",
    "rivers",
    "floods",
    "harvests",
    "bridges",
    "debts",
    "monks",
    "fires",
    "wheels",
    "stones",
    "ovens",
    "carts",
    "roads",
    "taxes",
    "wars",
]
REPORT = [
    f"Chapter {number} tells of {one} and of {other} near the mill of Sabra in the year {1700 + number}."
    for number, (one, other) in enumerate(itertools.islice(itertools.combinations(TOPICS, 2), 0, 80, 2))
]


class World:
    """The service over a small library and a scripted server."""

    def __init__(self, folder: Path, shelf: Shelf, settings: SettingsStore, server: StubServer) -> None:
        self.shelf, self.settings, self.server = shelf, settings, server
        self.sessions = SessionStore(open_chats(folder / "chats.db"))
        self.loop = LoopThread("whole")
        passages = LibraryPassages(shelf.library.store, lambda: shelf.retriever)
        self.service = WholeDocumentService(
            self.loop,
            TurnRegistry(),
            self.sessions,
            shelf.library.store,
            passages,
            lambda: shelf.library.embedder,
            stub_models(server, self.loop),
            _box,
            settings,
            checkpoint_seconds=0.0,
        )
        self.session = self.sessions.create().id

    def put(self, name: str, *paragraphs: str) -> int:
        return self.shelf.library.put(name, paragraphs)

    def fail(self, name: str, message: str) -> None:
        store = self.shelf.library.store
        record = store.enqueue(self.shelf.library.folder / name, FileStamp(1, 1))
        store.set_state(record.id, DocumentState.FAILED, reason=FailureReason.ENCRYPTED, message=message)

    def find(self, question: str, **options: Any) -> list[TaskEvent]:
        options.setdefault("model", "extractive")
        return list(self.service.find_in_all(self.session, question, **options))

    def summarise(self, document: int, **options: Any) -> list[TaskEvent]:
        options.setdefault("model", CHAT.spec)
        return list(self.service.summarise(self.session, document, **options))


def _box(passage: Passage, start: int, end: int) -> tuple[Box, ...]:
    return (Box(0.0, 0.0, 1.0, 1.0),)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with contextlib.closing(open_chats(tmp_path / "settings.db")) as database, StubServer() as server:
        settings = SettingsStore(database)
        settings.set(CONTEXT_TOKENS, 256)
        with open_shelf(tmp_path / "library", settings) as shelf:
            world = World(tmp_path, shelf, settings, server)
            yield world
            world.loop.close()


def final(events: list[TaskEvent]) -> StoredMessage:
    assert isinstance(events[0], TurnStarted)
    assert isinstance(events[-1], TurnFinished | TurnStopped | TurnFailed)
    return events[-1].message


def steps(events: list[TaskEvent], step: TaskStep) -> list[tuple[int, int]]:
    return [(each.done, each.total) for each in events if isinstance(each, TaskProgress) and each.step is step]


# summaries ----------------------------------------------------------------------------------------------------------


def noted(request: RecordedRequest) -> Reply:
    """A model that cites the first passage of each part, and says FINAL about the notes."""
    text = json.dumps(request.json["messages"])
    first = text.partition("[p")[2].partition("]")[0]
    words = "FINAL" if "notes on the parts" in text else "Part"
    return Reply((chat_stream(f"{words}: the mill was rebuilt [p{first}]."),))


def test_a_summary_reads_every_passage_once_and_combines_the_notes(world: World) -> None:
    document = world.put("report.txt", *REPORT)
    world.server.script(noted)

    events = world.summarise(document)

    message = final(events)
    assert message.text == "FINAL: the mill was rebuilt [1]."
    assert message.citations[0].document_id == document
    assert message.citations[0].boxes
    bodies = [json.dumps(each["messages"]) for each in world.server.bodies]
    for paragraph in REPORT:
        assert sum(json.dumps(paragraph)[1:-1] in body for body in bodies) == 1
    read = steps(events, TaskStep.READING)
    assert read[0][0] == 0
    assert read[-1][0] == read[-1][1] >= 3
    assert [each.text for each in world.sessions.messages(world.session)] == ["Summarise report.txt", message.text]


def test_a_short_document_takes_one_request(world: World) -> None:
    document = world.put("note.txt", "The mill was rebuilt in 1740.")
    world.server.reply(chat_stream("It was rebuilt in 1740 [p1]."))

    assert final(world.summarise(document)).text == "It was rebuilt in 1740 [1]."
    assert len(world.server.requests) == 1


def test_without_a_model_sentences_of_the_whole_document_stand_for_it(world: World) -> None:
    document = world.put("report.txt", *REPORT)

    message = final(world.summarise(document, model="extractive"))

    text = world.shelf.library.store.document_text(document)
    assert 3 <= len(message.citations) <= 8
    starts = [each.start for each in message.citations]
    assert starts == sorted(starts)
    assert starts[-1] > len(text) / 2
    for each in message.citations:
        assert text[each.start : each.end] == each.quote
    assert not world.server.requests


def test_stopping_a_summary_keeps_what_was_written(world: World) -> None:
    document = world.put("note.txt", "The mill was rebuilt in 1740.")
    gate = world.server.gate()
    world.server.reply(sse(chat_chunk("It was rebuilt")), gate, Stall())
    cancel = CancelToken()
    events: list[TaskEvent] = []
    for event in world.service.summarise(world.session, document, model=CHAT.spec, cancel=cancel):
        events.append(event)
        if isinstance(event, TextAdded):
            cancel.cancel()

    assert isinstance(events[-1], TurnStopped)
    message = final(events)
    assert (message.status, message.text) == (MessageStatus.STOPPED, "It was rebuilt")
    assert world.sessions.messages(world.session)[-1].text == "It was rebuilt"


def test_a_file_without_text_and_one_that_is_gone_are_told(world: World) -> None:
    empty = world.put("empty.txt")
    message = final(world.summarise(empty))
    assert message.status is MessageStatus.FAILED
    assert "empty.txt" in message.error
    with pytest.raises(BadInputError):
        world.summarise(9_999)


# find in every document ---------------------------------------------------------------------------------------------


def test_every_file_that_mentions_it_is_named_with_a_footnote(world: World) -> None:
    for number in range(30):
        world.put(f"lease{number}.txt", f"The tenant of flat {number} pays rent.", "Dogs need consent of the landlord.")
    wanted = {
        world.put(f"old{number}.txt", "Rent is due.", f"Asbestos was found in cellar {number}.") for number in (1, 2, 3)
    }

    events = world.find("Which contracts mention asbestos?")

    message = final(events)
    assert {each.document_id for each in events if isinstance(each, DocumentFound)} == wanted
    assert {each.document_id for each in message.citations} == wanted
    assert all("Asbestos was found" in each.quote for each in message.citations)
    assert "Found in 3 files." in message.text
    assert message.text.endswith("Checked 33 of 33 files.")
    assert message.answered
    assert steps(events, TaskStep.SEARCHING)[-1] == (33, 33)
    assert steps(events, TaskStep.JUDGING)[-1] == (3, 3)


def test_nothing_found_says_so_and_how_many_were_checked(world: World) -> None:
    world.put("lease.txt", "The tenant pays rent.")
    message = final(world.find("Which documents mention asbestos?"))
    assert message.text == "No file holds an answer to this. Checked 1 of 1 file."
    assert not message.answered


def test_files_that_could_not_be_read_are_named(world: World) -> None:
    world.put("lease.txt", "Asbestos was found.")
    world.fail("locked.pdf", "It needs a password.")
    world.fail("torn.pdf", "“torn.pdf” is damaged or incomplete: no page of it could be read. Get a fresh copy.")

    message = final(world.find("Which documents mention asbestos?"))

    assert "Checked 1 of 3 files." in message.text
    assert message.text.endswith("Could not be read: locked.pdf (It needs a password), torn.pdf.")
    details = world.sessions.turn_details(message.id)
    assert details is not None
    assert [each.path.name for each in details.unread] == ["locked.pdf", "torn.pdf"]


def test_a_scope_limits_the_sweep(world: World) -> None:
    one = world.put("one.txt", "Asbestos was found.")
    world.put("two.txt", "Asbestos was found as well.")
    message = final(world.find("Which documents mention asbestos?", scope=Scope(document_ids=frozenset({one}))))
    assert [each.document_id for each in message.citations] == [one]
    assert "Checked 1 of 1 file." in message.text


def test_the_model_judges_the_likely_documents_only(world: World) -> None:
    for number in range(10):
        world.put(f"lease{number}.txt", "Entirely about gardens and hedges.")
    yes = world.put("yes.txt", "The notice period of the tenant is three months.")
    world.put("no.txt", "The notice period of the library is over.")
    world.server.script(
        lambda request: Reply(
            (chat_stream("NO" if "library" in str(request.json["messages"]) else "Three months [p1]."),)
        )
    )

    message = final(world.find("notice period tenant", model=CHAT.spec))

    assert [each.document_id for each in message.citations] == [yes]
    assert "- yes.txt: Three months [1]." in message.text
    assert "Checked 12 of 12 files." in message.text
    assert len(world.server.requests) < 12


def test_file_names_cannot_forge_footnotes(world: World) -> None:
    world.put("[p1] and p1.txt", "Asbestos was found.")
    message = final(world.find("Which documents mention asbestos?"))
    assert len(message.citations) == 1
    assert message.text.count("[1]") == 1


def test_stopping_says_how_far_it_came(world: World) -> None:
    for number in range(40):
        world.put(f"old{number}.txt", f"Asbestos was found in cellar {number}.")
    cancel = CancelToken()
    events: list[TaskEvent] = []
    for event in world.service.find_in_all(
        world.session, "Which files mention asbestos?", model="extractive", cancel=cancel
    ):
        events.append(event)
        if isinstance(event, DocumentFound):
            cancel.cancel()

    assert isinstance(events[-1], TurnStopped)
    text = events[-1].message.text
    checked = int(text.partition("Stopped: checked ")[2].partition(" ")[0])
    assert 1 <= checked < 40
    assert "of 40 files" in text


def test_a_session_runs_one_task_at_a_time(world: World) -> None:
    document = world.put("note.txt", "The mill was rebuilt in 1740.")
    gate = world.server.gate()
    world.server.reply(gate, chat_stream("It was rebuilt [p1]."))
    running = world.service.summarise(world.session, document, model=CHAT.spec)
    assert isinstance(next(running), TurnStarted)
    gate.wait_reached()
    with pytest.raises(BusyError):
        world.find("Which documents mention asbestos?")
    gate.open()
    assert isinstance(list(running)[-1], TurnFinished)
