"""Starts a real llama-server with a tiny random model. These tests run with ``-m llama`` only (make test-llama)."""

from __future__ import annotations

import importlib.util
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.chat_models.llama.tiny_model import write_tiny_model

SERVER = Path(__file__).resolve().parents[3] / "build" / "llama" / "llama-server"
START_SECONDS = 60.0
CONTEXT_TOKENS = 512


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line("markers", "llama: needs the real llama-server that make test-llama builds")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave these tests out unless they are asked for."""
    if "llama" in (config.option.markexpr or ""):
        return
    here = Path(__file__).parent
    left_out = [item for item in items if here in item.path.parents]
    items[:] = [item for item in items if item not in set(left_out)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)


class LlamaServer:
    """A running llama-server. ``url`` ends with ``/v1``."""

    def __init__(self, port: int) -> None:
        self.root = f"http://127.0.0.1:{port}"
        self.url = f"{self.root}/v1"

    def status(self) -> int:
        """The status of its health: 503 while it loads, 200 when it is ready, 0 when it does not listen yet."""
        try:
            return httpx2.get(f"{self.root}/health", trust_env=False, verify=False).status_code
        except httpx2.TransportError:
            return 0

    def busy_slots(self) -> int:
        """How many answers it is working on."""
        slots = httpx2.get(f"{self.root}/slots", trust_env=False, verify=False).json()
        return sum(1 for slot in slots if slot["is_processing"])


@pytest.fixture(scope="session")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LlamaServer]:
    """A server that is ready."""
    if not SERVER.is_file():
        pytest.skip(f"there is no {SERVER.name} in {SERVER.parent}: make test-llama builds it")
    if importlib.util.find_spec("gguf") is None:
        pytest.skip("the tiny model can't be written: pip install gguf")
    folder = tmp_path_factory.mktemp("llama")
    log, model = folder / "log", folder / "tiny.gguf"
    write_tiny_model(model)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(SERVER), "-m", str(model), "-c", str(CONTEXT_TOKENS), "-np", "1", "--jinja", "--slots",
               "--port", str(port), "--host", "127.0.0.1", "-t", "1", "--no-warmup"]  # fmt: skip
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:
        server = LlamaServer(port)
        try:
            deadline = time.monotonic() + START_SECONDS
            while server.status() != 200:
                running = process.poll() is None and time.monotonic() < deadline
                assert running, f"llama-server did not start: {log.read_text(errors='replace')[-2000:]}"
                time.sleep(0.05)
            yield server
        finally:
            process.terminate()
