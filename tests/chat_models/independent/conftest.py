"""Starts the independent servers: llmock (from PyPI) and aimock (from npm), each on a free port of this machine."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from filelock import FileLock

HERE = Path(__file__).parent
BUILD = HERE.parents[2] / "build" / "aimock"
START_SECONDS = 60.0
OLDEST_NODE = (20, 15)


@dataclass(frozen=True)
class Llmock:
    """A running llmock. ``url`` has no trailing slash."""

    url: str
    client: httpx2.Client

    def script(self, *behaviors: dict[str, Any]) -> None:
        """Queue faults and answers for the next requests; it refuses fields that it doesn't know."""
        self._call("POST", "/scenario", {"behaviors": list(behaviors)})

    def reset(self) -> None:
        """Forget requests and what is queued."""
        self._call("POST", "/reset")

    def verdict(self) -> dict[str, Any]:
        """What it thinks of its client."""
        return self._call("GET", "/verdict")

    def findings(self) -> list[str]:
        """The codes of what it found wrong."""
        return [finding["code"] for finding in self.verdict()["findings"]]

    def requests(self) -> list[dict[str, Any]]:
        """The requests that arrived."""
        found: list[dict[str, Any]] = self._call("GET", "/requests")["requests"]
        return found

    def _call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        response = self.client.request(method, f"{self.url}/_llmock{path}", json=body)
        response.raise_for_status()
        result: dict[str, Any] = response.json()
        return result


@pytest.fixture(scope="session")
def llmock_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Llmock]:
    """llmock as a process of its own."""
    if importlib.util.find_spec("llmock") is None:
        pytest.skip("llmock is not installed: pip install llmock==0.2.2 (it is in the extra 'dev')")
    log = tmp_path_factory.mktemp("llmock") / "log"
    command = [sys.executable, "-m", "llmock.cli", "serve", "--port", "0"]
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:
        try:
            with httpx2.Client(trust_env=False) as client:
                yield Llmock(_address_in(log, process), client)
        finally:
            process.terminate()


@pytest.fixture
def llmock(llmock_server: Llmock) -> Llmock:
    """llmock, with nothing queued."""
    llmock_server.reset()
    return llmock_server


def _address_in(log: Path, process: subprocess.Popen[bytes]) -> str:
    """The address in the line that says that the server is running."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if found := re.search(r"running on (http://\S+)", log.read_text(errors="replace")):
            return found[1]
        time.sleep(0.05)
    raise AssertionError(f"llmock did not start: {log.read_text(errors='replace')}")


@pytest.fixture(scope="session")
def aimock_url() -> Iterator[str]:
    """The address of aimock, which says what ``aimock_fixtures.json`` tells it to."""
    home = installed_aimock()
    command = [_node(), str(HERE / "aimock.mjs"), str(home), str(HERE / "aimock_fixtures.json")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            url = process.stdout.readline().decode().strip()
            assert url.startswith("http://"), "aimock did not start"
            yield url
        finally:
            process.stdin.close()
            process.terminate()


def _node() -> str:
    """The command ``node``; skips the test where there is none or it is too old."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("aimock needs Node.js 20.15 or newer, and there is no 'node'")
    text = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    version = tuple(int(part) for part in re.findall(r"\d+", text)[:2])
    if version < OLDEST_NODE:
        pytest.skip(f"aimock needs Node.js 20.15 or newer, and this is {text.strip()}")
    return node


def installed_aimock() -> Path:
    """The folder into which aimock is installed, once; skips the test where that is impossible."""
    _node()
    wanted = json.loads((HERE / "package.json").read_text())["dependencies"]["@copilotkit/aimock"]
    BUILD.mkdir(parents=True, exist_ok=True)
    with FileLock(BUILD.parent / "aimock.lock"):
        manifest = BUILD / "node_modules" / "@copilotkit" / "aimock" / "package.json"
        if not manifest.is_file() or json.loads(manifest.read_text())["version"] != wanted:
            _install()
    return BUILD


def _install() -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("aimock is not installed and there is no 'npm' to install it")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, BUILD / name)
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    result = subprocess.run(command, cwd=BUILD, capture_output=True, text=True, timeout=240)
    if result.returncode:
        pytest.skip(f"aimock could not be installed by npm: {result.stderr.strip()[-300:]}")
