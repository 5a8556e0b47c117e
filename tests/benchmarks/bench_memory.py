"""What each kind of memory still knows of a long chat, and what it costs.

The chat is made of SQuAD2: a turn is a question and the paragraph that answers it. Later questions about the same
paragraphs are then asked; a memory knows the answer when its text is among what the model would be given.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.chat_models.model import ChatModel
from app.chat_models.token_estimate import estimate_prompt
from app.domain.passages import Scope
from app.domain.turn_options import MemoryKind, Strictness, TurnOptions
from app.domain.turns import StoredMessage
from app.retrieval.embedder import Embedder
from app.services.memory.conversation_memory import ConversationMemory
from app.services.turn_seams import Remembered, Turn
from app.settings.paths import AppPaths
from app.storage.memory_store import MemoryStore
from app.storage.session_store import SessionStore, open_chats
from app.storage.settings_store import SettingsStore
from tests.benchmarks.report import Report
from tests.benchmarks.shelf import CACHE, Defaults

SQUAD = Path(__file__).resolve().parents[3] / "shared" / "data" / "qa" / "squad2_dev"
TURNS = 150
BUDGETS = (600, 2_000)


@dataclass(frozen=True)
class Exchange:
    """A turn of the chat, and a later question about it with its possible answers."""

    question: str
    paragraph: str
    later: str
    answers: tuple[str, ...]


def run(report: Report) -> None:
    """For every kind and budget: later questions whose answer the model is given, tokens, time."""
    chat = _chat()
    if not chat:
        report.note("skipped: no SQuAD2 beside the repository")
        return
    with _memory(chat) as (memory, history):
        for budget in BUDGETS:
            known = {kind: _known(memory, history, chat, kind, budget, report) for kind in MemoryKind}
            report.figure(
                f"{budget} tokens: known by retrieval, beside the last turns alone",
                known[MemoryKind.RETRIEVAL],
                "of 1",
                baseline=known[MemoryKind.TOKENS],
                goal=0.5,
            )


def _known(
    memory: ConversationMemory,
    history: Sequence[StoredMessage],
    chat: Sequence[Exchange],
    kind: MemoryKind,
    budget: int,
    report: Report,
) -> float:
    _remember(memory, history, chat[0].later, kind, budget)  # what is made once is made
    seconds, tokens, known = [], [], 0
    for each in chat:
        began = time.perf_counter()
        found = _remember(memory, history, each.later, kind, budget)
        seconds.append(time.perf_counter() - began)
        tokens.append(estimate_prompt(found.messages))
        text = " ".join(message.text for message in found.messages).casefold()
        known += any(answer.casefold() in text for answer in each.answers)
    name = f"{budget} tokens, {kind.value}"
    report.figure(f"{name}: answers of {len(chat)} earlier turns known", known / len(chat), "of 1")
    report.figure(f"{name}: tokens given", statistics.mean(tokens), "tokens")
    report.figure(f"{name}: time a turn, median", statistics.median(seconds) * 1000, "ms", higher_is_better=False)
    return known / len(chat)


def _remember(
    memory: ConversationMemory, history: Sequence[StoredMessage], question: str, kind: MemoryKind, budget: int
) -> Remembered:
    options = TurnOptions(memory=kind)
    turn = Turn(history[0].session_id, question, "extractive", options, Strictness.STRICT, Scope(), ChatModel)
    return asyncio.run(memory(turn, history, question, budget))


@contextmanager
def _memory(chat: Sequence[Exchange]) -> Iterator[tuple[ConversationMemory, Sequence[StoredMessage]]]:
    with tempfile.TemporaryDirectory() as folder, _embedder() as embedder:
        database = open_chats(Path(folder) / "chats.db")
        sessions, settings = SessionStore(database), SettingsStore(database)
        session_id = sessions.create().id
        with database.write():
            for each in chat:
                sessions.add_message(session_id, "user", each.question)
                sessions.add_message(session_id, "assistant", each.paragraph)
        yield ConversationMemory(MemoryStore(database), lambda: embedder, settings), sessions.messages(session_id)
        database.close()


@contextmanager
def _embedder() -> Iterator[Embedder]:
    """The engine a new user gets; not the cached one of other benchmarks, which belongs to one thread."""
    from app.retrieval.embedding_models import open_embedder

    paths = AppPaths.from_environment({"FOOTNOTE_HOME": str(CACHE / "home")})
    paths.create()
    embedder = open_embedder(Defaults(), paths)
    try:
        yield embedder
    finally:
        embedder.close()


def _chat() -> list[Exchange]:
    if not SQUAD.is_dir():
        return []
    paragraphs = {str(row["_id"]): str(row["text"]) for row in _rows("corpus.jsonl")}
    asked: defaultdict[str, list[dict[str, object]]] = defaultdict(list)
    for row in _rows("qa.jsonl"):
        if not row["is_impossible"]:
            asked[str(row["doc_id"])].append(row)
    fitting = [(paragraphs[key], rows) for key, rows in asked.items() if len(rows) >= 2]
    step = max(1, len(fitting) // TURNS)
    return [_exchange(paragraph, rows) for paragraph, rows in fitting[::step][:TURNS]]


def _exchange(paragraph: str, rows: Sequence[dict[str, object]]) -> Exchange:
    answers = rows[1]["answers"]
    assert isinstance(answers, list)
    return Exchange(
        str(rows[0]["question"]), paragraph, str(rows[1]["question"]), tuple(str(each["text"]) for each in answers)
    )


def _rows(name: str) -> Iterator[dict[str, object]]:
    with (SQUAD / name).open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)
