"""The sentences of passages that may stand in an answer, with all that is known of them before they are embedded."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.grounding.questions import AnswerKind, answer_kind, holds_kind
from app.grounding.sentences import split_sentences
from app.grounding.terms import terms
from app.retrieval.search_text import words

LONGEST_QUOTE = 600
_FEWEST_WORDS = 4
_FEWEST_CELLS = 2
_HEADING_WORDS = 10
_UNKNOWN_SIMILARITY = 0.35
_BULLET = re.compile(r"(?:[-*+•‣◦▪●·–—>]\s+)+")

_CELL_ENDS = re.compile(r"[\t|]")


@dataclass(frozen=True, slots=True)
class GivenPassage:
    """A passage as a model is given it: its id in the prompt, its text and what stands above it.

    ``document`` is the same for passages of one document, where ``start`` is the passage's place.
    """

    id: str
    text: str
    context: str = ""
    similarity: float | None = None
    document: int | str = ""
    start: int = 0


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence ``passage.text[start:end]``, and what the words alone say about it. All shares are from 0 to 1.

    ``context`` is what a reader would have read above it: title, headings, the last heading or question before it.
    ``in_sentence``, ``in_context`` and ``in_passage`` are the shares of the question's words, weighted by rarity, that
    stand in the sentence, in the sentence or its context, and anywhere in the passage. ``fits`` says that it holds the
    kind of fact asked for, ``replies`` that it follows a question of the document's own, ``is_row`` that it is a row of
    a table, whose first row, if it has no figures, is ``header``; ``named`` that the question names its first cell.
    """

    passage: GivenPassage
    rank: int
    start: int
    end: int
    context: str
    in_sentence: float
    in_context: float
    in_passage: float
    fits: bool
    replies: bool = False
    is_row: bool = False
    header: str = ""
    named: bool = False

    @property
    def text(self) -> str:
        """The sentence as it stands in the passage."""
        return self.passage.text[self.start : self.end]

    @property
    def place(self) -> int:
        """Where the sentence begins in its document."""
        return self.passage.start + self.start

    @property
    def passage_similarity(self) -> float:
        """The passage's similarity to the question, a middling value where it wasn't measured."""
        return _UNKNOWN_SIMILARITY if self.passage.similarity is None else self.passage.similarity


class CandidateFinder:
    """Reads the passages of one question."""

    def __init__(self, question: str, passages: Sequence[GivenPassage]) -> None:
        self.kind = answer_kind(question)
        self._passages = passages
        self._wanted = tuple(dict.fromkeys(terms(question)))
        self._words = [frozenset(terms(f"{each.context}\n{each.text}")) for each in passages]
        self._weights = _rarity(self._wanted, self._words)

    def candidates(self) -> list[Candidate]:
        """Return the sentences in order of passages, each text once. Headings and questions are no candidates."""
        found: dict[str, Candidate] = {}
        for rank, passage in enumerate(self._passages):
            for candidate in self._sentences(rank, passage):
                found.setdefault(" ".join(candidate.text.split()), candidate)
        return list(found.values())

    def _sentences(self, rank: int, passage: GivenPassage) -> Iterable[Candidate]:
        above, replies = "", False
        header: str | None = None
        title = frozenset(terms(passage.context)) if passage.context else frozenset()
        in_passage = self._share(self._words[rank])
        for span in split_sentences(passage.text):
            start, end = _quotable(passage.text, *span)
            text = passage.text[start:end]
            if not _is_statement(text) or (start == span[0] and _is_heading(passage.text, start, end)):
                above, replies = text.lstrip("# "), _is_question(text)
                continue
            row = _is_row(text)
            header = (_heads(text) if header is None else header) if row else None
            below = header if header and header != text else ""
            own = frozenset(terms(f"{below} {text}"))
            around = own | title | frozenset(terms(above) if above else ())
            yield Candidate(
                passage=passage,
                rank=rank,
                start=start,
                end=end,
                context=". ".join(dict.fromkeys(part for part in (passage.context, above) if part)),
                in_sentence=self._share(own),
                in_context=self._share(around),
                in_passage=in_passage,
                fits=self.kind is not AnswerKind.OPEN and holds_kind(text, self.kind, self._wanted),
                replies=replies,
                is_row=row,
                header=below,
                named=row and self._names(text),
            )
            replies = False

    def _names(self, row: str) -> bool:
        """Whether all words of a row's first cell stand in the question."""
        label = next((cell for cell in _CELL_ENDS.split(row) if cell.strip()), "")
        return bool(words(label)) and set(terms(label)) <= set(self._wanted)

    def _share(self, found: frozenset[str]) -> float:
        total = sum(self._weights.values())
        return sum(weight for term, weight in self._weights.items() if term in found) / total if total else 0.0


def _quotable(text: str, start: int, end: int) -> tuple[int, int]:
    """Leave out the bullet of a list item, and the end of what is too long to quote."""
    bullet = _BULLET.match(text, start, end)
    if bullet:
        start = bullet.end()
    if end - start > LONGEST_QUOTE:
        end = start + LONGEST_QUOTE
        space = text.rfind(" ", start, end)
        end = space if space > start else end
    return start, end


def _is_statement(text: str) -> bool:
    if text.startswith(("#", "```", "~~~")) or _is_question(text):
        return False
    return len(words(text)) >= (_FEWEST_CELLS if _is_row(text) else _FEWEST_WORDS)


def _is_heading(text: str, start: int, end: int) -> bool:
    """Tell a line that stands for itself, short, without a full stop or a figure, from a sentence."""
    line = text[start:end]
    alone = "\n" not in line and text[end : end + 1] == "\n" and (not start or text[start - 1] == "\n")
    says_little = not any(each.isdigit() or each in ":|\t" for each in line) and len(words(line)) <= _HEADING_WORDS
    return alone and says_little and not line.endswith(tuple(".!…。！।;,"))


def _is_row(text: str) -> bool:
    return "\t" in text or " | " in text or text.count("|") > 1


def _heads(row: str) -> str:
    """A table's first row, if it says what the columns mean; it does without a figure."""
    return "" if any(map(str.isdigit, row)) else row


def _is_question(text: str) -> bool:
    return text.rstrip("\"'”’)* ").endswith(("?", "？", "؟"))


def _rarity(wanted: Iterable[str], texts: Sequence[frozenset[str]]) -> Mapping[str, float]:
    """Weight the question's terms by how few of the passages hold them (the idf of BM25, never negative)."""
    counts = Counter(term for text in texts for term in text)
    count = len(texts)
    return {term: math.log(1 + (count - counts[term] + 0.5) / (counts[term] + 0.5)) for term in wanted}
