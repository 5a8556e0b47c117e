"""``footnote chats``: list, search, export and import chats."""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

from app.bootstrap import Services, open_services
from app.cli.output import Output
from app.domain.chat_transfer import ChatHit, ImportReport
from app.domain.errors import BadInputError
from app.domain.turns import SessionRecord
from app.services.session_files import ExportFormat


def chats(options: argparse.Namespace, output: Output) -> int:
    """List all chats, or run one of the actions."""
    action = options.action or "list"
    if action != "list" and not options.what:
        raise BadInputError(f"Say what: footnote chats {action} {_WHAT[action]}")
    if action != "export" and (options.format or options.chat):
        raise BadInputError("--format and --chat belong to `footnote chats export`.")
    with open_services(os.environ, writer=False) as services:
        return _ACTIONS[action](services, options, output)


_WHAT = {"search": "WORDS", "export": "FILE|FOLDER", "import": "FILE"}


def _list(services: Services, options: argparse.Namespace, output: Output) -> int:
    records = services.sessions.sessions()
    for record in records:
        output.row(_row(record), _text(record))
    if not records:
        output.note("There is no chat yet.")
    return 0


def _search(services: Services, options: argparse.Namespace, output: Output) -> int:
    hits = services.sessions.search(options.what)
    for hit in hits:
        output.row(_hit_row(hit), f"{hit.session_title}  {hit.session_id}\n    {hit.role}: {hit.excerpt}")
    if not hits:
        output.note("No message of any chat holds these words.")
    return 0


def _export(services: Services, options: argparse.Namespace, output: Output) -> int:
    target = Path(options.what)
    format = _format(options, target)
    exports = services.sessions.exports
    if options.chat:
        exports.to_file(_chat(services, options.chat).id, target, format)
        written, count = [target], 1
    elif format is ExportFormat.JSON:
        count = exports.all_to_file(target)
        written = [target]
    else:
        written = exports.to_folder([record.id for record in services.sessions.sessions()], target, format)
        count = len(written)
    for path in written:
        output.row({"file": str(path)}, str(path))
    output.note(f"Exported {count} chats.")
    return 0


def _format(options: argparse.Namespace, target: Path) -> ExportFormat:
    if options.format:
        return ExportFormat(options.format)
    suffix = target.suffix.lower().lstrip(".")
    if suffix in set(ExportFormat):
        return ExportFormat(suffix)
    raise BadInputError("Say as what: --format md, html or json. (PDF is made in the window.)")


def _chat(services: Services, name: str) -> SessionRecord:
    """The chat of an id, of the beginning of one, or of a title."""
    records = services.sessions.sessions()
    found = [each for each in records if each.id == name or each.title.casefold() == name.casefold()]
    found = found or [each for each in records if each.id.startswith(name)]
    if len(found) != 1:
        many = "Several chats are" if found else "No chat is"
        raise BadInputError(f"{many} called “{name}”. `footnote chats` lists their ids.")
    return found[0]


def _import(services: Services, options: argparse.Namespace, output: Output) -> int:
    report = services.sessions.imports.from_file(Path(options.what))
    for left_out in report.left_out:
        output.problem(left_out)
    output.row(_report_row(report), report.told())
    return 0


_ACTIONS = {"list": _list, "search": _search, "export": _export, "import": _import}


def _row(record: SessionRecord) -> dict[str, object]:
    return {
        "id": record.id,
        "title": record.title,
        "messages": record.message_count,
        "created_at": record.created_at,
        "updated_at": record.updated_at,
        "pinned": record.pinned,
        "archived": record.archived,
        "folder": record.folder,
        "tags": list(record.tags),
    }


def _text(record: SessionRecord) -> str:
    day = time.strftime("%Y-%m-%d", time.localtime(record.updated_at))
    where = f"  in {record.folder}" if record.folder else ""
    tags = "".join(f" #{tag}" for tag in record.tags)
    marks = f"{'  pinned' if record.pinned else ''}{'  archived' if record.archived else ''}"
    return f"{record.id[:8]}  {day}  {record.title or 'New chat'} ({record.message_count} messages){where}{tags}{marks}"


def _hit_row(hit: ChatHit) -> dict[str, object]:
    return {
        "chat": hit.session_id,
        "title": hit.session_title,
        "message": hit.message_id,
        "role": hit.role,
        "excerpt": hit.excerpt,
        "spans": [list(span) for span in hit.spans],
    }


def _report_row(report: ImportReport) -> dict[str, object]:
    return {
        "new": report.new_chats,
        "continued": report.continued_chats,
        "known": report.known_chats,
        "restored": report.restored,
        "messages": report.messages,
        "left_out": list(report.left_out),
    }
