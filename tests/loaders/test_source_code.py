"""Source code is cut at top-level definitions, whatever the language."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.documents import SectionKind
from app.loaders.source_code import top_level_blocks
from tests.loaders.conftest import Load

BODY = "\n".join(f"    value_{number} = compute({number})  # step {number} of the work" for number in range(24))
PYTHON = f'''"""Module."""

import os

LIMIT = 3


@decorated
def first(argument):
    """Say."""

{BODY}

    return argument


class Second:
    """A class."""

    def method(self):
{BODY}

    def other(self):
{BODY}
'''
GO = f"""package main

import "fmt"

func Serve(address string) error {{
{BODY}

	return nil
}}

// Client talks.
type Client struct {{
{BODY}
}}
"""


def test_definitions_become_sections_named_by_their_first_line(tmp_path: Path, load: Load) -> None:
    path = tmp_path / "module.py"
    path.write_text(PYTHON)
    sections = [placed.section for placed in load(path).sections]

    assert {section.kind for section in sections} == {SectionKind.CODE}
    assert [section.headings for section in sections] == [(), ("def first(argument)",), ("class Second",)]
    assert sections[1].text.startswith("@decorated\ndef first")
    assert sections[1].text.endswith("return argument")
    assert "def other" in sections[2].text


def test_braces_and_comments_stay_with_their_definition(tmp_path: Path, load: Load) -> None:
    path = tmp_path / "main.go"
    path.write_text(GO)
    sections = [placed.section for placed in load(path).sections]

    assert sections[1].text.startswith("func Serve")
    assert sections[1].text.endswith("}")
    assert sections[2].text.startswith("// Client talks.\ntype Client struct {")


def test_small_definitions_share_a_section(tmp_path: Path, load: Load) -> None:
    path = tmp_path / "small.js"
    path.write_text("\n\n".join(f"function f{number}() {{ return {number}; }}" for number in range(8)))
    assert len(load(path).sections) == 1


@given(st.text(alphabet=st.sampled_from("ab {}()#\n\t@"), max_size=200))
def test_no_character_but_blank_lines_is_lost(text: str) -> None:
    blocks = list(top_level_blocks(text))
    position = 0
    for block in blocks:
        position = text.index(block, position) + len(block)
    assert "".join("".join(blocks).split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("name", "media_type"),
    [("a.py", "text/x-python"), ("a.RS", "text/x-rust"), ("Makefile", "text/x-source"), ("a.yaml", "text/x-yaml")],
)
def test_languages_are_told_by_name(tmp_path: Path, load: Load, name: str, media_type: str) -> None:
    path = tmp_path / name
    path.write_text("key: value")
    document = load(path)
    assert document.media_type == media_type
    assert document.title == name
