"""What runs inside a parser process: reads one file after the other until its pipe closes."""

from __future__ import annotations

import os
import shutil
import threading
import traceback
from collections.abc import Callable
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from pathlib import Path

from app.domain.documents import ParsedDocument
from app.domain.errors import DocumentError, FailureReason
from app.loaders import parser_messages as messages
from app.loaders.parser_limits import ParserLimits
from app.loaders.parser_scratch import remove_if_last
from app.loaders.parser_tasks import perform
from app.loaders.sandbox import allow_cpu_seconds, confine

# A program that is killed closes its pipes one after the other.
ENDING_SECONDS = 0.05
NICER = 10
"""How much nicer this process is than the program. Not on Windows, which has no such number."""
Reader = Callable[[Path], ParsedDocument]
# Made with the limits, and with what a reader calls when it goes on to a page that takes seconds.
ReaderFactory = Callable[[ParserLimits, Callable[[], None]], Reader]


def registry_reader(limits: ParserLimits, ask_for_time: Callable[[], None]) -> Reader:
    """Return the reader that knows every loader of this folder."""
    from app.loaders.registry import load_document, loaders

    registry = loaders(limits=limits, ask_for_time=ask_for_time)
    return lambda path: load_document(path, limits, registry)


def give_way() -> None:
    """Let the program itself go first, so that a question gets a core at once while files are read."""
    if hasattr(os, "nice"):
        os.nice(NICER)


def serve(connection: Connection, limits: ParserLimits, scratch: Path, make_reader: ReaderFactory) -> None:
    """Answer requests on ``connection`` until the program closes it or ends."""
    give_way()
    confine(limits, scratch)
    threading.Thread(target=_end_with_parent, args=(scratch,), name="end with parent", daemon=True).start()

    def ask_for_time() -> None:
        allow_cpu_seconds(limits.page_cpu_seconds)
        connection.send_bytes(messages.MORE_TIME)

    read = make_reader(limits, ask_for_time)
    while True:
        try:
            request = connection.recv_bytes()
        except (EOFError, OSError):
            break
        allow_cpu_seconds(limits.cpu_seconds)
        reply = _reply(read, messages.decode_request(request), limits)
        try:
            for frame in reply:
                connection.send_bytes(frame)
        except OSError:
            break
    parent = parent_process()
    if parent is not None and wait([parent.sentinel], timeout=ENDING_SECONDS):
        _clear(scratch)


def _reply(read: Reader, request: messages.Request, limits: ParserLimits) -> messages.Frames:
    path = request.path
    try:
        if request.task:
            return messages.encode_result(perform(request.task, path, request.arguments))
        return messages.encode_document(read(path))
    except DocumentError as error:
        return messages.encode_failure(error.reason, str(error))
    except MemoryError:
        return _failed(FailureReason.OUT_OF_MEMORY, path, limits)
    except Exception:  # noqa: BLE001  # the edge of a process that runs parsers of others
        return _failed(FailureReason.CRASHED, path, limits, traceback.format_exc())


def _failed(reason: FailureReason, path: Path, limits: ParserLimits, details: str = "") -> messages.Frames:
    return messages.encode_failure(reason, failure_message(reason, path, limits), details)


def _end_with_parent(scratch: Path) -> None:
    """A killed program closes its pipes; a parser that is busy with a file would not notice in time."""
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        _clear(scratch)
        os._exit(1)


def _clear(scratch: Path) -> None:
    """Remove what a killed program can't remove any more: this process's folder, and the pool's after the last one."""
    shutil.rmtree(scratch, ignore_errors=True)
    remove_if_last(scratch.parent)


def failure_message(reason: FailureReason, path: Path, limits: ParserLimits) -> str:
    """Return what to tell the user of a file whose reading had to be stopped, or stopped by itself."""
    name = f"“{path.name}”"
    if reason is FailureReason.TIMEOUT:
        return f"Reading {name} took too long ({limits.seconds:,.0f} seconds). Split it, or save it in another format."
    if reason is FailureReason.OUT_OF_MEMORY:
        return f"{name} needs more memory than one document may use. Split it into smaller files and add those."
    if reason is FailureReason.TOO_LARGE:
        return f"{name} holds more text than one document may ({limits.output_chars:,} characters). Split it."
    return f"{name} could not be read: its content made the reader break down. Other files are not affected."
