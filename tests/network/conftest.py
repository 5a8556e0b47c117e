"""Fixtures for tests of the network room."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chat_models.stub_server import StubServer


@pytest.fixture
def stub() -> Iterator[StubServer]:
    """A scripted HTTP server on loopback."""
    with StubServer() as server:
        yield server
