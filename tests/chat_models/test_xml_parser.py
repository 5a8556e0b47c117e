"""Typed XML."""

from __future__ import annotations

import contextlib
from typing import Any
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.chat_models.loop_thread import LoopThread
from app.chat_models.structured import Structured
from app.chat_models.xml_parser import typed_parser_registry, xml_instructions
from app.domain.chat_errors import OutputParserError
from tests.chat_models.models import says, scripted

parser = typed_parser_registry["typed_xml"]
EVENT = (
    '<name dtype="str">science fair</name>\n<date dtype="str">Friday</date>\n'
    '<participants dtype="list"><item dtype="str">Alice</item><item dtype="str">Bob</item></participants>'
)


@pytest.mark.requirement("D10")
def test_typed_xml_becomes_a_dict(loop: LoopThread) -> None:
    prompt = parser.render("Extract:\nname: str\ndate: str\nparticipants: list[str]")
    assert "participants: list[str]" in prompt
    assert "{{" not in prompt
    assert "{{ instructions }}" in parser.template
    model = scripted(says(EVENT), loop=loop)
    structured: Structured[Any] = Structured(model, typed_parser="typed_xml")
    assert structured.invoke("Alice and Bob …", system_prompt=prompt) == {
        "name": "science fair",
        "date": "Friday",
        "participants": ["Alice", "Bob"],
    }
    assert model.calls[0][0][0].text == prompt


@pytest.mark.requirement("D10")
@pytest.mark.parametrize(
    ("xml", "expected"),
    [
        ('<a dtype="int">30</a>', {"a": 30}),
        ('<a dtype="float">1.5</a>', {"a": 1.5}),
        ('<a dtype="bool">true</a><b dtype="bool">False</b>', {"a": True, "b": False}),
        ('<a dtype="null"></a>', {"a": None}),
        ('<a dtype="dict"><b dtype="int">1</b></a>', {"a": {"b": 1}}),
        ('<a dtype="list"><item dtype="dict"><b dtype="int">1</b></item></a>', {"a": [{"b": 1}]}),
        ('<a dtype="list[str]"><item dtype="str">x</item></a>', {"a": ["x"]}),
        ('<a dtype="list"></a>', {"a": []}),
        ("<a>plain</a>", {"a": "plain"}),
        ("<a><b>x</b></a>", {"a": {"b": "x"}}),
        ('<response><a dtype="int">1</a></response>', {"a": 1}),
        ('<?xml version="1.0"?><a dtype="int">1</a>', {"a": 1}),
        ('```xml\n<a dtype="int">1</a>\n```', {"a": 1}),
        ('Here you are:\n<a dtype="int">1</a>\nDone.', {"a": 1}),
        ('<a dtype="str">R&D <3</a>', {"a": "R&D <3"}),
        ('<a dtype="str">x &lt; y &amp; z</a>', {"a": "x < y & z"}),
        ('<a dtype="str">if a < b and c > d</a>', {"a": "if a < b and c > d"}),
    ],
)
def test_types_and_sloppy_xml(xml: str, expected: dict[str, Any]) -> None:
    assert parser.parse(xml) == expected


@pytest.mark.requirement("D10")
@pytest.mark.parametrize(
    "xml",
    [
        "no xml at all",
        "",
        '<a dtype="int">thirty</a>',
        '<a dtype="bool">maybe</a>',
        '<a dtype="date">2026</a>',
        '<a dtype="int">1',
        "<a><b></a></b>",
        '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
        '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a>1</a>',
    ],
)
def test_what_cannot_be_read_is_an_error_with_the_text(xml: str) -> None:
    with pytest.raises(OutputParserError) as caught:
        parser.parse(xml)
    assert caught.value.raw == xml


_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff\x85"))


@pytest.mark.requirement("D10")
@given(_TEXT, st.integers(), st.booleans(), st.lists(_TEXT, max_size=3))
def test_what_is_written_is_read(text: str, number: int, flag: bool, items: list[str]) -> None:
    xml = (
        f'<t dtype="str">{escape(text)}</t><n dtype="int">{number}</n><f dtype="bool">{flag}</f><l dtype="list">'
        + "".join(f'<item dtype="str">{escape(item)}</item>' for item in items)
        + "</l>"
    )
    assert parser.parse(xml) == {
        "t": text.strip(),
        "n": number,
        "f": flag,
        "l": [item.strip() for item in items],
    }


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(OutputParserError):
        assert isinstance(parser.parse(f"<a>{text}</a>"), dict)


def test_instructions_describe_a_schema() -> None:
    schema = {
        "properties": {
            "name": {"type": "string", "description": "Who"},
            "kind": {"enum": ["a", "b"]},
            "tags": {"type": "array", "items": {"$ref": "#/$defs/Tag"}},
            "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        },
        "required": ["name", "kind", "tags"],
        "$defs": {"Tag": {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}},
    }
    lines = xml_instructions(schema).splitlines()[1:]
    assert lines == [
        "name: str - Who",
        "kind: one of a, b",
        "tags: list[dict]",
        "  n: int",
        "note: str or null (may be left out)",
    ]
