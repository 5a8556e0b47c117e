"""Work that waits for mains power or for the user to be away."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

import pytest

from app.jobs.idle_gate import IdleGate, ReadWhen, on_mains, user_is_away
from app.jobs.user_idle import seconds_since_input

WAIT_SECONDS = 10


@pytest.mark.parametrize(
    ("when", "mains", "away", "may_go_on"),
    [
        (ReadWhen.ALWAYS, False, False, True),
        (ReadWhen.ON_MAINS, True, False, True),
        (ReadWhen.ON_MAINS, None, False, True),  # no battery
        (ReadWhen.ON_MAINS, False, True, False),
        (ReadWhen.WHEN_IDLE, True, False, False),
        (ReadWhen.WHEN_IDLE, False, True, True),
        (ReadWhen.IDLE_OR_MAINS, True, False, True),
        (ReadWhen.IDLE_OR_MAINS, False, True, True),
        (ReadWhen.IDLE_OR_MAINS, False, False, False),
    ],
)
def test_the_setting_decides(when: ReadWhen, mains: bool | None, away: bool, may_go_on: bool) -> None:
    gate = IdleGate(lambda: when, mains=lambda: mains, away=lambda: away)
    assert (gate.waiting_for() == "") is may_go_on
    assert gate.override() == gate.waiting_for() == ""


def test_it_tells_of_changes_while_there_is_work_and_rests_after() -> None:
    plugged_in = threading.Event()
    has_work = threading.Event()
    has_work.set()
    told: queue.Queue[str] = queue.Queue()
    gate = _gate(plugged_in.is_set)
    gate.watch(told.put, has_work.is_set)
    assert told.get(timeout=WAIT_SECONDS) == "the computer is plugged in"
    plugged_in.set()
    assert told.get(timeout=WAIT_SECONDS) == ""
    plugged_in.clear()
    assert told.get(timeout=WAIT_SECONDS) != ""
    has_work.clear()
    assert told.get(timeout=WAIT_SECONDS) == ""  # nothing is held back for ever
    has_work.set()
    gate.watch(told.put, has_work.is_set)
    assert told.get(timeout=WAIT_SECONDS) == "the computer is plugged in"
    gate.close()


def _gate(plugged_in: Callable[[], bool]) -> IdleGate:
    return IdleGate(lambda: ReadWhen.ON_MAINS, mains=plugged_in, away=lambda: False, look_seconds=0.01)


def test_this_system_answers_or_says_that_it_can_not() -> None:
    seconds = seconds_since_input()
    assert seconds is None or seconds >= 0
    assert on_mains() in (True, False, None)
    assert user_is_away() in (True, False)
