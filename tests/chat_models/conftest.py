"""Fixtures for tests of chat models."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from app.chat_models.loop_thread import LoopThread, shared_loop_thread
from tests.chat_models.stub_server import StubServer

# A busy machine is no error: how long an example takes says nothing about what it shows.
settings.register_profile("chat", deadline=None)
settings.load_profile("chat")


@pytest.fixture
def stub() -> Iterator[StubServer]:
    """A scripted HTTP server on loopback."""
    with StubServer() as server:
        yield server


@pytest.fixture
def loop() -> Iterator[LoopThread]:
    """The loop of synchronous calls."""
    thread = LoopThread("test-loop")
    yield thread
    thread.close()


@pytest.fixture(autouse=True)
def no_shared_loop_left() -> Iterator[None]:
    """End the shared loop of a test that used it, so that no thread outlives the test."""
    yield
    if shared_loop_thread.cache_info().currsize:
        shared_loop_thread().close()
        shared_loop_thread.cache_clear()
