"""``footnote documents`` and ``footnote remove``."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from app.bootstrap import open_services
from app.cli.output import Output
from app.domain.documents import DocumentRecord
from app.domain.findings import counted


def list_documents(options: argparse.Namespace, output: Output) -> int:
    """List every document with its state."""
    with open_services(os.environ, writer=False) as services:
        documents = services.library.documents()
        addresses = services.library.addresses()
        for record in documents:
            url = addresses.get(record.path)
            output.row(_row(record, url), _text(record, url))
        if not documents:
            output.note("The library is empty. `footnote ingest PATH` adds files.")
    return 0


def remove_documents(options: argparse.Namespace, output: Output) -> int:
    """Take a file, a folder or a web page out of the library."""
    from app.cli import pages

    with open_services(os.environ, writer=True) as services:
        if pages.is_page(options.path):
            path = pages.page_at(services, options.path)
        else:
            path = Path(os.path.abspath(options.path))  # noqa: PTH100 - the library keeps paths as the user knows them
        for record in services.library.remove(path):
            output.row({"path": str(record.path), "removed": True}, f"removed {record.path}")
    return 0


def _row(record: DocumentRecord, url: str | None) -> dict[str, object]:
    return {
        "path": str(record.path),
        "title": record.title,
        "state": record.state.value,
        "reason": record.reason.value if record.reason else None,
        "message": record.message or None,
        "warning": record.warning or None,
        "pages": record.page_count,
        "chunks": record.chunk_count,
        "url": url,
    }


def _text(record: DocumentRecord, url: str | None) -> str:
    detail = record.message or counted(record.chunk_count, "passage")
    if record.warning:
        detail += f"; {record.warning}"
    return f"{record.state.value:<9} {url or record.path}  ({detail})"
