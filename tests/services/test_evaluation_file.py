"""Files of questions: both formats, and plain words for everything that can be wrong with them."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import BadInputError
from app.services.evaluation_file import QuestionRow, read_questions


def rows(text: str) -> list[QuestionRow]:
    found, problems = read_questions("questions", text.encode())
    assert problems == []
    return found


def problems(text: str) -> dict[int, str]:
    _, found = read_questions("questions", text.encode())
    return {each.line: each.message for each in found}


def test_json_lines() -> None:
    text = (
        '\n{"question": " How? ", "file": "a.pdf", "page": 3, "note": "mine"}\n{"query": "Who?", "file": ["a", "b"]}\n'
    )
    assert rows(text) == [QuestionRow(2, "How?", ("a.pdf",), 3), QuestionRow(3, "Who?", ("a", "b"))]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_with_any_separator_and_a_byte_order_mark(delimiter: str) -> None:
    lines = [
        ["Question", "File", "Page", "Quote"],
        ['"What, then; say?"', "a.pdf", "2", ""],
        ["Who?", "b.md", "", "He"],
    ]
    text = "\ufeff" + "\r\n".join(delimiter.join(line) for line in lines)
    assert rows(text) == [
        QuestionRow(2, "What, then; say?", ("a.pdf",), 2),
        QuestionRow(3, "Who?", ("b.md",), None, "He"),
    ]


def test_a_broken_character_is_replaced_instead_of_breaking_the_search() -> None:
    assert rows('{"question": "a\\ud800b", "file": "x"}')[0].question == "a?b"


def test_lines_are_counted_where_a_field_has_several() -> None:
    assert [row.line for row in rows('question,file\n"one\ntwo",a\n\nthree,b\n')] == [2, 5]


def test_bad_rows_are_told_by_line_and_the_others_read() -> None:
    text = "\n".join(
        [
            "question,file,page",
            ",a.pdf,",
            "q,,",
            "q,a.pdf,two",
            "q,a.pdf,0",
            "q,a.pdf,1,extra",
            "q,a.pdf,-1",
            "fine,a.pdf,1",
        ]
    )
    found, wrong = read_questions("questions.csv", text.encode())
    assert [row.question for row in found] == ["fine"]
    words = {each.line: each.message for each in wrong}
    assert set(words) == {2, 3, 4, 5, 6, 7}
    assert "no question" in words[2]
    assert "no file" in words[3]
    assert '"two"' in words[4]
    assert "quotation marks" in words[6]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"question": "q", "file": "a"', "not JSON"),
        ('{"question": "q"}', "no file"),
        ('{"question": 7, "file": "a"}', "not a text"),
        ('{"question": "q", "file": [1]}', "neither a text"),
        ('{"question": "q", "file": "a", "page": true}', "whole number"),
        ('{"question": "q", "file": "a", "page": 1.5}', "whole number"),
        ("q,a", "not JSON"),
        ("7", "not a JSON object"),
        ('{"question": "q", "file": "a", "page": "' + "9" * 5000 + '"}', "whole number"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_bad_json_lines(line: str, words: str) -> None:
    assert words in problems('{"question": "q", "file": "a"}\n' + line)[2]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b" \n\n", "empty"),
        ("question,file\ncaf\xe9,a".encode("latin-1"), "line 2"),
        ("question,file\nq,a".encode("utf-16"), "UTF-16"),
        (b'[{"question": "q", "file": "a"}]', "one object a line"),
        (b"frage,datei\nq,a", "It says: frage, datei"),
        (b"question,file\n", "no questions"),
    ],
)
def test_files_that_cannot_be_used_at_all(data: bytes, words: str) -> None:
    with pytest.raises(BadInputError, match=words):
        read_questions("questions", data)


@given(st.lists(st.tuples(st.text(min_size=1), st.text(min_size=1)), min_size=1, max_size=5))
def test_any_question_survives_json(pairs: list[tuple[str, str]]) -> None:
    text = "\n".join(json.dumps({"question": question, "file": file}) for question, file in pairs)
    found, wrong = read_questions("questions", text.encode())
    assert len(found) + len(wrong) == len(pairs)
    kept = [(question.strip(), file.strip()) for question, file in pairs if question.strip() and file.strip()]
    assert [(row.question, row.files[0]) for row in found] == kept


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_in_words(data: bytes) -> None:
    with suppress(BadInputError):
        found, wrong = read_questions("questions", data)
        assert found or wrong
