"""A file of questions whose right answers are known: JSON lines, or CSV with a line of column names."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from app.domain.errors import BadInputError

LONGEST_QUESTION = 10_000
MOST_DIGITS = 9
_COLUMNS = {
    "question": ("question", "query", "text"),
    "file": ("file", "files", "path", "document", "expected"),
    "page": ("page",),
    "quote": ("quote", "passage"),
    "folder": ("folder", "scope"),
    "collection": ("collection",),
}
_NEEDED = 'a question ("question") and the file that answers it ("file")'
_ENCODINGS = ((b"\xff\xfe", "UTF-16"), (b"\xfe\xff", "UTF-16"))


@dataclass(frozen=True, slots=True)
class QuestionRow:
    """A question as written down. ``files`` are names, paths or patterns; empty texts and None mean not given."""

    line: int
    question: str
    files: tuple[str, ...]
    page: int | None = None
    quote: str = ""
    folder: str = ""
    collection: str = ""


@dataclass(frozen=True, slots=True)
class RowProblem:
    """What is wrong with a line, in words for the user."""

    line: int
    message: str


class RowError(Exception):
    """One row can't be used; ``str(error)`` is written for the user."""


def read_questions(name: str, data: bytes) -> tuple[list[QuestionRow], list[RowProblem]]:
    """The rows of the file called ``name``, and what is wrong with the others.

    Raises ``BadInputError`` where the file as a whole can't be used: empty, not UTF-8, without the columns it needs.
    """
    text = _decoded(name, data)
    if not text.strip():
        raise BadInputError(f"{name} is empty. It needs, for each question, {_NEEDED}.")
    if text.lstrip().startswith("["):
        raise BadInputError(f"{name} is one JSON list. Write one object a line instead, without brackets around them.")
    rows: list[QuestionRow] = []
    problems: list[RowProblem] = []
    for line, fields in _json_rows(text) if text.lstrip().startswith("{") else _csv_rows(name, text):
        try:
            rows.append(_row(line, fields))
        except RowError as error:
            problems.append(RowProblem(line, str(error)))
    if not rows and not problems:
        raise BadInputError(f"{name} has column names but no questions below them.")
    return rows, problems


def _decoded(name: str, data: bytes) -> str:
    for mark, encoding in _ENCODINGS:
        if data.startswith(mark):
            raise BadInputError(f"{name} is {encoding} text. Save it as UTF-8 (in a spreadsheet: “CSV UTF-8”).")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadInputError(
            f"{name} is not UTF-8 text (line {line}). Save it as UTF-8 (in a spreadsheet: “CSV UTF-8”)."
        ) from error


Fields = Mapping[str, object] | RowError


def _json_rows(text: str) -> Iterator[tuple[int, Fields]]:
    # Only real line ends separate rows: splitlines() would also cut at characters that JSON may hold.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            fields = json.loads(line)
        except ValueError as error:
            yield number, RowError(f"not JSON ({error.args[0].split(':')[0].lower()})")
            continue
        except RecursionError:
            yield number, RowError("not JSON that can be read (nested too deep)")
            continue
        if isinstance(fields, dict):
            yield number, _by_column(fields)
        else:
            yield number, RowError("not a JSON object in braces")


def _csv_rows(name: str, text: str) -> Iterator[tuple[int, Fields]]:
    header = next(line for line in text.split("\n") if line.strip())
    delimiter = max(",;\t", key=header.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    names: list[str] = []
    while True:
        line = reader.line_num + 1
        try:
            values = next(reader, None)
        except csv.Error as error:
            yield line, RowError(f"not CSV ({error})")
            continue
        if values is None:
            return
        if not any(value.strip() for value in values):
            continue
        if not names:
            names = _checked_columns(name, values)
        elif len(values) > len(names):
            yield line, RowError("more fields than column names: put texts that hold the separator in quotation marks")
        else:
            yield line, _by_column(dict(zip(names, values, strict=False)))


def _checked_columns(name: str, values: list[str]) -> list[str]:
    names = [value.strip().casefold() for value in values]
    columns = _by_column(dict.fromkeys(names, ""))
    if "question" not in columns or "file" not in columns:
        shown = ", ".join(value.strip() or "(nothing)" for value in values[:8])
        raise BadInputError(
            f"{name}, line 1: the first line must name the columns, among them {_NEEDED}. It says: {shown}."
        )
    return names


def _by_column(fields: Mapping[str, object]) -> dict[str, object]:
    """The fields by our names; others, such as notes, are left alone."""
    given = {str(key).strip().casefold(): value for key, value in fields.items()}
    found = {
        column: next((given[alias] for alias in aliases if given.get(alias) is not None), None)
        for column, aliases in _COLUMNS.items()
        if any(alias in given for alias in aliases)
    }
    return dict(found)


def _row(line: int, fields: Fields) -> QuestionRow:
    if isinstance(fields, RowError):
        raise fields
    question = _text(fields, "question")
    if not question:
        raise RowError('no question ("question")')
    if len(question) > LONGEST_QUESTION:
        raise RowError(f"the question is longer than {LONGEST_QUESTION:,} characters")
    files = _files(fields.get("file"))
    if not files:
        raise RowError('no file that answers it ("file")')
    texts = (_text(fields, column) for column in ("quote", "folder", "collection"))
    return QuestionRow(line, question, files, _page(fields.get("page")), *texts)


def _files(value: object) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    names = [each.strip() for each in values if isinstance(each, str)]
    if len(names) + values.count(None) < len(values):
        raise RowError('"file" is neither a text nor a list of texts')
    return tuple(dict.fromkeys(filter(None, names)))


def _text(fields: Mapping[str, object], column: str) -> str:
    value = fields.get(column)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise RowError(f'"{column}" is not a text')
    # JSON can hold halves of characters, which no text to search may.
    return value.strip().encode("utf-8", "replace").decode()


def _page(value: object) -> int | None:
    if value is None or value == "":
        return None
    text = str(value).strip()
    if isinstance(value, bool) or not text.isdecimal() or len(text) > MOST_DIGITS or int(text) < 1:
        raise RowError(f'the page "{text[:20]}" is not a whole number from 1')
    return int(text)
