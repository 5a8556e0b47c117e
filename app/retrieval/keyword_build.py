"""One build of the keyword index: a folder of tantivy's, or an index in memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.retrieval.keyword_files import DamagedKeywordIndexError, verify_folder
from app.retrieval.keyword_query import BODY, TITLE, KeywordQuery, build_query
from app.retrieval.stemming import STEMMERS, index_text

if TYPE_CHECKING:
    import tantivy

WRITER_BYTES = 32_000_000
BULK_WRITER_BYTES = 100_000_000
COUNT_AT_ONCE = 4_096
ID = "id"
DOCUMENT = "document"
OWNER = "owner"
SEQUENCE = "sequence"
COUNT = "count"
WORDS = "words"
LANGUAGE = "language"
ENGLISH = "en"
STATE_ID = 0
"""Chunk ids begin at 1; the document with this one says whose index it is and how far it has come."""

_ANALYZER = "footnote_words"

IndexRow = tuple[int, str, str, int]
"""Chunk id, search text, words of the title and the file's name, document id."""


@cache
def _analyzer() -> tantivy.TextAnalyzer:
    from tantivy import Filter, TextAnalyzerBuilder, Tokenizer

    # Search texts are words already, those in other languages stems, which a query's words become as well.
    return TextAnalyzerBuilder(Tokenizer.whitespace()).filter(Filter.stemmer("english")).build()


def stem_words(text: str) -> list[str]:
    """The stems of words separated by spaces, as the index holds them."""
    return _analyzer().analyze(text)


@cache
def _schema() -> tantivy.Schema:
    from tantivy import SchemaBuilder

    builder = SchemaBuilder()
    builder.add_integer_field(ID, indexed=True, fast=True)
    builder.add_integer_field(DOCUMENT, indexed=True)
    builder.add_text_field(BODY, tokenizer_name=_ANALYZER, index_option="position")
    builder.add_text_field(TITLE, tokenizer_name=_ANALYZER, index_option="freq")
    builder.add_text_field(LANGUAGE, tokenizer_name="raw", index_option="basic")
    builder.add_text_field(OWNER, tokenizer_name="raw", index_option="basic")
    builder.add_integer_field(SEQUENCE, fast=True)
    builder.add_integer_field(COUNT, fast=True)
    builder.add_integer_field(WORDS, fast=True)
    return builder.build()


class KeywordBuild:
    """Searches an index, and writes it where it was opened for that."""

    def __init__(
        self, index: tantivy.Index, folder: Path | None, owner: str, *, writable: bool, memory: int = WRITER_BYTES
    ) -> None:
        self.folder = folder
        index.register_tokenizer(_ANALYZER, _analyzer())
        index.config_reader("manual")
        self._index = index
        self._owner = owner
        self._writer = index.writer(memory, 1) if writable else None
        self._searcher = index.searcher()
        self.sequence, self._words = self._read_state()
        self.languages = self._read_languages()

    @property
    def writable(self) -> bool:
        """Whether ``change`` can be called."""
        return self._writer is not None

    def chunk_count(self) -> int:
        """Chunks in the index as it was last loaded."""
        return self._searcher.num_docs - (self.sequence >= 0)

    def chunk_ids(self) -> set[int]:
        """Ids of the chunks in the index as it was last loaded."""
        from tantivy import Query

        searcher = self._searcher
        hits = searcher.search(Query.all_query(), max(1, searcher.num_docs), count=False).hits
        ids = searcher.fast_field_values(ID, [address for _, address in hits])
        return {int(chunk_id) for chunk_id in ids if chunk_id}

    def document_frequency(self, term: str) -> int:
        """In how many chunks a stem occurs."""
        return self._searcher.doc_freq(BODY, term)

    def is_in_title(self, term: str) -> bool:
        """Whether the title or the path of a chunk's document holds a stem."""
        return self._searcher.doc_freq(TITLE, term) > 0

    def average_length(self) -> float:
        """Words of a chunk on average, or 0; exact as long as no chunk was removed."""
        count = self.chunk_count()
        return self._words / count if count else 0.0

    def reload(self) -> None:
        """See the last commit, of whatever process."""
        self._index.reload()
        self._searcher = self._index.searcher()
        self.sequence, self._words = self._read_state()
        self.languages = self._read_languages()

    def change(self, removed: Iterable[int], added: Iterable[IndexRow], sequence: int) -> None:
        """Remove chunks, add rows, and commit that the library's change ``sequence`` is reached.

        Ids that are there already are replaced. Raises ValueError or OSError when the disk is full, say.
        """
        count, average = self.chunk_count(), self.average_length()
        if count:
            added = list(added)
            count -= self._delete({*removed, *(row[0] for row in added)})
        length = round(count * average)
        for chunk_id, text, title, document_id in added:
            body, foreign = index_text(text)
            language = foreign or ENGLISH
            self._add({ID: chunk_id, BODY: body, TITLE: title, DOCUMENT: document_id, LANGUAGE: language})
            count += 1
            length += body.count(" ") + 1
        self._delete({STATE_ID})
        self._add({ID: STATE_ID, OWNER: self._owner, SEQUENCE: sequence, COUNT: count, WORDS: length})
        self._writing().commit()
        self.reload()

    def search(self, query: KeywordQuery, limit: int, documents: Sequence[int] = ()) -> list[tuple[int, float]]:
        """(chunk id, BM25) of the best ``limit`` chunks, best first; only chunks of ``documents`` if there are any."""
        from tantivy import Occur, Query

        wanted = build_query(query, _schema(), stem_words)
        if documents:
            inside = Query.term_set_query(_schema(), DOCUMENT, documents)
            scope = Query.const_score_query(inside, 0.0)
            wanted = Query.boolean_query([(Occur.Must, wanted), (Occur.Must, scope)])
        searcher = self._searcher
        hits = searcher.search(wanted, max(1, limit), count=False).hits
        ids = searcher.fast_field_values(ID, [address for _, address in hits])
        return [(int(chunk_id), float(score)) for (score, _), chunk_id in zip(hits, ids, strict=True) if chunk_id]

    def stop_writing(self) -> None:
        """Go on as a reader after writing failed: what was not committed is dropped."""
        self._writer = None

    def close(self) -> None:
        """Let background merges end and release the writer's lock."""
        if self._writer is not None:
            self._writer.wait_merging_threads()
            self._writer = None

    def _writing(self) -> tantivy.IndexWriter:
        if self._writer is None:
            raise ValueError("the index is open for reading only")
        return self._writer

    def _add(self, fields: dict[str, int | str]) -> None:
        from tantivy import Document

        self._writing().add_document(Document(**fields))

    def _delete(self, ids: set[int]) -> int:
        """Delete documents with the next commit. Returns how many of them there are."""
        from tantivy import Query

        found = 0
        remaining = sorted(ids)
        for start in range(0, len(remaining), COUNT_AT_ONCE):
            query = Query.term_set_query(_schema(), ID, remaining[start : start + COUNT_AT_ONCE])
            result: Any = self._searcher.search(query, 1, count=True)
            found += result.count
            self._writing().delete_documents_by_query(query)
        return found

    def _read_languages(self) -> tuple[str, ...]:
        """Languages of chunks beside English, by their ISO 639-1 codes."""
        return tuple(each for each in STEMMERS if self._searcher.doc_freq(LANGUAGE, each))

    def _read_state(self) -> tuple[int, int]:
        """(change that was reached, words in all chunks); (-1, 0) where no finished build of this owner is."""
        from tantivy import Query

        searcher = self._searcher
        hits = searcher.search(Query.term_query(_schema(), OWNER, self._owner), 2, count=False).hits
        if len(hits) != 1:
            return -1, 0
        state = [searcher.fast_field_values(field, [hits[0][1]])[0] for field in (SEQUENCE, COUNT, WORDS)]
        sequence, count, length = (-1 if each is None else int(each) for each in state)
        return (sequence, length) if searcher.num_docs - 1 == count else (-1, 0)


def start_build(folder: Path | None, owner: str) -> KeywordBuild:
    """An empty build in a new folder, or in memory."""
    import tantivy

    if folder is None:
        return KeywordBuild(tantivy.Index(_schema()), None, owner, writable=True)
    folder.mkdir(parents=True)
    index = tantivy.Index(_schema(), path=str(folder))
    return KeywordBuild(index, folder, owner, writable=True, memory=BULK_WRITER_BYTES)


def open_build(folder: Path, owner: str, settings: bytes, *, writable: bool) -> KeywordBuild:
    """Open a finished build with that ``settings_digest``. Raises ``DamagedKeywordIndexError`` for anything else."""
    import tantivy

    verify_folder(folder, settings)
    try:
        build = KeywordBuild(tantivy.Index.open(str(folder)), folder, owner, writable=writable)
    except (OSError, ValueError) as error:
        raise DamagedKeywordIndexError(f"{folder.name}: {error}") from error
    if build.sequence < 0:
        build.close()
        raise DamagedKeywordIndexError(f"{folder.name} is unfinished, altered or of another library")
    return build
