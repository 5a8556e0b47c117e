"""Converts a model for the fast engine, in a process of its own, once."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.domain.cancellation import CancelToken
from app.domain.errors import FootnoteError, ModelFileError
from app.retrieval.engine_choice import Precision
from app.retrieval.engine_files import EngineFiles

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

_POLL_SECONDS = 0.2

Progress = Callable[[float], None]


class ConversionError(FootnoteError):
    """A sound model can't be converted: its architecture is not supported, or the converter died."""


@dataclass(frozen=True, slots=True)
class ConversionOrder:
    """What to convert. ``expected`` are the SHA-256 of the files in ``source``; ``target`` is made anew."""

    source: Path
    name: str
    expected: dict[str, str]
    precision: Precision
    target: Path


def ensure_converted(order: ConversionOrder, progress: Progress, cancel: CancelToken) -> EngineFiles:
    """The converted model in ``order.target``, converting if it isn't there or is damaged.

    The result appears complete or not at all; whatever a killed conversion left is cleared away. When another process
    is converting the same model, this one waits for it. ``progress`` is told the part that is done, from 0 to 1.
    Raises ``ConversionError``, ``ModelFileError`` and ``WorkCancelledError``.
    """
    import filelock

    files = EngineFiles(order.target)
    if files.manifest() is not None:
        return files
    order.target.parent.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(order.target.with_name(f".{order.target.name}.lock"), thread_local=False)
    while not lock.is_locked:
        cancel.raise_if_cancelled()
        try:
            lock.acquire(timeout=_POLL_SECONDS)
        except filelock.Timeout:
            continue
    try:
        if files.manifest() is None:
            _convert(order, progress, cancel)
    finally:
        lock.release()
    return files


def _convert(order: ConversionOrder, progress: Progress, cancel: CancelToken) -> None:
    aside = order.target.with_name(f".{order.target.name}.partial")
    for leftover in (aside, order.target):
        shutil.rmtree(leftover, ignore_errors=True)
    aside.mkdir(mode=0o700)
    try:
        _run_child(order, aside, progress, cancel)
        aside.rename(order.target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _run_child(order: ConversionOrder, aside: Path, progress: Progress, cancel: CancelToken) -> None:
    import multiprocessing

    from app.retrieval.conversion_process import convert_in_child

    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=convert_in_child, args=(order, aside, sender), name="model-conversion", daemon=True)
    child.start()
    sender.close()
    forget = cancel.on_cancel(child.terminate)
    try:
        _follow(receiver, progress)
    except EOFError:
        cancel.raise_if_cancelled()
        child.join()
        raise ConversionError(f"the conversion of {order.name} ended with status {child.exitcode}") from None
    finally:
        forget()
        receiver.close()
        child.terminate()
        child.join()


def _follow(receiver: Connection, progress: Progress) -> None:
    """Pass progress on until the child says that it is done. Raises EOFError if it ends without."""
    while True:
        kind, value = receiver.recv()
        if kind == "progress":
            progress(value)
        elif kind == "done":
            return
        elif kind == "unusable":
            raise ModelFileError(value)
        else:
            raise ConversionError(value)
