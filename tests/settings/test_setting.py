"""Declaring settings and checking values."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import BadInputError
from app.settings.setting import Setting


class Theme(StrEnum):
    LIGHT = "light"
    DARK = "dark"


CHUNK_TOKENS = Setting("retrieval.chunk_tokens", 200, "Chunk size", minimum=20, maximum=500)
SHARE = Setting("index.share", 0.3, "Share", minimum=0.0, maximum=1.0)
CONFIRM = Setting("links.confirm", True, "Ask before opening links")
THEME = Setting("window.theme", Theme.LIGHT, "Theme")
FOLDERS: Setting[tuple[str, ...]] = Setting("library.folders", (), "Watched folders")
EXPORTS = Setting("export.folder", Path("/exports"), "Export folder")
MODE = Setting("search.mode", "hybrid", "Search mode", choices=("hybrid", "dense"))


@pytest.mark.parametrize(
    ("setting", "value", "expected"),
    [
        (CHUNK_TOKENS, 20, 20),
        (CHUNK_TOKENS, 500, 500),
        (SHARE, 1, 1.0),
        (CONFIRM, False, False),
        (THEME, "dark", Theme.DARK),
        (THEME, Theme.DARK, Theme.DARK),
        (FOLDERS, ["a", "b"], ("a", "b")),
        (EXPORTS, "/elsewhere", Path("/elsewhere")),
        (MODE, "dense", "dense"),
    ],
)
def test_allowed_values_become_the_type_of_the_default(setting: Setting[Any], value: object, expected: object) -> None:
    validated = setting.validate(value)
    assert validated == expected
    assert type(validated) is type(setting.default)


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        (CHUNK_TOKENS, 19, "Chunk size: 19 is not between 20 and 500."),
        (CHUNK_TOKENS, 501, "Chunk size: 501 is not between 20 and 500."),
        (CHUNK_TOKENS, True, "Chunk size: True is not a whole number."),
        (CHUNK_TOKENS, 20.5, "Chunk size: 20.5 is not a whole number."),
        (CHUNK_TOKENS, "many", "Chunk size: 'many' is not a whole number."),
        (SHARE, float("nan"), "Share: nan is not a number."),
        (SHARE, float("inf"), "Share: inf is not a number."),
        (SHARE, True, "Share: True is not a number."),
        (CONFIRM, 1, "Ask before opening links: 1 is not on or off."),
        (THEME, "pink", "Theme: 'pink' is not one of light, dark."),
        (FOLDERS, "a", "Watched folders: 'a' is not a list of texts."),
        (FOLDERS, [1], "Watched folders: [1] is not a list of texts."),
        (EXPORTS, 3, "Export folder: 3 is not a path."),
        (MODE, "sparse", "Search mode: 'sparse' is not one of hybrid, dense."),
        (MODE, None, "Search mode: None is not text."),
    ],
)
def test_other_values_are_refused_in_words(setting: Setting[Any], value: object, words: str) -> None:
    with pytest.raises(BadInputError) as refusal:
        setting.validate(value)
    assert str(refusal.value) == words


def test_a_bound_on_one_side_is_named() -> None:
    with pytest.raises(BadInputError, match="Wait: -1 is less than 0"):
        Setting("a.b", 5, "Wait", minimum=0).validate(-1)
    with pytest.raises(BadInputError, match="Wait: 11 is more than 10"):
        Setting("a.b", 5, "Wait", maximum=10).validate(11)


@pytest.mark.parametrize(
    ("setting", "text", "expected"),
    [
        (CHUNK_TOKENS, "300", 300),
        (SHARE, "0.5", 0.5),
        (CONFIRM, "Off", False),
        (CONFIRM, "yes", True),
        (THEME, "dark", Theme.DARK),
        (FOLDERS, "a, b,", ("a", "b")),
        (MODE, "dense", "dense"),
    ],
)
def test_text_is_read_as_the_type_of_the_default(setting: Setting[Any], text: str, expected: object) -> None:
    assert setting.parse(text) == expected


@pytest.mark.parametrize(("setting", "text"), [(CHUNK_TOKENS, "3.5"), (SHARE, "half"), (CONFIRM, "maybe")])
def test_text_that_is_no_such_value_is_refused(setting: Setting[Any], text: str) -> None:
    with pytest.raises(BadInputError, match=setting.label):
        setting.parse(text)


@pytest.mark.parametrize("setting", [CHUNK_TOKENS, SHARE, CONFIRM, THEME, FOLDERS, EXPORTS, MODE])
def test_values_survive_json(setting: Setting[Any]) -> None:
    assert setting.validate(json.loads(json.dumps(setting.to_plain(setting.default)))) == setting.default


@given(st.integers())
def test_exactly_the_numbers_within_the_bounds_pass(value: int) -> None:
    if 20 <= value <= 500:
        assert CHUNK_TOKENS.validate(value) == value
    else:
        with pytest.raises(BadInputError):
            CHUNK_TOKENS.validate(value)


def test_a_declaration_that_contradicts_itself_is_an_error_at_once() -> None:
    with pytest.raises(ValueError, match=r"a\.b"):
        Setting("a.b", 5, "Wait", minimum=6)
    with pytest.raises(ValueError, match="key and a label"):
        Setting("", 5, "Wait")
