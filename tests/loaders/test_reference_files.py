"""Real and malformed files of many makers: none crashes or hangs a parser, each ends as expected of it."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.domain.documents import ParsedDocument
from app.domain.errors import DocumentError, FailureReason
from app.loaders.parser_limits import ParserLimits
from app.loaders.parser_pool import ParserPool

LIMITS = ParserLimits(seconds=60)
NEVER = {FailureReason.CRASHED, FailureReason.TIMEOUT, FailureReason.OUT_OF_MEMORY}
ALLOWED = {
    "text": set[FailureReason](),
    "password": {FailureReason.ENCRYPTED, FailureReason.UNSUPPORTED},
    "empty_ok": {FailureReason.EMPTY, FailureReason.NO_TEXT, FailureReason.UNSUPPORTED, FailureReason.DAMAGED},
    "error_ok": set(FailureReason) - NEVER,
}
# Each kind of trouble is here; among the many ordinary files every fourth is.
EVERY = 4


@pytest.fixture(scope="module")
def pool() -> Iterator[ParserPool]:
    with ParserPool(2, LIMITS) as shared:
        yield shared


def rows(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines()]


def read(pool: ParserPool, path: Path) -> ParsedDocument | FailureReason:
    try:
        return pool.parse(path)
    except DocumentError as error:
        return error.reason


def allowed(row: dict[str, Any], outcome: ParsedDocument | FailureReason) -> bool:
    if isinstance(outcome, ParsedDocument):
        return bool(outcome.text.strip())
    no_password_known = row["expect"] == "password" and not row.get("password")
    return outcome in ALLOWED["error_ok" if no_password_known else row["expect"]]


def test_files_end_as_expected(pool: ParserPool, test_data: Path) -> None:
    folder = test_data / "formats"
    ordinary = [row for row in rows(folder) if row["category"] == "normal"]
    troubled = [row for row in rows(folder) if row["category"] != "normal"]
    outcomes = {row["file"]: (row, read(pool, folder / "files" / row["file"])) for row in troubled + ordinary[::EVERY]}

    wrong = [(name, outcome) for name, (row, outcome) in outcomes.items() if not allowed(row, outcome)]

    assert len(outcomes) > 100
    assert wrong == []


def words(text: str) -> Counter[str]:
    return Counter(re.findall(r"\w+", text.lower()))


@pytest.mark.parametrize(
    ("extension", "recall", "precision"),
    [("pdf", 0.97, 0.97), ("html", 0.88, 0.95), ("md", 0.97, 0.75), ("pptx", 0.80, 0.90), ("odt", 0.97, 0.97)],
)
def test_words_of_the_reference_are_read(
    pool: ParserPool, test_data: Path, extension: str, recall: float, precision: float
) -> None:
    folder = test_data / "formats"
    found, right = [], []
    for row in [row for row in rows(folder) if row.get("truth") and row["ext"] == extension][:20]:
        truth = words((folder / row["truth"]).read_text(encoding="utf-8"))
        outcome = read(pool, folder / "files" / row["file"])
        text = words(outcome.text) if isinstance(outcome, ParsedDocument) else Counter[str]()
        shared = (truth & text).total()
        found.append(shared / truth.total() if truth else 1.0)
        right.append(shared / text.total() if text else 0.0)

    assert sum(found) / len(found) >= recall
    assert sum(right) / len(right) >= precision
