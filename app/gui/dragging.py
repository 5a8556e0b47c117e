"""Documents and folders of the library, dragged inside the window. Other programs get nothing of it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import QMimeData

PATHS_TYPE = "application/x-footnote-paths"


def mime_of(paths: Iterable[Path]) -> QMimeData:
    """What is dragged. Names of any bytes survive."""
    data = QMimeData()
    data.setData(PATHS_TYPE, json.dumps([str(path) for path in paths]).encode("ascii"))
    return data


def paths_of(data: QMimeData) -> list[Path]:
    """What was dragged; nothing if it does not come from the library."""
    if not data.hasFormat(PATHS_TYPE):
        return []
    return [Path(text) for text in json.loads(bytes(data.data(PATHS_TYPE).data()))]
