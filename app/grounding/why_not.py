"""Why the documents hold no answer, in words: what came near, and what could not be read; and that an answer has none
of its words from them."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.citations import AnswerSentence, Support
from app.domain.turn_details import SentPassage, UnreadFile

NOT_FROM_DOCUMENTS = (
    "The model names no source, and no sentence here is fully borne out by your documents, although only they were to"
    " be used."
)
_MOST_PLACES = 2
_MOST_FILES = 3


def why_not_found(near: Sequence[SentPassage], unread: Sequence[UnreadFile], unread_count: int) -> str:
    """Sentences to stand behind "not in your documents"; empty where there is nothing to say.

    ``near`` comes best first; ``unread`` are the first of ``unread_count`` files.
    """
    return " ".join(each for each in (_nearest(near), _unread(unread, unread_count)) if each)


def rests_on_nothing(sentences: Sequence[AnswerSentence]) -> bool:
    """Whether an answer claims something, cites nothing, and not one of its sentences is supported."""
    found = {each.support for each in sentences}
    cited = any(each.citations for each in sentences)
    return not cited and Support.SUPPORTED not in found and not found.isdisjoint({Support.PARTLY, Support.UNSUPPORTED})


def _nearest(near: Sequence[SentPassage]) -> str:
    places = list(dict.fromkeys(_place(each) for each in near if each.title))[:_MOST_PLACES]
    return f"The nearest I found is in {' and in '.join(places)}." if places else ""


def _place(passage: SentPassage) -> str:
    page = f", page {passage.page}" if passage.page is not None else ""
    return f"“{_plain(passage.title)}”{page}"


def _unread(files: Sequence[UnreadFile], count: int) -> str:
    if not count:
        return ""
    names = ", ".join(f"“{_plain(each.path.name)}”" for each in files[:_MOST_FILES])
    more = f" and {count - min(len(files), _MOST_FILES)} more" if count > min(len(files), _MOST_FILES) else ""
    what = "One file" if count == 1 else f"{count} files"
    return f"{what} in this search could not be read, or not wholly: {names}{more}."


def _plain(name: str) -> str:
    """A name on one line whose brackets can't be taken for a footnote."""
    return " ".join(name.split()).replace("[", "(").replace("]", ")").encode("utf-8", "replace").decode()
