"""Text, chunks and vectors of documents."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.documents import Chunk, DocumentState, Section, SectionKind, assemble
from app.storage.database import Database
from app.storage.library_store import LibraryStore, open_library
from app.storage.library_values import ChunkToEmbed
from app.storage.rows import char_map_from_blob, char_map_to_blob
from tests.storage.samples import MODEL, STAMP, chunk_ids, chunks_of, embed, ingest, parsed, put, vector

PATH = Path("/a.txt")


def test_text_and_sections_come_back_as_they_were_read(library: LibraryStore) -> None:
    document = assemble(
        [
            Section("Größe 😀\r\nzwei", page=1, headings=("A", "it's\n"), char_map=(0, 1, 2, -1, 5)),
            Section("a | b\nc | d", kind=SectionKind.TABLE),
            Section("x = 1\0", kind=SectionKind.CODE, headings=("main",)),
        ],
        title="T",
        media_type="text/plain",
        page_count=3,
    )
    record = library.enqueue(PATH, STAMP)
    chunks = chunks_of(document)
    library.replace_content(record.id, document, "ab" * 32, chunks, ["s"] * 3)
    assert library.document_text(record.id) == document.text
    sections = library.sections(record.id)
    for stored, placed in zip(sections, document.sections, strict=True):
        assert (stored.start, stored.end, stored.page) == (placed.start, placed.end, placed.section.page)
        assert (stored.headings, stored.kind) == (placed.section.headings, placed.section.kind)
        assert stored.char_map == placed.section.char_map
        assert stored.has_char_map == (placed.section.char_map is not None)
    stored_record = library.document(record.id)
    assert (stored_record.title, stored_record.media_type, stored_record.page_count) == ("T", "text/plain", 3)
    assert (stored_record.content_hash, stored_record.chunk_count) == ("ab" * 32, 3)
    assert stored_record.state is DocumentState.EMBEDDING


@given(st.lists(st.integers(-1, 2**31 - 1)))
def test_character_maps_survive_packing(char_map: list[int]) -> None:
    packed = char_map_to_blob(char_map)
    assert packed is not None
    assert char_map_from_blob(packed) == tuple(char_map)


def test_the_character_map_of_a_page_takes_little_room() -> None:
    assert len(char_map_to_blob(range(4000)) or b"") < 300


def test_passages_say_all_about_their_chunk(library: LibraryStore) -> None:
    document_id = ingest(library, PATH, ["Erste Größe", "Zweite 😀"])
    first, second = library.passages(chunk_ids(library, document_id)).values()
    text = library.document_text(document_id)
    assert [text[each.start : each.end] for each in (first, second)] == [first.text, second.text]
    assert (second.text, second.page, second.headings) == ("Zweite 😀", 2, ("Part",))
    assert (second.document_id, second.path, second.title) == (document_id, PATH, "Notes")
    assert second.file_hash == library.document(document_id).content_hash
    assert library.passages([]) == {}


def test_a_half_read_document_shows_nowhere(library: LibraryStore) -> None:
    result = put(library, PATH, ["one", "two"])
    library.store_vectors(MODEL, [(result.new[0].chunk_id, vector(1))])
    assert library.passages(range(10)) == {}
    assert list(library.vectors(MODEL)) == []
    assert list(library.search_rows()) == []
    assert library.changes_since(0) == (0, [], [])
    put(library, PATH, ["one", "three"])
    assert library.changes_since(0) == (0, [], [])


def test_neighbours_stay_in_the_document_and_at_its_ends(library: LibraryStore) -> None:
    ingest(library, Path("/before"), ["x"])
    ids = chunk_ids(library, ingest(library, PATH, ["0", "1", "2", "3", "4"]))
    ingest(library, Path("/behind"), ["y"])
    assert library.neighbours(ids[2], 1, 2) == ids[1:5]
    assert library.neighbours(ids[0], 3, 1) == ids[:2]
    assert library.neighbours(ids[4], 0, 3) == ids[4:]
    assert library.neighbours(999, 1, 1) == []


def test_unchanged_chunks_of_a_changed_file_keep_their_ids_and_vectors(library: LibraryStore) -> None:
    document_id = ingest(library, PATH, ["alpha", "beta", "gamma", "delta"])
    alpha, beta, gamma, delta = chunk_ids(library, document_id)
    result = put(library, PATH, ["delta", "new at the front", "alpha", "gamma"])
    assert result.kept == {alpha, gamma, delta}
    assert result.removed == [beta]
    assert [each.embed_text for each in result.new] == ["new at the front"]
    embed(library, result)
    assert library.finish(document_id, MODEL)
    assert chunk_ids(library, document_id) == [delta, result.new[0].chunk_id, alpha, gamma]
    assert dict(library.vectors(MODEL))[gamma] == vector(gamma)
    text = library.document_text(document_id)
    for passage in library.passages(chunk_ids(library, document_id)).values():
        assert text[passage.start : passage.end] == passage.text
    assert library.neighbours(alpha, 1, 1) == [result.new[0].chunk_id, alpha, gamma]
    assert library.integrity() == []


def test_repeated_chunks_are_matched_one_by_one(library: LibraryStore) -> None:
    document_id = ingest(library, PATH, ["same", "same", "same"])
    before = chunk_ids(library, document_id)
    result = put(library, PATH, ["same", "same", "same", "same", "other"])
    assert result.kept == set(before)
    assert [each.embed_text for each in result.new] == ["same", "other"]
    result = put(library, PATH, ["same"])
    assert len(result.kept) == 1
    assert len(result.removed) == 4


def test_a_changed_context_is_another_embedded_text(library: LibraryStore) -> None:
    record = library.enqueue(PATH, STAMP)
    document = parsed(["text"])
    library.replace_content(record.id, document, "1", chunks_of(document, context="Old title"), ["s"])
    result = library.replace_content(record.id, document, "2", chunks_of(document, context="New title"), ["s"])
    assert [each.embed_text for each in result.new] == ["New title\ntext"]
    assert result.kept == frozenset()


def test_kept_chunks_that_were_never_embedded_are_named_again(library: LibraryStore) -> None:
    first = put(library, PATH, ["one", "two"])
    library.store_vectors(MODEL, [(first.new[0].chunk_id, vector(1))])
    second = put(library, PATH, ["one", "two", "three"])
    assert second.kept == {each.chunk_id for each in first.new}
    assert [each.embed_text for each in second.new] == ["two", "three"]


def test_the_old_text_stays_searchable_while_the_new_one_is_embedded(library: LibraryStore) -> None:
    document_id = ingest(library, PATH, ["kept", "dropped"])
    put(library, PATH, ["kept", "added"])
    assert [passage.text for passage in library.passages(range(10)).values()] == ["kept"]
    assert chunk_ids(library, document_id) == [1]


def test_chunks_without_vector_by_model_and_document(library: LibraryStore) -> None:
    ingest(library, Path("/a"), ["one"])
    second = put(library, Path("/b"), ["two"])
    document_b = library.documents()[1].id
    assert library.chunks_without_vector(MODEL) == second.new
    assert library.chunks_without_vector("another model") == [ChunkToEmbed(1, "one"), *second.new]
    assert library.chunks_without_vector("another model", document_b) == second.new
    assert library.chunks_without_vector(MODEL, document_b - 1) == []


def test_finishing_asks_for_the_vectors_of_the_given_model(library: LibraryStore) -> None:
    result = put(library, PATH, ["one", "two"])
    document_id = library.documents()[0].id
    assert not library.finish(document_id)
    embed(library, result, "another model")
    assert not library.finish(document_id, MODEL)
    assert library.finish(document_id)
    assert library.document(document_id).state is DocumentState.READY


def test_vectors_of_removed_chunks_are_passed_over(library: LibraryStore) -> None:
    result = put(library, PATH, ["one", "two"])
    library.remove(library.documents()[0].id)
    embed(library, result)
    assert library.integrity() == []
    assert library.vector_count(MODEL) == 0


def test_a_vector_stored_again_replaces_the_first(library: LibraryStore) -> None:
    document_id = ingest(library, PATH, ["one"])
    (chunk_id,) = chunk_ids(library, document_id)
    library.store_vectors(MODEL, [(chunk_id, vector(77))])
    assert list(library.vectors(MODEL)) == [(chunk_id, vector(77))]


@pytest.mark.parametrize("model", [MODEL, "another model"])
def test_bulk_reads_agree_and_page_through_everything(library: LibraryStore, model: str) -> None:
    result = put(library, PATH, [f"text {number}" for number in range(40)])
    embed(library, result)
    embed(library, result, "another model")
    library.finish(library.documents()[0].id)
    ids = [each.chunk_id for each in result.new]
    assert list(library.vectors(model)) == [(each, vector(each)) for each in ids]
    assert [chunk_id for chunk_id, _ in library.vectors(model, ids[4], limit=3)] == ids[5:8]
    assert library.vector_ids(model).tolist() == ids
    assert library.vector_count(model) == 40
    matrix_ids, matrix = library.vectors_matrix(model, ids[9], limit=20)
    assert matrix_ids.tolist() == ids[10:30]
    assert matrix.shape == (20, 4)
    assert matrix.dtype == np.float16
    assert matrix[:, 0].tolist() == [float(each) for each in ids[10:30]]
    some_ids, some = library.vectors_of(model, [ids[3], ids[1], 999])
    assert some_ids.tolist() == [ids[1], ids[3]]
    assert some[:, 0].tolist() == [float(ids[1]), float(ids[3])]


def test_bulk_reads_of_an_unknown_model_are_empty(library: LibraryStore) -> None:
    ingest(library, PATH, ["one"])
    ids, matrix = library.vectors_matrix("unknown")
    assert (len(ids), matrix.shape) == (0, (0, 0))
    assert library.vector_ids("unknown").tolist() == []
    assert library.vector_count("unknown") == 0


def test_reading_in_pages_gives_every_row_once(library: LibraryStore) -> None:
    count = 2100  # more than a page
    ids = chunk_ids(library, ingest(library, PATH, ["t"] * 3))
    ingest(library, Path("/long"), [str(number) for number in range(count)])
    rows = list(library.search_rows(after_chunk_id=ids[-1]))
    assert [text for _, text, _, _, _ in rows] == [str(number) for number in range(count)]
    assert rows[0][2:4] == ("Notes", "/long")
    assert library.search_rows_of([rows[5][0], 1]) == [(1, "t", "Notes", "/a.txt", 1), rows[5]]
    assert library.chunk_count() == count + 3


def test_lone_surrogates_are_replaced_without_moving_offsets(library: LibraryStore) -> None:
    document_id = ingest(library, PATH, ["bro\ud800ken", "after"])
    text = library.document_text(document_id)
    assert text == "bro?ken\n\nafter"
    for passage in library.passages(chunk_ids(library, document_id)).values():
        assert text[passage.start : passage.end] == passage.text


def test_search_texts_have_to_match_the_chunks(library: LibraryStore) -> None:
    record = library.enqueue(PATH, STAMP)
    with pytest.raises(ValueError, match="1 chunks, but 0 search texts"):
        library.replace_content(record.id, parsed(["a"]), "1", [Chunk("a", 0, 1)], [])
    assert library.document(record.id).state is DocumentState.QUEUED


def test_the_check_names_what_does_not_agree(library: LibraryStore, library_database: Database) -> None:
    document_id = ingest(library, PATH, ["one", "two"])
    assert library.integrity() == []
    damages = [
        ("UPDATE chunks SET text = 'longer than it was' WHERE id = 1", "another length than their span"),
        ("DELETE FROM vectors WHERE chunk_id = 2", "without a vector"),
        ("INSERT INTO hidden_chunks VALUES (1)", "that are hidden"),
        (f"UPDATE documents SET chunk_count = 9 WHERE id = {document_id}", "another number of chunks"),
        ("UPDATE vectors SET vector = x'00' WHERE chunk_id = 1", "vectors of different lengths"),
    ]
    other = ingest(library, Path("/b"), ["three"])
    assert other != document_id
    for number, (sql, words) in enumerate(damages, start=1):
        with library_database.write() as connection:
            connection.execute(sql)
        problems = library.integrity()
        assert len(problems) == number
        assert any(words in problem for problem in problems)
    library_database.connection.execute("PRAGMA foreign_keys = OFF")
    library_database.connection.execute("DELETE FROM documents")
    assert "points to a missing row of documents" in library.integrity()[0]


@settings(max_examples=15, deadline=None)
@given(
    st.lists(
        st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8), min_size=1, max_size=6),
        min_size=1,
        max_size=5,
    )
)
def test_any_sequence_of_versions_leaves_exactly_the_last(
    tmp_path_factory: pytest.TempPathFactory, versions: list[list[str]]
) -> None:
    database = open_library(tmp_path_factory.mktemp("versions") / "library.db")
    library = LibraryStore(database)
    for paragraphs in versions:
        document = parsed(paragraphs)
        embed(library, put(library, PATH, paragraphs))
        document_id = library.documents()[0].id
        assert library.finish(document_id, MODEL)
        ids = chunk_ids(library, document_id)
        passages = library.passages(ids)
        assert [passages[each].text for each in ids] == [chunk.text for chunk in chunks_of(document)]
        assert library.document_text(document_id) == document.text
        assert library.vector_ids(MODEL).tolist() == sorted(ids)
        assert library.integrity() == []
    database.close()
