"""``footnote`` without a command: the window."""

from __future__ import annotations

import argparse
import os

from app.cli.output import Output


def open_window(options: argparse.Namespace, output: Output) -> int:
    """Open the window and return its exit status."""
    from app.gui.application import run_gui
    from app.settings.paths import AppPaths
    from app.settings.resources import resource

    paths = AppPaths.from_environment(os.environ)
    return run_gui(paths, sample=resource("sample") if options.sample else None)
