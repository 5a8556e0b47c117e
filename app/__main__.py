"""Start Footnote: the window without arguments, the command line with a command."""

from __future__ import annotations

import multiprocessing
import sys


def main(arguments: list[str] | None = None) -> int:
    """Run Footnote. Returns the exit status: 0 done, 1 something failed, 2 bad input."""
    multiprocessing.freeze_support()
    from app.cli.main import run

    return run(sys.argv[1:] if arguments is None else arguments)


if __name__ == "__main__":
    sys.exit(main())
