"""What happens around an answer while it is made: what is searched, remembered, which tools are called."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from enum import Enum, auto

from app.domain.turn_details import Task, TurnDetails
from app.domain.turns import MemoryUsed, NoteAdded, QueryRewritten, ToolCalled, ToolReturned
from app.domain.whole_document import DocumentFound, TaskEvent, TaskProgress, TaskStep
from app.gui.wording import counted, duration, shown, shown_name

LONGEST_ARGUMENT = 120
TOOL_WORDS = {
    "search_documents": "Search your documents for",
    "list_documents": "List your documents",
}
STEP_WORDS = {
    TaskStep.SEARCHING: "Searching",
    TaskStep.READING: "Reading",
    TaskStep.JUDGING: "Checking",
    TaskStep.WRITING: "Writing",
}


class ToolState(Enum):
    """How far a tool call is. A ``WAITING`` one waits for the user."""

    WAITING = auto()
    RUNNING = auto()
    DONE = auto()
    FAILED = auto()


@dataclass(frozen=True, slots=True)
class ToolNote:
    """A tool that the model called. ``arguments`` is JSON."""

    call_id: str
    name: str
    arguments: str
    state: ToolState = ToolState.RUNNING
    result: str = ""

    @property
    def words(self) -> str:
        """What the tool is asked to do."""
        arguments = _argument_words(self.arguments)
        if self.name == "read_pages":
            return _reading_words(self.arguments)
        if self.name in TOOL_WORDS:
            return f"{TOOL_WORDS[self.name]} {arguments}".strip()
        return f"Use the tool {shown(self.name)} {arguments}".strip()


@dataclass(frozen=True, slots=True)
class TurnNotes:
    """``query`` is what was searched where that is not the question. ``used`` and ``dropped`` count earlier messages.

    ``task`` is a task that reads whole documents, ``progress`` and ``found`` (names of files) are its.
    """

    query: str = ""
    used: int = 0
    dropped: int = 0
    summary: str = ""
    tools: tuple[ToolNote, ...] = ()
    remarks: tuple[str, ...] = ()
    task: Task | None = None
    progress: TaskProgress | None = None
    found: tuple[str, ...] = ()

    @property
    def progress_words(self) -> str:
        """How far the task is."""
        progress = self.progress
        if progress is None:
            return ""
        words = f"{STEP_WORDS[progress.step]} {progress.done:,} of {counted(progress.total, progress.unit.rstrip('s'))}"
        if progress.found:
            words += f", found in {progress.found:,}"
        if progress.seconds_left is not None and progress.seconds_left >= 1:
            words += f", {duration(progress.seconds_left)} left"
        return words

    @property
    def memory_words(self) -> str:
        """What of the chat the model was not given; nothing where it was given all."""
        if not self.dropped:
            return ""
        stands_in = "; a summary stands for them" if self.summary else ""
        return f"{counted(self.used, 'earlier message')} sent, {self.dropped:,} left out{stands_in}"


def noted(notes: TurnNotes, event: TaskEvent) -> TurnNotes:
    """The notes after an event; the same ones if it says nothing for them."""
    if isinstance(event, QueryRewritten):
        return replace(notes, query=event.query)
    if isinstance(event, MemoryUsed):
        return replace(notes, used=event.used, dropped=event.dropped, summary=event.summary)
    if isinstance(event, NoteAdded):
        return replace(notes, remarks=(*notes.remarks, event.text))
    if isinstance(event, TaskProgress):
        return replace(notes, progress=event)
    if isinstance(event, DocumentFound):
        return replace(notes, found=(*notes.found, shown_name(event.path)))
    if isinstance(event, ToolCalled | ToolReturned):
        return _with_tool(notes, event)
    return notes


def _with_tool(notes: TurnNotes, event: ToolCalled | ToolReturned) -> TurnNotes:
    if isinstance(event, ToolCalled):
        state = ToolState.WAITING if event.needs_approval else ToolState.RUNNING
        return replace(notes, tools=(*notes.tools, ToolNote(event.call_id, event.name, event.arguments, state)))
    state = ToolState.FAILED if event.failed else ToolState.DONE
    return replace(notes, tools=tuple(_returned(each, event, state) for each in notes.tools))


def answered(notes: TurnNotes, call_id: str) -> TurnNotes:
    """The notes once the user has said whether a tool may run."""
    tools = (replace(each, state=ToolState.RUNNING) if each.call_id == call_id else each for each in notes.tools)
    return replace(notes, tools=tuple(tools))


def notes_of(details: TurnDetails, question: str) -> TurnNotes:
    """The notes of an answer that is stored."""
    same = details.query == question or details.query.split() == question.split()
    tools = tuple(
        ToolNote("", each.name, each.arguments, ToolState.FAILED if each.failed else ToolState.DONE, each.result)
        for each in details.tools
    )
    query = "" if same else details.query
    return TurnNotes(query, details.used, details.dropped, details.summary, tools, details.notes, details.task)


def _returned(tool: ToolNote, event: ToolReturned, state: ToolState) -> ToolNote:
    return replace(tool, state=state, result=event.text) if tool.call_id == event.call_id else tool


def _reading_words(arguments: str) -> str:
    """Which pages of which document a model wants to read."""
    values = _values(arguments)
    if not isinstance(values, dict) or not values.get("document"):
        return f"Read pages of {_argument_words(arguments)}".strip()
    first, last = values.get("first") or 1, values.get("last")
    pages = f"page {first}" if first == last else f"pages {first} to {last}" if last else f"from page {first} on"
    return f"Read “{_shortened(str(values['document']))}”, {shown(pages)}"


def _values(arguments: str) -> object:
    """A call's arguments as JSON, or what stands there if it is none."""
    try:
        return json.loads(arguments or "{}")
    except ValueError:
        return arguments


def _argument_words(arguments: str) -> str:
    """The values of a call's arguments on one line, or what stands there if it is no JSON object."""
    values = _values(arguments)
    if isinstance(values, dict):
        values = ", ".join(f"“{each}”" if isinstance(each, str) else str(each) for each in values.values())
    return _shortened(str(values))


def _shortened(text: str) -> str:
    words = shown(text)
    return words if len(words) <= LONGEST_ARGUMENT else words[:LONGEST_ARGUMENT] + "…"
