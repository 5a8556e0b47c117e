"""Stages keep order, bound memory, let the urgent overtake, survive errors and stop at once."""

from __future__ import annotations

import threading

import pytest

from app.jobs.lanes import Lanes
from app.jobs.stage import Stage, StageClosedError

WAIT_SECONDS = 10


def _unexpected(items: list[int], error: Exception) -> None:
    raise AssertionError(f"{items}: {error}")


def test_items_are_worked_on_in_order() -> None:
    seen: list[int] = []
    done = threading.Event()

    def work(items: list[int]) -> None:
        seen.extend(items)
        if len(seen) == 100:
            done.set()

    lanes = Lanes()
    stage = Stage("numbers", work, _unexpected, lanes=lanes, capacity=4, batch=3)
    stage.start()
    lane = lanes.open()
    for number in range(100):
        stage.put([number], lane)
    assert done.wait(10)
    stage.close()
    stage.join()
    assert seen == list(range(100))


def test_a_full_stage_makes_its_producer_wait() -> None:
    release, first_taken, fifth_put = threading.Event(), threading.Event(), threading.Event()

    def work(items: list[int]) -> None:
        first_taken.set()
        release.wait(10)

    lanes = Lanes()
    lane = lanes.open()
    stage = Stage("slow", work, _unexpected, lanes=lanes, capacity=2)
    stage.start()

    def produce() -> None:
        for number in range(5):
            stage.put([number], lane)
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

    lanes = Lanes()
    stage = Stage("pair", work, _unexpected, lanes=lanes, workers=2, capacity=20)
    stage.start()
    stage.put(range(10), lanes.open())
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

    lanes = Lanes()
    stage = Stage("fragile", work, lambda items, error: failed.extend(items), lanes=lanes, capacity=5)
    stage.start()
    stage.put(range(3), lanes.open())
    assert done.wait(10)
    stage.close()
    stage.join()
    assert failed == [1]


def test_a_paused_lane_begins_nothing_and_leaves_its_room_to_others() -> None:
    seen: list[str] = []
    other_done, paused_done = threading.Event(), threading.Event()

    def work(items: list[str]) -> None:
        seen.extend(items)
        (other_done if items == ["other"] else paused_done).set()

    lanes = Lanes()
    stage = Stage("paused", work, _unexpected_word, lanes=lanes, capacity=1)
    paused, other = lanes.open(), lanes.open()
    stage.put(["mine"], paused)
    paused.set_paused(True)
    stage.start()
    stage.put(["other"], other)
    assert other_done.wait(WAIT_SECONDS)
    assert seen == ["other"]
    paused.set_paused(False)
    assert paused_done.wait(WAIT_SECONDS)
    stage.close()
    stage.join()


def test_held_lanes_wait_together_unless_the_stage_goes_on() -> None:
    begun, stored = threading.Event(), threading.Event()
    lanes = Lanes()
    lanes.hold(True)
    stage = Stage("held", lambda items: begun.set(), _unexpected, lanes=lanes)
    last = Stage("last", lambda items: stored.set(), _unexpected, lanes=lanes, goes_on=True)
    lane = lanes.open()
    for each in (stage, last):
        each.start()
        each.pass_on([1], lane)
    assert stored.wait(WAIT_SECONDS)
    assert not begun.wait(0.05)
    lanes.hold(False)
    assert begun.wait(WAIT_SECONDS)
    for each in (stage, last):
        each.close()
        each.join()


def test_the_urgent_overtakes_what_waits_and_has_room_in_a_full_stage() -> None:
    release, taken, all_done = threading.Event(), threading.Event(), threading.Event()
    seen: list[str] = []

    def work(items: list[str]) -> None:
        taken.set()
        assert release.wait(WAIT_SECONDS)
        seen.extend(items)
        if len(seen) == 5:
            all_done.set()

    lanes = Lanes()
    stage = Stage("lanes", work, _unexpected_word, lanes=lanes, capacity=3)
    usual, urgent = lanes.open(), lanes.open(priority=1)
    stage.start()
    stage.put(["first"], usual)
    assert taken.wait(WAIT_SECONDS)
    stage.put(["second", "third", "fourth"], usual)  # full now
    stage.put(["urgent"], urgent)
    release.set()
    assert all_done.wait(WAIT_SECONDS)
    stage.close()
    stage.join()
    assert seen == ["first", "urgent", "second", "third", "fourth"]


def test_a_stage_begins_nothing_while_the_following_one_is_full() -> None:
    """So a worker never blocks with an item in its hands, and the urgent need not wait for one that does."""
    release = threading.Event()
    reached, urgent_seen = threading.Event(), threading.Event()
    first_seen: list[int] = []
    lanes = Lanes()
    usual, urgent = lanes.open(), lanes.open(priority=1)
    second: Stage[int] = Stage("second", lambda items: _wait(reached, release), _unexpected, lanes=lanes, capacity=2)

    def work(items: list[int]) -> None:
        first_seen.extend(items)
        lane = urgent if items == [99] else usual
        second.pass_on(items, lane)
        if items == [99]:
            urgent_seen.set()

    first = Stage("first", work, _unexpected, lanes=lanes, capacity=100, following=second)
    second.start()
    first.start()
    first.put(range(10), usual)
    assert reached.wait(WAIT_SECONDS)
    first.put([99], urgent)
    assert urgent_seen.wait(WAIT_SECONDS)
    assert len(first_seen) <= 1 + 2 + 1  # the one at work, two waiting, and the urgent one
    release.set()
    for stage in (first, second):
        stage.close()
        stage.join()


def test_batches_are_filled_by_weight_across_lanes() -> None:
    batches: list[list[int]] = []
    done = threading.Event()

    def work(items: list[int]) -> None:
        batches.append(items)
        if sum(map(len, batches)) == 6:
            done.set()

    lanes = Lanes()
    stage = Stage("heavy", work, _unexpected, lanes=lanes, capacity=1000, batch=10, weigh=lambda item: item)
    one, two = lanes.open(), lanes.open()
    stage.put([6, 5, 4], one)
    stage.put([1, 20, 3], two)
    stage.start()
    assert done.wait(WAIT_SECONDS)
    stage.close()
    stage.join()
    assert batches[0] == [6, 1]
    assert batches[1] == [5, 4]
    assert [20] in batches


def test_what_waits_in_a_lane_can_be_withdrawn() -> None:
    lanes = Lanes()
    stage = Stage("withdrawn", lambda items: None, _unexpected, lanes=lanes, capacity=5)
    one, two = lanes.open(), lanes.open()
    stage.put([1, 2], one)
    stage.put([3], two)
    assert stage.withdraw(one) == [1, 2]
    assert stage.withdraw(one) == []
    assert stage.close() == [3]


def test_close_hands_back_what_was_waiting_and_wakes_a_blocked_producer() -> None:
    refused = threading.Event()
    lanes = Lanes()
    lanes.hold(True)
    stage = Stage("closing", lambda items: None, _unexpected, lanes=lanes, capacity=1)
    lane = lanes.open()
    stage.start()
    stage.pass_on([1], lane)

    def produce() -> None:
        with pytest.raises(StageClosedError):
            stage.put([2], lane)
        refused.set()

    producer = threading.Thread(target=produce)
    producer.start()
    assert stage.close() == [1]
    assert refused.wait(WAIT_SECONDS)
    producer.join()
    stage.join()


def test_who_waits_for_a_held_lane_is_told_when_all_is_closed() -> None:
    lanes = Lanes()
    lane = lanes.open()
    assert lanes.wait_until_free(lane)
    lane.set_paused(True)
    answers: list[bool] = []
    waiting = threading.Thread(target=lambda: answers.append(lanes.wait_until_free(lane)))
    waiting.start()
    lanes.close()
    waiting.join(WAIT_SECONDS)
    assert answers == [False]


def _wait(reached: threading.Event, release: threading.Event) -> None:
    reached.set()
    assert release.wait(WAIT_SECONDS)


def _unexpected_word(items: list[str], error: Exception) -> None:
    raise AssertionError(f"{items}: {error}")
