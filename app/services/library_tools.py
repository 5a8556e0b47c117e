"""Tools with which a model looks into the library by itself: search, read pages, list documents.

They see what the turn's scope allows and nothing else. What they find gets ids that the model cites it by, like the
passages of its prompt. Errors are written for the model, which is told and may try again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Protocol, TypeVar

from app.chat_models.token_estimate import estimate_tokens
from app.chat_models.tools import Tool, as_tool
from app.domain.documents import DocumentRecord
from app.domain.passages import Passage
from app.grounding.prompts import passage_part
from app.services.library_passages import LibraryPassages, Part, is_readable
from app.services.turn_seams import Turn
from app.settings.setting import Setting

T = TypeVar("T")


class ToolRule(StrEnum):
    """Whether a model may use a tool: always, after the user was asked each time, or never."""

    ALWAYS = "always"
    ASK = "ask"
    NEVER = "never"


TOOL_SEARCH = Setting(
    "tools.search_documents", ToolRule.ALWAYS, "Models may search", "Search the documents that a question may use."
)
TOOL_READ = Setting(
    "tools.read_pages", ToolRule.ALWAYS, "Models may read pages", "Read whole pages of documents a question may use."
)
TOOL_LIST = Setting(
    "tools.list_documents", ToolRule.ALWAYS, "Models may list documents", "See names of documents a question may use."
)
RULES = {"search_documents": TOOL_SEARCH, "read_pages": TOOL_READ, "list_documents": TOOL_LIST}

MOST_RESULTS = 10
MOST_LISTED = 60
READ_TOKENS = 3_000
_CITE = "Cite what you use by the id in front of it, like [p1]."
_NEAR_NAMES = 8


class Settings(Protocol):
    """Where values of settings come from."""

    def __getitem__(self, setting: Setting[T]) -> T: ...


class ToolError(ValueError):
    """A call that can't be done; the message is for the model."""


class LibraryTools:
    """Makes the tools of a turn. Tools whose rule is ``never`` are not offered."""

    def __init__(self, passages: LibraryPassages, settings: Settings) -> None:
        self._passages = passages
        self._settings = settings

    def tools(self, turn: Turn) -> Sequence[Tool]:
        """The tools that the model of this turn may call."""
        uses = _Uses(self._passages, turn)
        made = (uses.search_documents, uses.read_pages, uses.list_documents)
        offered = [as_tool(each) for each in made]
        return [each for each in offered if self._settings[RULES[each.spec.name]] is not ToolRule.NEVER]

    def needs_approval(self, name: str) -> bool:
        """Whether the user is asked before a tool runs."""
        rule = RULES.get(name)
        return rule is not None and self._settings[rule] is ToolRule.ASK


class _Uses:
    """The functions behind the tools; their docstrings are what models read."""

    def __init__(self, passages: LibraryPassages, turn: Turn) -> None:
        self._passages = passages
        self._give = turn.give
        self._scope = replace(turn.scope, session=turn.session_id)

    async def search_documents(
        self,
        query: Annotated[str, "What to look for, in the words a document would use"],
        count: Annotated[int, "How many passages to return, 1 to 10"] = 5,
    ) -> str:
        """Search the user's documents and return the passages that fit best."""
        if not query.strip():
            raise ToolError("The query is empty. Say what to look for.")
        count = min(max(count, 1), MOST_RESULTS)
        found = await asyncio.to_thread(self._passages.excerpts, query, k=count, scope=self._scope)
        if not found:
            return "No passage fits. Try other words, or list_documents to see what there is."
        return self._shown(found)

    async def read_pages(
        self,
        document: Annotated[str, "Name of the document, as list_documents or a passage gives it"],
        first: Annotated[int, "The first page to read"] = 1,
        last: Annotated[int | None, "The last page to read; without it as many as fit"] = None,
    ) -> str:
        """Read pages of one document from top to bottom. Documents without pages are read in numbered parts."""
        record = await asyncio.to_thread(self._named, document)
        parts = await asyncio.to_thread(self._passages.parts, record.id)
        wanted = [each for each in parts if first <= each.number <= (last if last is not None else parts[-1].number)]
        if not wanted:
            raise ToolError(f"{record.path.name} has pages {parts[0].number} to {parts[-1].number}, none of these.")
        fitting = _fitting(wanted)
        rest = "" if len(fitting) == len(wanted) else f" To read on, ask for first={wanted[len(fitting)].number}."
        unit = "page" if parts[0].passage.page is not None else "part"
        span = f"{unit} {fitting[0].number} to {fitting[-1].number} of {parts[-1].number}"
        return f"{record.path.name}, {span}.{rest}\n" + self._shown([each.passage for each in fitting])

    async def list_documents(
        self, name_contains: Annotated[str, "Only documents with this in their name; empty for all"] = ""
    ) -> str:
        """List the user's documents that can be searched and read, and those that can't."""
        records = await asyncio.to_thread(self._passages.documents, self._scope)
        wanted = [each for each in records if name_contains.casefold() in str(each.path).casefold()]
        if not wanted:
            return f"No document has {name_contains!r} in its name." if records else "There are no documents."
        rest = f"\n… and {len(wanted) - MOST_LISTED} more" if len(wanted) > MOST_LISTED else ""
        return "\n".join(_line(each) for each in wanted[:MOST_LISTED]) + rest

    def _shown(self, passages: Sequence[Passage]) -> str:
        ids = self._give(passages)
        texts = [passage_part(passage_id, each).text for passage_id, each in zip(ids, passages, strict=True)]
        return "".join(texts) + _CITE

    def _named(self, name: str) -> DocumentRecord:
        """The one document of this name. Raises ``ToolError`` with the nearest names."""
        records = self._passages.documents(self._scope)
        wanted = name.strip().casefold()
        for key in _KEYS:
            found = [each for each in records if wanted and key(each, wanted)]
            if len(found) == 1:
                return _readable(found[0])
            if found:
                names = ", ".join(str(each.path) for each in found[:_NEAR_NAMES])
                raise ToolError(f"{name!r} can be any of: {names}. Give the whole path.")
        names = ", ".join(each.path.name for each in records[:_NEAR_NAMES])
        raise ToolError(f"There is no document {name!r}. Some that there are: {names or 'none'}.")


_Key = Callable[[DocumentRecord, str], bool]
# From exact to vague; the first that finds anything decides.
_KEYS: tuple[_Key, ...] = (
    lambda record, name: str(record.path).casefold() == name,
    lambda record, name: record.path.name.casefold() == name,
    lambda record, name: Path(record.path.name).stem.casefold() == name or record.title.casefold() == name,
    lambda record, name: name in record.path.name.casefold() or name in record.title.casefold(),
)


def _readable(record: DocumentRecord) -> DocumentRecord:
    if not is_readable(record):
        raise ToolError(f"{record.path.name} could not be read: {record.message or record.state}.")
    return record


def _fitting(parts: Sequence[Part]) -> Sequence[Part]:
    """The first parts that fit together, at least one."""
    room = READ_TOKENS
    for index, each in enumerate(parts):
        room -= estimate_tokens(each.passage.text)
        if room < 0 and index:
            return parts[:index]
    return parts


def _line(record: DocumentRecord) -> str:
    title = f" “{record.title}”" if record.title and record.title != record.path.stem else ""
    pages = f", {record.page_count} pages" if record.page_count else ""
    state = "" if is_readable(record) else f" – can't be read: {record.message or record.state}"
    return f"{record.path.name}{title}{pages}{state}"
