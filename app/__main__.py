"""Start Footnote: the window without arguments, the command line with a command."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.gui.early_window import Early

SINGLE_THREADED = {"OPENBLAS_NUM_THREADS": "1"}
"""NumPy's products are small here. Shared among threads, each leaves them spinning for a tenth of a second on cores
that searches need. NumPy reads this when it is imported."""

SWITCH_SECONDS = 0.001
"""How long a thread that computes may keep the interpreter from others: a search asks for it some fifty times."""


def main(arguments: list[str] | None = None) -> int:
    """Run Footnote. Returns the exit status: 0 done, 1 something failed, 2 bad input."""
    prepare_process()
    if getattr(sys, "frozen", False):
        import multiprocessing

        multiprocessing.freeze_support()
    arguments = sys.argv[1:] if arguments is None else arguments
    early = None if arguments else early_window()
    from app.cli.main import run

    return run(arguments, lambda sample: open_window(sample, early))


def prepare_process() -> None:
    """What holds for the whole process, and has to be said before NumPy is imported."""
    os.environ.update(SINGLE_THREADED)
    sys.setswitchinterval(SWITCH_SECONDS)


def early_window() -> Early | None:
    """The empty window, painted before the rest is imported. None where there is no display to paint it on."""
    from app.domain.errors import UserFacingError
    from app.gui.early_window import has_display, paint_window
    from app.settings.paths import AppPaths

    try:
        return paint_window(AppPaths.from_environment(os.environ)) if has_display(os.environ) else None
    except UserFacingError:
        return None  # the environment names a profile that is unknown, which the command line will say


def open_window(sample: Path | None, early: Early | None) -> int:
    """Open the window; ``sample`` is a folder to read at the first start. Returns the exit status."""
    from app.gui.application import run_gui
    from app.settings.paths import AppPaths

    return run_gui(AppPaths.from_environment(os.environ), sample=sample, early=early)


if __name__ == "__main__":
    sys.exit(main())
