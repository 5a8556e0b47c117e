"""Numbers the footnotes of an answer and keeps what each of them quotes.

A footnote is a place: the span of one passage that a sentence rests on. Two sentences that rest on different spans of
one passage get two numbers, the same span gets its number again. Numbers follow the order of appearance. While the
answer streams a marker is aligned with the sentence before it, as far as it has come; ``finish`` aligns once more with
the whole sentence, so the quotes of the finished answer are the final ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from app.domain.citations import AnswerSentence, Citation
from app.domain.passages import Passage
from app.domain.pictures import PICTURE
from app.grounding.alignment import PassageAligner
from app.grounding.code_fences import code_spans
from app.grounding.markers import GENERAL, Marker, Piece
from app.grounding.sentences import split_sentences

_LOOK_BACK = 2_000


@dataclass(slots=True)
class _Use:
    """A marker in the answer: where its number stands, and the passage it came from."""

    start: int
    end: int
    number: int
    passage_id: str


@dataclass(frozen=True, slots=True)
class Claim:
    """What a sentence says, without its numbers; the passages it names, and whether it claims to rest on none."""

    text: str
    passage_ids: tuple[str, ...] = ()
    general: bool = False


@dataclass(frozen=True, slots=True)
class Addition:
    """What a piece of the stream adds to the answer: text to show and the footnotes that begin with it."""

    text: str
    citations: tuple[Citation, ...] = ()


class FootnoteWriter:
    """Writes an answer piece by piece. One writer serves one answer."""

    def __init__(self, passages: Mapping[str, Passage]) -> None:
        self._passages = passages
        self._aligners: dict[str, PassageAligner] = {}
        self._parts: list[str] = []
        self._length = 0
        self._uses: list[_Use] = []
        self._citations: dict[int, Citation] = {}
        self._numbers: dict[tuple[str, int, int], int] = {}
        self._general: list[int] = []

    @property
    def text(self) -> str:
        """The answer so far, with numbers such as ``[1]`` for markers."""
        return "".join(self._parts)

    @property
    def citations(self) -> tuple[Citation, ...]:
        """The footnotes so far, by number."""
        return tuple(self._citations.values())

    @property
    def sources(self) -> dict[int, Passage]:
        """The passage behind each footnote, by number."""
        return {use.number: self._passages[use.passage_id] for use in self._uses}

    def add(self, pieces: Sequence[Piece]) -> list[Addition]:
        """Append what the marker parser found."""
        return [self._cite(piece) if isinstance(piece, Marker) else self._append(piece) for piece in pieces]

    def finish(self) -> tuple[tuple[AnswerSentence, ...], tuple[Citation, ...]]:
        """Split the answer into sentences and settle every footnote's quote."""
        text = self.text
        sentences: list[AnswerSentence] = []
        settled: set[int] = set()
        for start, end in self._sentence_spans():
            uses = [use for use in self._uses if start <= use.start < end]
            for use in uses:
                if use.number not in settled:
                    settled.add(use.number)
                    self._settle(use, self._bare(start, end))
            numbers = tuple(dict.fromkeys(use.number for use in uses))
            sentences.append(AnswerSentence(text[start:end], start, end, numbers))
        return tuple(sentences), self.citations

    def claims(self) -> tuple[Claim, ...]:
        """What the sentences that ``finish`` returns say, in their order; nothing, where they are lines of code."""
        code = code_spans(self.text)
        return tuple(
            Claim("", ()) if any(first <= start < last for first, last in code) else self._claim(start, end)
            for start, end in self._sentence_spans()
        )

    def _sentence_spans(self) -> list[tuple[int, int]]:
        text = self.text
        return [(start, end) for start, end in split_sentences(text) if not PICTURE.match(text, start, end)]

    def _claim(self, start: int, end: int) -> Claim:
        ids = dict.fromkeys(use.passage_id for use in self._uses if start <= use.start < end)
        # A mark of general knowledge stands behind its sentence, where no text remains of it.
        general = any(start < place <= end for place in self._general)
        return Claim(self._bare(start, end), tuple(ids), general)

    def _append(self, text: str) -> Addition:
        self._parts.append(text)
        self._length += len(text)
        return Addition(text)

    def _cite(self, marker: Marker) -> Addition:
        sentence = self._sentence_so_far()
        fresh: list[Citation] = []
        written = ""
        for passage_id in marker.passage_ids:
            if passage_id == GENERAL:
                self._general.append(len(self.text.rstrip()))
                continue
            number = self._number(passage_id, sentence, fresh)
            shown = f"[{number}]"
            start = self._length
            self._uses.append(_Use(start, start + len(shown), number, passage_id))
            self._append(shown)
            written += shown
        return Addition(written, tuple(fresh))

    def _number(self, passage_id: str, sentence: str, fresh: list[Citation]) -> int:
        start, end = self._align(passage_id, sentence)
        number = self._numbers.setdefault((passage_id, start, end), len(self._citations) + 1)
        if number not in self._citations:
            self._citations[number] = _citation(number, self._passages[passage_id], start, end)
            fresh.append(self._citations[number])
        return number

    def _settle(self, use: _Use, sentence: str) -> None:
        start, end = self._align(use.passage_id, sentence)
        citation = _citation(use.number, self._passages[use.passage_id], start, end)
        self._citations[use.number] = replace(citation, boxes=self._citations[use.number].boxes)

    def _align(self, passage_id: str, sentence: str) -> tuple[int, int]:
        aligner = self._aligners.get(passage_id)
        if aligner is None:
            aligner = self._aligners[passage_id] = PassageAligner(self._passages[passage_id].text)
        found = aligner.align(sentence)
        return found.start, found.end

    def _sentence_so_far(self) -> str:
        """The last sentence of the answer, without numbers; empty when nothing was written yet."""
        begin = max(0, self._length - _LOOK_BACK)
        tail = self.text[begin:]
        spans = split_sentences(tail)
        for start, end in reversed(spans):
            bare = self._bare(begin + start, begin + end)
            if any(each.isalnum() for each in bare):
                return bare
        return ""

    def _bare(self, start: int, end: int) -> str:
        """``text[start:end]`` without the numbers of footnotes."""
        text = self.text
        pieces: list[str] = []
        position = start
        for use in self._uses:
            if start <= use.start < end:
                pieces.append(text[position : use.start])
                position = use.end
        pieces.append(text[position:end])
        return "".join(pieces).strip()


def _citation(number: int, passage: Passage, start: int, end: int) -> Citation:
    """A footnote on ``passage.text[start:end]``; the offsets become those in the document."""
    return Citation(
        number=number,
        document_id=passage.document_id,
        path=passage.path,
        title=passage.title,
        file_hash=passage.file_hash,
        start=passage.start + start,
        end=passage.start + end,
        quote=passage.text[start:end],
        page=passage.page,
        score=passage.score,
    )
