"""Collections: named sets of documents, by name and by folder."""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from app.domain.collections import CollectionRecord
from app.domain.errors import FootnoteError
from app.storage.database import Database
from app.storage.rows import id_list, path_from_column
from app.storage.scopes import ranges_inside

_MEMBERS = "SELECT document_id FROM collection_members WHERE collection_id = ?"


class NameTakenError(FootnoteError):
    """Another collection has this name."""


class UnknownCollectionError(FootnoteError):
    """The collection is not there (any more)."""


class CollectionTable:
    """Collections. Part of ``LibraryStore``. Names are told apart without regard to case.

    A document belongs to a collection if it was added itself, or if it lies below a folder of the collection and
    neither it nor a folder between was taken out. Methods that take a collection's id raise ``UnknownCollectionError``.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def collections(self) -> list[CollectionRecord]:
        """All collections, by name."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT id, name, (SELECT count(*) FROM collection_members WHERE collection_id = collections.id) "
                "FROM collections ORDER BY name_key"
            ).fetchall()
            places = connection.execute("SELECT collection_id, path FROM collection_places WHERE included").fetchall()
        return [
            CollectionRecord(
                ident, name, count, tuple(sorted({path_from_column(path) for owner, path in places if owner == ident}))
            )
            for ident, name, count in rows
        ]

    def collection_named(self, name: str) -> CollectionRecord | None:
        """The collection with that name, if there is one."""
        key = _name_key(name)
        return next((each for each in self.collections() if _name_key(each.name) == key), None)

    def add_collection(self, name: str) -> int:
        """Make an empty collection. Returns its id. Raises ``NameTakenError``."""
        with self._database.write() as connection:
            added = connection.execute(
                "INSERT INTO collections (name, name_key, created_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                (name, _name_key(name), time.time()),
            )
            if not added.rowcount:
                raise NameTakenError(name)
            return int(added.lastrowid or 0)

    def rename_collection(self, collection_id: int, name: str) -> None:
        """Give a collection another name. Raises ``NameTakenError``."""
        with self._database.write() as connection:
            taken = connection.execute(
                "SELECT 1 FROM collections WHERE name_key = ? AND id <> ?", (_name_key(name), collection_id)
            ).fetchone()
            if taken:
                raise NameTakenError(name)
            changed = connection.execute(
                "UPDATE collections SET name = ?, name_key = ? WHERE id = ?", (name, _name_key(name), collection_id)
            )
            if not changed.rowcount:
                raise UnknownCollectionError(collection_id)

    def delete_collection(self, collection_id: int) -> None:
        """Forget a collection; its documents stay in the library."""
        with self._database.write() as connection:
            if not connection.execute("DELETE FROM collections WHERE id = ?", (collection_id,)).rowcount:
                raise UnknownCollectionError(collection_id)

    def collection_members(self, collection_id: int) -> list[int]:
        """Ids of the documents that belong to a collection, ascending."""
        with self._database.read() as connection:
            rows = connection.execute(f"{_MEMBERS} ORDER BY document_id", (collection_id,)).fetchall()
        return [row[0] for row in rows]

    def collection_names(self, document_ids: Iterable[int]) -> dict[int, tuple[str, ...]]:
        """The names of the collections that each of the documents belongs to, sorted."""
        names: dict[int, tuple[str, ...]] = dict.fromkeys(document_ids, ())
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT document_id, name FROM collection_members JOIN collections ON id = collection_id ORDER BY name"
            )
            for document_id, name in rows:
                if document_id in names:
                    names[document_id] += (name,)
        return names

    def add_to_collection(self, collection_id: int, document_ids: Iterable[int]) -> None:
        """Make documents belong to a collection; unknown ones are passed over. They may belong to others too."""
        with self._database.write() as connection:
            self._require(collection_id)
            connection.execute(
                "INSERT OR REPLACE INTO collection_documents (collection_id, document_id, included) "
                "SELECT ?, id, 1 FROM documents WHERE id IN (SELECT value FROM json_each(?))",
                (collection_id, id_list(document_ids)),
            )

    def take_from_collection(self, collection_id: int, document_ids: Iterable[int]) -> None:
        """Documents belong to a collection no longer, whatever their folders do."""
        ids = id_list(document_ids)
        with self._database.write() as connection:
            self._require(collection_id)
            connection.execute(
                "DELETE FROM collection_documents WHERE collection_id = ? "
                "AND document_id IN (SELECT value FROM json_each(?))",
                (collection_id, ids),
            )
            connection.execute(
                "INSERT INTO collection_documents (collection_id, document_id, included) "
                "SELECT collection_id, document_id, 0 FROM collection_members WHERE collection_id = ? "
                "AND document_id IN (SELECT value FROM json_each(?))",
                (collection_id, ids),
            )

    def bind_folder(self, collection_id: int, folder: Path) -> None:
        """What is below a folder, and what comes there, belongs to a collection."""
        with self._database.write():
            self._set_place(collection_id, folder, included=True)

    def unbind_folder(self, collection_id: int, folder: Path) -> None:
        """A folder, or a part of one, belongs to a collection no longer; documents added one by one stay in it."""
        with self._database.write() as connection:
            self._set_place(collection_id, folder, included=False)
            above = [each for each in self.collections() if each.id == collection_id]
            if not any(place in folder.parents for record in above for place in record.folders):
                connection.executemany(
                    "DELETE FROM collection_places WHERE collection_id = ? AND path = ?",
                    [(collection_id, path) for path, _, _ in ranges_inside(folder)],
                )

    def _set_place(self, collection_id: int, folder: Path, *, included: bool) -> None:
        """What was said about folders below is replaced by it."""
        self._require(collection_id)
        with self._database.write() as connection:
            for path, lower, upper in ranges_inside(folder):
                connection.execute(
                    "DELETE FROM collection_places WHERE collection_id = ? AND (path = ? OR (path > ? AND path < ?))",
                    (collection_id, path, lower, upper),
                )
                connection.execute(
                    "INSERT INTO collection_places (collection_id, path, lower, upper, included) "
                    "VALUES (?, ?, ?, ?, ?)",
                    (collection_id, path, lower, upper, included),
                )

    def _require(self, collection_id: int) -> None:
        with self._database.read() as connection:
            if not connection.execute("SELECT 1 FROM collections WHERE id = ?", (collection_id,)).fetchone():
                raise UnknownCollectionError(collection_id)


def _name_key(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()
