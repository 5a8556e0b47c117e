"""Which rows of the requirement table are proven: ``python -m tests.requirements_report`` (``make requirements``).

Runs the tests marked ``@pytest.mark.requirement("B12")`` and prints, per group and in total, how many rows of
``requirements_rows.txt`` have a test and how many passed. A row passes when all its tests do and none was skipped.
Fails when a row has no test or did not pass, or when a test names a row that doesn't exist. Rows of the platform
(``R…`` resilience, ``T…`` threats) stand in a table of their own and are not counted here.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

ROWS = Path(__file__).with_name("requirements_rows.txt")
FOLDERS = ("tests/chat_models", "tests/network", "tests/services", "tests/storage")
PROPERTY = "requirements"
PLATFORM_ROWS = re.compile(r"[RT]\d+")


def rows() -> list[str]:
    """The ids of all rows, in the order of the table."""
    return ROWS.read_text(encoding="utf-8").split()


def pytest_collection_modifyitems(items: list[pytest.Item], config: pytest.Config) -> None:
    """Keep the tests that prove a row, and send the ids along with their reports."""
    proving: list[pytest.Item] = []
    others: list[pytest.Item] = []
    for item in items:
        ids = {str(each) for mark in item.iter_markers("requirement") for each in mark.args}
        ids = {each for each in ids if not PLATFORM_ROWS.fullmatch(each)}
        item.user_properties.append((PROPERTY, sorted(ids)))
        (proving if ids else others).append(item)
    items[:] = proving
    config.hook.pytest_deselected(items=others)


class Outcomes:
    """Gathers the outcomes of tests by row."""

    def __init__(self) -> None:
        self._by_test: dict[str, tuple[tuple[str, ...], str]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note the worst outcome of the phases of a test."""
        properties: dict[str, Any] = dict(report.user_properties)
        ids = tuple(properties.get(PROPERTY, ()))
        known = self._by_test.get(report.nodeid, (ids, "passed"))[1]
        worst = report.outcome if known == "passed" else known
        self._by_test[report.nodeid] = (ids or self._by_test.get(report.nodeid, ((), ""))[0], worst)

    def by_row(self) -> dict[str, list[str]]:
        """The outcomes of the tests of each row."""
        found: dict[str, list[str]] = defaultdict(list)
        for ids, outcome in self._by_test.values():
            for row in ids:
                found[row].append(outcome)
        return found


def summary(ids: Sequence[str], outcomes: dict[str, list[str]]) -> tuple[list[str], bool]:
    """The lines to print, and whether every row is proven."""
    groups: dict[str, list[str]] = defaultdict(list)
    for row in ids:
        groups[re.sub(r"\d+$", "", row)].append(row)
    lines = [f"{group}: {_counts(members, outcomes)}" for group, members in groups.items()]
    lines.append(f"total: {_counts(ids, outcomes)}")
    bare = [row for row in ids if row not in outcomes]
    failed = [row for row in ids if row in outcomes and not _passed(outcomes[row])]
    unknown = sorted(set(outcomes) - set(ids))
    for words, found in (("without a test", bare), ("not passed", failed), ("in no row of the table", unknown)):
        if found:
            lines.append(f"{words}: {' '.join(found)}")
    return lines, not (bare or failed or unknown)


def _counts(ids: Sequence[str], outcomes: dict[str, list[str]]) -> str:
    covered = [row for row in ids if row in outcomes]
    passed = [row for row in covered if _passed(outcomes[row])]
    return f"covered {len(covered)} of {len(ids)} rows, passed {len(passed)}"


def _passed(outcomes: Sequence[str]) -> bool:
    return set(outcomes) == {"passed"}


def main(arguments: Sequence[str]) -> int:
    """Run the tests and print the report."""
    gathered = Outcomes()
    options = ["-q", "-n", "2", "-p", "tests.requirements_report", *(arguments or FOLDERS)]
    status = pytest.main(options, plugins=[gathered])
    lines, proven = summary(rows(), gathered.by_row())
    print("\n" + "\n".join(lines))
    return 0 if proven and status == pytest.ExitCode.OK else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
