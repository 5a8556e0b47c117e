"""Getting ready for the first search: only where there is something to find, and never against the user's will."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.domain.cancellation import CancelToken
from app.domain.errors import StorageError
from app.services.search_readiness import SearchReadiness


def test_a_search_is_made_before_anybody_asks(tmp_path: Path) -> None:
    searched: list[str] = []
    SearchReadiness(tmp_path / "library.db", lambda: True, searched.append).prepare(CancelToken())
    assert len(searched) == 1


def test_nothing_is_opened_where_there_is_nothing_to_find(tmp_path: Path) -> None:
    searched: list[str] = []
    SearchReadiness(tmp_path / "library.db", lambda: False, searched.append).prepare(CancelToken())
    assert not searched


def test_nothing_is_opened_once_it_is_cancelled(tmp_path: Path) -> None:
    token = CancelToken()
    searched: list[str] = []
    token.cancel()
    SearchReadiness(tmp_path / "library.db", lambda: True, searched.append).prepare(token)
    assert not searched


def test_what_keeps_a_search_from_working_is_told(tmp_path: Path) -> None:
    def search(_question: str) -> object:
        raise StorageError("The library's file is damaged.")

    with pytest.raises(StorageError):
        SearchReadiness(tmp_path / "library.db", lambda: True, search).prepare(CancelToken())
