"""Collections in the library, and the kinds and dates a search can be limited to."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.domain.document_types import DocumentType
from app.domain.errors import BadInputError
from app.domain.passages import Period, Scope
from app.loaders.registry import loaders
from app.services.collection_service import CollectionService
from app.storage.database import Database
from app.storage.library_store import LibraryStore
from tests.storage.samples import ingest


@pytest.fixture
def collections(library: LibraryStore) -> CollectionService:
    return CollectionService(library)


def names_in(library: LibraryStore, scope: Scope) -> set[str]:
    ids = library.chunk_ids_in_scope(scope)
    assert ids is not None
    return {each.path.name for each in library.passages(ids.tolist()).values()}


def test_a_document_may_be_in_several_collections_and_a_name_is_one_whatever_its_case(
    library: LibraryStore, collections: CollectionService, tmp_path: Path
) -> None:
    ingest(library, tmp_path / "a.txt", ["one"])
    for name in ("Work", "Home"):
        collections.create(name)
        collections.add(name, [tmp_path / "a.txt"])
        assert names_in(library, collections.scope_of([name.upper()])) == {"a.txt"}
    with pytest.raises(BadInputError, match="already"):
        collections.create(" wORK ")
    with pytest.raises(BadInputError, match="already"):
        collections.rename("home", "WORK")
    collections.rename("home", "HOME")
    assert [each.name for each in collections.collections()] == ["HOME", "Work"]
    with pytest.raises(BadInputError, match="“HOME”, “Work”"):
        collections.scope_of(["play"])


def test_new_files_in_a_bound_folder_join_and_moved_ones_leave(
    library: LibraryStore, collections: CollectionService, tmp_path: Path
) -> None:
    (tmp_path / "docs").mkdir()
    collections.create("Docs")
    collections.add("Docs", [tmp_path / "docs"])
    ids = [ingest(library, tmp_path / "docs" / name, [name]) for name in ("a.txt", "b.txt")]
    ingest(library, tmp_path / "docsshop" / "c.txt", ["c"])
    ingest(library, Path(os.fsdecode(os.fsencode(tmp_path / "docs") + b"/\xff.txt")), ["odd"])
    scope = collections.scope_of(["Docs"])
    assert len(names_in(library, scope)) == 3
    library.rename(ids[0], tmp_path / "elsewhere.txt")
    assert "elsewhere.txt" not in names_in(library, scope)
    collections.remove("Docs", [tmp_path / "docs" / "b.txt"])
    assert "b.txt" not in names_in(library, scope)
    collections.add("Docs", [tmp_path / "elsewhere.txt"])
    assert "elsewhere.txt" in names_in(library, scope)


def test_a_part_of_a_folder_can_be_taken_out_and_put_back(
    library: LibraryStore, collections: CollectionService, tmp_path: Path
) -> None:
    (tmp_path / "docs" / "old").mkdir(parents=True)
    ingest(library, tmp_path / "docs" / "a.txt", ["a"])
    ingest(library, tmp_path / "docs" / "old" / "b.txt", ["b"])
    collections.create("Docs")
    collections.add("Docs", [tmp_path / "docs"])
    collections.remove("Docs", [tmp_path / "docs" / "old"])
    ingest(library, tmp_path / "docs" / "old" / "c.txt", ["c"])
    scope = collections.scope_of(["Docs"])
    assert names_in(library, scope) == {"a.txt"}
    collections.add("Docs", [tmp_path / "docs" / "old"])
    assert names_in(library, scope) == {"a.txt", "b.txt", "c.txt"}
    collections.remove("Docs", [tmp_path / "docs"])
    assert names_in(library, scope) == set()
    assert collections.named("Docs").folders == ()


def test_deleting_a_collection_keeps_its_documents_and_its_scope_finds_nothing(
    library: LibraryStore, collections: CollectionService, tmp_path: Path
) -> None:
    ingest(library, tmp_path / "a.txt", ["a"])
    collections.create("Brief")
    collections.add("Brief", [tmp_path / "a.txt"])
    scope = collections.scope_of(["Brief"])
    collections.delete("Brief")
    collections.create("Brief")
    assert names_in(library, scope) == set()
    assert len(library.documents()) == 1


def test_what_is_not_in_the_library_is_refused_and_nothing_is_added(
    library: LibraryStore, collections: CollectionService, tmp_path: Path
) -> None:
    ingest(library, tmp_path / "a.txt", ["a"])
    collections.create("Mine")
    with pytest.raises(BadInputError, match="not in the library"):
        collections.add("Mine", [tmp_path / "a.txt", tmp_path / "missing.txt"])
    assert collections.named("Mine").documents == 0


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 101, "\u202e"])
def test_names_that_are_none(collections: CollectionService, name: str) -> None:
    with pytest.raises(BadInputError, match="name"):
        collections.create(name)


def test_every_media_type_is_of_exactly_one_kind(library_database: Database, tmp_path: Path) -> None:
    library = LibraryStore(library_database)
    registry = loaders()
    found: dict[str, set[DocumentType]] = {}
    for extension in registry.supported_extensions:
        path = tmp_path / f"x{extension}"
        loader = registry.loader_for(path)
        assert loader is not None
        document = ingest(library, path, [extension])
        with library_database.write() as connection:
            media_type = loader.media_type(path)
            connection.execute("UPDATE documents SET media_type = ? WHERE id = ?", (media_type, document))
        found[path.name] = set()
    for kind in DocumentType:
        for name in names_in(library, Scope(types=frozenset({kind}))):
            found[name].add(kind)
    archives = {name for name, kinds in found.items() if not kinds}
    assert all(len(kinds) <= 1 for kinds in found.values())
    assert {Path(each).suffix for each in archives} <= {
        ".zip", ".7z", ".tar", ".gz", ".bz2", ".xz", ".zst", ".tgz", ".tbz2", ".txz", ".tzst"
    }  # fmt: skip
    expected = {"x.docx": "word", "x.py": "code", "x.md": "text", "x.htm": "web", "x.xlsx": "sheets", "x.eml": "mail"}
    assert {name: next(iter(found[name])) for name in expected} == expected


def test_dates_of_change_limit_to_the_moment(library: LibraryStore) -> None:
    day = datetime(2026, 3, 1, tzinfo=UTC).timestamp()
    for number, name in enumerate(("before.txt", "on.txt", "after.txt"), start=-1):
        document = ingest(library, Path("/dates") / name, [name])
        library.touch(document, type(library.document(document).stamp)(1, int(day + number) * 10**9))
    assert names_in(library, Scope(modified=Period(since=day))) == {"on.txt", "after.txt"}
    assert names_in(library, Scope(modified=Period(until=day))) == {"before.txt"}
    assert names_in(library, Scope(modified=Period(day, day + 1))) == {"on.txt"}
    assert names_in(library, Scope(added=Period(until=day))) == set()
