"""Which message of a chat follows which, and the branches that come of it."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class MessageTree:
    """The messages of a chat by id, ascending, each with the one it follows; None where it begins the chat.

    A parent always has the smaller id, so there are no circles. ``adrift`` are messages whose own parent is gone or
    impossible: they are shown behind the message that was stored before them, so that none is out of reach.
    """

    parents: dict[int, int | None]
    adrift: frozenset[int]

    @cached_property
    def children(self) -> dict[int | None, list[int]]:
        """The messages that follow each message, in the order they were stored."""
        found: defaultdict[int | None, list[int]] = defaultdict(list)
        for ident, parent in self.parents.items():
            found[parent].append(ident)
        return dict(found)

    def path_to(self, message_id: int) -> list[int]:
        """The messages from the beginning of the chat to this one; none if it isn't in the chat."""
        path: list[int] = []
        here: int | None = message_id
        while here is not None and here in self.parents:
            path.append(here)
            here = self.parents[here]
        return path[::-1]

    def siblings(self, message_id: int) -> tuple[int, ...]:
        """The messages that follow the same one, itself included; none where it has no alternative."""
        alternatives = self.children[self.parents[message_id]]
        return tuple(alternatives) if len(alternatives) > 1 else ()

    def leaf_below(self, message_id: int) -> int:
        """The end of the branch below a message that was written last."""
        below = {message_id}
        for ident, parent in self.parents.items():
            if parent in below:
                below.add(ident)
        return max(below)

    def leaf(self, wanted: int | None) -> int | None:
        """The end of the branch on show: the one that was chosen, or else the newest message."""
        return wanted if wanted in self.parents else next(reversed(self.parents), None)


def read_tree(connection: sqlite3.Connection, session_id: str) -> MessageTree:
    """The tree of a chat; an empty one for a chat that is gone."""
    rows = connection.execute("SELECT id, parent_id FROM messages WHERE session_id = ? ORDER BY id", (session_id,))
    parents: dict[int, int | None] = {}
    adrift: set[int] = set()
    before: int | None = None
    for ident, parent in rows:
        # Only what came before is in parents yet.
        if parent is None or parent in parents:
            parents[ident] = parent
        else:
            parents[ident] = before
            adrift.add(ident)
        before = ident
    return MessageTree(parents, frozenset(adrift))
