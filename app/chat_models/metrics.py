"""Metrics of requests: how many, how many failed, how long they took."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from app.chat_models.callbacks import CallbackHandler
from app.chat_models.catalog import ProfileCatalog
from app.domain.messages import AIMessage, Usage

SAMPLES = 1000


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One call of a model. Times in milliseconds; ``first_token_ms`` is None when no token came, ``cost`` (US dollars)
    when the price isn't known. ``error`` is the class of the error, "" for success."""

    provider: str
    model: str
    latency_ms: float
    first_token_ms: float | None = None
    usage: Usage | None = None
    cost: float | None = None
    cached: bool = False
    error: str = ""


class MetricsCollector:
    """Counts requests and keeps the last 1,000 latencies and calls. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests = self._errors = 0
        self._latencies: deque[float] = deque(maxlen=SAMPLES)
        self._calls: deque[CallRecord] = deque(maxlen=SAMPLES)

    def record_request(self, latency_ms: float, success: bool = True) -> None:
        """Count a request that took ``latency_ms``."""
        with self._lock:
            self._count(latency_ms, success)

    def record_call(self, record: CallRecord) -> None:
        """Count a call of a model, and keep what is known of it."""
        with self._lock:
            self._count(record.latency_ms, not record.error)
            self._calls.append(record)

    @property
    def calls(self) -> list[CallRecord]:
        """The last calls, oldest first."""
        with self._lock:
            return list(self._calls)

    def get_metrics(self) -> dict[str, float]:
        """Totals since the start; average and percentiles of the last 1,000 latencies. Two decimals; 0 for nothing."""
        with self._lock:
            ordered = sorted(self._latencies)
            requests, errors = self._requests, self._errors
        return {
            "total_requests": requests,
            "total_errors": errors,
            "error_rate_percent": round(errors / requests * 100, 2) if requests else 0,
            "avg_latency_ms": round(sum(ordered) / len(ordered), 2) if ordered else 0,
            "p95_latency_ms": _percentile(ordered, 0.95),
            "p99_latency_ms": _percentile(ordered, 0.99),
        }

    def _count(self, latency_ms: float, success: bool) -> None:
        self._requests += 1
        self._errors += not success
        self._latencies.append(latency_ms)


def _percentile(ordered: Sequence[float], share: float) -> float:
    """The value below which ``share`` of the sorted values lie, by the nearest rank."""
    return round(ordered[min(int(len(ordered) * share), len(ordered) - 1)], 2) if ordered else 0


@dataclass(slots=True)
class Spent:
    """Running totals. ``cost`` in US dollars; ``unpriced`` counts answers whose price isn't known."""

    usage: Usage = field(default_factory=Usage)
    answers: int = 0
    cost: float = 0.0
    unpriced: int = 0


class UsageMonitor:
    """Running totals of tokens and cost, by model and by session. Thread-safe.

    ``handler(provider, session)`` is the callback handler to give to calls.
    """

    def __init__(self, catalog: ProfileCatalog) -> None:
        self._catalog = catalog
        self._lock = threading.Lock()
        self._by_model: dict[str, Spent] = {}
        self._by_session: dict[str, Spent] = {}

    def handler(self, provider: str, model: str, session: str = "") -> CallbackHandler:
        """A handler that adds every answer to the totals of the model and the session."""
        return _UsageHandler(self, provider, model, session)

    def add(self, provider: str, model: str, usage: Usage, session: str = "") -> None:
        """Add the tokens of one answer."""
        cost = self._catalog.cost(provider, model, usage)
        with self._lock:
            totals = [self._by_model.setdefault(f"{provider}/{model}", Spent())]
            if session:
                totals.append(self._by_session.setdefault(session, Spent()))
            for total in totals:
                total.usage += usage
                total.answers += 1
                total.cost += cost or 0.0
                total.unpriced += cost is None

    def by_model(self) -> dict[str, Spent]:
        """The totals of each "provider/model"."""
        with self._lock:
            return {name: _copy(total) for name, total in self._by_model.items()}

    def session(self, session: str) -> Spent:
        """The totals of a session."""
        with self._lock:
            return _copy(self._by_session.get(session, Spent()))


class _UsageHandler(CallbackHandler):
    def __init__(self, monitor: UsageMonitor, provider: str, model: str, session: str) -> None:
        self._monitor = monitor
        self._provider, self._model, self._session = provider, model, session

    def on_llm_end(self, response: AIMessage, *, run_id: str) -> None:
        """Add the answer's tokens."""
        if response.usage is not None:
            self._monitor.add(self._provider, self._model, response.usage, self._session)


def _copy(total: Spent) -> Spent:
    return Spent(total.usage, total.answers, total.cost, total.unpriced)
