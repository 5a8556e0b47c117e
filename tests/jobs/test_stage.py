"""Stages keep order, bound memory, survive errors and stop at once."""

from __future__ import annotations

import threading

import pytest

from app.jobs.stage import Stage, StageClosedError


def _unexpected(items: list[int], error: Exception) -> None:
    raise AssertionError(f"{items}: {error}")


def test_items_are_worked_on_in_order() -> None:
    seen: list[int] = []
    done = threading.Event()

    def work(items: list[int]) -> None:
        seen.extend(items)
        if len(seen) == 100:
            done.set()

    stage = Stage("numbers", work, _unexpected, capacity=4, batch=3)
    stage.start()
    for number in range(100):
        stage.put(number)
    assert done.wait(10)
    stage.close()
    stage.join()
    assert seen == list(range(100))


def test_a_full_stage_makes_its_producer_wait() -> None:
    release, first_taken, fifth_put = threading.Event(), threading.Event(), threading.Event()

    def work(items: list[int]) -> None:
        first_taken.set()
        release.wait(10)

    stage = Stage("slow", work, _unexpected, capacity=2)
    stage.start()

    def produce() -> None:
        for number in range(5):
            stage.put(number)
        fifth_put.set()

    producer = threading.Thread(target=produce)
    producer.start()
    assert first_taken.wait(10)
    assert not fifth_put.wait(0.1)
    release.set()
    assert fifth_put.wait(10)
    producer.join()
    stage.close()
    stage.join()


def test_as_many_workers_as_asked_for_run_at_once() -> None:
    lock, meet, all_done = threading.Lock(), threading.Barrier(2, timeout=10), threading.Event()
    running = peak = finished = 0

    def work(items: list[int]) -> None:
        nonlocal running, peak, finished
        with lock:
            running += 1
            peak = max(peak, running)
        meet.wait()
        with lock:
            running -= 1
            finished += 1
            if finished == 10:
                all_done.set()

    stage = Stage("pair", work, _unexpected, workers=2, capacity=20)
    stage.start()
    for number in range(10):
        stage.put(number)
    assert all_done.wait(10)
    stage.close()
    stage.join()
    assert peak == 2


def test_an_error_goes_to_its_handler_and_the_stage_goes_on() -> None:
    failed: list[int] = []
    done = threading.Event()

    def work(items: list[int]) -> None:
        if items == [1]:
            raise ValueError("one")
        if items == [2]:
            done.set()

    stage = Stage("fragile", work, lambda items, error: failed.extend(items), capacity=5)
    stage.start()
    for number in range(3):
        stage.put(number)
    assert done.wait(10)
    stage.close()
    stage.join()
    assert failed == [1]


def test_a_paused_stage_takes_nothing_new() -> None:
    taken = threading.Event()
    stage = Stage("paused", lambda items: taken.set(), _unexpected)
    stage.pause()
    stage.start()
    stage.put(1)
    assert not taken.wait(0.1)
    stage.resume()
    assert taken.wait(10)
    stage.close()
    stage.join()


def test_close_hands_back_what_was_waiting_and_wakes_a_blocked_producer() -> None:
    refused = threading.Event()
    stage = Stage("closing", lambda items: None, _unexpected, capacity=1)
    stage.pause()
    stage.start()
    stage.put(1)

    def produce() -> None:
        with pytest.raises(StageClosedError):
            stage.put(2)
        refused.set()

    producer = threading.Thread(target=produce)
    producer.start()
    assert stage.close() == [1]
    assert refused.wait(10)
    producer.join()
    stage.join()
