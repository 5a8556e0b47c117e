"""How long the rest will take: sane from the first minute, whatever came first."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.jobs.rate import SURE_AFTER_SECONDS, RateMeter, UnitEstimate


class Clock:
    """A clock that is set by hand. Seconds."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_steady_rate_is_told_exactly_once_enough_was_done() -> None:
    clock = Clock()
    meter = RateMeter(clock)
    meter.start()
    clock.now += 1
    meter.did(50)
    assert meter.rate is None
    for _ in range(5):
        clock.now += 1
        meter.did(50)
    assert meter.rate == pytest.approx(50)


def test_a_change_of_speed_is_followed_smoothly() -> None:
    clock = Clock()
    meter = RateMeter(clock)
    meter.start()
    for _ in range(60):
        clock.now += 1
        meter.did(100)
    clock.now += 1
    meter.did(10)
    after_one = meter.rate
    assert after_one is not None
    assert 90 < after_one < 100
    for _ in range(100):
        clock.now += 1
        meter.did(10)
    assert meter.rate == pytest.approx(10, rel=0.1)


def test_a_pause_does_not_slow_the_rate() -> None:
    clock = Clock()
    meter = RateMeter(clock)
    meter.start()
    for _ in range(10):
        clock.now += 1
        meter.did(40)
    meter.stop()
    clock.now += 3600
    meter.start()
    clock.now += 1
    meter.did(40)
    assert meter.rate == pytest.approx(40)


def test_nothing_done_yet_has_no_rate() -> None:
    clock = Clock()
    meter = RateMeter(clock)
    meter.start()
    clock.now += 10 * SURE_AFTER_SECONDS
    assert meter.rate is None


def test_one_tiny_file_says_next_to_nothing_about_a_large_one() -> None:
    alone = UnitEstimate()
    alone.expect(".pdf", 5_000_000)
    estimate = UnitEstimate()
    estimate.expect(".pdf", 10)
    estimate.expect(".pdf", 5_000_000)
    estimate.learn(".pdf", 10, 1)
    assert estimate.units == pytest.approx(alone.units, rel=0.02)


def test_megabytes_override_what_was_assumed() -> None:
    estimate = UnitEstimate()
    estimate.expect(".txt", 2_000_000)
    estimate.expect(".txt", 1_000_000)
    estimate.learn(".txt", 2_000_000, 20_000)
    assert estimate.units == pytest.approx(10_000, rel=0.1)


def test_many_small_files_have_a_chunk_each_at_least() -> None:
    estimate = UnitEstimate()
    for _ in range(500):
        estimate.expect(".txt", 20)
    assert estimate.units == 500


@given(
    st.lists(st.tuples(st.sampled_from([".pdf", ".txt"]), st.integers(0, 10**9), st.integers(0, 10**5)), max_size=30)
)
def test_an_estimate_is_never_negative_and_ends_at_nothing(files: list[tuple[str, int, int]]) -> None:
    estimate = UnitEstimate()
    for kind, size, _ in files:
        estimate.expect(kind, size)
    for kind, size, units in files:
        assert estimate.units >= 1
        estimate.learn(kind, size, units)
    assert estimate.units == 0
