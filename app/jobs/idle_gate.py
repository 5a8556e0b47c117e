"""Work that may wait until the computer has nothing better to do."""

from __future__ import annotations

import threading
from collections.abc import Callable
from enum import StrEnum

from app.jobs.user_idle import seconds_since_input
from app.settings.setting import Setting

IDLE_AFTER_SECONDS = 120.0
BUSY_LOAD_PER_CORE = 0.7
LOOK_SECONDS = 5.0


class ReadWhen(StrEnum):
    """When files are read into the library."""

    ALWAYS = "always"
    ON_MAINS = "on mains power"
    WHEN_IDLE = "when idle"
    IDLE_OR_MAINS = "idle or on mains power"


READ_WHEN = Setting(
    "ingest.when",
    ReadWhen.ALWAYS,
    "Read files",
    "Reading many files takes all cores for a while. It can wait until the computer is plugged in, or until nobody has"
    " used it for two minutes. “Go on” reads all the same.",
)


def on_mains() -> bool | None:
    """Whether the computer is plugged in; None where it has no battery or doesn't tell."""
    import psutil

    battery = psutil.sensors_battery()
    return None if battery is None else battery.power_plugged


def user_is_away() -> bool:
    """Whether nobody has used the computer for a while; by the load of the machine where input can't be asked for."""
    seconds = seconds_since_input()
    if seconds is not None:
        return seconds >= IDLE_AFTER_SECONDS
    import psutil

    return bool(psutil.getloadavg()[0] < BUSY_LOAD_PER_CORE * (psutil.cpu_count() or 1))


class IdleGate:
    """Tells, every ``look_seconds`` while there is work, whether it may go on.

    A computer without a battery is always on mains power. ``close`` ends its thread.
    """

    def __init__(
        self,
        when: Callable[[], ReadWhen],
        *,
        mains: Callable[[], bool | None] = on_mains,
        away: Callable[[], bool] = user_is_away,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self._when = when
        self._mains = mains
        self._away = away
        self._look_seconds = look_seconds
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._overridden = False

    def waiting_for(self) -> str:
        """What work waits for, in words that follow “waiting until”; "" when it may go on."""
        when = self._when()
        if when is ReadWhen.ALWAYS or self._overridden:
            return ""
        plugged_in = self._mains() is not False
        if when is ReadWhen.ON_MAINS:
            return "" if plugged_in else "the computer is plugged in"
        if when is ReadWhen.IDLE_OR_MAINS and plugged_in:
            return ""
        if self._away():
            return ""
        return "the computer is not in use" + (" or plugged in" if when is ReadWhen.IDLE_OR_MAINS else "")

    def override(self) -> str:
        """Go on all the same until this work has ended. Returns what is waited for now: nothing."""
        self._overridden = True
        return ""

    def watch(self, changed: Callable[[str], None], has_work: Callable[[], bool]) -> None:
        """There is work: call ``changed`` with ``waiting_for``, on a thread of the gate, when that is another."""
        with self._lock:
            if self._thread is None and not self._closing.is_set():
                self._thread = threading.Thread(
                    target=self._run, args=(changed, has_work), name="idle-gate", daemon=True
                )
                self._thread.start()

    def close(self) -> None:
        """End the watching."""
        with self._lock:
            self._closing.set()
            thread = self._thread
        if thread is not None:
            thread.join()

    def _run(self, changed: Callable[[str], None], has_work: Callable[[], bool]) -> None:
        told = ""
        while not self._closing.is_set():
            waiting_for = self.waiting_for()
            if waiting_for != told:
                changed(waiting_for)
                told = waiting_for
            if self._closing.wait(self._look_seconds):
                return
            with self._lock:
                if not has_work():
                    self._thread, self._overridden = None, False
                    break
        if told:
            changed("")
