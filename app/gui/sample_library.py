"""Questions that the sample library answers, for a first try."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

SAMPLE_QUESTIONS = (
    "How often may I water my plot in a dry summer?",
    "What does a half plot cost?",
    "How long do tomato seeds keep?",
    "What should I do when a wasp nest hangs in the tool shed?",
)


def suggested_questions(paths: Iterable[Path], sample: Path) -> tuple[str, ...]:
    """Questions to suggest for a library of these files: the sample's, as long as that is all there is."""
    known = list(paths)
    return SAMPLE_QUESTIONS if known and all(path.parent == sample for path in known) else ()
