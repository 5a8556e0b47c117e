"""The retrieval sets that quality is measured on: documents, queries, and how a ranking of passages is scored.

A set's own scorer (``metrics.py``, which comes with the data) judges wherever it has one for the set.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

from app.domain.documents import ParsedDocument, Section, assemble
from tests.benchmarks.peers.pipeline import Hit

REPOSITORY = Path(__file__).resolve().parent.parent.parent
CHUNKS_FOR_TEN_DOCUMENTS = 40
FILING_CHUNKS, FILING_TOKENS = 10, 2_560
EVALUATED_CHUNKS = 5
LANGUAGES = ("en", "es", "zh")


@dataclass(frozen=True)
class TextDocument:
    """A document given as text; ``name`` is what judgements call it."""

    name: str
    title: str
    text: str

    def parsed(self) -> ParsedDocument:
        """As a loader would hand it over."""
        return assemble([Section(self.text)], title=self.title, media_type="text/plain")


@dataclass(frozen=True)
class FileDocument:
    """A document given as a file, read as the program reads it."""

    name: str
    path: Path


@dataclass(frozen=True)
class Question:
    """A query; ``document`` names the one document to search, if it is known."""

    id: str
    text: str
    document: str | None = None


@dataclass(frozen=True)
class RetrievalSet:
    """Documents and questions that are ranked and scored together. ``k`` chunks are looked at for each question.

    ``excerpts`` tells that places in a text are judged, so that at most ``k`` excerpts can be as well as ``k`` chunks.
    """

    name: str
    documents: Sequence[TextDocument | FileDocument]
    questions: Sequence[Question]
    k: int
    scorer: Scorer
    excerpts: bool = False


class Scorer(Protocol):
    """Scores ranked hits by question id; the figures by name, each in percent or from 0 to 1 as published."""

    def __call__(self, found: Mapping[str, Sequence[Hit]], tokens: Mapping[str, Sequence[int]]) -> dict[str, float]: ...


def load_metrics(data: Path) -> ModuleType:
    """The reference scorer of the data. Raises ``FileNotFoundError``."""
    path = data / "scoring" / "metrics.py"
    specification = importlib.util.spec_from_file_location(path.stem, path)
    if specification is None or specification.loader is None or not path.exists():
        raise FileNotFoundError(path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@dataclass(frozen=True)
class DocumentScorer:
    """nDCG@10 over documents, each counting as its best chunk."""

    metrics: ModuleType
    judgements: Mapping[str, Mapping[str, int]]

    def __call__(self, found: Mapping[str, Sequence[Hit]], tokens: Mapping[str, Sequence[int]]) -> dict[str, float]:
        """``tokens`` don't matter here."""
        run = {each: list(dict.fromkeys(hit.file for hit in hits)) for each, hits in found.items()}
        return {"nDCG@10": float(self.metrics.retrieval(self.judgements, run)["ndcg@10"])}


@dataclass(frozen=True)
class PageScorer:
    """Share of the questions one of whose pages is among the first chunks that fit the budget of tokens.

    ``pages`` holds pairs (document, page from 1).
    """

    pages: Mapping[str, frozenset[tuple[str, int]]]
    chunks: int = FILING_CHUNKS
    budget: int = FILING_TOKENS

    def __call__(self, found: Mapping[str, Sequence[Hit]], tokens: Mapping[str, Sequence[int]]) -> dict[str, float]:
        """Chunks count from the best on until the budget is used up."""
        hits = sum(self.found(each, found.get(each, ()), tokens.get(each, ())) for each in self.pages)
        return {"page found": hits / len(self.pages), "questions found": float(hits)}

    def found(self, question: str, hits: Sequence[Hit], tokens: Sequence[int]) -> bool:
        """Whether the page is there for one question."""
        used = 0
        for hit, size in zip(hits[: self.chunks], tokens, strict=False):
            used += size
            if used > self.budget:
                return False
            if hit.page is not None and (hit.file, hit.page) in self.pages[question]:
                return True
        return False


@dataclass(frozen=True)
class SpanScorer:
    """Recall and IoU of characters, in percent."""

    metrics: ModuleType
    queries: Sequence[Mapping[str, Any]]

    def __call__(self, found: Mapping[str, Sequence[Hit]], tokens: Mapping[str, Sequence[int]]) -> dict[str, float]:
        """``tokens`` don't matter here."""
        run = {
            each: [{"corpus_id": hit.file, "start": hit.start, "end": hit.end} for hit in hits]
            for each, hits in found.items()
        }
        scores = self.metrics.spans(self.queries, run, EVALUATED_CHUNKS)
        return {"recall": float(scores["recall"]), "IoU": float(scores["iou"])}


@dataclass
class RetrievalData:
    """Makes the sets out of the reference data."""

    data: Path
    metrics: ModuleType = field(init=False)

    def __post_init__(self) -> None:
        self.metrics = load_metrics(self.data)

    def scifact(self, part: str = "test") -> RetrievalSet:
        """Claims and abstracts (BEIR); ``part`` is ``train`` or ``test``."""
        folder = self.data / "retrieval" / "scifact"
        judged = self.metrics.read_qrels(str(folder / "qrels" / f"{part}.tsv"))
        documents = [TextDocument(row["_id"], row["title"], row["text"]) for row in json_lines(folder / "corpus.jsonl")]
        texts = {row["_id"]: row["text"] for row in json_lines(folder / "queries.jsonl")}
        questions = [Question(each, texts[each]) for each in judged]
        return RetrievalSet(
            "SciFact", documents, questions, CHUNKS_FOR_TEN_DOCUMENTS, DocumentScorer(self.metrics, judged)
        )

    def xquad(self, language: str) -> RetrievalSet:
        """Questions and paragraphs of one language."""
        folder = self.data / "retrieval" / "xquad" / language
        judged = self.metrics.read_qrels(str(folder / "qrels.tsv"))
        documents = [
            TextDocument(row["_id"], row.get("title", ""), row["text"]) for row in json_lines(folder / "corpus.jsonl")
        ]
        questions = [Question(row["_id"], row["text"]) for row in json_lines(folder / "queries.jsonl")]
        scorer = DocumentScorer(self.metrics, judged)
        return RetrievalSet(f"XQuAD {language}", documents, questions, CHUNKS_FOR_TEN_DOCUMENTS, scorer)

    def filings(self, *, inside: bool) -> RetrievalSet:
        """FinanceBench: the page with the evidence. ``inside`` searches only the right document."""
        folder = self.data / "retrieval" / "financebench"
        pages = {
            question: frozenset((name.rpartition("#p")[0], int(name.rpartition("#p")[2]) + 1) for name in names)
            for question, names in self.metrics.read_qrels(str(folder / "qrels.tsv")).items()
        }
        asked = {row["_id"]: row["text"] for row in json_lines(folder / "queries.jsonl")}
        return self._filings("FinanceBench", pages, asked, inside=inside)

    def own_filings(self, *, inside: bool) -> RetrievalSet:
        """Questions of our own about the same filings, for choosing settings."""
        rows = json_lines(Path(__file__).resolve().parent / "data" / "filings_tuning.jsonl")
        named = {f"own-{number}": row for number, row in enumerate(rows)}
        pages = {each: frozenset((row["document"], page + 1) for page in row["pages"]) for each, row in named.items()}
        asked = {each: row["question"] for each, row in named.items()}
        return self._filings("our own questions about filings", pages, asked, inside=inside)

    def _filings(
        self, name: str, pages: Mapping[str, frozenset[tuple[str, int]]], asked: Mapping[str, str], *, inside: bool
    ) -> RetrievalSet:
        folder = self.data / "retrieval" / "financebench" / "pdfs"
        documents = [FileDocument(file.stem, file) for file in sorted(folder.glob("*.pdf"))]
        questions = [Question(each, asked[each], next(iter(pages[each]))[0] if inside else None) for each in pages]
        place = "inside the document" if inside else "all documents"
        return RetrievalSet(f"{name}, {place}", documents, questions, FILING_CHUNKS, PageScorer(pages))

    def chunking(self) -> RetrievalSet:
        """Chroma's chunking evaluation on two corpora: plain text, whose offsets the references count in."""
        folder = self.data / "retrieval" / "chunking_eval"
        rows = json_lines(folder / "queries.jsonl")
        documents = [
            TextDocument(file.stem, "", file.read_bytes().decode("utf-8"))
            for file in sorted((folder / "corpora").iterdir())
        ]
        questions = [Question(row["_id"], row["text"]) for row in rows]
        return RetrievalSet(
            "chunking evaluation", documents, questions, EVALUATED_CHUNKS, SpanScorer(self.metrics, rows), excerpts=True
        )


def json_lines(path: Path) -> list[dict[str, Any]]:
    """The objects of a JSON lines file."""
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]
