"""Splits documents into chunks that an embedding model can read whole."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from itertools import accumulate, islice, pairwise
from typing import TypeAlias, TypeVar

from app.domain.documents import Chunk, ParsedDocument
from app.retrieval.chunk_context import ContextBuilder, common_headings
from app.retrieval.text_pieces import Break, Piece, cut_finer, document_pieces
from app.settings.setting import Setting

CHUNK_TOKENS = Setting(
    "retrieval.chunk_tokens",
    120,
    "Passage size",
    "About how many tokens of text a passage holds. Small passages are found precisely, large ones tell more.",
    minimum=32,
    maximum=2048,
)

# What a cut costs where 1 is the cost of a chunk of no size.
_CUT_COST = {
    Break.PAGE: 0.0,
    Break.SECTION: 0.0,
    Break.PARAGRAPH: 0.03,
    Break.SENTENCE: 0.10,
    Break.LINE: 0.20,
    Break.CLAUSE: 0.50,
    Break.WORD: 0.80,
    Break.CHARACTER: 1.20,
}
# What text under two headings in one chunk costs, and text beside a table or code under the same heading.
_HEADING_COST = 0.25
_KIND_COST = 0.05
_CONTEXT_SHARE = 1 / 4
_SMALL_PIECE_SHARE = 1 / 16
_CHARACTERS_PER_TOKEN = 8
_TEXTS_AT_ONCE = 4096

T = TypeVar("T")
_Counting: TypeAlias = Generator[Sequence[str], list[int], T]
"""Yields texts, is sent how many tokens each has, and returns a ``T``."""


class TextSplitter:
    """Packs sentences, lines and table rows into chunks of about ``target_tokens``, cut at the best places.

    ``count_tokens`` counts each text's tokens, the model's special tokens included; ``max_tokens`` is its window. A
    chunk with its context never exceeds the window. Nor does its text exceed eight characters a token of the target,
    which matters for runs that a tokenizer gives up on. Cuts minimise the sum over all chunks of
    (1 - tokens / target)² and of what each cut costs. Thread-safe if ``count_tokens`` is.
    """

    def __init__(
        self, count_tokens: Callable[[Sequence[str]], list[int]], *, max_tokens: int, target_tokens: int
    ) -> None:
        self._count_tokens = count_tokens
        self._window = max_tokens
        self._special_tokens = count_tokens([""])[0]
        self._room = max(1, max_tokens - self._special_tokens)
        self._target = max(1, min(target_tokens, self._room))

    @property
    def target_tokens(self) -> int:
        """The size that chunks are cut to."""
        return self._target

    def split(self, document: ParsedDocument) -> list[Chunk]:
        """Chunks in order. They don't overlap or cross a page, and hold every character that is not white space."""
        return self.split_all([document])[0]

    def split_all(self, documents: Sequence[ParsedDocument]) -> list[list[Chunk]]:
        """``split`` for several documents, whose texts are counted together: many small ones cost little more."""
        results: list[list[Chunk]] = [[] for _ in documents]
        counting = {place: self._steps(document) for place, document in enumerate(documents)}
        wanted = {place: next(steps) for place, steps in counting.items()}
        while wanted:
            counts = iter(self._counted([text for texts in wanted.values() for text in texts]))
            for place, texts in list(wanted.items()):
                try:
                    wanted[place] = counting[place].send(list(islice(counts, len(texts))))
                except StopIteration as finished:
                    results[place] = finished.value
                    del wanted[place]
        return results

    def _steps(self, document: ParsedDocument) -> _Counting[list[Chunk]]:
        """Split a document, yielding texts and being sent their numbers of tokens, special tokens included."""
        contexts = ContextBuilder(document, int(self._room * _CONTEXT_SHARE))
        contexts.measured(self._bare((yield contexts.texts)))
        limits = [max(1, self._room - contexts.size(index)) for index in range(len(document.sections))]
        packing = _Packing(document, limits, self._target)
        pieces = packing.joined((yield from self._fitting_pieces(document.text, packing)))
        chunks = [_chunk(document, contexts, group) for group in packing.groups(pieces)]
        return (yield from self._fitting_chunks(document.text, chunks))

    def _counted(self, texts: Sequence[str]) -> list[int]:
        counts: list[int] = []
        for start in range(0, len(texts), _TEXTS_AT_ONCE):
            counts.extend(self._count_tokens(texts[start : start + _TEXTS_AT_ONCE]))
        return counts

    def _bare(self, counts: Sequence[int]) -> list[int]:
        return [max(0, count - self._special_tokens) for count in counts]

    def _fitting_pieces(self, text: str, packing: _Packing) -> _Counting[list[Piece]]:
        """The document's pieces with their tokens, cut finer until each can be a chunk. Counts in bulk, few times."""
        pieces = document_pieces(packing.document)
        unmeasured = pieces
        while unmeasured:
            counts = self._bare((yield [text[piece.start : piece.end] for piece in unmeasured]))
            for piece, count in zip(unmeasured, counts, strict=True):
                piece.tokens = count
            unmeasured = []
            finer: list[Piece] = []
            for piece in pieces:
                parts = [piece] if packing.fits(piece) else cut_finer(text, piece, packing.longest)
                finer.extend(parts)
                if len(parts) > 1:
                    unmeasured.extend(parts)
            pieces = finer
        return pieces

    def _fitting_chunks(self, text: str, chunks: Sequence[Chunk]) -> _Counting[list[Chunk]]:
        """Halve what is too long all the same: some tokenizers count a whole otherwise than its parts."""
        counts = (yield [chunk.embedded_text for chunk in chunks]) if chunks else []
        fitting: list[Chunk] = []
        for chunk, count in zip(chunks, counts, strict=True):
            if count <= self._window:
                fitting.append(replace(chunk, token_count=count))
            elif len(halves := _halves(text, chunk)) > 1:
                fitting.extend((yield from self._fitting_chunks(text, halves)))
            else:  # one character with a context that leaves no room for it
                (alone,) = yield [chunk.text]
                fitting.append(replace(chunk, context="", token_count=alone))
        return fitting


class _Packing:
    """Which pieces go together. ``limits`` has the tokens of text that a chunk beginning in each section can have."""

    def __init__(self, document: ParsedDocument, limits: Sequence[int], target: int) -> None:
        self.document = document
        self.longest = _CHARACTERS_PER_TOKEN * target
        self._limits = limits
        self._target = target

    def fits(self, piece: Piece) -> bool:
        """Whether the piece can be a chunk."""
        return piece.tokens <= self._limits[piece.section] and piece.end - piece.start <= self.longest

    def joined(self, pieces: Sequence[Piece]) -> list[Piece]:
        """Small pieces joined to the next of their section, so that there are not too many."""
        small = self._target * _SMALL_PIECE_SHARE
        result: list[Piece] = []
        for piece in pieces:
            previous = result[-1] if result else None
            if previous and previous.section == piece.section and previous.tokens < small:
                joined = replace(previous, end=piece.end, tokens=previous.tokens + piece.tokens)
                if self.fits(joined):
                    result[-1] = joined
                    continue
            result.append(piece)
        return result

    def groups(self, pieces: Sequence[Piece]) -> list[Sequence[Piece]]:
        """The pieces of each chunk."""
        starts = [index for index, piece in enumerate(pieces) if piece.before is Break.PAGE]
        found: list[Sequence[Piece]] = []
        for start, end in pairwise([*starts, len(pieces)]):
            page = pieces[start:end]
            found.extend(page[first:last] for first, last in pairwise(self._best_cuts(page)))
        return found

    def _best_cuts(self, pieces: Sequence[Piece]) -> list[int]:
        """Positions of the cheapest cuts, both ends included. ``cost[n]`` is the least cost of the first n pieces."""
        tokens = list(accumulate((piece.tokens for piece in pieces), initial=0))
        joins = [0.0, *accumulate(self._join_cost(*pair) for pair in pairwise(pieces))]
        cuts = [0.0, *(_CUT_COST[piece.before] for piece in pieces[1:])]
        limits = [self._limits[piece.section] for piece in pieces]
        cost = [0.0]
        previous = [0]
        for last in range(1, len(pieces) + 1):
            best, best_first = float("inf"), last - 1
            for first in range(last - 1, -1, -1):
                size = tokens[last] - tokens[first]
                length = pieces[last - 1].end - pieces[first].start
                if first < last - 1 and (size > limits[first] or length > self.longest):
                    break
                total = cost[first] + (1 - size / self._target) ** 2 + cuts[first] + joins[last - 1] - joins[first]
                if total < best:
                    best, best_first = total, first
            cost.append(best)
            previous.append(best_first)
        return _traced(previous)

    def _join_cost(self, piece: Piece, following: Piece) -> float:
        if piece.section == following.section:
            return 0.0
        one, other = (self.document.sections[each.section].section for each in (piece, following))
        return _KIND_COST if one.headings == other.headings else _HEADING_COST


def _traced(previous: Sequence[int]) -> list[int]:
    positions = [len(previous) - 1]
    while positions[-1] > 0:
        positions.append(previous[positions[-1]])
    return positions[::-1]


def _chunk(document: ParsedDocument, contexts: ContextBuilder, pieces: Sequence[Piece]) -> Chunk:
    first, last = pieces[0], pieces[-1]
    text = document.text[first.start : last.end]
    return Chunk(
        text=text,
        start=first.start,
        end=last.end,
        page=document.sections[first.section].section.page,
        headings=common_headings(document.sections[first.section : last.section + 1]),
        context=contexts.context(first.section, last.section, text, goes_on=first.before > Break.SECTION),
    )


def _halves(text: str, chunk: Chunk) -> list[Chunk]:
    """The chunk cut in two near its middle; fewer when it is a single character."""
    whole = Piece(chunk.start, chunk.end, 0, Break.PAGE, Break.SENTENCE)
    parts = cut_finer(text, whole, len(chunk.text))
    if len(parts) < 2:
        return []
    middle = (chunk.start + chunk.end) / 2
    cut = min(range(1, len(parts)), key=lambda index: abs(parts[index].start - middle))
    spans = ((chunk.start, parts[cut - 1].end), (parts[cut].start, chunk.end))
    return [replace(chunk, text=text[start:end], start=start, end=end) for start, end in spans]
