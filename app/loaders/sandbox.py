"""Takes from a parser process what it doesn't need: memory, processor time, the network, other programs."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import struct
import sys
from pathlib import Path
from typing import Any

from app.loaders.parser_limits import MEBIBYTE, ParserLimits

LARGEST_WRITTEN_FILE = 256 * MEBIBYTE
# OpenVINO reserves addresses for the code it makes, most of which it never fills. Memory is watched from outside.
ADDRESSES_OF_NETWORKS = 1024 * MEBIBYTE
_FORBIDDEN_EVENTS = (
    "socket.",
    "subprocess.",
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "os.spawn",
    "os.system",
    "ftplib.",
)


def confine(limits: ParserLimits, scratch: Path) -> None:
    """Limit the calling process for good. ``scratch`` becomes its current and temporary folder and holds ``stderr``."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the program, which ends its children itself
    os.chdir(scratch)
    os.environ["TMPDIR"] = os.environ["TEMP"] = os.environ["TMP"] = str(scratch)
    with (scratch / "stderr").open("wb") as errors:
        os.dup2(errors.fileno(), 1)
        os.dup2(errors.fileno(), 2)
    _limit_memory(limits)
    _refuse_system_calls()
    sys.addaudithook(_refuse_events)


def allow_cpu_seconds(seconds: int) -> None:
    """Let the process use ``seconds`` more of processor time; after that the system ends it. POSIX only."""
    if sys.platform == "win32":
        return
    import resource

    usage = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(usage.ru_utime + usage.ru_stime) + 1 + seconds
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


def _limit_memory(limits: ParserLimits) -> None:
    if sys.platform == "win32":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_WRITTEN_FILE, LARGEST_WRITTEN_FILE))
    if sys.platform == "linux":
        _share_heap()
        # What is mapped already (interpreter, libraries) doesn't count.
        mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        reserved = ADDRESSES_OF_NETWORKS if limits.ocr else 0
        allowed = mapped + limits.memory_bytes + reserved
        resource.setrlimit(resource.RLIMIT_AS, (allowed, allowed))


def _share_heap() -> None:
    """Let threads share one heap: glibc reserves 64 MB of addresses for each of them otherwise."""
    arena_max = -8  # M_ARENA_MAX of malloc.h
    with contextlib.suppress(OSError, AttributeError):  # another C library, which has no such setting
        ctypes.CDLL(None).mallopt(arena_max, 1)


def _refuse_events(event: str, _arguments: tuple[Any, ...]) -> None:
    """An audit hook: stops Python code on every system; native code is held by ``_refuse_system_calls``."""
    if event.startswith(_FORBIDDEN_EVENTS) and event != "socket.__new__":
        raise PermissionError(f"a document tried to use {event}")


# Classic BPF, see Documentation/userspace-api/seccomp_filter.rst of Linux: (code, jump if true, jump if false, value).
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_OFFSET_NUMBER, _OFFSET_ARCH, _OFFSET_FIRST_ARGUMENT = 0, 4, 16
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | 13  # SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO | EACCES
_INET, _INET6 = 2, 10
_X32 = 0x40000000
# By machine: its audit number and the numbers of its calls socket, execve and execveat.
_CALLS = {"x86_64": (0xC000003E, 41, 59, 322), "aarch64": (0xC00000B7, 198, 221, 281)}


def _filter(arch: int, socket: int, execve: int, execveat: int) -> list[tuple[int, int, int, int]]:
    return [
        (_LOAD, 0, 0, _OFFSET_ARCH),
        (_EQUAL, 0, 9, arch),
        (_LOAD, 0, 0, _OFFSET_NUMBER),
        (_AT_LEAST, 8, 0, _X32),
        (_EQUAL, 7, 0, execve),
        (_EQUAL, 6, 0, execveat),
        (_EQUAL, 0, 4, socket),
        (_LOAD, 0, 0, _OFFSET_FIRST_ARGUMENT),
        (_EQUAL, 3, 0, _INET),
        (_EQUAL, 2, 0, _INET6),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE),
    ]


def _refuse_system_calls() -> None:
    """Make internet sockets and other programs fail with EACCES, on Linux. Needs no rights; where it can't be had, the
    process runs without."""
    if sys.platform != "linux" or os.uname().machine not in _CALLS:
        return
    program = b"".join(struct.pack("HBBI", *row) for row in _filter(*_CALLS[os.uname().machine]))

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))

    with contextlib.suppress(OSError, AttributeError):
        prctl = ctypes.CDLL(None, use_errno=True).prctl
        no_new_privileges, set_seccomp, mode_filter = 38, 22, 2
        if prctl(no_new_privileges, 1, 0, 0, 0) == 0:
            prctl(set_seccomp, mode_filter, ctypes.byref(Program(len(program) // 8, program)), 0, 0)
