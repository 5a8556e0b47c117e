"""Runs llama.cpp's server as a process of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

KEY = "sk-llama-0123456789"
MODEL = "tiny"
CONTEXT_TOKENS = 16_384
START_SECONDS = 120.0
IDLE_SECONDS = 30.0


@dataclass(frozen=True)
class LlamaServer:
    """A running server with one slot. ``url`` ends with /v1; ``log`` is what it prints."""

    url: str
    client: httpx2.Client
    log: Path

    def slot(self) -> dict[str, Any]:
        """What the slot is doing (``is_processing``), or did last."""
        response = self.client.get("/slots")
        response.raise_for_status()
        slots: list[dict[str, Any]] = response.json()
        assert len(slots) == 1
        return slots[0]

    def generated(self) -> int:
        """Tokens that the slot has generated for its last request."""
        count: int = self.slot()["next_token"][0]["n_decoded"]
        return count

    def wait_until_busy(self) -> None:
        """Wait until a request is being worked on."""
        assert _becomes(lambda: bool(self.slot()["is_processing"]), IDLE_SECONDS), "no request arrived"

    def wait_until_idle(self) -> None:
        """Wait until nothing is being worked on."""
        assert _becomes(lambda: not self.slot()["is_processing"], IDLE_SECONDS), "the server goes on"


@contextmanager
def running_server(binary: Path, model: Path, log: Path, *, until: int) -> Iterator[LlamaServer]:
    """The server with ``model``, once its health check answers with the status ``until``."""
    port = _free_port()
    command = [
        str(binary), "--model", str(model), "--alias", MODEL, "--host", "127.0.0.1", "--port", str(port),
        "--ctx-size", str(CONTEXT_TOKENS), "--parallel", "1", "--threads", "1", "--threads-http", "4",
        "--jinja", "--slots", "--api-key", KEY, "--offline",
    ]  # fmt: skip
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("LLAMA_", "HF_"))}
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output, env=environment) as process:
        try:
            headers = {"authorization": f"Bearer {KEY}"}
            with httpx2.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, trust_env=False) as client:
                answers = _becomes(lambda: _health(client, process) == until, START_SECONDS)
                assert answers, f"llama-server did not start: {log.read_text(errors='replace')[-2000:]}"
                yield LlamaServer(f"http://127.0.0.1:{port}/v1", client, log)
        finally:
            process.terminate()


def _health(client: httpx2.Client, process: subprocess.Popen[bytes]) -> int:
    """The status of the health check; 0 while there is no answer."""
    assert process.poll() is None, f"llama-server ended with {process.returncode}"
    try:
        return client.get("/health").status_code
    except httpx2.TransportError:
        time.sleep(0.02)  # a refused connection costs nothing, and the server needs the processor
        return 0


def _becomes(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
