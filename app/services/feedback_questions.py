"""Questions to measure search with, made of what the user judged and opened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.documents import DocumentRecord
from app.domain.feedback import FeedbackExample, Judgement
from app.services.evaluation_targets import SEARCHABLE, EvaluationQuestion, Target, quote_spans
from app.storage.library_store import LibraryStore


@dataclass(frozen=True, slots=True)
class KeptQuestions:
    """``rejected`` counts answers with thumbs down, which name no right place; ``gone`` counts places whose file is no
    longer in the library. Neither is among ``questions``."""

    questions: tuple[EvaluationQuestion, ...]
    rejected: int
    gone: int


def questions_from(examples: Sequence[FeedbackExample], store: LibraryStore) -> KeptQuestions:
    """One question for each text that was asked, with the places that were approved or opened.

    What was opened in an answer that got thumbs down counts for nothing. A file that has changed counts as a whole.
    """
    rejected = {each.message_id for each in examples if each.judgement is Judgement.DOWN}
    finder = _PlaceFinder(store)
    targets: dict[str, dict[Target, None]] = {}
    gone = 0
    for each in examples:
        if each.message_id in rejected or not each.number or not each.question.strip():
            continue
        target = finder.target(each)
        if target is None:
            gone += 1
        else:
            targets.setdefault(each.question.strip(), {})[target] = None
    questions = tuple(EvaluationQuestion(text, tuple(found)) for text, found in targets.items())
    return KeptQuestions(questions, len(rejected), gone)


class _PlaceFinder:
    """Finds the document that an example came from: the same content wherever it is now, else the same path."""

    def __init__(self, store: LibraryStore) -> None:
        self._store = store
        documents = [record for record in store.documents() if record.state in SEARCHABLE]
        self._by_hash: dict[str, list[DocumentRecord]] = {}
        for record in documents:
            self._by_hash.setdefault(record.content_hash, []).append(record)
        self._by_path = {record.path: record for record in documents}

    def target(self, example: FeedbackExample) -> Target | None:
        same = self._by_hash.get(example.file_hash, []) if example.file_hash else []
        if not same:
            record = self._by_path.get(example.path)
            return None if record is None else Target(record.path.name, frozenset({record.id}))
        ids = frozenset(record.id for record in same)
        label = same[0].path.name
        pages = frozenset((each, example.page) for each in ids) if example.page is not None else frozenset()
        spans = [
            (record.id, *span) for record in same for span in quote_spans(self._text(record.id), example.quote)[:1]
        ]
        return Target(label, ids, pages, tuple(spans))

    def _text(self, document_id: int) -> str:
        return self._store.document_text(document_id)
