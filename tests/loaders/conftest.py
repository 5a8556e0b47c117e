"""Fixtures of the loaders' tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from app.domain.documents import ParsedDocument
from app.domain.errors import DocumentError
from app.loaders.parser_limits import ParserLimits
from app.loaders.registry import Registry, load_document, loaders

Load = Callable[[Path], ParsedDocument]
Refused = Callable[[Path], DocumentError]


@pytest.fixture(scope="session")
def registry() -> Registry:
    return loaders()


@pytest.fixture
def load(registry: Registry) -> Load:
    """Reads a file as a parser process does, in this process."""
    return lambda path: load_document(path, ParserLimits(), registry)


@pytest.fixture
def refused(load: Load) -> Refused:
    """Reads a file that must be refused; returns the error, which names the file in plain words."""

    def read(path: Path) -> DocumentError:
        with pytest.raises(DocumentError) as caught:
            load(path)
        assert path.name in str(caught.value)
        assert str(caught.value).endswith(".")
        return caught.value

    return read
