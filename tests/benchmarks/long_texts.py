"""Long answers and long chats to measure the window with."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

from app.domain.citations import Citation
from app.storage.database import Database
from app.storage.message_writing import store_citations

PARAGRAPH = (
    "The allotment society keeps a **list of plots** and gives them out in the order of `applications`; whoever moves "
    "away returns the key to the office, and the plot goes to the next name on the list. "
)
LIST = "\n\n- first come the half plots\n- then the *whole* plots\n- then those beside the stream\n\n"
CODE = "\n\n```python\ndef rent(plot):\n    # half plots cost half\n    return 40.0 if plot.whole else 20.0\n```\n\n"
TABLE = "\n\n| plot | rent | water |\n|---|---:|---|\n| half | 20 | shared |\n| whole | 40 | own tap |\n\n"
FORMULA = "\n\nThe rent of $n$ plots is $r = 40 \\cdot n^2 / 2$ at most.\n\n"


def answer_tokens(count: int) -> Iterator[str]:
    """That many tokens of an answer of paragraphs, lists, code, tables and formulas; about four characters each."""
    text = "".join(PARAGRAPH * 3 + part for part in (LIST, CODE, TABLE, FORMULA))
    pieces = [text[start : start + 4] for start in range(0, len(text), 4)]
    return itertools.islice(itertools.cycle(pieces), count)


def fill_session(chats: Database, session_id: str, messages: int, folder: Path) -> None:
    """Store a chat of that many messages, half of them answers with two footnotes each."""
    with chats.write() as connection:
        parent: int | None = None
        for number in range(messages):
            role = "user" if number % 2 == 0 else "assistant"
            text = f"Question {number}: what about plot {number}?" if role == "user" else _answer(number)
            row = connection.execute(_INSERT, (session_id, role, text, text.lower(), parent))
            parent = row.lastrowid
            assert parent is not None
            if role == "assistant":
                store_citations(connection, parent, [_citation(each, folder) for each in (1, 2)])
        connection.execute("UPDATE sessions SET leaf_id = ? WHERE id = ?", (parent, session_id))


def _answer(number: int) -> str:
    extra = (LIST, CODE, TABLE, FORMULA, "", "")[number // 2 % 6]
    return f"{PARAGRAPH.strip()} [1] Number {number} is not different. [2]{extra}"


def _citation(number: int, folder: Path) -> Citation:
    return Citation(number, number, folder / f"rules {number}.txt", "Rules", "", 10, 60, PARAGRAPH[:50], page=number)


_INSERT = """
    INSERT INTO messages (session_id, role, text, search_text, status, created_at, model, answered, error, sentences,
        timings, parent_id)
    VALUES (?, ?, ?, ?, 'complete', 1.0, 'paced', 1, '', '', '{"total": 1.5}', ?)
"""
