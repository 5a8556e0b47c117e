"""Metrics."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from app.chat_models.catalog import ProfileCatalog
from app.chat_models.loop_thread import LoopThread
from app.chat_models.metrics import MetricsCollector
from app.chat_models.wrappers.measured import Metrics
from app.domain.chat_errors import ServerError
from app.domain.messages import AIMessageChunk, Usage
from tests.chat_models.models import says, scripted


@pytest.mark.requirement("M1", "M2")
def test_the_metrics_of_the_documentation() -> None:
    collector = MetricsCollector()
    assert collector.get_metrics() == {
        "total_requests": 0,
        "total_errors": 0,
        "error_rate_percent": 0,
        "avg_latency_ms": 0,
        "p95_latency_ms": 0,
        "p99_latency_ms": 0,
    }
    for latency in range(1, 101):
        collector.record_request(float(latency), success=latency % 3 != 0)
    assert collector.get_metrics() == {
        "total_requests": 100,
        "total_errors": 33,
        "error_rate_percent": 33.0,
        "avg_latency_ms": 50.5,
        "p95_latency_ms": 96.0,
        "p99_latency_ms": 100.0,
    }


@pytest.mark.requirement("M2")
def test_two_decimals() -> None:
    collector = MetricsCollector()
    for latency, success in ((1.111, True), (2.226, True), (3.0, False)):
        collector.record_request(latency, success)
    metrics = collector.get_metrics()
    assert (metrics["avg_latency_ms"], metrics["error_rate_percent"]) == (2.11, 33.33)
    assert metrics["p99_latency_ms"] == 3.0


@pytest.mark.requirement("M3")
def test_a_thousand_samples_are_kept_and_all_are_counted() -> None:
    collector = MetricsCollector()
    for latency in range(1500):
        collector.record_request(float(latency))
    metrics = collector.get_metrics()
    assert metrics["total_requests"] == 1500
    assert metrics["avg_latency_ms"] == sum(range(500, 1500)) / 1000


@pytest.mark.requirement("M3")
def test_many_threads_lose_nothing() -> None:
    collector = MetricsCollector()

    def record() -> None:
        for number in range(500):
            collector.record_request(1.0, success=number % 2 == 0)
            collector.get_metrics()

    threads = [threading.Thread(target=record) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    metrics = collector.get_metrics()
    assert (metrics["total_requests"], metrics["total_errors"]) == (4000, 2000)


class Clock:
    """Time that moves by a quarter of a second with every look at it."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 0.25
        return self.now


def _measured(*scripts: Any, loop: LoopThread | None = None) -> tuple[Metrics, MetricsCollector]:
    collector = MetricsCollector()
    inner = scripted(*scripts, model="gpt-4o")
    inner.__class__ = type("Priced", (type(inner),), {"provider": property(lambda self: "openai")})
    model = Metrics(inner=inner, collector=collector, catalog=ProfileCatalog(), clock=Clock(), loop=loop)
    return model, collector


@pytest.mark.requirement("M4")
def test_every_call_is_measured(loop: LoopThread) -> None:
    model, collector = _measured(says("a", "b", usage=Usage(1000, 500)), loop=loop)
    model.invoke("x")
    list(model.stream("x"))
    model.batch(["x", "y"])
    asyncio.run(_ask(model))
    assert collector.get_metrics()["total_requests"] == 5
    record = collector.calls[0]
    assert (record.provider, record.model, record.usage) == ("openai", "gpt-4o", Usage(1000, 500))
    assert (record.first_token_ms, record.latency_ms) == (250.0, 500.0)
    assert record.cost == pytest.approx(0.0075)
    assert record.error == ""


async def _ask(model: Metrics) -> None:
    await model.ainvoke("x")


@pytest.mark.requirement("M4")
def test_failed_calls_count_as_errors(loop: LoopThread) -> None:
    model, collector = _measured((ServerError("x", status=500),), (AIMessageChunk("a"), ServerError("x")), loop=loop)
    for _ in range(2):
        with pytest.raises(ServerError):
            model.invoke("x")
    assert [(record.error, record.first_token_ms is None) for record in collector.calls] == [
        ("ServerError", True),
        ("ServerError", False),
    ]
    assert collector.get_metrics()["error_rate_percent"] == 100.0


@pytest.mark.requirement("M4")
def test_a_call_that_the_reader_ended_is_no_error(loop: LoopThread) -> None:
    model, collector = _measured((AIMessageChunk("a"), 30.0, AIMessageChunk("b")), loop=loop)
    stream = model.stream("x")
    next(stream)
    stream.close()  # type: ignore[attr-defined]  # a generator
    assert [record.error for record in collector.calls] == [""]
