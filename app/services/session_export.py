"""Exports chats with their sources."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from app.domain.cancellation import CancelToken
from app.domain.errors import BadInputError, UserFacingError
from app.domain.turns import SessionRecord
from app.services.session_files import ExportFormat, file_name, write_pieces
from app.services.session_json import chat_to_json, file_of
from app.services.session_pages import html_pieces, to_html, to_markdown
from app.storage.session_store import SessionStore

Progress = Callable[[int, int], None]


class SessionExport:
    """Writes chats to files. JSON holds all branches; the pages for people hold the branch on show.

    Methods block; they raise ``BadInputError`` for a chat that is gone and ``UserFacingError`` for a file that can't
    be written.
    """

    def __init__(self, store: SessionStore) -> None:
        self._store = store

    def to_file(self, session_id: str, path: Path, format: ExportFormat) -> None:
        """Write one chat."""
        record = self._store.session(session_id)
        pieces = file_of(iter([self._json(record)])) if format is ExportFormat.JSON else self._page(record, format)
        write_pieces(path, pieces)

    def all_to_file(
        self, path: Path, *, progress: Progress = lambda done, total: None, cancel: CancelToken | None = None
    ) -> int:
        """Write all chats outside of the trash to one JSON file. Returns how many.

        Raises ``WorkCancelledError`` when cancelled; then there is no file.
        """
        records = self._store.sessions()
        write_pieces(path, file_of(self._counted(records, progress, cancel)))
        return len(records)

    def to_folder(
        self,
        session_ids: Sequence[str],
        folder: Path,
        format: ExportFormat,
        *,
        progress: Progress = lambda done, total: None,
        cancel: CancelToken | None = None,
    ) -> list[Path]:
        """Write chats to files of their own, named after their titles; no file that is there is replaced."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            taken = [each.name for each in folder.iterdir()]
        except OSError as error:
            raise UserFacingError(f"{folder} can't be used: {error.strerror}. Choose another folder.") from error
        written = []
        for number, session_id in enumerate(session_ids):
            if cancel is not None:
                cancel.raise_if_cancelled()
            progress(number, len(session_ids))
            name = file_name(self._store.session(session_id).title, format, taken)
            self.to_file(session_id, folder / name, format)
            taken.append(name)
            written.append(folder / name)
        return written

    def pieces(self, session_id: str) -> tuple[str, Iterator[str]]:
        """The title of a chat and its page as pieces of HTML, for printing one after the other."""
        record = self._store.session(session_id)
        return record.title, html_pieces(record, self._store.messages(session_id))

    def _page(self, record: SessionRecord, format: ExportFormat) -> Iterator[str]:
        if format is ExportFormat.JSON:
            raise BadInputError("JSON is no page.")
        return (to_html if format is ExportFormat.HTML else to_markdown)(record, self._store.messages(record.id))

    def _counted(
        self, records: Sequence[SessionRecord], progress: Progress, cancel: CancelToken | None
    ) -> Iterator[str]:
        for number, record in enumerate(records):
            if cancel is not None:
                cancel.raise_if_cancelled()
            progress(number, len(records))
            yield self._json(record)

    def _json(self, record: SessionRecord) -> str:
        messages = self._store.all_messages(record.id)
        shown = self._store.messages(record.id)
        details = {each.id: found for each in messages if (found := self._store.turn_details(each.id)) is not None}
        leaf = shown[-1].id if shown else None
        return chat_to_json(record, messages, self._store.origins(record.id), details, leaf)
