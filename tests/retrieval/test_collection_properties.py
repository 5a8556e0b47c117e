"""Whatever happens to documents, collections and indexes, no search shows what is outside of its scope."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from app.domain.documents import DocumentState
from app.domain.passages import Scope, SearchMode
from app.retrieval.keyword_index import KeywordIndex
from app.retrieval.retriever import Retriever
from app.retrieval.vector_index import VectorIndex
from app.services.document_files import PlainFiles
from app.services.pack_paths import PathMapping
from app.services.pack_reader import PackReader
from app.services.pack_service import PackService
from tests.retrieval.small_library import DIMENSION, MODEL, SmallLibrary
from tests.retrieval.test_index_properties import TINY, WORDS
from tests.retrieval.test_retriever import Values

NAMES = ("north/a.txt", "north/b.txt", "north/deep/c.txt", "south/d.txt", "south/e.txt", "f.txt")
FOLDERS = ("north", "north/deep", "south")
OWN, PACKED = "Own", "Packed"

names = st.sampled_from(NAMES)
places = st.sampled_from(FOLDERS)
collections = st.sampled_from((OWN, PACKED))
texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=6)


@dataclass
class Members:
    """What belongs to a collection: what was said about documents, else what was said about the nearest folder."""

    id: int
    documents: dict[int, bool] = field(default_factory=dict)
    folders: dict[str, bool] = field(default_factory=dict)

    def placed(self, name: str) -> bool:
        around = [each for each in self.folders if name.startswith(f"{each}/")]
        return self.folders[max(around, key=len)] if around else False

    def holds(self, name: str, document: int) -> bool:
        return self.documents.get(document, self.placed(name))

    def say(self, folder: str, *, included: bool) -> None:
        self.folders = {each: said for each, said in self.folders.items() if not each.startswith(f"{folder}/")}
        self.folders[folder] = included


class Searches(RuleBasedStateMachine):
    """A library with tiny segments, and beside it plain sets that say what a search may show."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        (self.folder / "here").mkdir()
        (self.folder / "there").mkdir()
        self.library = SmallLibrary(self.folder / "here")
        self.store = self.library.store
        self.documents: dict[str, int] = {}
        self.contents: dict[int, str] = {}
        self.excluded: set[int] = set()
        self.members = {name: Members(self.store.add_collection(name)) for name in (OWN, PACKED)}
        self.steps = 0
        embedder = self.library.embedder
        self.packs = PackService(self.store, PlainFiles(), lambda: embedder, lambda: None, self.folder)
        self._make_pack()
        self._open()

    def _make_pack(self) -> None:
        other = SmallLibrary(self.folder / "there")
        other._clock = 1_000  # so that nothing in it equals what is here by chance
        ids = [other.put(name, [f"{WORDS[row]} packed {name}"]) for row, name in enumerate(NAMES[:4])]
        other.store.add_to_collection(other.store.add_collection(PACKED), ids[:3])
        embedder = other.embedder
        self.pack = self.folder / "some.footnotepack"
        PackService(other.store, PlainFiles(), lambda: embedder, lambda: None, self.folder).export(self.pack, PACKED)
        other.close()

    def _open(self) -> None:
        index = self.folder / "index"
        self.vectors = VectorIndex(self.store, index, MODEL, DIMENSION, limits=TINY)
        self.keywords = KeywordIndex(self.store, index, at_once=2)
        self.vectors.open()
        self.keywords.open()
        embedder = self.library.embedder
        self.retriever = Retriever(self.store, lambda: embedder, self.vectors, self.keywords, Values(), follow=True)

    def _close(self) -> None:
        self.retriever.close()
        self.vectors.close()
        self.keywords.close()

    def _forget(self, name: str) -> None:
        document = self.documents.pop(name, None)
        if document is not None:
            self.excluded.discard(document)

    # -- documents ---------------------------------------------------------------------------------------------------

    @rule(name=names, words=texts)
    def put(self, name: str, words: list[str]) -> None:
        paragraphs = [f"{word} {row} {name}" for row, word in enumerate(words)]
        document = self.documents[name] = self.library.put(name, paragraphs)
        self.contents[document] = "\n".join(paragraphs)
        self.excluded.discard(document)

    @initialize()
    def begin_with_some(self) -> None:
        for name in NAMES[1:4]:
            self.put(name, list(WORDS[:2]))

    @rule(name=names)
    def delete(self, name: str) -> None:
        if name in self.documents:
            self.store.remove(self.documents[name])
            self._forget(name)

    @rule(name=names)
    def exclude(self, name: str) -> None:
        if name in self.documents:
            self.store.set_state(self.documents[name], DocumentState.EXCLUDED)
            self.excluded.add(self.documents[name])

    @rule(name=names, target_name=names)
    def move(self, name: str, target_name: str) -> None:
        if name in self.documents and name != target_name:
            self._forget(target_name)
            self.store.rename(self.documents[name], self.library.folder / target_name)
            self.documents[target_name] = self.documents.pop(name)

    @rule()
    def merge(self) -> None:
        """Import a pack that shares paths with what is here."""
        joined: list[str] = []
        with PackReader(self.pack) as reader:
            for packed in reader.documents():
                name = Path(packed.path).relative_to(self.folder / "there").as_posix()
                record = self.store.document_by_path(self.library.folder / name)
                same = record is not None and record.content_hash == packed.content_hash
                if record is None or (same and record.id not in self.excluded):
                    joined.append(name)
        mapping = PathMapping.from_options([f"{self.folder / 'there'}={self.library.folder}"])
        self.packs.import_pack(self.pack, mapping)
        for name in joined:
            record = self.store.document_by_path(self.library.folder / name)
            assert record is not None
            self.documents[name] = record.id
            self.contents[record.id] = f"{WORDS[NAMES.index(name)]} packed {name}"
            self.members[PACKED].documents[record.id] = True

    # -- collections -------------------------------------------------------------------------------------------------

    @rule(collection=collections, name=names)
    def add(self, collection: str, name: str) -> None:
        if name in self.documents:
            members = self.members[collection]
            self.store.add_to_collection(members.id, [self.documents[name]])
            members.documents[self.documents[name]] = True

    @rule(collection=collections, name=names)
    def take(self, collection: str, name: str) -> None:
        if name in self.documents:
            members, document = self.members[collection], self.documents[name]
            self.store.take_from_collection(members.id, [document])
            members.documents.pop(document, None)
            if members.placed(name):
                members.documents[document] = False

    @rule(collection=collections, folder=places)
    def bind(self, collection: str, folder: str) -> None:
        self.store.bind_folder(self.members[collection].id, self.library.folder / folder)
        self.members[collection].say(folder, included=True)

    @rule(collection=collections, folder=places)
    def unbind(self, collection: str, folder: str) -> None:
        self.store.unbind_folder(self.members[collection].id, self.library.folder / folder)
        self.members[collection].say(folder, included=False)

    @rule()
    def delete_collection(self) -> None:
        gone = self.members[OWN].id
        self.store.delete_collection(gone)
        assert self._found(Scope(collections=frozenset({gone})), SearchMode.DENSE) == set()
        self.members[OWN] = Members(self.store.add_collection(OWN))

    # -- indexes -----------------------------------------------------------------------------------------------------

    @rule()
    def refresh(self) -> None:
        self.vectors.refresh()
        self.keywords.refresh()

    @rule()
    def rebuild(self) -> None:
        self._close()
        shutil.rmtree(self.folder / "index", ignore_errors=True)
        self.store.prune_changes(self.store.current_sequence())
        self._open()

    # -- what must hold ----------------------------------------------------------------------------------------------

    def _shown(self, collection: str | None = None, folder: str = "") -> set[int]:
        return {
            document
            for name, document in self.documents.items()
            if document not in self.excluded
            and name.startswith(folder)
            and (collection is None or self.members[collection].holds(name, document))
        }

    def _found(self, scope: Scope | None, mode: SearchMode) -> set[int]:
        query = WORDS[self.steps % len(WORDS)]
        return {each.document_id for each in self.retriever.search(query, k=100, mode=mode, scope=scope)}

    def _scopes(self) -> list[tuple[Scope | None, set[int]]]:
        scopes: list[tuple[Scope | None, set[int]]] = [(None, self._shown())]
        for name, members in self.members.items():
            chosen = frozenset({members.id})
            scopes.append((Scope(collections=chosen), self._shown(name)))
            north = Scope(collections=chosen, folders=(self.library.folder / "north",))
            scopes.append((north, self._shown(name, "north/")))
        return scopes

    @invariant()
    def only_what_is_in_scope_is_shown(self) -> None:
        self.steps += 1
        for scope, allowed in self._scopes():
            for mode in SearchMode:
                assert self._found(scope, mode) <= allowed

    def teardown(self) -> None:
        try:
            self.refresh()
            self.vectors.wait()
            self.keywords.wait()
            self.refresh()
            self.vectors.wait()
            for scope, allowed in self._scopes():
                found = self._found(scope, SearchMode.DENSE)
                assert found <= allowed
                # Of documents that say the same, such as one that was moved and came again in a pack, one is shown.
                assert {self.contents[each] for each in found} == {self.contents[each] for each in allowed}
            assert self.store.integrity() == []
        finally:
            self._close()
            self.library.close()
            shutil.rmtree(self.folder)


Searches.TestCase.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
TestSearches = Searches.TestCase
