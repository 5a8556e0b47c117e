"""Going on with an answer that was cut off: its footnotes become passage ids again."""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.domain.citations import Citation
from app.domain.passages import Passage
from app.domain.turns import StoredMessage
from app.grounding.markers import WORD_JOINER

GO_ON = (
    "Your answer was cut off. Go on exactly where it ends, in the middle of a word if need be. "
    "Repeat nothing and explain nothing."
)
_NUMBER = re.compile(rf"\[(?!{WORD_JOINER})(\d{{1,3}})\]")


def with_passage_ids(begun: StoredMessage, ids: Sequence[str]) -> str:
    """The text of an answer with ``[p2]`` for its footnotes, as a model wrote it; ``ids`` are those of its citations.

    Numbers that are no footnotes stay.
    """
    names = {each.number: passage_id for each, passage_id in zip(begun.citations, ids, strict=True)}

    def marker(match: re.Match[str]) -> str:
        name = names.get(int(match[1]))
        return f"[{name}]" if name else match[0]

    return _NUMBER.sub(marker, begun.text).replace(WORD_JOINER, "")


def passage_of(citation: Citation) -> Passage:
    """The cited place as a passage, so that it can be cited again even if nothing finds it any more."""
    return Passage(
        chunk_id=0,
        document_id=citation.document_id,
        path=citation.path,
        title=citation.title,
        file_hash=citation.file_hash,
        start=citation.start,
        end=citation.end,
        text=citation.quote,
        score=citation.score,
        page=citation.page,
    )
