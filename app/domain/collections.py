"""Collections: named sets of documents."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class CollectionRecord:
    """A collection and how many documents it holds. What is or comes below ``folders`` belongs to it by itself."""

    id: int
    name: str
    documents: int
    folders: tuple[Path, ...]
