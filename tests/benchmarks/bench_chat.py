"""The chat layer against raw HTTP on one scripted server: overhead of chunks, first chunk, cancel, memory, batch."""

from __future__ import annotations

import asyncio
import gc
import json
import statistics
import time
import tracemalloc
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import httpx2

from app.chat_models.loop_thread import LoopThread
from app.chat_models.provider_model import ProviderModel
from tests.benchmarks.report import Report
from tests.chat_models.models import stub_model
from tests.chat_models.stub_replies import Delay, Gate, Reply, Stall, chat_chunk, chat_stream, sse
from tests.chat_models.stub_server import StubServer

CHUNKS = 20_000
MANY_CHUNKS = 100_000
ROUNDS = 5
CANCELS = 20
BATCH, CONCURRENCY, CALL_SECONDS = 50, 10, 0.1
_PER_WRITE = 50
_MICROSECONDS, _MILLISECONDS, _MEBIBYTE = 1e6, 1e3, 1024 * 1024


def run(report: Report) -> None:
    """Measure everything."""
    loop = LoopThread("bench-loop")
    try:
        _chunks(report, loop)
        _first_chunk(report, loop)
        _cancel(report, loop)
        _memory(report, loop)
        _batch(report, loop)
    finally:
        loop.close()


def _long_stream(chunks: int) -> Reply:
    piece = sse(*(chat_chunk("word ") for _ in range(_PER_WRITE)))
    usage = {"prompt_tokens": 3, "completion_tokens": chunks, "total_tokens": chunks + 3}
    return Reply(
        steps=(*[piece] * (chunks // _PER_WRITE), sse(chat_chunk(finish_reason="stop", usage=usage), done=True))
    )


async def _raw(url: str, on_first: Callable[[], None] = lambda: None) -> int:
    """The least that a client must do: lines of bytes, parsed as JSON."""
    count, rest = 0, b""
    async with (
        httpx2.AsyncClient(timeout=None, trust_env=False, verify=False) as client,
        client.stream("POST", f"{url}/v1/chat/completions", json={"messages": []}) as response,
    ):
        async for data in response.aiter_bytes():
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                if line.startswith(b"data: {"):
                    json.loads(line[6:])
                    count += 1
                    if count == 1:
                        on_first()
    return count


async def _ours(model: ProviderModel, on_first: Callable[[], None] = lambda: None) -> int:
    count = 0
    async for _ in model.astream("x"):
        count += 1
        if count == 1:
            on_first()
    return count


def _seconds(work: Callable[[], Awaitable[int]]) -> float:
    """Processor time of this thread: the server's thread and other programs don't count."""
    gc.collect()
    begin = time.thread_time()
    asyncio.run(_awaited(work))
    return time.thread_time() - begin


def _sync_seconds(model: ProviderModel, loop: LoopThread) -> float:
    """Processor time of the reading thread and the loop's thread together."""
    gc.collect()
    begin = time.thread_time() + loop.run(_thread_time())
    for _ in model.stream("x"):
        pass
    return time.thread_time() + loop.run(_thread_time()) - begin


async def _thread_time() -> float:
    return time.thread_time()


async def _awaited(work: Callable[[], Awaitable[int]]) -> int:
    return await work()


def _chunks(report: Report, loop: LoopThread) -> None:
    raw, ours, sync = [], [], []
    with StubServer() as server:
        server.script(_long_stream(CHUNKS))
        model = stub_model(server, loop)
        for _ in range(ROUNDS):
            raw.append(_seconds(lambda: _raw(server.url)))
            ours.append(_seconds(lambda: _ours(model)))
            sync.append(_sync_seconds(model, loop))
    base = min(raw) / CHUNKS * _MICROSECONDS
    report.figure("raw HTTP and JSON, per chunk", base, "µs", higher_is_better=False)
    for name, times in (("astream", ours), ("stream", sync)):
        overhead = (min(times) - min(raw)) / CHUNKS * _MICROSECONDS
        report.figure(f"overhead of {name} per chunk", overhead, "µs", baseline=base, goal=25, higher_is_better=False)


def _first_chunk(report: Report, loop: LoopThread) -> None:
    with StubServer() as server:
        server.script(Reply(steps=(chat_stream(*["word "] * 20),)))
        model = stub_model(server, loop)
        pairs = [
            (_wait(lambda note: _raw(server.url, note)), _wait(lambda note: _ours(model, note))) for _ in range(22)
        ]
    base, ours = (min(times) * _MILLISECONDS for times in zip(*pairs[2:], strict=True))
    report.figure("first chunk, later than raw", ours - base, "ms", baseline=base, goal=3, higher_is_better=False)


def _wait(ask: Callable[[Callable[[], None]], Coroutine[Any, Any, int]]) -> float:
    """Seconds until ``ask`` notes its first chunk."""
    noted: list[float] = []
    begin = time.perf_counter()
    asyncio.run(ask(lambda: noted.append(time.perf_counter())))
    return noted[0] - begin


def _cancel(report: Report, loop: LoopThread) -> None:
    cases: dict[str, Callable[[Gate], Reply]] = {
        "before headers": lambda gate: Reply(before_headers=(gate, Stall())),
        "mid-stream": lambda gate: Reply(steps=(sse(chat_chunk("word ")), gate, Stall())),
    }
    for name, reply in cases.items():
        delays = []
        for _ in range(CANCELS):
            with StubServer() as server:
                gate = server.gate()
                server.script(reply(gate))
                model = stub_model(server, loop)
                future = loop.submit(_ours(model))
                gate.wait_reached()
                gate.open()
                begin = time.monotonic()
                future.cancel()
                delays.append(server.requests[0].wait_disconnected() - begin)
        milliseconds = statistics.median(delays) * _MILLISECONDS
        report.figure(f"cancel {name}, until the server sees it", milliseconds, "ms", goal=50, higher_is_better=False)
        worst = max(delays) * _MILLISECONDS
        report.figure(f"cancel {name}, worst of {CANCELS}", worst, "ms", goal=50, higher_is_better=False)


def _memory(report: Report, loop: LoopThread) -> None:
    with StubServer() as server:
        server.script(_long_stream(MANY_CHUNKS))
        model = stub_model(server, loop)
        model.invoke("x")
        gc.collect()
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        answer = model.invoke("x")
        kept, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    text = len(answer.text) / _MEBIBYTE
    report.figure(f"peak memory of {MANY_CHUNKS} chunks", (peak - before) / _MEBIBYTE, "MiB", baseline=text)
    report.figure("memory kept by the answer", (kept - before) / _MEBIBYTE, "MiB", baseline=text)


def _batch(report: Report, loop: LoopThread) -> None:
    ideal = BATCH / CONCURRENCY * CALL_SECONDS
    with StubServer() as server:
        server.script(Reply(steps=(Delay(CALL_SECONDS), chat_stream("word"))))
        model = stub_model(server, loop)
        model.invoke("x")
        begin = time.perf_counter()
        model.batch(["x"] * BATCH, config={"max_concurrency": CONCURRENCY})
        seconds = time.perf_counter() - begin
        peak = server.peak_open_requests
    report.figure(
        f"batch of {BATCH}, {CONCURRENCY} at once",
        seconds,
        "s",
        baseline=ideal,
        goal=1.5,
        higher_is_better=False,
        goal_is_ratio=True,
    )
    report.figure("most requests open at once", float(peak), "", goal=float(CONCURRENCY), higher_is_better=False)
