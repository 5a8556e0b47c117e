"""What a mutant is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mutant:
    """A small change of one source file that some test must notice.

    ``old`` occurs exactly once in ``path`` and is replaced by ``new``; ``tests`` are the files whose tests must fail.
    ``rows`` are the rows of the requirement table that the change would break.
    """

    name: str
    rows: str
    path: str
    old: str
    new: str
    tests: tuple[str, ...]
