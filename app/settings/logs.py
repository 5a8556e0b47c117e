"""Where the program's log goes: a rotating file in the logs folder, never the terminal."""

from __future__ import annotations

import logging
import logging.handlers
import os
from pathlib import Path

from app.settings.paths import AppPaths

FILE_NAME = "footnote.log"
MAX_BYTES = 2 * 1024 * 1024
KEPT_FILES = 5
FORMAT = "%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"


def log_file(paths: AppPaths) -> Path:
    """The file that the log is written to."""
    return paths.logs / FILE_NAME


def start_log(paths: AppPaths) -> logging.Handler:
    """Send the log to ``log_file``. The caller removes the handler from the root logger and closes it at the end."""
    paths.create()
    handler = logging.handlers.RotatingFileHandler(
        log_file(paths), maxBytes=MAX_BYTES, backupCount=KEPT_FILES, encoding="utf-8", delay=True, errors="replace"
    )
    handler.setFormatter(logging.Formatter(FORMAT))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(os.environ.get("FOOTNOTE_LOG_LEVEL", "INFO"))
    return handler
