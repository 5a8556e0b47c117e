"""Start Footnote: the window without arguments, the command line with a command."""

from __future__ import annotations

import multiprocessing
import sys
from pathlib import Path


def main(arguments: list[str] | None = None) -> int:
    """Run Footnote. Returns the exit status: 0 done, 1 something failed, 2 bad input."""
    multiprocessing.freeze_support()
    from app.cli.main import run

    return run(sys.argv[1:] if arguments is None else arguments, open_window)


def open_window(sample: Path | None) -> int:
    """Open the window; ``sample`` is a folder to read at the first start. Returns the exit status."""
    import os

    from app.gui.application import run_gui
    from app.settings.paths import AppPaths

    return run_gui(AppPaths.from_environment(os.environ), sample=sample)


if __name__ == "__main__":
    sys.exit(main())
