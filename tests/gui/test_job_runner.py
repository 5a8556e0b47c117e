"""The one door between background work and the screen."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence

import pytest
from pytestqt.qtbot import QtBot

from app.domain.cancellation import CancelToken
from app.domain.errors import WorkCancelledError
from app.gui.jobs import JobRunner


def unexpected(value: object) -> None:
    raise AssertionError(f"this was not to be called: {value}")


def test_work_runs_elsewhere_and_its_result_arrives_here(qtbot: QtBot, runner: JobRunner) -> None:
    seen: list[tuple[str, int]] = []
    runner.run(
        lambda: ("work", threading.get_ident()),
        lambda result: seen.extend([result, ("result", threading.get_ident())]),
    )
    qtbot.waitUntil(lambda: len(seen) == 2)
    here = threading.get_ident()
    assert seen[0][1] != here
    assert seen[1] == ("result", here)


def test_an_error_reaches_its_handler_here(qtbot: QtBot, runner: JobRunner) -> None:
    caught: list[tuple[Exception, int]] = []

    def fail() -> int:
        raise ValueError("no")

    runner.run(fail, unexpected, lambda error: caught.append((error, threading.get_ident())))
    qtbot.waitUntil(lambda: bool(caught))
    assert isinstance(caught[0][0], ValueError)
    assert caught[0][1] == threading.get_ident()


def test_an_error_without_handler_is_reported(qtbot: QtBot) -> None:
    reported: list[Exception] = []
    runner = JobRunner(on_unhandled=reported.append)
    runner.run(lambda: 1 // 0)
    qtbot.waitUntil(lambda: bool(reported))
    assert isinstance(reported[0], ZeroDivisionError)
    assert runner.close()


def test_a_failing_callback_costs_only_itself(qtbot: QtBot) -> None:
    reported: list[Exception] = []
    seen: list[int] = []
    runner = JobRunner(on_unhandled=reported.append)

    def stumble(_: int) -> None:
        raise RuntimeError("callback")

    runner.run(lambda: 1, stumble)
    runner.run(lambda: 2, seen.append)
    qtbot.waitUntil(lambda: bool(seen) and bool(reported))
    assert str(reported[0]) == "callback"
    assert runner.close()


def test_cancelled_work_is_no_error(qtbot: QtBot, runner: JobRunner) -> None:
    def stop() -> int:
        raise WorkCancelledError

    job = runner.run(stop, unexpected, lambda error: pytest.fail(str(error)))
    qtbot.waitUntil(lambda: job.finished)


def test_items_arrive_in_order_in_batches_and_before_the_end(qtbot: QtBot, runner: JobRunner) -> None:
    batches: list[Sequence[int]] = []
    ended: list[int] = []
    runner.stream(lambda: range(5000), batches.append, lambda: ended.append(sum(map(len, batches))))
    qtbot.waitUntil(lambda: bool(ended))
    assert [item for batch in batches for item in batch] == list(range(5000))
    assert ended == [5000]
    assert len(batches) < 500


def test_items_of_one_stream_are_delivered_together(qtbot: QtBot, runner: JobRunner) -> None:
    all_put = threading.Event()
    batches: list[Sequence[int]] = []

    def numbers() -> Iterator[int]:
        yield from range(100)
        all_put.set()

    job = runner.stream(numbers, batches.append)
    assert all_put.wait(10)  # the GUI thread stands still here, as it does while it paints
    qtbot.waitUntil(lambda: job.finished)
    assert batches == [list(range(100))]


def test_a_stream_that_fails_delivers_first_what_it_had(qtbot: QtBot, runner: JobRunner) -> None:
    log: list[object] = []

    def numbers() -> Iterator[int]:
        yield 1
        yield 2
        raise OSError("gone")

    runner.stream(numbers, lambda items: log.extend(items), lambda: log.append("done"), lambda e: log.append(str(e)))
    qtbot.waitUntil(lambda: "gone" in log)
    assert log == [1, 2, "gone"]


def test_the_newest_of_a_group_wins(qtbot: QtBot, runner: JobRunner) -> None:
    started, release = threading.Event(), threading.Event()
    seen: list[str] = []

    def slow() -> str:
        started.set()
        assert release.wait(10)
        return "old"

    old = runner.run(slow, seen.append, group="source")
    assert started.wait(10)
    new = runner.run(lambda: "new", seen.append, group="source")
    assert old.token.cancelled
    release.set()
    qtbot.waitUntil(lambda: new.finished and old.finished)
    assert seen == ["new"]


def test_jobs_of_different_groups_leave_each_other_alone(qtbot: QtBot, runner: JobRunner) -> None:
    seen: list[str] = []
    for name in ("a", "b", ""):
        runner.run(lambda name=name: name, seen.append, group=name)  # type: ignore[misc]  # bound early on purpose
    qtbot.waitUntil(lambda: len(seen) == 3)
    assert sorted(seen) == ["", "a", "b"]


def test_an_abandoned_stream_is_closed_and_says_nothing_more(qtbot: QtBot, runner: JobRunner) -> None:
    closed, first = threading.Event(), threading.Event()
    token = CancelToken()
    seen: list[int] = []

    def endless() -> Iterator[int]:
        try:
            while not token.cancelled:
                yield 1
                first.set()
        finally:
            closed.set()

    job = runner.stream(endless, seen.extend, lambda: pytest.fail("it ended"), token=token)
    assert first.wait(10)
    job.cancel()
    assert closed.wait(10)
    before = len(seen)
    qtbot.wait(60)
    assert len(seen) == before


def test_a_channel_takes_items_from_any_thread(qtbot: QtBot, runner: JobRunner) -> None:
    seen: list[tuple[int, int]] = []
    post: Callable[[int], None] = runner.channel(
        lambda items: seen.extend((item, threading.get_ident()) for item in items)
    )
    threads = [threading.Thread(target=post, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    qtbot.waitUntil(lambda: len(seen) == 20)
    assert {item for item, _ in seen} == set(range(20))
    assert {thread for _, thread in seen} == {threading.get_ident()}


def test_close_cancels_joins_and_silences(qtbot: QtBot) -> None:
    runner = JobRunner(on_unhandled=lambda error: pytest.fail(str(error)))
    token = CancelToken()
    woken = threading.Event()
    token.on_cancel(woken.set)
    before = threading.active_count()
    running = threading.Event()

    def wait_for_cancel() -> str:
        running.set()
        assert woken.wait(10)
        return "late"

    runner.run(wait_for_cancel, unexpected, token=token)
    assert running.wait(10)
    assert runner.close()
    assert threading.active_count() <= before
    qtbot.wait(40)
    runner.run(lambda: unexpected("work after close"), unexpected)
    assert runner.close()


def test_close_gives_up_on_work_that_cannot_be_cancelled(qtbot: QtBot) -> None:
    runner = JobRunner(on_unhandled=lambda error: pytest.fail(str(error)))
    release, running = threading.Event(), threading.Event()

    def stuck() -> None:
        running.set()
        release.wait(30)

    runner.run(stuck)
    assert running.wait(10)
    assert not runner.close(timeout=0.05)
    release.set()
