"""Thumbs and opened footnotes, kept on this computer for measuring search. Nothing of it is ever sent."""

from __future__ import annotations

from typing import Protocol

from app.domain.feedback import FeedbackExample, Judgement
from app.settings.setting import Setting, T
from app.storage.feedback_store import FeedbackStore

KEEP_OPENED = Setting(
    "feedback.keep_opened",
    True,
    "Keep what I open as examples for measuring search",
    "Footnotes you open and thumbs you give stay on this computer, go with their chat, and are what "
    "`footnote evaluate --from-feedback` measures with. Thumbs are kept in any case.",
)


class Settings(Protocol):
    """Where values of settings come from."""

    def __getitem__(self, setting: Setting[T]) -> T: ...


class FeedbackService:
    """Use cases of feedback. Methods block on SQLite; call them off the GUI thread.

    Those that take a message raise ``BadInputError`` when it is gone.
    """

    def __init__(self, store: FeedbackStore, settings: Settings) -> None:
        self._store = store
        self._settings = settings

    def judge(self, message_id: int, judgement: Judgement | None) -> None:
        """Keep thumbs up or down on an answer, or take it back."""
        self._store.judge(message_id, judgement)

    def citation_opened(self, message_id: int, number: int) -> None:
        """Keep that a footnote was opened, if the user wants that kept."""
        if self._settings[KEEP_OPENED]:
            self._store.open_citation(message_id, number)

    def judgements(self, session_id: str) -> dict[int, Judgement]:
        """The thumbs of a session's answers, by message."""
        return self._store.judgements(session_id)

    def examples(self) -> list[FeedbackExample]:
        """Everything that is kept."""
        return self._store.examples()

    def clear(self) -> int:
        """Forget everything. Returns how many examples there were."""
        return self._store.clear()
