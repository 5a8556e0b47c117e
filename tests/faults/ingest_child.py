"""Ingests a folder and tells every step on the standard output, so that it can be killed there.

``python -m tests.faults.ingest_child HOME DOCUMENTS real|stand-in pool|here`` does it once. With ``serve`` it waits
for such lines on the standard input and does each in a process forked for it: forking saves the second that imports
take. It tells ``pid N`` when a child starts and ``ended STATUS`` when it is gone; the rest comes from the child.
"""

from __future__ import annotations

import os
import shlex
import sys
import traceback
from pathlib import Path

from tests.faults.stand_ins import FaultServices, paths_in


def say(event: str) -> None:
    """At once, in one piece, whatever happens next."""
    os.write(1, f"{event}\n".encode())


def ingest(home: Path, documents: Path, engine: str, parser: str) -> None:
    """Take up what is unfinished, read the folder, and close as the program does."""
    say("start")
    services = FaultServices(paths_in(home), writer=True, tell=say, real=engine == "real", pool=parser == "pool")
    say("opened")
    service = services.ingest
    service.subscribe(lambda event: say("outcome" if hasattr(event, "state") else "progress"))
    resumed = service.resume_pending()
    if resumed is not None:
        resumed.wait()
        say("resumed")
    job = service.add([documents])
    job.wait()
    say("closing" if job.failure is None else f"failure {job.failure}")
    services.close()
    say("closed")


def serve() -> None:
    """Fork a child for each line until there are no more."""
    import faiss  # noqa: F401  what follows is only imported, so that the children needn't
    import sqlite_utils  # noqa: F401
    import tantivy  # noqa: F401

    import app.retrieval.keyword_index
    import app.retrieval.vector_index
    import app.services.ingest_service  # noqa: F401

    say("ready")
    for line in sys.stdin:
        home, documents, engine, parser = shlex.split(line)
        pid = os.fork()
        if pid == 0:
            os._exit(_child(Path(home), Path(documents), engine, parser))
        say(f"pid {pid}")
        _, status = os.waitpid(pid, 0)
        say(f"ended {os.waitstatus_to_exitcode(status)}")


def _child(home: Path, documents: Path, engine: str, parser: str) -> int:
    os.setsid()
    try:
        ingest(home, documents, engine, parser)
    except BaseException:  # noqa: BLE001  the edge of a process
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve()
    else:
        ingest(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4])
