"""Ingests into a home on a disk that is too small, gives it a little more room, and goes on without starting again.

``python -m tests.faults.full_disk_child HOME DOCUMENTS mount|limit``: the disk is a tmpfs mounted at HOME, which can
be made larger; or, without the right to mount, a limit on the size of each file. Prints what the user was told each
time, then ``done N`` with the number of times that there was no room.
"""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.faults.stand_ins import FaultServices, paths_in

FIRST_BYTES = 900_000
STEP_BYTES = 120_000
MOST_STEPS = 80


def remount(home: Path, size: int) -> None:
    """A tmpfs can't become smaller than what is in it; then the next larger size will do."""
    while subprocess.run(["mount", "-o", f"remount,size={size}", str(home)], check=False).returncode:
        size += STEP_BYTES


def limit(size: int) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def main(home: Path, documents: Path, kind: str) -> None:
    give: Callable[[int], None] = limit if kind == "limit" else lambda size: remount(home, size)
    services = FaultServices(paths_in(home), writer=True, pool=False)
    size = FIRST_BYTES
    full = 0
    give(size)
    for _ in range(MOST_STEPS):
        job = services.ingest.add([documents])
        assert job.wait(60)
        if job.failure is None:
            break
        full += 1
        print(job.failure, flush=True)
        size += STEP_BYTES
        give(size)
    give(64_000_000)
    services.close()
    print(f"done {full}", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
