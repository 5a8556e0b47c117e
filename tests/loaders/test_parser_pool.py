"""The pool: a file that crashes, hangs or hoards fails alone, and nothing is left running."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from app.domain.cancellation import CancelToken
from app.domain.documents import SECTION_SEPARATOR
from app.domain.errors import DocumentError, FailureReason, WorkCancelledError
from app.loaders.parser_limits import MEBIBYTE, ParserLimits
from app.loaders.parser_pool import ParserPool
from tests.loaders.hostile_reader import make_reader
from tests.loaders.pdf_writer import Page, Run, write_pdf

LIMITS = ParserLimits(seconds=30, cpu_seconds=20, memory_bytes=300 * MEBIBYTE, output_chars=1_000_000)
Told = Callable[..., Path]


@pytest.fixture
def told(tmp_path: Path) -> Told:
    """Writes a file that tells the reader what to do."""

    def write(command: str, name: str = "told.txt") -> Path:
        path = tmp_path / name
        path.write_text(command)
        return path

    return write


@pytest.fixture(scope="module")
def pool() -> Iterator[ParserPool]:
    with ParserPool(2, LIMITS, make_reader) as shared:
        yield shared


def fails(pool: ParserPool, path: Path) -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        pool.parse(path)
    assert path.name in str(caught.value)
    return caught.value


def parsers() -> set[int]:
    """Process ids of the parser processes of this process."""
    found = set()
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):  # it has just ended
            if any("spawn_main" in part for part in child.cmdline()):
                found.add(child.pid)
    return found


def test_text_comes_back_whole(pool: ParserPool, told: Told) -> None:
    assert pool.parse(told("say grüße 😀 done")).text == "grüße 😀 done"


@pytest.mark.parametrize("command", ["exit 3", "garble", "segfault", f"die {int(signal.SIGABRT)}", "raise"])
def test_a_crash_fails_one_file_only(pool: ParserPool, told: Told, command: str) -> None:
    assert fails(pool, told(command)).reason is FailureReason.CRASHED
    assert pool.parse(told("say still here")).text == "still here"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals")
def test_a_killed_parser_fails_one_file_only(pool: ParserPool, told: Told) -> None:
    assert fails(pool, told(f"die {int(signal.SIGKILL)}")).reason is FailureReason.CRASHED
    assert pool.parse(told("say still here")).text == "still here"


def test_a_refusal_arrives_with_its_reason(pool: ParserPool, told: Told) -> None:
    with pytest.raises(DocumentError, match="as told") as caught:
        pool.parse(told("refuse encrypted"))
    assert caught.value.reason is FailureReason.ENCRYPTED


def test_a_hanging_file_is_stopped_in_time(told: Told, tmp_path: Path) -> None:
    with ParserPool(1, ParserLimits(seconds=2), make_reader) as pool:
        pool.parse(told("say warm"))
        begun = time.monotonic()
        assert fails(pool, told(f"hang {tmp_path / 'begun'}")).reason is FailureReason.TIMEOUT
        assert time.monotonic() - begun < 20
        assert pool.parse(told("say next")).text == "next"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit for processor time; wall time holds there")
def test_a_spinning_file_is_stopped_by_processor_time(told: Told) -> None:
    with ParserPool(1, ParserLimits(seconds=60, cpu_seconds=1), make_reader) as pool:
        assert fails(pool, told("spin")).reason is FailureReason.TIMEOUT
        # Processor time is counted for each file anew.
        assert pool.parse(told("say next")).text == "next"


@pytest.mark.parametrize("command", ["hoard", f"grab {2 << 30}"], ids=["little by little", "at once"])
def test_a_greedy_file_is_stopped(pool: ParserPool, told: Told, command: str) -> None:
    assert fails(pool, told(command)).reason is FailureReason.OUT_OF_MEMORY
    assert pool.parse(told("say next")).text == "next"


def test_too_much_output_is_refused(told: Told) -> None:
    with ParserPool(1, ParserLimits(output_chars=1000), make_reader) as pool:
        assert fails(pool, told("repeat 100000")).reason is FailureReason.TOO_LARGE
        assert pool.parse(told("say next")).text == "next"


def test_cancelling_kills_the_reading_at_once(pool: ParserPool, told: Told, tmp_path: Path) -> None:
    cancel = CancelToken()
    begun_sign = tmp_path / "begun"
    path = told(f"hang {begun_sign}")
    with ThreadPoolExecutor(1) as threads:
        reading = threads.submit(pool.parse, path, cancel)
        wait_until(begun_sign.exists)
        begun = time.monotonic()
        cancel.cancel()
        with pytest.raises(WorkCancelledError):
            reading.result(timeout=10)
    assert time.monotonic() - begun < 20
    assert pool.parse(told("say next")).text == "next"


def test_a_cancelled_token_starts_nothing(pool: ParserPool, told: Told) -> None:
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(WorkCancelledError):
        pool.parse(told("say never"), cancel)


def test_cancelling_reaches_those_who_wait_for_a_process(told: Told, tmp_path: Path) -> None:
    cancel = CancelToken()
    begun_sign = tmp_path / "begun"
    with ParserPool(1, LIMITS, make_reader) as pool, ThreadPoolExecutor(2) as threads:
        first_cancel = CancelToken()
        first = threads.submit(pool.parse, told(f"hang {begun_sign}", "first.txt"), first_cancel)
        wait_until(begun_sign.exists)
        second = threads.submit(pool.parse, told("say hello", "second.txt"), cancel)
        cancel.cancel()
        with pytest.raises(WorkCancelledError):
            second.result(timeout=10)
        assert not first.done()
        first_cancel.cancel()
        with pytest.raises(WorkCancelledError):
            first.result(timeout=10)


def test_a_late_cancel_does_not_hit_the_next_file(pool: ParserPool, told: Told) -> None:
    cancel = CancelToken()
    pid = pool.parse(told("pid"), cancel).text
    cancel.cancel()
    assert pool.parse(told("pid")).text == pid


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such number")
def test_parsers_give_way_to_the_program(pool: ParserPool, told: Told) -> None:
    parser = psutil.Process(int(pool.parse(told("pid")).text))
    assert parser.nice() > psutil.Process().nice() or parser.nice() == 19


def test_many_threads_share_few_processes(told: Told) -> None:
    paths = [told(f"say number {number}", f"{number}.txt") for number in range(60)]
    paths += [told("exit 1", f"bad{number}.txt") for number in range(4)]

    others = parsers()
    seen: list[int] = []

    def outcome(shared: ParserPool, path: Path) -> str:
        seen.append(len(parsers() - others))
        try:
            return shared.parse(path).text
        except DocumentError as error:
            return error.reason.value

    with ParserPool(2, LIMITS, make_reader) as shared, ThreadPoolExecutor(8) as threads:
        outcomes = list(threads.map(lambda path: outcome(shared, path), paths))

    assert outcomes == [f"number {number}" for number in range(60)] + ["crashed"] * 4
    assert max(seen) <= 2


def test_processes_are_replaced_after_so_many_files(told: Told) -> None:
    with ParserPool(1, ParserLimits(files_per_process=3), make_reader) as pool:
        pids = [pool.parse(told("pid")).text for _ in range(7)]
    assert [len(set(part)) for part in (pids[:3], pids[3:6], pids)] == [1, 1, 3]


def test_processes_that_have_grown_are_replaced(told: Told) -> None:
    with ParserPool(1, ParserLimits(recycle_bytes=1), make_reader) as pool:
        assert pool.parse(told("pid")).text != pool.parse(told("pid")).text


def test_processes_that_hold_much_end_when_nothing_comes(told: Told) -> None:
    others = parsers()
    with ParserPool(1, ParserLimits(rest_bytes=1, rest_seconds=0.2), make_reader) as pool:
        first = pool.parse(told("pid")).text
        wait_until(lambda: not parsers() - others)
        assert pool.parse(told("pid")).text != first


def test_closing_does_not_wait_for_processes_to_rest(told: Told) -> None:
    threads = threading.active_count()
    begun = time.monotonic()
    with ParserPool(1, ParserLimits(rest_bytes=1, rest_seconds=600), make_reader) as pool:
        pool.parse(told("say hello"))
    assert time.monotonic() - begun < 60
    assert threading.active_count() == threads


def test_close_leaves_no_process_and_no_file(told: Told, tmp_path: Path) -> None:
    others = parsers()
    pool = ParserPool(2, LIMITS, make_reader)
    begun_sign = tmp_path / "begun"
    with ThreadPoolExecutor(2) as threads:
        folders = list(threads.map(lambda name: pool.parse(told("write rubbish", name)).text, ["a.txt", "b.txt"]))
        reading = threads.submit(pool.parse, told(f"hang {begun_sign}"))
        wait_until(begun_sign.exists)
        opened = parsers() - others
        pool.close()
        with pytest.raises(WorkCancelledError):
            reading.result(timeout=10)
    assert len(opened) == 2
    assert parsers() <= others
    assert not any(Path(folder).exists() for folder in folders)
    pool.close()
    with pytest.raises(WorkCancelledError):
        pool.parse(told("say too late"))


def test_what_a_parser_writes_lands_in_a_folder_of_its_own(pool: ParserPool, told: Told, tmp_path: Path) -> None:
    folder = Path(pool.parse(told("write rubbish")).text)
    assert (folder / "left-behind").exists()
    assert not (tmp_path / "left-behind").exists()
    assert not Path("left-behind").exists()


def test_a_parser_cannot_reach_the_network(pool: ParserPool, told: Told) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        host, port = server.getsockname()
        assert pool.parse(told(f"connect {host}:{port}")).text == "refused: PermissionError"
        with pytest.raises(TimeoutError):
            server.accept()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux filters the calls of native code")
@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_native_code_in_a_parser_cannot_reach_the_network(pool: ParserPool, told: Told, family: int) -> None:
    answer, filtered = pool.parse(told(f"native_socket {int(family)}")).text.split()
    if filtered == "False":
        pytest.skip("this kernel has no seccomp filters")
    assert answer == "EACCES"


def test_a_parser_cannot_start_programs(pool: ParserPool, told: Told) -> None:
    assert pool.parse(told(f"run {sys.executable}")).text == "refused: PermissionError"


ORPHANS = """
import sys, threading
from pathlib import Path
from app.loaders.parser_pool import ParserPool
from tests.loaders.hostile_reader import make_reader

if __name__ == "__main__":
    pool = ParserPool(2, make_reader=make_reader)
    print(pool.parse(Path(sys.argv[1])).text, flush=True)
    threading.Thread(target=pool.parse, args=(Path(sys.argv[2]),), daemon=True).start()
    pool.parse(Path(sys.argv[3]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9 on Windows")
def test_parsers_end_when_the_program_is_killed(told: Told, tmp_path: Path) -> None:
    script = tmp_path / "program.py"
    script.write_text(ORPHANS)
    root = str(Path(__file__).resolve().parents[2])
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    signs = [tmp_path / "begun one", tmp_path / "begun two"]
    paths = [told("pid", "pid.txt"), told(f"hang {signs[0]}", "one.txt"), told(f"hang {signs[1]}", "two.txt")]
    program = subprocess.Popen(
        [sys.executable, str(script), *map(str, paths)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": root, "TMPDIR": str(temporary)},
    )
    try:
        assert program.stdout is not None
        first = int(program.stdout.readline())
        wait_until(lambda: all(sign.exists() for sign in signs))
        children = psutil.Process(program.pid).children(recursive=True)
        assert first in {child.pid for child in children}
    finally:
        program.kill()
        program.communicate()
    _, alive = psutil.wait_procs(children, timeout=10)
    assert alive == []
    assert list(temporary.iterdir()) == []


def test_every_kind_of_document_reads_the_same_through_a_process(tmp_path: Path) -> None:
    pages = [Page([Run(72, 400, f"{chr(64 + number) * 3} is what this page says.")]) for number in range(1, 41)]
    pdf = write_pdf(tmp_path / "forty.pdf", pages, outline=[(0, "Part", 1), (1, "Chapter", 20)])
    with ParserPool(1) as pool:
        document = pool.parse(pdf)
    assert document.page_count == 40
    assert [placed.section.page for placed in document.sections] == list(range(1, 41))
    assert document.sections[30].section.headings == ("Part", "Chapter")
    assert document.text == SECTION_SEPARATOR.join(placed.section.text for placed in document.sections)
    for placed in document.sections:
        assert document.text[placed.start : placed.end] == placed.section.text
        assert placed.section.char_map is not None
        assert len(placed.section.char_map) == len(placed.section.text)


@pytest.mark.parametrize(
    "name",
    [
        "with space.txt",
        'it\'s "quoted".txt',
        "emoji 😀.txt",
        "line\nbreak.txt",
        "-dash.txt",
        "%s{}$HOME.txt",
        "ÄÖÜ.TXT",
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="Windows forbids most of these names")
def test_odd_names_are_read_like_any_other(pool_of_ours: ParserPool, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("Some text.")
    document = pool_of_ours.parse(path)
    assert document.text == "Some text."
    assert "\n" not in document.title


@pytest.mark.skipif(sys.platform != "linux", reason="other systems store names as Unicode")
def test_names_that_are_no_text_are_read_too(pool_of_ours: ParserPool, tmp_path: Path) -> None:
    text = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.txt"))
    text.write_text("Some text.")
    pdf = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.pdf"))
    write_pdf(pdf, [Page([Run(72, 700, "Some text.")])])
    for path in (text, pdf):
        document = pool_of_ours.parse(path)
        assert document.text == "Some text."
        document.title.encode()  # fit for screen and database


@pytest.fixture(scope="module")
def pool_of_ours() -> Iterator[ParserPool]:
    with ParserPool(1) as shared:
        yield shared


def test_relative_paths_are_read(pool_of_ours: ParserPool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("here.txt").write_text("Some text.")
    assert pool_of_ours.parse(Path("here.txt")).text == "Some text."


def wait_until(holds: Callable[[], bool], seconds: float = 20) -> None:
    """Wait for another process or thread to get somewhere; fail after ``seconds``."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not holds():
        assert time.monotonic() < deadline, "it never happened"
        pause.wait(0.02)


def test_failure_messages_are_plain_and_say_what_to_do(pool: ParserPool, told: Told) -> None:
    for command in ("exit 3", "hoard"):
        message = str(fails(pool, told(command)))
        assert not re.search(r"exit code|signal|Traceback|Error|0x", message)
        assert message.endswith(".")


class LateToken(CancelToken):
    """A token whose cancel reaches the reader only after its file was done, as it can when threads race."""

    def on_cancel(self, callback: Callable[[], None]) -> Callable[[], None]:
        self.late_cancel = callback
        return lambda: None


def test_a_cancel_that_comes_too_late_does_not_hit_the_next_file(told: Told, tmp_path: Path) -> None:
    token = LateToken()
    begun = tmp_path / "begun"
    with ParserPool(1, ParserLimits(seconds=4), make_reader) as pool, ThreadPoolExecutor(1) as executor:
        assert pool.parse(told("say first"), token).text == "first"
        hanging = executor.submit(fails, pool, told(f"hang {begun}"))
        while not begun.exists():
            assert not hanging.done()
        token.late_cancel()
        assert hanging.result().reason is FailureReason.TIMEOUT
