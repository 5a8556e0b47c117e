"""Where the files that ship with the program are."""

from __future__ import annotations

import sys
from pathlib import Path


def _candidates() -> list[Path]:
    package = Path(__file__).resolve().parents[1]
    frozen = getattr(sys, "_MEIPASS", None)
    found = [package / "resources", package.parent / "resources"]
    return [Path(frozen) / "resources", *found] if frozen else found


def resource(*parts: str) -> Path:
    """The file or folder ``resources/<parts>`` in a frozen build, an installed package or a checkout.

    Raises FileNotFoundError naming the places looked at.
    """
    tried = [root.joinpath(*parts) for root in _candidates()]
    for path in tried:
        if path.exists():
            return path
    raise FileNotFoundError(f"no {'/'.join(parts)} in resources; looked at {', '.join(map(str, tried))}")
