"""Files attached to a chat: found by that chat only, gone with it; pictures go to models that see."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.chat_models.loop_thread import LoopThread
from app.chat_models.profiles import Modalities, ModelProfile
from app.domain.cancellation import CancelToken
from app.domain.documents import ParsedDocument, Section, assemble
from app.domain.errors import BadInputError, DocumentError, FailureReason, UserFacingError
from app.domain.passages import Passage, Scope
from app.domain.turn_options import Attachment, AttachmentUse, TurnOptions
from app.domain.turns import NoteAdded, StoredMessage, TurnEvent, TurnFinished
from app.domain.whole_document import TaskEvent
from app.loaders.parser_pool import ParserPool
from app.loaders.registry import loaders
from app.retrieval.text_splitter import TextSplitter
from app.services.attaching import AttachedSearch, Attaching
from app.services.attachments import AttachmentService
from app.services.library_passages import LibraryPassages
from app.services.turn_parts import ModelFacts
from app.services.turn_registry import TurnRegistry
from app.services.turn_seams import TurnSeams
from app.services.whole_document import WholeDocumentService
from app.storage.attachment_store import AttachmentStore
from app.storage.database import Database
from app.storage.session_store import SessionStore, open_chats
from app.storage.settings_store import SettingsStore
from tests.chat_models.stub_replies import chat_stream
from tests.retrieval.small_library import HashEmbedder
from tests.services.http_chat import HttpRoom, open_http_room
from tests.services.small_shelf import Shelf, open_shelf

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
INVOICE = "Invoice 4711: the boiler costs 900 crowns.\n\nPay within ten days."


class PlainParser:
    """Reads text files; a picture holds the text that is said of it."""

    def __init__(self) -> None:
        self.read: list[str] = []
        self.in_picture = ""

    def parse(self, path: Path, cancel: CancelToken | None = None) -> ParsedDocument:
        self.read.append(path.name)
        text = self.in_picture if path.suffix == ".png" else path.read_text(encoding="utf-8")
        if not text.strip():
            raise DocumentError(FailureReason.NO_TEXT, "There is no text in it.")
        return assemble([Section(text)], title=path.stem, media_type="text/plain")


@dataclass
class World:
    """Attachments of real chats beside a real library."""

    files: AttachmentService
    parser: PlainParser
    shelf: Shelf
    database: Database
    folder: Path

    @property
    def sessions(self) -> SessionStore:
        return SessionStore(self.database)

    @property
    def search(self) -> AttachedSearch:
        return AttachedSearch(lambda: self.shelf.retriever, self.files)

    def file(self, name: str, text: str = INVOICE) -> Path:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def found(self, query: str, scope: Scope) -> list[Passage]:
        return self.search.context(query, token_budget=500, scope=scope)


@contextlib.contextmanager
def open_world(folder: Path) -> Iterator[World]:
    folder.mkdir(exist_ok=True)
    with contextlib.ExitStack() as stack:
        database = stack.enter_context(contextlib.closing(open_chats(folder / "chats.db")))
        shelf = stack.enter_context(open_shelf(folder / "library", SettingsStore(database)))
        embedder, parser = HashEmbedder(), PlainParser()
        splitter = TextSplitter(embedder.count_tokens, max_tokens=256, target_tokens=12)
        registry = loaders()
        files = AttachmentService(
            AttachmentStore(database),
            lambda: parser,
            lambda: splitter,
            lambda: embedder,
            lambda path: registry.loader_for(path) is not None,
        )
        yield World(files, parser, shelf, database, folder)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_world(tmp_path / "world") as world:
        yield world


def test_an_attached_file_is_found_by_its_chat_only(world: World) -> None:
    world.shelf.library.put("ledger.txt", ["The ledger says nothing of boilers."])
    one, other = world.sessions.create().id, world.sessions.create().id
    attached = world.files.add(one, world.file("invoice.txt"))

    mine = world.found("What does the boiler cost?", Scope(session=one))
    assert mine[0].document_id == attached.document_id < 0
    assert "900 crowns" in mine[0].text
    assert {each.path.name for each in mine} == {"invoice.txt", "ledger.txt"}
    assert {each.path.name for each in world.found("boiler cost", Scope(session=other))} <= {"ledger.txt"}
    assert {each.path.name for each in world.found("boiler cost", Scope())} <= {"ledger.txt"}
    assert [each.path.name for each in world.shelf.library.store.documents()] == ["ledger.txt"]


def test_passages_quote_the_text_of_the_file(world: World) -> None:
    session = world.sessions.create().id
    attached = world.files.add(session, world.file("invoice.txt"))
    text = world.files.text(attached.document_id)
    passages = world.files.passages_of(attached.document_id)
    assert passages
    assert all(text[each.start : each.end] == each.text for each in passages)
    assert world.files.record(attached.document_id).path.name == "invoice.txt"


def test_the_same_version_is_read_once_and_a_new_one_again(world: World) -> None:
    session = world.sessions.create().id
    path = world.file("invoice.txt")
    first = world.files.add(session, path)
    assert world.files.add(session, path) == first
    assert world.parser.read == ["invoice.txt"]
    world.file("invoice.txt", "Another text.")
    assert world.files.add(session, path).id != first.id


def test_deleting_the_chat_takes_its_files_along(world: World) -> None:
    session = world.sessions.create().id
    attached = world.files.add(session, world.file("invoice.txt"))
    world.sessions.delete(session)
    assert world.files.of(session) == []
    assert world.files.passages_of(attached.document_id) == []
    with world.database.read() as connection:
        assert connection.execute("SELECT count(*) FROM attachment_chunks").fetchone() == (0,)
    with pytest.raises(BadInputError):
        world.files.record(attached.document_id)
    with pytest.raises(BadInputError):
        world.files.add(session, world.file("late.txt"))


def test_a_file_can_be_taken_out_by_its_own_chat(world: World) -> None:
    one, other = world.sessions.create().id, world.sessions.create().id
    attached = world.files.add(one, world.file("invoice.txt"))
    world.files.remove(other, attached.id)
    assert world.files.of(one) == [attached]
    world.files.remove(one, attached.id)
    assert world.files.of(one) == []


def test_what_cannot_be_attached_is_told(world: World) -> None:
    session = world.sessions.create().id
    with pytest.raises(BadInputError):
        world.files.add(session, world.folder / "nowhere.txt")
    with pytest.raises(BadInputError):
        world.files.add(session, world.file("program.exe"))
    with pytest.raises(DocumentError):
        world.files.add(session, world.file("empty.txt", " "))
    assert world.files.of(session) == []


Step = tuple[str, int, int]


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["attach", "attach", "remove", "delete", "library"]), st.integers(0, 2), st.integers(0, 3)
        ),
        min_size=1,
        max_size=8,
    )
)
def test_no_search_ever_shows_a_file_of_another_chat(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Step]
) -> None:
    with open_world(tmp_path_factory.mktemp("property")) as world:
        sessions = [world.sessions.create().id for _ in range(3)]
        held: dict[str, set[str]] = {each: set() for each in sessions}
        alive = set(sessions)
        for action, chat, number in steps:
            session, name = sessions[chat], f"secret{number}.txt"
            if action == "library":
                world.shelf.library.put(f"open{number}.txt", [f"Open boiler text number {number}."])
            elif session in alive and action == "attach":
                world.files.add(session, world.file(name, f"Secret boiler number {number}."))
                held[session].add(name)
            elif session in alive and action == "remove":
                for each in world.files.of(session):
                    if each.name == name:
                        world.files.remove(session, each.id)
                held[session].discard(name)
            elif action == "delete":
                world.sessions.delete(session)
                alive.discard(session)
                held[session].clear()
        for session in [*sessions, ""]:
            shown = {each.path.name for each in world.found("secret boiler number", Scope(session=session))}
            assert {each for each in shown if each.startswith("secret")} == held.get(session, set())
        assert not any("secret" in each.path.name for each in world.shelf.library.store.documents())


# in a turn ----------------------------------------------------------------------------------------------------------


@dataclass
class Chat:
    world: World
    room: HttpRoom
    added: list[Path]

    def ask(
        self, *paths: Path, question: str = "What does the boiler cost?", use: AttachmentUse = AttachmentUse.CHAT
    ) -> list[TurnEvent]:
        options = TurnOptions(attachments=tuple(Attachment(each, use) for each in paths))
        return self.room.ask(question, options=options)

    @property
    def prompt(self) -> str:
        return str(self.room.server.bodies[-1]["messages"])


@pytest.fixture
def open_chat(tmp_path: Path) -> Iterator[Callable[..., Chat]]:
    with contextlib.ExitStack() as stack:

        def made(*, sees: bool = False, can_add: bool = True) -> Chat:
            world = stack.enter_context(open_world(tmp_path / "world"))
            added: list[Path] = []

            def add(path: Path) -> None:
                if not can_add:
                    raise UserFacingError("the library is open elsewhere.")
                added.append(path)

            profile = ModelProfile("m", "p", modalities=Modalities(("text", "image") if sees else ("text",)))
            seams = TurnSeams(attach=Attaching(world.files, lambda name: ModelFacts(profile), add).attach)
            room = stack.enter_context(open_http_room(tmp_path / "world", seams, retriever=world.search))
            room.server.reply(chat_stream("It costs 900 crowns [p1]."))
            return Chat(world, room, added)

        yield made


def notes(events: list[TurnEvent]) -> list[str]:
    return [each.text for each in events if isinstance(each, NoteAdded)]


def test_an_attached_file_answers_with_a_footnote_and_stays_for_the_chat(open_chat: Callable[..., Chat]) -> None:
    chat = open_chat()

    events = chat.ask(chat.world.file("invoice.txt"))

    assert isinstance(events[-1], TurnFinished)
    (citation,) = events[-1].message.citations
    assert citation.path.name == "invoice.txt"
    assert citation.quote == "Invoice 4711: the boiler costs 900 crowns."
    assert "900 crowns" in chat.prompt
    chat.ask(question="And when must the invoice be paid?")
    assert "ten days" in chat.prompt
    chat.room.session_id = chat.room.sessions.create().id
    chat.ask(question="When must the invoice be paid?")
    assert "ten days" not in chat.prompt


def test_a_model_that_sees_gets_the_picture_itself(open_chat: Callable[..., Chat]) -> None:
    chat = open_chat(sees=True)
    picture = chat.world.folder / "photo.png"
    picture.write_bytes(PIXEL)

    events = chat.ask(picture)

    assert base64.b64encode(PIXEL).decode() in chat.prompt
    assert notes(events) == []
    chat.ask(question="What colour is it?")
    assert base64.b64encode(PIXEL).decode() in chat.prompt


def test_a_model_that_does_not_see_gets_the_text_of_the_picture_and_a_note(open_chat: Callable[..., Chat]) -> None:
    chat = open_chat()
    chat.world.parser.in_picture = "The sign says: boiler, 900 crowns."
    picture = chat.world.folder / "photo.png"
    picture.write_bytes(PIXEL)

    events = chat.ask(picture)

    assert base64.b64encode(PIXEL).decode() not in chat.prompt
    assert "900 crowns" in chat.prompt
    assert "photo.png" in notes(events)[0]
    assert "read as text" in notes(events)[0]
    assert notes(chat.ask(question="Once more?")) == []


def test_a_picture_without_text_is_left_out_with_a_note(open_chat: Callable[..., Chat]) -> None:
    chat = open_chat()
    picture = chat.world.folder / "photo.png"
    picture.write_bytes(PIXEL)
    assert "no text" in notes(chat.ask(picture))[0]


def test_a_file_that_cannot_be_read_is_told_and_the_question_answered(open_chat: Callable[..., Chat]) -> None:
    chat = open_chat()
    events = chat.ask(chat.world.file("empty.txt", " "), chat.world.file("invoice.txt"))
    assert "empty.txt was not used" in notes(events)[0]
    assert isinstance(events[-1], TurnFinished)


def test_a_file_for_the_library_goes_there(open_chat: Callable[..., Chat]) -> None:
    chat = open_chat()
    path = chat.world.file("invoice.txt")
    chat.ask(path, use=AttachmentUse.LIBRARY)
    assert chat.added == [path]
    assert chat.world.files.of(chat.room.session_id) == []


def test_a_library_that_is_open_elsewhere_is_told(open_chat: Callable[..., Chat]) -> None:
    chat = open_chat(can_add=False)
    events = chat.ask(chat.world.file("invoice.txt"), use=AttachmentUse.LIBRARY)
    assert "open elsewhere" in notes(events)[0]
    assert isinstance(events[-1], TurnFinished)


def test_tools_see_attached_files_of_their_chat_only(world: World) -> None:
    session = world.sessions.create().id
    attached = world.files.add(session, world.file("invoice.txt"))
    passages = LibraryPassages(world.shelf.library.store, lambda: world.shelf.retriever, world.files)
    scope = Scope(session=session)
    assert [each.path.name for each in passages.documents(scope)] == ["invoice.txt"]
    assert passages.search("boiler", k=1, scope=scope)[0].document_id == attached.document_id
    assert "".join(each.passage.text for each in passages.parts(attached.document_id)).startswith("Invoice 4711")
    assert passages.documents(replace(scope, session="")) == []


def test_real_parsers_read_attached_files(world: World, parser_pool: ParserPool) -> None:
    files = AttachmentService(
        AttachmentStore(world.database),
        lambda: parser_pool,
        lambda: TextSplitter(HashEmbedder().count_tokens, max_tokens=256, target_tokens=60),
        HashEmbedder,
        lambda path: True,
    )
    session = world.sessions.create().id
    attached = files.add(session, world.file("note.md", "# Boilers\n\nThe boiler costs 900 crowns."))
    assert "900 crowns" in files.search(session, "boiler", 1)[0].text
    assert attached.kind == "text"


# every document ------------------------------------------------------------------------------------------------------


@pytest.fixture
def find(world: World) -> Iterator[Callable[..., list[TaskEvent]]]:
    """Looks for something in every document, without a model."""
    loop, library = LoopThread("find"), world.shelf.library
    passages = LibraryPassages(library.store, lambda: world.shelf.retriever, world.files)
    attaching = Attaching(world.files, lambda name: ModelFacts(), lambda path: None)
    service = WholeDocumentService(
        loop,
        TurnRegistry(),
        world.sessions,
        library.store,
        passages,
        lambda: library.embedder,
        lambda name: pytest.fail("no model is needed"),
        lambda passage, start, end: (),
        SettingsStore(world.database),
        attach=attaching.attach,
    )

    def find(session_id: str, *paths: Path, scope: Scope | None = None) -> list[TaskEvent]:
        question, files = "Which files mention the boiler?", tuple(map(Attachment, paths))
        return list(
            service.find_in_all(
                session_id, question, scope=scope, model="extractive", options=TurnOptions(attachments=files)
            )
        )

    yield find
    loop.close()


def said(events: list[TaskEvent]) -> StoredMessage:
    assert isinstance(events[-1], TurnFinished)
    return events[-1].message


def test_find_in_every_document_reads_the_files_of_the_chat(world: World, find: Callable[..., list[TaskEvent]]) -> None:
    lease = world.shelf.library.put("lease.txt", ["The tenant pays rent."])
    chat, other = world.sessions.create().id, world.sessions.create().id

    events = find(chat, world.file("invoice.txt"), world.file("empty.txt", " "))

    message = said(events)
    assert "Found in 1 file. Checked 2 of 2 files." in message.text
    (citation,) = message.citations
    assert (citation.document_id < 0, citation.path.name) == (True, "invoice.txt")
    assert citation.quote == "Invoice 4711: the boiler costs 900 crowns."
    (note,) = [each.text for each in events if isinstance(each, NoteAdded)]
    assert "empty.txt was not used" in note
    details = world.sessions.turn_details(message.id)
    assert details is not None
    assert details.notes == (note,)
    within = Scope(document_ids=frozenset({lease}))
    assert "Checked 2 of 2 files." in said(find(chat, scope=within)).text, "they belong to the chat, not to a scope"
    assert "Checked 1 of 1 file." in said(find(other)).text
