"""A reader for parser processes that does what the file's first line says."""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from app.domain.documents import ParsedDocument, Section, assemble
from app.domain.errors import DocumentError, FailureReason
from app.loaders.parser_limits import ParserLimits
from app.loaders.parser_process import Reader


def make_reader(limits: ParserLimits, ask_for_time: Callable[[], None]) -> Reader:
    del limits

    def read_told(path: Path) -> ParsedDocument:
        command, _, count = path.read_text().strip().partition(" ")
        for _ in range(int(count) if command == "pages" else 0):
            ask_for_time()
            time.sleep(0.4)
        return read(path)

    return read_told


def read(path: Path) -> ParsedDocument:
    command, _, argument = path.read_text().strip().partition(" ")
    text = COMMANDS[command](argument)
    return assemble([Section(text)], title=path.name, media_type="text/plain")


def _hang(sign: str) -> str:
    """Hang for longer than any test waits; ``sign`` is a file to make once that has begun."""
    Path(sign).touch()
    time.sleep(120)
    return "woke up"


def _spin(_: str) -> str:
    while True:
        pass


def _hoard(_: str) -> str:
    hoard = []
    while True:
        hoard.append(bytearray(8 << 20))
        time.sleep(0.002)


def _grab(size: str) -> str:
    return str(len(bytearray(int(size))))


def _die(number: str) -> str:
    os.kill(os.getpid(), int(number))
    time.sleep(60)
    return ""


def _garble(_: str) -> str:
    # Write rubbish where the reply should go: every open descriptor is tried, as a parser taken over could.
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, b"\x00\x00\x00\x05rubb!")
        except OSError:
            continue
    os._exit(0)


def _connect(address: str) -> str:
    host, port = address.split(":")
    try:
        socket.create_connection((host, int(port)), timeout=2).close()
    except OSError as error:
        return f"refused: {type(error).__name__}"
    return "connected"


def _native_socket(family: str) -> str:
    """What native code is told that asks for a socket, and whether the system filters calls at all."""
    library = ctypes.CDLL(None, use_errno=True)
    descriptor = library.socket(int(family), socket.SOCK_STREAM, 0)
    status = Path("/proc/self/status").read_text()
    answer = "open" if descriptor >= 0 else errno.errorcode[ctypes.get_errno()]
    filtered = "Seccomp:\t2" in status
    return f"{answer} {filtered}"


def _run(program: str) -> str:
    try:
        subprocess.run([program], check=False)
    except OSError as error:
        return f"refused: {type(error).__name__}"
    return "ran"


def _refuse(reason: str) -> str:
    raise DocumentError(FailureReason(reason), "as told")


def _raise(_: str) -> str:
    raise RuntimeError("a bug in a parser")


def _exit(code: str) -> str:
    sys.stderr.flush()
    os._exit(int(code))


def _write(text: str) -> str:
    Path("left-behind").write_text(text)
    return str(Path.cwd())


COMMANDS: dict[str, Callable[[str], str]] = {
    "say": str,
    "repeat": lambda times: "word " * int(times),
    "pages": lambda count: f"{count} pages",
    "pid": lambda _: str(os.getpid()),
    "hang": _hang,
    "spin": _spin,
    "hoard": _hoard,
    "grab": _grab,
    "die": _die,
    "exit": _exit,
    "garble": _garble,
    "connect": _connect,
    "native_socket": _native_socket,
    "run": _run,
    "refuse": _refuse,
    "raise": _raise,
    "write": _write,
    "segfault": lambda _: _die(str(int(signal.SIGSEGV))),
}
