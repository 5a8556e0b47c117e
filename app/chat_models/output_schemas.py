"""What a structured answer must look like, whatever it was declared with."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import is_dataclass
from typing import Any, NotRequired, Required, get_args, get_origin, get_type_hints

from app.chat_models.json_schemas import schema_problems
from app.chat_models.tool_schemas import is_model_class, without_titles
from app.domain.chat_errors import ChatInputError, OutputParserError

_FENCED = re.compile(r"```(?:json)?\s*\n?(.*?)```", re.DOTALL | re.IGNORECASE)
_BAD_NAME = re.compile(r"[^A-Za-z0-9_-]")
_NAME_LENGTH = 64


class OutputSchema:
    """A schema and how values are checked against it.

    ``declared`` is a pydantic model or a dataclass (values become instances), a ``TypedDict`` (values are dicts), or a
    JSON schema of an object (dicts). Raises ``ChatInputError`` for anything else.
    """

    def __init__(self, declared: Any) -> None:
        self._adapter: Any = None
        if isinstance(declared, Mapping):
            self.schema: dict[str, Any] = dict(declared)
            name = str(declared.get("title") or "answer")
        elif is_model_class(declared) or is_dataclass(declared) or _is_typed_dict(declared):
            self._adapter = _adapter(declared)
            self.schema = without_titles(self._adapter.json_schema())
            name = declared.__name__
        else:
            raise ChatInputError(
                f"{declared!r} is no schema. Pass a pydantic model, a dataclass, a TypedDict or a JSON schema."
            )
        if self.schema.get("type", "object") != "object":
            raise ChatInputError("A structured answer must be an object: its schema needs type 'object'.")
        self.name = _BAD_NAME.sub("_", name)[:_NAME_LENGTH]
        self.description = str(self.schema.get("description") or "")

    def value(self, found: Any, raw: str) -> Any:
        """The checked value of the JSON document ``found``. Raises ``OutputParserError`` with ``raw``."""
        found = _without_nulls(found, self.schema, self.schema)
        if self._adapter is None:
            if problems := schema_problems(found, self.schema):
                raise OutputParserError(_wrong("; ".join(problems)), raw=raw)
            return found
        from pydantic import ValidationError

        try:
            return self._adapter.validate_python(found)
        except ValidationError as error:
            faults = [f"{'.'.join(map(str, each['loc'])) or 'the answer'}: {each['msg']}" for each in error.errors()]
            raise OutputParserError(_wrong("; ".join(faults)), raw=raw) from error

    def parse(self, text: str) -> Any:
        """The value of an answer in JSON, code fences and words around it allowed. Raises ``OutputParserError``."""
        return self.value(json_document(text), text)


def _is_typed_dict(declared: Any) -> bool:
    from typing_extensions import is_typeddict  # knows the classes of both modules

    return is_typeddict(declared)


def _portable(declared: Any) -> Any:
    """``declared`` with the TypedDicts in it remade: before Python 3.12 pydantic refuses those of ``typing``."""
    if _is_typed_dict(declared):
        from typing_extensions import TypedDict

        hints = get_type_hints(declared, include_extras=True)
        fields = {name: _portable_field(hint, declared) for name, hint in hints.items()}
        return TypedDict(declared.__name__, fields)  # type: ignore[operator]  # the functional form, made at run time
    origin, arguments = get_origin(declared), get_args(declared)
    if origin in (list, dict, tuple, set) and arguments:
        return origin[tuple(_portable(argument) for argument in arguments)]
    return declared


def _portable_field(hint: Any, owner: Any) -> Any:
    """A field's type, marked if it may be left out. Annotations that are text hide their marks until resolved."""
    mark = get_origin(hint)
    inner = get_args(hint)[0] if mark in (NotRequired, Required) else hint
    required = mark is Required or (mark is not NotRequired and owner.__total__)
    return _portable(inner) if required else NotRequired[_portable(inner)]


def _adapter(declared: Any) -> Any:
    from pydantic import TypeAdapter
    from pydantic.errors import PydanticUserError

    try:
        return TypeAdapter(_portable(declared))
    except PydanticUserError as error:
        raise ChatInputError(f"{declared.__name__} can't be a schema: {error}") from error


def _wrong(problems: str) -> str:
    return f"The model's answer doesn't have the form that was asked for: {problems}."


def json_document(text: str) -> Any:
    """The JSON document in ``text``: all of it, a fenced block, or from the first brace to the last.

    Raises ``OutputParserError`` when there is none.
    """
    fenced = _FENCED.search(text)
    begin, end = text.find("{"), text.rfind("}")
    candidates = [text, fenced[1] if fenced else "", text[begin : end + 1] if 0 <= begin < end else ""]
    problem: ValueError | None = None
    for candidate in filter(None, (each.strip() for each in candidates)):
        try:
            return json.loads(candidate)
        except ValueError as error:
            problem = problem or error
    raise OutputParserError(f"The model's answer is not valid JSON: {problem or 'it is empty'}.", raw=text)


def partial_document(text: str) -> Any:
    """What can be read of a JSON document that is still arriving; None for nothing yet."""
    from pydantic_core import from_json

    begin = text.find("{")
    if begin < 0:
        return None
    try:
        return from_json(text[begin:], allow_partial="trailing-strings")
    except ValueError:
        return None  # such as a closing fence after the document


def _without_nulls(found: Any, schema: Mapping[str, Any], root: Mapping[str, Any]) -> Any:
    """``found`` without the nulls that stand for fields left out: strict output can't leave a field out."""
    reference = schema.get("$ref")
    if isinstance(reference, str):
        schema = root.get("$defs", {}).get(reference.rsplit("/", 1)[-1], {})
    if isinstance(found, list):
        return [_without_nulls(each, schema.get("items") or {}, root) for each in found]
    if not isinstance(found, dict):
        return found
    properties, required = schema.get("properties", {}), schema.get("required", ())
    return {
        name: _without_nulls(each, properties.get(name, {}), root)
        for name, each in found.items()
        if not (each is None and name in properties and name not in required)
    }
