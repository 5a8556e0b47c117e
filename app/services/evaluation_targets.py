"""From files, pages and quotes as a user writes them to documents and places of the library."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from app.domain.documents import DocumentRecord, DocumentState
from app.domain.passages import Passage, Scope
from app.services.evaluation_file import QuestionRow, RowError
from app.storage.library_store import LibraryStore

SEARCHABLE = (DocumentState.READY, DocumentState.OFFLINE)
SUGGESTIONS = 3
MOST_SPANS = 50

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Target:
    """What answers a question: any of ``document_ids`` and, if places are known, one of them.

    ``pages`` are (document id, page); ``spans`` are (document id, start, end) of a quote.
    """

    label: str
    document_ids: frozenset[int]
    pages: frozenset[tuple[int, int]] = frozenset()
    spans: tuple[tuple[int, int, int], ...] = ()

    @property
    def has_place(self) -> bool:
        """Whether more than the file is known."""
        return bool(self.pages or self.spans)

    def holds(self, passage: Passage) -> bool:
        """Whether a passage stands on the right page, or holds half of the quote, or lies half in it."""
        if passage.page is not None and (passage.document_id, passage.page) in self.pages:
            return True
        return any(
            passage.document_id == document_id and _overlaps((passage.start, passage.end), (start, end))
            for document_id, start, end in self.spans
        )


@dataclass(frozen=True, slots=True)
class EvaluationQuestion:
    """A question, what answers it, and where it may look. ``line`` is None for one that was kept by the window."""

    text: str
    targets: tuple[Target, ...]
    scope: Scope = field(default_factory=Scope)
    line: int | None = None


class TargetFinder:
    """Finds what rows mean in the library as it is now. May raise ``StorageError``."""

    def __init__(self, store: LibraryStore) -> None:
        self._store = store
        self._documents = store.documents()
        self._folded = [(record, _folded(record.path)) for record in self._documents]
        self._addresses = {origin.url: origin.path for origin in store.origins()}

    def question(self, row: QuestionRow) -> EvaluationQuestion:
        """The row with its targets. Raises ``RowError`` if the library doesn't hold them."""
        targets = tuple(self._target(name, row) for name in row.files)
        folders, collections = self._folders(row), self._collections(row)
        scope = Scope(folders=tuple(sorted(folders)), collections=collections)
        if not scope.everything:
            self._check_inside(targets, folders, collections)
        return EvaluationQuestion(row.question, targets, scope, row.line)

    def _check_inside(self, targets: Sequence[Target], folders: frozenset[Path], collections: frozenset[int]) -> None:
        """A question that may not look where its answer is can't be meant so."""
        inside = {each.id for each in self._documents if not folders or not folders.isdisjoint(each.path.parents)}
        for collection in collections:
            inside &= set(self._store.collection_members(collection))
        outside = [target.label for target in targets if target.document_ids.isdisjoint(inside)]
        if outside:
            raise RowError(f"“{outside[0]}” is not in the folder or collection that is searched")

    def _collections(self, row: QuestionRow) -> frozenset[int]:
        if not row.collection:
            return frozenset()
        found = self._store.collection_named(row.collection)
        if found is None:
            names = [each.name for each in self._store.collections()]
            raise RowError(f"there is no collection “{row.collection}”{_suggestion(row.collection, names)}")
        return frozenset({found.id})

    def _folders(self, row: QuestionRow) -> frozenset[Path]:
        if not row.folder:
            return frozenset()
        folder = _path(row.folder)
        names = {parent for record in self._documents for parent in record.path.parents}
        found = [each for each in names if each == folder or each.parts[-len(folder.parts) :] == folder.parts]
        if not found:
            raise RowError(f"the library holds nothing in a folder “{row.folder}”")
        return frozenset(found)

    def _target(self, name: str, row: QuestionRow) -> Target:
        matching = self._matching(name)
        found = [record for record in matching if record.state in SEARCHABLE]
        if not found and matching:
            raise RowError(f"“{name}” is in the library, but not readable or not read yet")
        if not found:
            names = [record.path.name for record in self._documents]
            hint = ": no file fits the pattern" if _is_pattern(name) else _suggestion(Path(name).name, names)
            raise RowError(f"“{name}” is not in the library{hint}")
        ids = frozenset(record.id for record in found)
        if row.quote:
            return self._with_quote(name, row, found)
        if row.page is None:
            return Target(name, ids)
        with_page = [record for record in found if record.page_count and row.page <= record.page_count]
        if not with_page:
            raise RowError(_without_page(name, row.page, found))
        return Target(name, ids, frozenset((record.id, row.page) for record in with_page))

    def _matching(self, name: str) -> list[DocumentRecord]:
        """By address, whole path, last parts of the path, name without its ending, and at last as a pattern."""
        path = self._addresses.get(name, _path(name))
        parts = tuple(part.casefold() for part in path.parts)
        exact = [each for each in self._documents if each.path == path]
        if exact or (path.is_absolute() and not _is_pattern(name)):
            return exact
        ending = [record for record, folded in self._folded if folded[-len(parts) :] == parts]
        if ending:
            return ending
        named = [each for each in self._documents if each.path.stem.casefold() == name.casefold()]
        if named or not _is_pattern(name):
            return named
        return [each for each in self._documents if _fits(each.path, name.casefold())]

    def _with_quote(self, name: str, row: QuestionRow, found: Sequence[DocumentRecord]) -> Target:
        places = [place for record in found for place in self._places(record.id, row.quote)]
        if not places:
            raise RowError(f"“{name}” does not hold the quote “{_short(row.quote)}”")
        if row.page is not None:
            on_page = [place for place in places if place[3] == row.page]
            if not on_page:
                raise RowError(f"the quote is not on page {row.page} of “{name}”{_other_page(places[0][3])}")
            places = on_page
        return Target(
            name,
            frozenset(place[0] for place in places),
            frozenset((document, page) for document, _, _, page in places if page is not None),
            tuple((document, start, end) for document, start, end, _ in places),
        )

    def _places(self, document_id: int, quote: str) -> list[tuple[int, int, int, int | None]]:
        spans = quote_spans(self._store.document_text(document_id), quote)
        if not spans:
            return []
        sections = self._store.sections(document_id)
        pages = [next((each.page for each in sections if each.start <= start < each.end), None) for start, _ in spans]
        return [(document_id, *span, page) for span, page in zip(spans, pages, strict=True)]


def _suggestion(name: str, names: Sequence[str]) -> str:
    """The names that are most like ``name``, as a question."""
    folded = {each.casefold(): each for each in names}
    wanted = name.casefold()
    close = difflib.get_close_matches(wanted, folded, SUGGESTIONS, cutoff=0.7)
    close += [each for each in folded if wanted and wanted in each and each not in close]
    return f"; did you mean {' or '.join(f'“{folded[each]}”' for each in close[:SUGGESTIONS])}?" if close else ""


def quote_spans(text: str, quote: str) -> list[Span]:
    """Where ``quote`` stands in ``text``, whatever the white space and the case; at most the first 50."""
    pattern = re.compile(r"\s+".join(map(re.escape, quote.split())), re.IGNORECASE)
    spans: list[Span] = []
    for match in pattern.finditer(text) if quote.split() else ():
        spans.append(match.span())
        if len(spans) == MOST_SPANS:
            break
    return spans


def _overlaps(one: Span, two: Span) -> bool:
    shared = min(one[1], two[1]) - max(one[0], two[0])
    return shared > 0 and 2 * shared >= min(one[1] - one[0], two[1] - two[0])


def _path(text: str) -> Path:
    """The path; ``~`` is home only before a separator, as names such as ``~$draft.docx`` are no users' homes."""
    return Path(text).expanduser() if text.startswith(("~/", "~\\")) else Path(text)


def _is_pattern(name: str) -> bool:
    return any(character in name for character in "*?[")


def _fits(path: Path, pattern: str) -> bool:
    whole = path.as_posix().casefold()
    return (
        fnmatchcase(path.name.casefold(), pattern) or fnmatchcase(whole, pattern) or fnmatchcase(whole, f"*/{pattern}")
    )


def _folded(path: Path) -> tuple[str, ...]:
    return tuple(part.casefold() for part in path.parts)


def _without_page(name: str, page: int, found: Sequence[DocumentRecord]) -> str:
    most = max(record.page_count or 0 for record in found)
    if not most:
        return f"“{name}” has no pages: leave the page out, or give a quote"
    return f"“{name}” has {most} {'page' if most == 1 else 'pages'}, so none is page {page}"


def _other_page(page: int | None) -> str:
    return f" but on page {page}" if page is not None else ", which has no pages"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else line[:59] + "…"
