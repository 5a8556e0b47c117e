"""llama.cpp's own server with a tiny model; only where one has been built (``make test-llama``)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest

from app.chat_models.keys import KeySource
from app.chat_models.loop_thread import LoopThread
from app.chat_models.model import ChatModel
from app.chat_models.providers.openai import LLAMA_CPP_URL
from app.chat_models.registry import ModelRegistry
from tests.chat_models.llama.llama_server import KEY, MODEL, SMALL_CONTEXT, LlamaServer, running_server
from tests.chat_models.llama.tiny_model import write_tiny_model

SPEC = f"llama.cpp:{MODEL}"


def pytest_configure(config: pytest.Config) -> None:
    """Register this folder's marker."""
    config.addinivalue_line("markers", "llama: talks to llama.cpp's own server; run by make test-llama")


@pytest.fixture(scope="session")
def llama_binary() -> Path:
    """The server's program."""
    return Path(os.environ["FOOTNOTE_LLAMA_SERVER"])


@pytest.fixture(scope="session")
def tiny_file(llama_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model's file."""
    path = tmp_path_factory.mktemp("models") / "tiny.gguf"
    write_tiny_model(path)
    return path


@pytest.fixture(scope="session")
def llama(llama_binary: Path, tiny_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LlamaServer]:
    """The server with the tiny model loaded. It asks for a key."""
    with running_server(llama_binary, tiny_file, tmp_path_factory.mktemp("llama") / "log") as server:
        yield server


@pytest.fixture
def narrow_llama(llama_binary: Path, tiny_file: Path, tmp_path: Path) -> Iterator[LlamaServer]:
    """The same with a small context."""
    with running_server(llama_binary, tiny_file, tmp_path / "log", context=SMALL_CONTEXT) as server:
        yield server


@pytest.fixture
def loading_llama(llama_binary: Path, tmp_path: Path) -> Iterator[LlamaServer]:
    """The server while it loads its model, which takes for ever: the file is a pipe that nobody writes to."""
    os.mkfifo(tmp_path / "endless.gguf")
    until = HTTPStatus.SERVICE_UNAVAILABLE
    with running_server(llama_binary, tmp_path / "endless.gguf", tmp_path / "log", until=until) as server:
        yield server


def registry_for(server: LlamaServer, loop: LoopThread, key: str = KEY) -> ModelRegistry:
    """The providers as the program has them when the user has entered the server's address and its key."""
    settings = {LLAMA_CPP_URL.key: server.url}
    keys = KeySource({"LLAMA_API_KEY": key}, stored=lambda _: None)
    return ModelRegistry(loop=loop, keys=keys, setting=lambda each: settings.get(each.key, each.default))


@pytest.fixture
def tiny(llama: LlamaServer, loop: LoopThread) -> ChatModel:
    """The tiny model through our layer."""
    return registry_for(llama, loop).model(SPEC)
