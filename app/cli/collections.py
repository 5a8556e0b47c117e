"""``footnote collections``: named sets of documents."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from app.bootstrap import Services, open_services
from app.cli.output import Output
from app.domain.collections import CollectionRecord
from app.domain.errors import BadInputError
from app.domain.findings import counted


def collections(options: argparse.Namespace, output: Output) -> int:
    """List the collections, or change one."""
    if options.action is None:
        return _list(output)
    if options.name is None:
        raise BadInputError(f"Say which: footnote collections {options.action} NAME")
    with open_services(os.environ, writer=True) as services:
        _CHANGES[options.action](services, options, output)
    return 0


def _list(output: Output) -> int:
    with open_services(os.environ, writer=False) as services:
        found = services.packs.collections.collections()
        for record in found:
            output.row(_row(record), _text(record))
        if not found:
            output.note("There is no collection yet. `footnote collections create NAME` makes one.")
    return 0


def _create(services: Services, options: argparse.Namespace, output: Output) -> None:
    _tell(services.packs.collections.create(options.name), output)
    if options.paths:
        _add(services, options, output)


def _rename(services: Services, options: argparse.Namespace, output: Output) -> None:
    if len(options.paths) != 1:
        raise BadInputError("Give the new name: footnote collections rename NAME NEW")
    _tell(services.packs.collections.rename(options.name, options.paths[0]), output)


def _delete(services: Services, options: argparse.Namespace, output: Output) -> None:
    found = services.packs.collections.delete(options.name)
    output.row(_row(found) | {"deleted": True}, f"deleted “{found.name}”; its documents stay in the library")


def _add(services: Services, options: argparse.Namespace, output: Output) -> None:
    change = services.packs.collections.add(options.name, _paths(options))
    for folder in change.folders:
        output.note(f"New files in {folder} will belong to it too.")
    _tell(change.collection, output)


def _remove(services: Services, options: argparse.Namespace, output: Output) -> None:
    _tell(services.packs.collections.remove(options.name, _paths(options)).collection, output)


_CHANGES = {"create": _create, "rename": _rename, "delete": _delete, "add": _add, "remove": _remove}


def _paths(options: argparse.Namespace) -> list[Path]:
    if not options.paths:
        raise BadInputError(f"Say what: footnote collections {options.action} NAME PATH…")
    return [Path(each) for each in options.paths]


def _tell(record: CollectionRecord, output: Output) -> None:
    output.row(_row(record), _text(record))


def _row(record: CollectionRecord) -> dict[str, object]:
    return {"name": record.name, "documents": record.documents, "folders": [str(each) for each in record.folders]}


def _text(record: CollectionRecord) -> str:
    folders = f"; with all of {', '.join(map(str, record.folders))}" if record.folders else ""
    return f"{record.name}  ({counted(record.documents, 'document')}{folders})"
