"""Attached files in a turn: read when they come, searched from then on, pictures shown to models that take them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from app.domain.errors import UserFacingError
from app.domain.messages import ImagePart, Part, TextPart
from app.domain.passages import Passage, Scope
from app.domain.turn_details import AttachedNote
from app.domain.turn_options import Attachment, AttachmentUse
from app.retrieval.context_budget import tokens_of, within_budget
from app.services.attachments import AttachedFile, AttachmentService
from app.services.turn_parts import ModelFacts
from app.services.turn_seams import Attached, Turn

MOST_PICTURES = 4
"""Pictures of a chat that go with a question, the latest."""

ATTACHED_SHARE = 0.5
"""Part of the room for passages that attached files take, whatever is asked: they were attached to be read. The library
has the rest."""

_CANDIDATES = 40
READ_AS_TEXT = "The model takes no pictures, so {name} was read as text."
NOT_SEEN = "The model takes no pictures, and there is no text in {name}, so it was left out. Choose a model that sees."
NOT_READ = "{name} was not used: {reason}"


class Attaching:
    """The ``attach`` seam. ``model_facts`` and ``add_to_library`` block and are called in threads.

    ``add_to_library`` reads a file into the library and waits for it; it raises ``UserFacingError`` where that fails.
    """

    def __init__(
        self,
        files: AttachmentService,
        model_facts: Callable[[str], ModelFacts],
        add_to_library: Callable[[Path], None],
    ) -> None:
        self._files = files
        self._model_facts = model_facts
        self._add_to_library = add_to_library

    async def attach(self, turn: Turn, attachments: Sequence[Attachment]) -> Attached:
        """Take in the files of this turn; what can't be read is told, and the question answered without it."""
        return await asyncio.to_thread(self._attach, turn, attachments)

    def _attach(self, turn: Turn, attachments: Sequence[Attachment]) -> Attached:
        fresh = tuple(note for each in attachments if (note := self._taken(turn, each)) is not None)
        files = self._files.of(turn.session_id)
        if not files:
            return Attached(fresh=fresh)
        pictures = [each for each in files if each.kind == "image"]
        parts: tuple[Part, ...] = ()
        if pictures and self._sees(turn.model):
            parts = tuple(part for each in pictures[-MOST_PICTURES:] for part in self._shown(each))
        else:
            came = {each.document_id for each in fresh}
            for each in pictures:
                if each.document_id in came:
                    turn.note((READ_AS_TEXT if each.tokens else NOT_SEEN).format(name=each.name))
        return Attached(parts, replace(turn.scope, session=turn.session_id), fresh)

    def _taken(self, turn: Turn, attachment: Attachment) -> AttachedNote | None:
        try:
            if attachment.use is AttachmentUse.CHAT:
                file = self._files.add(turn.session_id, attachment.path)
                return AttachedNote(file.document_id, file.path, file.kind == "image")
            self._add_to_library(attachment.path)
            return AttachedNote(0, attachment.path)
        except UserFacingError as error:
            turn.note(NOT_READ.format(name=attachment.path.name, reason=error))
        return None

    def _sees(self, model: str) -> bool:
        profile = self._model_facts(model).profile
        return profile is not None and "image" in profile.modalities.input

    def _shown(self, file: AttachedFile) -> list[Part]:
        data = self._files.picture(file)
        return [TextPart(f"Picture {file.name}:"), ImagePart(data=data, media_type=file.media_type)] if data else []


class Finder(Protocol):
    """What is needed of the retriever."""

    def context(self, query: str, *, token_budget: int, scope: Scope | None = None) -> list[Passage]:
        """The best passages of the library that fit into ``token_budget`` tokens, best first. Blocks."""
        ...


class AttachedSearch:
    """A retriever that searches the files of a chat besides, where the scope names one."""

    def __init__(self, open_finder: Callable[[], Finder], files: AttachmentService) -> None:
        self._open_finder = open_finder
        self._files = files

    def context(self, query: str, *, token_budget: int, scope: Scope | None = None) -> list[Passage]:
        """Passages of attached files, at most half of the budget, then those of the library."""
        own: list[Passage] = []
        if scope is not None and scope.session:
            found = self._files.search(scope.session, query, _CANDIDATES)
            own = within_budget(found, round(token_budget * ATTACHED_SHARE))
        left = token_budget - sum(map(tokens_of, own))
        return [*own, *self._open_finder().context(query, token_budget=left, scope=scope)]
