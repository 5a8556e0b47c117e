"""Sessions: list, open, rename, delete."""

from __future__ import annotations

from app.domain.session_choices import SessionChoices
from app.domain.turn_details import TurnDetails
from app.domain.turns import SessionRecord, StoredMessage
from app.storage.session_store import SessionStore


class SessionService:
    """Use cases of chat sessions. Every method blocks on SQLite; call it off the GUI thread."""

    def __init__(self, store: SessionStore) -> None:
        self._store = store

    def create(self, title: str = "") -> SessionRecord:
        """Start an empty session."""
        return self._store.create(title)

    def sessions(self) -> list[SessionRecord]:
        """All sessions, the last used first."""
        return self._store.sessions()

    def session(self, session_id: str) -> SessionRecord:
        """One session, wherever it is. Raises ``BadInputError`` if it is gone."""
        return self._store.session(session_id)

    def messages(self, session_id: str, *, last: int | None = None, before: int | None = None) -> list[StoredMessage]:
        """The branch of a session that is on show, in order; at most ``last`` messages, those before ``before``."""
        return self._store.messages(session_id, last=last, before=before)

    def show_branch(self, message_id: int) -> list[StoredMessage]:
        """Put the branch that holds a message on show, and return it. Raises ``BadInputError`` if it is gone."""
        self._store.show_branch(message_id)
        return self._store.messages(self._store.message(message_id).session_id)

    def details(self, message_id: int) -> TurnDetails | None:
        """How an answer came about; None where nothing was noted."""
        return self._store.turn_details(message_id)

    def choose(self, session_id: str, choices: SessionChoices) -> SessionRecord:
        """Keep what was chosen for a session. Raises ``BadInputError`` if it is gone."""
        self._store.organise([session_id], choices=choices)
        return self._store.session(session_id)

    def rename(self, session_id: str, title: str) -> None:
        """Give a session a title."""
        self._store.rename(session_id, title.strip())

    def delete(self, session_id: str) -> None:
        """Delete a session and its messages."""
        self._store.delete(session_id)

    def recover(self) -> int:
        """Mark answers that a killed process left half written as interrupted. Returns how many."""
        return self._store.mark_interrupted()
