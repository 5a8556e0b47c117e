"""``footnote doctor``: is everything in order?"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from dataclasses import asdict

from app.bootstrap import open_services
from app.cli.main import EXIT_FAILED
from app.cli.output import Output


def doctor(options: argparse.Namespace, output: Output) -> int:
    """Print the diagnosis. Returns 1 if there are problems."""
    with open_services(os.environ, writer=False) as services:
        diagnosis = services.doctor.examine()
    row = asdict(diagnosis)
    output.row(row, "\n".join(_lines(row)))
    return EXIT_FAILED if diagnosis.problems else 0


def _lines(row: Mapping[str, object]) -> list[str]:
    lines = []
    for name, value in row.items():
        title = name.replace("_", " ")
        if isinstance(value, Mapping):
            lines.append(f"{title}:")
            lines += [f"  {str(key).replace('_', ' '):<22} {_text(item)}" for key, item in value.items()]
        elif isinstance(value, tuple):
            lines += [f"{title}:", *(f"  {item}" for item in value)] if value else [f"no {title}"]
        else:
            lines.append(f"{title:<24} {_text(value)}")
    return lines


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value in (None, "") else str(value)
