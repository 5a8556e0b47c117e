"""``footnote pack``: collections from one computer to another in a file."""

from __future__ import annotations

import argparse
import os
import time
from dataclasses import asdict
from pathlib import Path

from app.bootstrap import open_services
from app.cli.output import Output
from app.domain.errors import BadInputError
from app.domain.findings import counted
from app.domain.packs import ImportSummary, PackSummary
from app.services.pack_paths import PathMapping

_FATES = {
    "added": "new",
    "updated": "took the place of an older text",
    "moved": "now at their new place",
    "known": "there already",
    "kept": "differ from what is here, which stays",
    "excluded": "left out here",
}


def pack(options: argparse.Namespace, output: Output) -> int:
    """Export, verify or import a pack."""
    file = Path(options.file)
    if options.action != "import" and (options.map or options.dry_run):
        raise BadInputError("--map and --dry-run belong to `footnote pack import`.")
    if options.action == "verify":
        return _verify(file, output)
    return _export(options, file, output) if options.action == "export" else _import(options, file, output)


def _export(options: argparse.Namespace, file: Path, output: Output) -> int:
    started = time.perf_counter()
    with open_services(os.environ, writer=False) as services:
        summary = services.packs.export(file, options.collection)
    seconds = time.perf_counter() - started
    output.row(_pack_row(summary) | {"seconds": round(seconds, 3)}, f"{_pack_text(summary)}, {seconds:.1f} s")
    if summary.left_out:
        output.note(f"{summary.left_out} documents were left out: they were not read to the end, or are excluded.")
    return 0


def _verify(file: Path, output: Output) -> int:
    started = time.perf_counter()
    with open_services(os.environ, writer=False) as services:
        summary = services.packs.verify(file)
    seconds = time.perf_counter() - started
    output.row(
        _pack_row(summary) | {"seconds": round(seconds, 3)}, f"All is well: {_pack_text(summary)}, {seconds:.1f} s"
    )
    return 0


def _import(options: argparse.Namespace, file: Path, output: Output) -> int:
    mapping = PathMapping.from_options(options.map)
    started = time.perf_counter()
    with open_services(os.environ, writer=not options.dry_run) as services:
        if options.dry_run:
            summary = services.packs.preview(file, mapping, options.collection)
        else:
            summary = services.packs.import_pack(
                file, mapping, options.collection, before=lambda plan: _say(plan, output)
            )
    seconds = time.perf_counter() - started
    output.row(
        asdict(summary) | {"seconds": round(seconds, 3), "dry_run": options.dry_run}, _import_text(summary, seconds)
    )
    return 0


def _say(plan: ImportSummary, output: Output) -> None:
    """Before anything is stored."""
    if plan.embedded:
        output.note(
            "The pack was made with another search model than answers here: "
            f"{plan.embedded} passages are embedded again."
        )


def _pack_row(summary: PackSummary) -> dict[str, object]:
    return asdict(summary) | {"collections": list(summary.collections)}


def _pack_text(summary: PackSummary) -> str:
    documents, passages = counted(summary.documents, "document"), counted(summary.chunks, "passage")
    return f"{documents}, {passages}, {summary.size / 1e6:,.1f} MB, search model {summary.model_key}"


def _import_text(summary: ImportSummary, seconds: float) -> str:
    row = asdict(summary)
    fates = ", ".join(f"{row[name]} {words}" for name, words in _FATES.items() if row[name])
    offline = f"; {summary.offline} without their file on this computer" if summary.offline else ""
    embedded = f"; {summary.embedded} passages embedded again" if summary.embedded else ""
    return f"{counted(summary.documents, 'document')}: {fates}{offline}{embedded}; {seconds:.1f} s"
