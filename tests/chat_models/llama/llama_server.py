"""Runs llama.cpp's server as a process of its own."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import httpx2

KEY = "sk-llama-0123456789"
MODEL = "tiny"
LARGE_CONTEXT, SMALL_CONTEXT = 32_768, 512  # tokens
START_SECONDS = 120.0
WAIT_SECONDS = 60.0


@dataclass(frozen=True)
class LlamaServer:
    """A running server with one slot. ``url`` ends with /v1; ``log`` is what it prints."""

    url: str
    client: httpx2.Client
    log: Path

    def busy(self) -> bool:
        """Whether a request is being worked on."""
        response = self.client.get("/slots")
        response.raise_for_status()
        return any(slot["is_processing"] for slot in response.json())

    def count(self, what: str) -> int:
        """A counter since the start: ``prompt_tokens`` that were read, or ``tokens_predicted``."""
        response = self.client.get("/metrics")
        response.raise_for_status()
        found = re.search(rf"^llamacpp:{what}_total (\S+)$", response.text, re.MULTILINE)
        assert found, f"no counter of {what}"
        return int(float(found[1]))

    def wait_until_busy(self) -> None:
        """Wait until a request is being worked on."""
        assert _becomes(self.busy, WAIT_SECONDS), "no request arrived"

    def wait_until_free(self) -> None:
        """Wait until the only slot is free: queue for it, and take one token.

        Asking again and again whether it is free would not do: every answer makes the server wait another second
        before it looks whether the clients of its other requests are still there.
        """
        response = self.client.post("/completion", json={"prompt": "x", "n_predict": 1}, timeout=WAIT_SECONDS)
        response.raise_for_status()


@contextmanager
def running_server(
    binary: Path, model: Path, log: Path, *, context: int = LARGE_CONTEXT, until: int = HTTPStatus.OK
) -> Iterator[LlamaServer]:
    """The server with ``model``, once its health check answers with the status ``until``.

    It reads prompts in small batches, between which it notices that nobody waits any more.
    """
    port = _free_port()
    command = [
        str(binary), "--model", str(model), "--alias", MODEL, "--host", "127.0.0.1", "--port", str(port),
        "--ctx-size", str(context), "--parallel", "1", "--batch-size", "256", "--threads", "1", "--threads-http", "4",
        "--jinja", "--slots", "--metrics", "--api-key", KEY, "--offline",
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
