"""Kills ingestion again and again at random points, and proves after each kill that nothing was lost or done twice.

``python -m tests.faults.chaos --kills 100 --seed 7``. Where a kill falls follows from the seed: it names a step that
the child tells (such as its third call of the embedding model) and milliseconds to wait after that.
"""

from __future__ import annotations

import argparse
import logging
import os
import random
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from app.domain.documents import DocumentRecord, DocumentState, FileStamp
from tests.faults.corpus import Corpus
from tests.faults.snapshot import differences, embedded_keys, snapshot
from tests.faults.stand_ins import FaultServices, paths_in

REPOSITORY = Path(__file__).resolve().parents[2]
STATES = ("queued", "parsing", "embedding", "ready")
LEAST_KILLS_PER_STATE = 5
# Steps that the child tells, how often they come in a run at least, how long after one a kill may fall, and how files
# are read: starting parser processes takes a while, in which the others wait in the queue.
STEPS = (
    ("opened", 1, 0.02, "here"),
    ("queued", 1, 0.01, "here"),
    ("parse", 2, 0.15, "pool"),
    ("parse", 1, 0.002, "pool"),
    ("parse", 4, 0.02, "here"),
    ("embed", 2, 0.004, "here"),
    ("embedded", 2, 0.01, "here"),
    ("outcome", 4, 0.02, "here"),
    ("closing", 1, 0.05, "here"),
)
KILLS_UNTIL_A_WHOLE_RUN = 9
"""A file that was being read at ten kills in a row is left alone, as it may be what ends the program."""

WORTH_COUNTING = 40
MOST_EXTRA_KILLS = 20
ENDING_SECONDS = 10.0


class ChaosError(AssertionError):
    """Something was lost, doubled, damaged or done twice."""


@dataclass
class ChaosReport:
    """What the kills met. ``in_state`` counts the kills at which some document stood in a state, ``at_work`` each kill
    once, under the furthest state of unfinished work (``ready``: all was read, and indexes were being written)."""

    kills: int = 0
    completed: int = 0
    in_state: Counter[str] = field(default_factory=Counter)
    at_work: Counter[str] = field(default_factory=Counter)
    leftovers: int = 0
    embedded: int = 0
    lost_batches: int = 0
    documents: int = 0
    chunks: int = 0
    slowest_start: float = 0.0
    seconds: float = 0.0

    def lines(self) -> list[str]:
        """A table for people."""
        rows = [f"{state:<12}{self.in_state[state]:>8}{self.at_work[state]:>14}" for state in STATES]
        return [
            f"{self.kills} kills in {self.seconds:.0f} s, {self.completed} runs ended before their kill",
            f"{'state':<12}{'kills':>8}{'furthest work':>14}",
            *rows,
            f"{self.documents} documents, {self.chunks} chunks at the end; none lost, none doubled, nothing damaged",
            f"{self.embedded} texts embedded; none that was stored was embedded again "
            f"({self.lost_batches} were on their way into the database when a kill fell)",
            f"{self.leftovers} leftover files met and cleaned up; slowest look at a killed library "
            f"{self.slowest_start:.2f} s",
        ]


class ForkServer:
    """Starts children that ingest, without the second that their imports would take."""

    def __init__(self, log: Path) -> None:
        # Parser processes whose program is killed while they start complain, which is not worth showing.
        with log.open("ab") as errors:
            self._process = self._open(log, errors)
        self._expect("ready")

    @staticmethod
    def _open(log: Path, errors: IO[bytes]) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.faults.ingest_child", "serve"],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=os.environ | {"TMPDIR": str(log.parent)},
            text=True,
        )

    @property
    def events(self) -> IO[str]:
        """What the child and the server tell, a line each."""
        assert self._process.stdout is not None
        return self._process.stdout

    def start(self, *arguments: str | Path) -> None:
        """Start a child. Its events follow, among them ``pid N`` from the server."""
        assert self._process.stdin is not None
        self._process.stdin.write(shlex.join(map(str, arguments)) + "\n")
        self._process.stdin.flush()

    def close(self) -> None:
        """End the server."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(ENDING_SECONDS)
        self.events.close()

    def _expect(self, line: str) -> None:
        told = self.events.readline().strip()
        if told != line:
            raise ChaosError(f"the child said {told!r} instead of {line!r}")


@dataclass(frozen=True)
class KillPoint:
    """``seconds`` after the step ``event`` was told ``times`` times, while files are read as ``parser`` says."""

    event: str
    times: int
    seconds: float
    parser: str


class Chaos:
    """One library that is killed ``kills`` times. ``real`` uses the real embedding model in processes of their own."""

    def __init__(self, folder: Path, *, kills: int, seed: int, files: int = 60, real: bool = False) -> None:
        self._home = folder / "home"
        self._fresh = folder / "fresh"
        self._log = folder / "errors.txt"
        self._kills = kills
        self._real = real
        self._chance = random.Random(seed)
        self._corpus = Corpus(folder / "documents", seed)
        self._corpus.add(files)
        self._known: dict[Path, str] = {}
        self._moved: set[Path] = set()
        self._as_read: set[Path] = set()
        self._done: set[str] = set()
        self._noted = 0
        self._report = ChaosReport()

    def run(self) -> ChaosReport:
        """Kill, check, edit, and start again; at the end compare with a library that was never disturbed.

        Raises ``ChaosError`` at the first thing that is wrong.
        """
        began = time.monotonic()
        server = ForkServer(self._log)
        try:
            while self._report.kills < self._kills or self._too_few():
                self._round(server, self._kill_point())
                if self._report.kills % KILLS_UNTIL_A_WHOLE_RUN == 0:
                    self._complete(server, self._home)
                    self._check(killed=False)
            self._complete(server, self._home)
            self._check(killed=False)
            self._complete(server, self._fresh)
        finally:
            server.close()
        self._compare()
        self._report.seconds = time.monotonic() - began
        return self._report

    def _too_few(self) -> bool:
        """Whether a state met too few kills, and a few more may change that."""
        few = any(self._report.in_state[state] < LEAST_KILLS_PER_STATE for state in STATES)
        return few and MOST_EXTRA_KILLS > self._report.kills - self._kills >= 0 and self._kills >= WORTH_COUNTING

    def _round(self, server: ForkServer, point: KillPoint) -> None:
        killed = self._start(server, self._home, point)
        self._report.kills += killed
        self._report.completed += not killed
        self._check(killed=killed)
        # A file that is moved and changed at once is a new file to the library.
        moved = self._moved - self._as_read
        if self._chance.random() < 0.4:
            moved |= self._move()
        self._moved = moved
        # Many at a time now and then: few files are taken out of the queue all at once.
        few = self._chance.random() < 0.7
        self._corpus.edit(self._chance.randrange(3, 9) if few else len(self._corpus.files) // 2, leave=moved)
        self._corpus.add(self._chance.randrange(2))

    def _kill_point(self) -> KillPoint:
        event, most, seconds, parser = self._chance.choice(STEPS)
        return KillPoint(event, self._chance.randint(1, most), self._chance.uniform(0, seconds), parser)

    def _start(self, server: ForkServer, home: Path, point: KillPoint | None) -> bool:
        """Run a child. True if it was killed at ``point``, False if it ended before."""
        parser = point.parser if point else "here"
        server.start(home, self._corpus.folder, "real" if self._real else "stand-in", parser)
        pid, seen, killed = 0, 0, False
        while True:
            told = server.events.readline().strip()
            if told.startswith("pid "):
                pid = int(told[4:])
            elif told.startswith("failure"):
                raise ChaosError(told)
            elif point and told == point.event:
                seen += 1
            if point and pid and not killed and seen >= point.times:
                time.sleep(point.seconds)
                killed = self._kill(pid)
            if told.startswith("ended "):
                self._await_end_of_group(pid)
                return self._killed(int(told[6:]))

    def _kill(self, pid: int) -> bool:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True

    def _killed(self, status: int) -> bool:
        if status not in (0, -signal.SIGKILL):
            raise ChaosError(f"the program ended with {status} by itself:\n{self._log.read_text()[-3000:]}")
        return status != 0

    def _await_end_of_group(self, pid: int) -> None:
        """No parser process outlives the program."""
        deadline = time.monotonic() + ENDING_SECONDS
        while time.monotonic() < deadline:
            try:
                os.killpg(pid, 0)
            except ProcessLookupError:
                return
            time.sleep(0.005)
        raise ChaosError("a parser process outlived the program")

    def _complete(self, server: ForkServer, home: Path) -> None:
        if self._start(server, home, None):
            raise ChaosError("the undisturbed run was killed")

    # -- what must hold after every kill -----------------------------------------------------------------------------

    def _check(self, *, killed: bool) -> None:
        began = time.monotonic()
        services = FaultServices(paths_in(self._home), writer=False, real=self._real)
        try:
            self._check_nothing_done_twice(services)
            self._check_documents(services, killed=killed)
            report = services.check.run()
            if report.problems:
                raise ChaosError("; ".join(finding.message for finding in report.problems))
            self._report.leftovers += sum(len(note.paths) for note in report.notes)
            if not killed and report.notes:
                raise ChaosError("; ".join(finding.message for finding in report.notes))
            self._report.documents, self._report.chunks = report.looked_at["documents"], report.looked_at["chunks"]
        finally:
            services.close()
        self._report.slowest_start = max(self._report.slowest_start, time.monotonic() - began)

    def _check_nothing_done_twice(self, services: FaultServices) -> None:
        noted = services.embedded.keys()
        twice = self._done & set(noted[self._noted :])
        if twice:
            raise ChaosError(f"{len(twice)} texts were embedded again though their vectors were stored")
        before = set(noted[: self._noted])
        self._report.lost_batches += sum(key in before for key in noted[self._noted :])
        self._report.embedded = len(noted)
        self._noted = len(noted)
        self._done = embedded_keys(services)

    def _check_documents(self, services: FaultServices, *, killed: bool) -> None:
        records = services.library.documents()
        paths = [record.path for record in records]
        if len(set(paths)) != len(paths):
            raise ChaosError("a document is there twice")
        states = {record.path: record.state.value for record in records}
        lost = [path for path in self._known if path not in states and path in self._corpus.files]
        if lost:
            raise ChaosError(f"lost: {lost}")
        failed = [record for record in records if record.state is DocumentState.FAILED and record.path.exists()]
        if failed:
            raise ChaosError(f"{failed[0].path.name} failed: {failed[0].message}")
        self._known = states
        self._as_read = {
            record.path for record in records if record.state is DocumentState.READY and _is_as_read(record)
        }
        if killed:
            self._count_states(set(states.values()))

    def _count_states(self, states: set[str]) -> None:
        for state in states & set(STATES):
            self._report.in_state[state] += 1
        at_work = next((state for state in ("embedding", "parsing", "queued", "ready") if state in states), None)
        if at_work:
            self._report.at_work[at_work] += 1

    def _compare(self) -> None:
        told = differences(
            snapshot(self._home, self._corpus.folder, real=self._real),
            snapshot(self._fresh, self._corpus.folder, real=self._real),
        )
        if told:
            raise ChaosError("not what an undisturbed run gives:\n" + "\n".join(told[:5]))

    def _move(self) -> set[Path]:
        ready = [path for path in self._corpus.files if path in self._as_read]
        return {self._corpus.move(self._chance.choice(ready))} if ready else set()


def _is_as_read(record: DocumentRecord) -> bool:
    try:
        information = record.path.stat()
    except FileNotFoundError:
        return False
    return FileStamp(information.st_size, information.st_mtime_ns) == record.stamp


def main(arguments: list[str] | None = None) -> int:
    """Run as ``make chaos`` does. Returns 1 if something went wrong or a state met too few kills."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--files", type=int, default=60)
    options = parser.parse_args(arguments)
    logging.disable(logging.WARNING)  # indexes that are made anew are what this is about
    with tempfile.TemporaryDirectory(prefix="footnote-chaos-") as folder:
        try:
            report = Chaos(Path(folder), kills=options.kills, seed=options.seed, files=options.files).run()
        except ChaosError as error:
            print(f"seed {options.seed}: {error}")
            return 1
    print(f"seed {options.seed}")
    print("\n".join(report.lines()))
    few = [state for state in STATES if report.in_state[state] < LEAST_KILLS_PER_STATE]
    if few and options.kills >= len(STATES) * LEAST_KILLS_PER_STATE:
        print(f"too few kills while documents were: {', '.join(few)}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
