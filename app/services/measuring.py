"""What measures search for the user: questions of their own, the bench, and what the window keeps as examples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.retrieval.retriever import Retriever
from app.services.evaluation import Evaluation
from app.services.feedback import FeedbackService, Settings
from app.services.search_bench import Boxes, SearchBench
from app.storage.database import Database
from app.storage.feedback_store import FeedbackStore
from app.storage.library_store import LibraryStore


@dataclass(frozen=True, slots=True)
class Measuring:
    """The use cases that belong together."""

    evaluation: Evaluation
    bench: SearchBench
    feedback: FeedbackService


def make_measuring(
    store: LibraryStore, chats: Database, open_retriever: Callable[[], Retriever], boxes: Boxes, settings: Settings
) -> Measuring:
    """Put them together over one library and one ``chats.db``."""
    kept = FeedbackStore(chats)
    return Measuring(
        Evaluation(store, open_retriever, kept), SearchBench(open_retriever, boxes), FeedbackService(kept, settings)
    )
