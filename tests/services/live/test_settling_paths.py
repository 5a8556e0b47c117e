"""Paths are handed on when they are at rest, by a clock of our own."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from app.services.settling_paths import LONGEST_WAIT_SECONDS, QUIET_SECONDS, SettlingPaths


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def settling(clock: Clock) -> SettlingPaths:
    return SettlingPaths(clock)


def write(path: Path, text: str, age: float = 0.0) -> str:
    path.write_text(text)
    os.utime(path, (time.time() - age, time.time() - age))
    return str(path)


def test_a_path_waits_for_quiet_after_the_last_event(tmp_path: Path, clock: Clock, settling: SettlingPaths) -> None:
    path = write(tmp_path / "a", "x", age=60)
    settling.add(path)
    clock.now += QUIET_SECONDS / 2
    settling.add(path, retry=False)
    clock.now += QUIET_SECONDS / 2
    assert settling.take_settled() == {}
    clock.now += QUIET_SECONDS
    assert settling.take_settled() == {path: True}
    assert settling.take_settled() == {}
    assert settling.next_due is None


def test_a_growing_file_is_waited_for_even_without_events(
    tmp_path: Path, clock: Clock, settling: SettlingPaths
) -> None:
    path = write(tmp_path / "a", "x", age=-3600)  # the clock was set back: its age says nothing
    settling.add(path)
    for text in ("xx", "xxx"):
        clock.now += QUIET_SECONDS
        assert settling.take_settled() == {}
        write(tmp_path / "a", text, age=-3600)
    clock.now += QUIET_SECONDS
    assert settling.take_settled() == {}
    clock.now += QUIET_SECONDS
    assert settling.take_settled() == {path: True}


def test_a_file_that_never_rests_is_read_in_the_end(tmp_path: Path, clock: Clock, settling: SettlingPaths) -> None:
    path = write(tmp_path / "log", "x")
    began = clock.now
    taken: dict[str, bool] = {}
    while not taken and clock.now < began + 2 * LONGEST_WAIT_SECONDS:
        settling.add(write(tmp_path / "log", "x" * round(clock.now)))
        clock.now += QUIET_SECONDS / 2
        taken = settling.take_settled()
    assert taken == {path: True}
    assert clock.now - began == pytest.approx(LONGEST_WAIT_SECONDS, abs=1)


def test_what_is_gone_and_folders_need_no_second_look(tmp_path: Path, clock: Clock, settling: SettlingPaths) -> None:
    settling.add(str(tmp_path))
    settling.add(str(tmp_path / "gone"), retry=False)
    clock.now += QUIET_SECONDS
    assert settling.take_settled() == {str(tmp_path): True, str(tmp_path / "gone"): False}
