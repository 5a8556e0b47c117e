"""Sessions: list, open, organise, search, duplicate, delete with a trash."""

from __future__ import annotations

import time
from collections.abc import Sequence

from app.domain.chat_transfer import ChatHit
from app.domain.session_choices import SessionChoices
from app.domain.turn_details import TurnDetails
from app.domain.turns import SessionRecord, StoredMessage
from app.services.session_export import SessionExport
from app.services.session_import import SessionImport
from app.services.turn_record import title_of
from app.storage.session_store import MessageHit, SessionStore

TRASH_DAYS = 30
_DAY = 86_400.0
_BEFORE, _AROUND = 30, 160  # characters of an excerpt before its first match, and as a whole


class SessionService:
    """Use cases of chat sessions. Every method blocks on SQLite; call it off the GUI thread."""

    def __init__(self, store: SessionStore) -> None:
        self._store = store
        self.exports = SessionExport(store)
        self.imports = SessionImport(store)

    def create(self, title: str = "") -> SessionRecord:
        """Start an empty session."""
        return self._store.create(title)

    def sessions(self) -> list[SessionRecord]:
        """All sessions outside of the trash, archived ones too, the last used first."""
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

    def rename(self, session_id: str, title: str) -> SessionRecord:
        """Give a session a title; without one it is named after its first question again."""
        self._store.rename(session_id, title.strip() or self._own_title(session_id))
        return self._store.session(session_id)

    def pin(self, session_ids: Sequence[str], pinned: bool = True) -> None:
        """Keep sessions at the top of the list, or no longer."""
        self._store.organise(session_ids, pinned=pinned)

    def archive(self, session_ids: Sequence[str], archived: bool = True) -> None:
        """Put sessions away where they are still found, or back."""
        self._store.organise(session_ids, archived=archived)

    def move(self, session_ids: Sequence[str], folder: str) -> None:
        """Put sessions into a folder; "" takes them out. A folder is there as long as it holds a session."""
        self._store.organise(session_ids, folder=" ".join(folder.split()))

    def rename_folder(self, folder: str, name: str) -> None:
        """Give a folder another name; the name of another folder joins them."""
        self.move([each.id for each in self._store.sessions() if each.folder == folder], name)

    def tag(self, session_id: str, tags: Sequence[str]) -> None:
        """Give a session these tags and no others; the same word in another case is the same tag."""
        kept: dict[str, str] = {}
        for tag in (" ".join(each.strip().lstrip("#").split()) for each in tags):
            if tag:
                kept.setdefault(tag.casefold(), tag)
        self._store.organise([session_id], tags=list(kept.values()))

    def duplicate(self, session_id: str) -> SessionRecord:
        """Copy a session with all of its branches. Raises ``BadInputError`` if it is gone."""
        return self._store.duplicate(session_id, f"{self._store.session(session_id).title} (copy)")

    def trash(self, session_ids: Sequence[str]) -> None:
        """Put sessions into the trash, from which ``restore`` takes them back for ``TRASH_DAYS``."""
        self._store.trash(session_ids)

    def restore(self, session_ids: Sequence[str]) -> None:
        """Take sessions out of the trash, as they were."""
        self._store.restore(session_ids)

    def trashed(self) -> list[SessionRecord]:
        """The sessions in the trash, the last deleted first."""
        return sorted(self._store.sessions(trash=True), key=lambda record: record.deleted_at or 0.0, reverse=True)

    def delete_for_good(self, session_ids: Sequence[str]) -> None:
        """Delete sessions of the trash with everything in them; there is no way back."""
        binned = {each.id for each in self._store.sessions(trash=True)}
        for session_id in session_ids:
            if session_id in binned:
                self._store.delete(session_id)

    def search(self, text: str, limit: int = 100) -> list[ChatHit]:
        """Messages that hold all words of ``text``, newest first; the last word may be unfinished. No trash."""
        return [_excerpt(hit) for hit in self._store.search(text, limit)]

    def recover(self) -> int:
        """Mark answers that a killed process left half written, and empty the trash of what is too old.

        Answers that another living process writes are left alone. Returns how many were marked.
        """
        self._store.empty_trash(before=time.time() - TRASH_DAYS * _DAY)
        return self._store.mark_interrupted()

    def _own_title(self, session_id: str) -> str:
        first = next((each.text for each in self._store.messages(session_id) if each.role == "user"), "")
        return title_of(first)


def _excerpt(hit: MessageHit) -> ChatHit:
    """One line around the first match, and where the matches stand in it."""
    text = hit.message.text
    first = hit.spans[0][0] if hit.spans else 0
    start = _word_start(text, max(0, first - _BEFORE))
    part = text[start : start + _AROUND]
    lead = "…" if start else ""
    shift = len(lead) - start
    spans = tuple((a + shift, b + shift) for a, b in hit.spans if start <= a and b <= start + len(part))
    # Characters are replaced one by one, so that no offset moves.
    line = "".join(" " if each.isspace() or not each.isprintable() else each for each in part)
    message = hit.message
    return ChatHit(
        message.session_id,
        hit.session_title,
        message.id,
        message.role,
        message.created_at,
        lead + line + ("…" if start + len(part) < len(text) else ""),
        spans,
        hit.archived,
    )


def _word_start(text: str, place: int) -> int:
    """The beginning of the first word behind ``place``, if one begins soon."""
    if place == 0:
        return 0
    space = text.find(" ", place, place + _BEFORE // 2)
    return space + 1 if space >= 0 else place
