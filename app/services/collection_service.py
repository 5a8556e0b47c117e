"""Collections as the window and the command line see them."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from app.domain.collections import CollectionRecord
from app.domain.errors import BadInputError
from app.domain.passages import Scope
from app.storage.collection_table import NameTakenError, UnknownCollectionError
from app.storage.library_store import LibraryStore

LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class CollectionChange:
    """What was added to a collection or taken from it: folders as a whole, and single documents."""

    collection: CollectionRecord
    folders: tuple[Path, ...]
    documents: int


class CollectionService:
    """Use cases of collections. Methods block on SQLite and raise ``BadInputError`` for a name that is none."""

    def __init__(self, store: LibraryStore) -> None:
        self._store = store

    def collections(self) -> list[CollectionRecord]:
        """All collections, by name."""
        return self._store.collections()

    def documents(self, collection_id: int) -> frozenset[int]:
        """Ids of the documents that belong to a collection; none where it was deleted."""
        return frozenset(self._store.collection_members(collection_id))

    def create(self, name: str) -> CollectionRecord:
        """Make an empty collection."""
        name = checked_name(name)
        try:
            self._store.add_collection(name)
        except NameTakenError as error:
            raise BadInputError(f"There is a collection “{name}” already.") from error
        return self.named(name)

    def named(self, name: str) -> CollectionRecord:
        """The collection with that name, whatever its case."""
        found = self._store.collection_named(name.strip())
        if found is None:
            known = ", ".join(f"“{each.name}”" for each in self.collections())
            hint = f"There are {known}." if known else "There is none yet."
            raise BadInputError(f"There is no collection “{name.strip()}”. {hint}")
        return found

    def named_or_new(self, name: str) -> CollectionRecord:
        """The collection with that name, made if there was none."""
        return self._store.collection_named(name.strip()) or self.create(name)

    def rename(self, name: str, new_name: str) -> CollectionRecord:
        """Give a collection another name."""
        new_name = checked_name(new_name)
        try:
            self._store.rename_collection(self.named(name).id, new_name)
        except NameTakenError as error:
            raise BadInputError(f"There is a collection “{new_name}” already.") from error
        except UnknownCollectionError as error:
            raise BadInputError(f"The collection “{name}” was deleted meanwhile.") from error
        return self.named(new_name)

    def delete(self, name: str) -> CollectionRecord:
        """Forget a collection; its documents stay in the library."""
        found = self.named(name)
        self._store.delete_collection(found.id)
        return found

    def add(self, name: str, paths: Iterable[Path]) -> CollectionChange:
        """Add folders, whose new files join by themselves, and single documents of the library."""
        return self._change(name, paths, add=True)

    def remove(self, name: str, paths: Iterable[Path]) -> CollectionChange:
        """Take folders, parts of folders and single documents out of a collection. They stay in the library."""
        return self._change(name, paths, add=False)

    def gather(self, name: str, paths: Iterable[Path], urls: Iterable[str] = ()) -> CollectionRecord:
        """``add`` after an ingestion: what did not get into the library is passed over."""
        found = self.named(name)
        origins = [self._store.origin_by_url(url) for url in urls]
        with self._store.together():
            for path in [*map(_absolute, paths), *(each.path for each in origins if each is not None)]:
                if os.path.isdir(path):  # noqa: PTH112  Path.is_dir raises where it may not look
                    self._store.bind_folder(found.id, path)
                else:
                    known = self._store.known_files([path], packed=True)
                    self._store.add_to_collection(found.id, [each.id for each in known])
        return self.named(found.name)

    def _change(self, name: str, paths: Iterable[Path], *, add: bool) -> CollectionChange:
        found = self.named(name)
        folders: list[Path] = []
        documents: list[int] = []
        with self._store.together():
            for path in map(_absolute, paths):
                if os.path.isdir(path) or path in found.folders:  # noqa: PTH112  Path.is_dir raises where it may not look
                    (self._store.bind_folder if add else self._store.unbind_folder)(found.id, path)
                    folders.append(path)
                documents += self._documents_at(path, wanted=path not in folders, take_all=not add)
            (self._store.add_to_collection if add else self._store.take_from_collection)(found.id, documents)
        return CollectionChange(self.named(name), tuple(folders), len(documents))

    def _documents_at(self, path: Path, *, wanted: bool, take_all: bool) -> list[int]:
        """Documents at or below a path. Those of a folder that is added belong by it, not one by one."""
        if not (wanted or take_all):
            return []
        known = [each.id for each in self._store.known_files([path], packed=True)]
        if wanted and not known:
            raise BadInputError(f"{path} is not in the library. `footnote ingest` adds it. Nothing was changed.")
        return known

    def scope_of(self, names: Iterable[str]) -> Scope:
        """A scope of the collections with these names."""
        return Scope(collections=frozenset(self.named(each).id for each in names))


def checked_name(name: str) -> str:
    """The name without space around it. Raises ``BadInputError`` for one that can't be a name."""
    name = name.strip()
    if not name or len(name) > LONGEST_NAME or any(unicodedata.category(each).startswith("C") for each in name):
        raise BadInputError(f"A collection's name has 1 to {LONGEST_NAME} characters on one line.")
    return name


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100  links stay as the user knows them
