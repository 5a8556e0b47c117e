"""Footnote started once more, as a program of its own, with another profile."""

from __future__ import annotations

import sys

from PySide6.QtCore import QProcess, QProcessEnvironment

from app.settings.paths import PROFILE_VARIABLE


def start_footnote(profile: str) -> bool:
    """Open the window of ``profile``. False if the program could not be started."""
    environment = QProcessEnvironment.systemEnvironment()
    # Not --profile: a start without arguments paints its window first.
    environment.insert(PROFILE_VARIABLE, profile)
    process = QProcess()
    process.setProgram(sys.executable)
    process.setArguments([] if getattr(sys, "frozen", False) else ["-m", "app"])
    process.setProcessEnvironment(environment)
    started = process.startDetached()
    return bool(started[0] if isinstance(started, tuple) else started)
