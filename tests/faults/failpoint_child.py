"""Ingests, writes both indexes, and ends itself by SIGKILL when a named function is called or returns.

``python -m tests.faults.failpoint_child HOME DOCUMENTS call|return NAME TIMES``, where NAME is as in
``app.retrieval.segment_files:_replace`` or ``fsync`` for a function of the system. It prints ``missed`` at its end.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from tests.faults.stand_ins import FaultServices, paths_in

MODULES = ("app.retrieval.", "app.storage.", "app.services.")


def ends_at(moment: str, name: str, times: int) -> Callable[[FrameType, str, Any], None]:
    """A profile function that counts and kills."""
    seen = [0]
    system = ":" not in name

    def profile(frame: FrameType, event: str, value: Any) -> None:
        if system:
            found = event == ("c_call" if moment == "call" else "c_return") and value.__name__ == name
            found = found and frame.f_globals["__name__"].startswith("app.retrieval.segment_files")
        else:
            found = event == moment and f"{frame.f_globals['__name__']}:{frame.f_code.co_qualname}" == name
        if found:
            seen[0] += 1
            if seen[0] == times:
                os.kill(os.getpid(), signal.SIGKILL)

    return profile


def main(home: Path, documents: Path, moment: str, name: str, times: int) -> None:
    profile = ends_at(moment, name, times)
    threading.setprofile(profile)
    sys.setprofile(profile)
    services = FaultServices(paths_in(home), writer=True, pool=False)
    resumed = services.ingest.resume_pending()
    if resumed is not None:
        resumed.wait()
    services.ingest.add([documents]).wait()
    services.open_indexes()
    services._vector_index().maintain(save_all=True)
    services.close()
    print("missed", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4], int(sys.argv[5]))
