"""Reads sentences with a question in mind: cosines of the texts, and of each word of the question with theirs.

The cosine of two texts says that they are about the same; that a sentence on the very topic doesn't say what is asked
shows in a word of the question that nothing in it comes near to. Words are compared by their vectors in their texts, as
late interaction does (Khattab and Zaharia 2020, https://arxiv.org/abs/2004.12832), with the embedding model as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.grounding.aspects import aspect
from app.grounding.candidates import Candidate
from app.grounding.terms import terms
from app.grounding.word_lists import STOP_WORDS
from app.retrieval.word_vectors import word_vectors

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from app.retrieval.embedder import Embedder, WordVectors

_ASKING = frozenset({"who", "whom", "whose", "what", "when", "where", "which", "why", "how"})


@dataclass(frozen=True, slots=True, eq=False)
class ReadSentence:
    """A candidate and its cosines with the question.

    ``alone``, ``in_context`` and ``aspect`` are those of the question with the sentence, with the sentence and what
    stands above it, and of the aspect with the sentence. ``words`` has, for each word of the question that says
    something, the cosine with the word of the sentence that is nearest to it; ``asked`` tells which of them don't stand
    in the title or headings above.
    """

    candidate: Candidate
    alone: float
    in_context: float
    aspect: float
    words: NDArray[np.float32]
    asked: NDArray[np.bool_]

    @property
    def document(self) -> int | str:
        """The document it stands in."""
        return self.candidate.passage.document

    @property
    def asked_words(self) -> NDArray[np.float32]:
        """``words`` without those of the title."""
        return self.words[self.asked]


def read(question: str, candidates: Sequence[Candidate], embedder: Embedder) -> list[ReadSentence]:
    """Read all candidates. Blocks while two texts for each of them, the question and its aspects are embedded."""
    if not candidates:
        return []
    asked = word_vectors(embedder, [question], query=True)[0]
    said, wanted = _telling(question, asked)
    in_context = embedder.embed_passages([_with_context(each) for each in candidates]) @ asked.text
    # A row of a table says nothing without the title and the header above it.
    texts = [_with_context(each) if each.is_row else _plain(each.text) for each in candidates]
    sentences = word_vectors(embedder, texts)
    about = {each.passage.context: aspect(question, each.passage.context) for each in candidates}
    aspects = {each: asked.text if each == question else embedder.embed_query(each) for each in set(about.values())}
    return [
        _read(each, float(within), found, asked.text, aspects[about[each.passage.context]], wanted, said)
        for each, within, found in zip(candidates, in_context, sentences, strict=True)
    ]


def _read(
    each: Candidate,
    in_context: float,
    found: WordVectors,
    question: NDArray[np.float32],
    about: NDArray[np.float32],
    wanted: NDArray[np.float32],
    said: Sequence[str],
) -> ReadSentence:
    import numpy as np

    alone, aspects = float(found.text @ question), float(found.text @ about)
    if each.replies:
        alone, aspects = max(alone, in_context), max(aspects, in_context)
    words = (wanted @ found.words.T).max(axis=1, initial=0.0)
    title = frozenset(terms(each.passage.context)) if each.passage.context else frozenset()
    asked = np.array([title.isdisjoint(terms(word)) for word in said], dtype=np.bool_)
    return ReadSentence(each, alone, in_context, aspects, words, asked if asked.any() else ~asked)


def _telling(question: str, vectors: WordVectors) -> tuple[list[str], NDArray[np.float32]]:
    """The words of the question that say something, all if none does, and their vectors."""
    words = [question[start:end].lower() for start, end in vectors.spans]
    places = [place for place, word in enumerate(words) if _tells(word)] or list(range(len(words)))
    return [words[place] for place in places], vectors.words[places]


def _tells(word: str) -> bool:
    return word.isalnum() and word not in STOP_WORDS and word not in _ASKING


def _plain(text: str) -> str:
    return " ".join(text.split())


def _with_context(each: Candidate) -> str:
    text = _plain(f"{each.header} {each.text}")
    return f"{each.context}. {text}" if each.context else text
