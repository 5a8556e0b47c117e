"""Reading a file ahead of its use: all of it or nothing, and nobody is troubled where it can't be."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.domain.cancellation import CancelToken
from app.storage.read_ahead import BLOCK_BYTES, read_through


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "library.db"
    path.write_bytes(bytes(3 * BLOCK_BYTES + 17))
    return path


def test_a_file_is_read_to_its_end(file: Path) -> None:
    assert read_through(file, file.stat().st_size, CancelToken()) == 3 * BLOCK_BYTES + 17


def test_a_file_that_would_fill_the_memory_is_left_alone(file: Path) -> None:
    assert read_through(file, file.stat().st_size - 1, CancelToken()) == 0


def test_reading_ahead_ends_when_it_is_cancelled(file: Path) -> None:
    token = CancelToken()
    token.cancel()
    assert read_through(file, 1 << 40, token) == 0


def test_a_file_that_can_not_be_read_troubles_nobody(tmp_path: Path) -> None:
    assert read_through(tmp_path / "missing.db", 1 << 40, CancelToken()) == 0
    assert read_through(tmp_path, 1 << 40, CancelToken()) == 0
