"""Mutation tests: ``python -m tests.mutants [WORDS…]`` (``make mutants``).

Applies small changes to the source, one at a time in a copy of the tree, and runs the tests that must notice them. A
mutant whose tests all pass has survived: a behaviour is not tested. WORDS select mutants whose name, rows or path hold
one of them.

Results are kept in ``build/mutants.json`` and reused while source, mutant and tests are the same, so an interrupted
run goes on where it was.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue

from tests.mutants.content import CONTENT
from tests.mutants.failures import FAILURES
from tests.mutants.messages import MESSAGES
from tests.mutants.mutant import Mutant
from tests.mutants.operation import OPERATION
from tests.mutants.protocol import PROTOCOL

REPOSITORY = Path(__file__).resolve().parents[2]
RESULTS = REPOSITORY / "build" / "mutants.json"
MUTANTS: tuple[Mutant, ...] = (*MESSAGES, *PROTOCOL, *CONTENT, *OPERATION, *FAILURES)
WORKERS = 2
SECONDS = 120
_COPIED = ("app", "tests", "resources", "pyproject.toml")
_NO_TESTS_FAILED, _TESTS_FAILED = 0, 1


class MutantError(Exception):
    """A mutant can't be applied, or its tests fail without it."""


def main(words: Sequence[str]) -> int:
    """Run the chosen mutants. Returns 1 if one survived or could not be run."""
    chosen = [mutant for mutant in MUTANTS if not words or any(word in _description(mutant) for word in words)]
    known = _stored()
    started = time.monotonic()
    survived = 0
    with _copies(WORKERS) as copies, ThreadPoolExecutor(WORKERS) as pool:
        for mutant, outcome in pool.map(lambda mutant: (mutant, _outcome(mutant, copies, known)), chosen):
            survived += outcome != "killed"
            sys.stdout.write(f"{outcome:9} {mutant.rows:8} {mutant.name} ({mutant.path})\n")
            sys.stdout.flush()
            _store(known)
    seconds = time.monotonic() - started
    sys.stdout.write(f"\n{len(chosen) - survived} of {len(chosen)} mutants killed, {seconds:.0f} s\n")
    return 1 if survived or not chosen else 0


def _description(mutant: Mutant) -> str:
    return f"{mutant.name} {mutant.rows} {mutant.path}"


def _outcome(mutant: Mutant, copies: SimpleQueue[Path], known: dict[str, str]) -> str:
    """ "killed", "survived", or what is wrong with the mutant."""
    key = _key(mutant)
    if key not in known:
        tree = copies.get()
        try:
            known[key] = _run(mutant, tree)
        except MutantError as error:
            return f"ERROR: {error}"
        finally:
            copies.put(tree)
    return known[key]


def _run(mutant: Mutant, tree: Path) -> str:
    path = tree / mutant.path
    original = path.read_text(encoding="utf-8")
    if original.count(mutant.old) != 1:
        raise MutantError(f"the text to replace occurs {original.count(mutant.old)} times")
    path.write_text(original.replace(mutant.old, mutant.new), encoding="utf-8")
    try:
        status = _tests(mutant, tree)
    finally:
        path.write_text(original, encoding="utf-8")
    if status == _NO_TESTS_FAILED:
        return "survived"
    if _tests(mutant, tree, last_failed=status == _TESTS_FAILED) != _NO_TESTS_FAILED:
        raise MutantError("its tests fail without it too")
    return "killed"


def _tests(mutant: Mutant, tree: Path, *, last_failed: bool = False) -> int:
    """The exit status of the mutant's tests; a run that takes too long counts as failed."""
    options = ["-x", "-q", "-p", "no:randomly", "--timeout", "60", *(["--last-failed"] if last_failed else [])]
    command = [sys.executable, "-B", "-m", "pytest", *options, *mutant.tests]
    try:
        finished = subprocess.run(command, cwd=tree, capture_output=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return 2
    return finished.returncode


def _key(mutant: Mutant) -> str:
    """Changes with the mutant, its source and its tests."""
    digest = hashlib.sha256(repr(mutant).encode())
    for name in (mutant.path, *mutant.tests):
        digest.update((REPOSITORY / name).read_bytes())
    return digest.hexdigest()


@contextmanager
def _copies(count: int) -> Iterator[SimpleQueue[Path]]:
    """Copies of the tree, one for each worker."""
    with tempfile.TemporaryDirectory(prefix="footnote-mutants-") as folder:
        copies: SimpleQueue[Path] = SimpleQueue()
        for number in range(count):
            tree = Path(folder) / str(number)
            for name in _COPIED:
                source = REPOSITORY / name
                if source.is_dir():
                    shutil.copytree(source, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
                else:
                    shutil.copy(source, tree / name)
            copies.put(tree)
        yield copies


def _stored() -> dict[str, str]:
    if not RESULTS.is_file():
        return {}
    stored: dict[str, str] = json.loads(RESULTS.read_text(encoding="utf-8"))
    return stored


def _store(known: dict[str, str]) -> None:
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(dict(known), indent=0), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
