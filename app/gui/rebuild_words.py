"""What it costs to make passages or vectors anew, and how far it is, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.rebuilding import RebuildNews, Rebuilt
from app.gui.wording import counted, duration, shown

if TYPE_CHECKING:
    from app.services.chunk_change import ChunkChangePlan
    from app.services.model_change import ModelChangePlan

_MEANWHILE = "Searches go on meanwhile, and you can stop it at any time."


def model_name(key: str) -> str:
    """A search model's name out of its key."""
    return shown(key.partition("@")[0])


def model_cost(plan: ModelChangePlan) -> str:
    """What another search model costs."""
    if not plan.needed:
        return "The vectors stay as they are: nothing has to be embedded again."
    name = model_name(plan.wanted)
    if not plan.chunks:
        return f"{name} can answer at once: nothing is left to embed."
    passages, documents = counted(plan.chunks, "passage"), counted(plan.documents, "document")
    return (
        f"{name} has to embed {passages} of {documents}. On this computer that takes about {duration(plan.seconds)}. "
        f"Until then {model_name(plan.serving)} answers. {_MEANWHILE}"
    ).replace("about a few", "a few")


def passage_cost(plan: ChunkChangePlan) -> str:
    """What another size of passages costs."""
    if not plan.documents:
        return f"All documents are in passages of about {plan.tokens} tokens already."
    return (
        f"{counted(plan.documents, 'document')} with {counted(plan.passages_now, 'passage')} will be cut into about "
        f"{plan.passages_then:,} of some {plan.tokens} tokens; about {plan.to_embed:,} of them have to be embedded. On "
        f"this computer that takes about {duration(plan.seconds)}. Each document answers all the time. {_MEANWHILE}"
    ).replace("about a few", "a few")


def progress_words(news: RebuildNews) -> tuple[str, str]:
    """What goes on, and how far it is."""
    if news.what is Rebuilt.MODEL:
        return "Embedding with the new search model", f"{news.done:,} of {counted(news.total, 'passage')}"
    return "Cutting passages to their new size", f"{news.done:,} of {counted(news.total, 'document')}"


def end_words(news: RebuildNews, serving: str) -> str:
    """How it ended."""
    if news.problem:
        return f"{news.problem} What is done is kept, and what answered before goes on answering."
    if news.stopped:
        return "Stopped. What is done is kept, and everything can be searched; it goes on at the next start."
    if news.what is Rebuilt.MODEL:
        return f"{model_name(serving)} answers from now on." if serving else "The new search model answers from now on."
    return "All documents are in passages of the new size."
