"""JSON schemas given as plain dicts: checking values against them, and the strict form providers enforce.

The keywords that schemas for models use are covered (types, enum, const, required, properties, additionalProperties,
items, bounds, lengths, pattern, anyOf, oneOf, allOf, $ref into the same document); others are ignored.
Source: JSON Schema, draft 2020-12.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "integer": lambda value: (
        not isinstance(value, bool) and (isinstance(value, int) or (isinstance(value, float) and value.is_integer()))
    ),
}
_BOUNDS: Mapping[str, tuple[Callable[[Any, Any], bool], str]] = {
    "minimum": (lambda value, bound: value >= bound, "at least"),
    "maximum": (lambda value, bound: value <= bound, "at most"),
    "exclusiveMinimum": (lambda value, bound: value > bound, "more than"),
    "exclusiveMaximum": (lambda value, bound: value < bound, "less than"),
}


def schema_problems(value: Any, schema: Schema, root: Schema | None = None, path: str = "") -> list[str]:
    """What is wrong with ``value``, one sentence each, naming the place; empty if it fits ``schema``."""
    return list(_problems(value, schema, schema if root is None else root, path))


def _problems(value: Any, schema: Schema, root: Schema, path: str) -> Iterator[str]:
    place = path or "the answer"
    if "$ref" in schema:
        yield from _problems(value, _target(schema["$ref"], root), root, path)
    kinds = schema.get("type")
    if kinds is not None and not any(_TYPES[kind](value) for kind in ([kinds] if isinstance(kinds, str) else kinds)):
        yield f"{place} must be {kinds if isinstance(kinds, str) else ' or '.join(kinds)}, not {_kind(value)}"
        return
    yield from _choice_problems(value, schema, place)
    yield from _combination_problems(value, schema, root, path)
    if isinstance(value, dict):
        yield from _object_problems(value, schema, root, path)
    elif isinstance(value, list):
        yield from _array_problems(value, schema, root, path)
    elif isinstance(value, str):
        yield from _string_problems(value, schema, place)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield from _bound_problems(value, schema, place)


def _choice_problems(value: Any, schema: Schema, place: str) -> Iterator[str]:
    if "enum" in schema and value not in schema["enum"]:
        yield f"{place} must be one of {', '.join(map(repr, schema['enum']))}, not {value!r}"
    if "const" in schema and value != schema["const"]:
        yield f"{place} must be {schema['const']!r}, not {value!r}"


def _bound_problems(value: float, schema: Schema, place: str) -> Iterator[str]:
    for name, (holds, words) in _BOUNDS.items():
        if name in schema and not holds(value, schema[name]):
            yield f"{place} must be {words} {schema[name]}, not {value}"


def _combination_problems(value: Any, schema: Schema, root: Schema, path: str) -> Iterator[str]:
    for part in schema.get("allOf", ()):
        yield from _problems(value, part, root, path)
    for name in ("anyOf", "oneOf"):
        if name not in schema:
            continue
        failures = [list(_problems(value, part, root, path)) for part in schema[name]]
        fitting = sum(1 for failure in failures if not failure)
        if not fitting:
            yield min(failures, key=len)[0]
        elif name == "oneOf" and fitting > 1:
            yield f"{path or 'the answer'} fits {fitting} forms, but must fit exactly one"


def _object_problems(value: dict[str, Any], schema: Schema, root: Schema, path: str) -> Iterator[str]:
    properties = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{_join(path, name)} is missing"
    extra = schema.get("additionalProperties", True)
    for name, each in value.items():
        if name in properties:
            yield from _problems(each, properties[name], root, _join(path, name))
        elif extra is False:
            yield f"{_join(path, name)} is not expected"
        elif isinstance(extra, Mapping):
            yield from _problems(each, extra, root, _join(path, name))


def _array_problems(value: list[Any], schema: Schema, root: Schema, path: str) -> Iterator[str]:
    if len(value) < schema.get("minItems", 0):
        yield f"{path or 'the answer'} must have at least {schema['minItems']} items, not {len(value)}"
    if len(value) > schema.get("maxItems", len(value)):
        yield f"{path or 'the answer'} must have at most {schema['maxItems']} items, not {len(value)}"
    if isinstance(schema.get("items"), Mapping):
        for number, each in enumerate(value):
            yield from _problems(each, schema["items"], root, f"{path}[{number}]")


def _string_problems(value: str, schema: Schema, place: str) -> Iterator[str]:
    if len(value) < schema.get("minLength", 0):
        yield f"{place} must have at least {schema['minLength']} characters"
    if len(value) > schema.get("maxLength", len(value)):
        yield f"{place} must have at most {schema['maxLength']} characters"
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{place} must match {schema['pattern']!r}"


def _target(reference: str, root: Schema) -> Schema:
    target: Any = root
    for step in reference.removeprefix("#").strip("/").split("/"):
        if step:
            target = target[step.replace("~1", "/").replace("~0", "~")]
    result: Schema = target
    return result


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _kind(value: Any) -> str:
    return next(kind for kind in ("null", "boolean", "integer", "number", *_TYPES) if _TYPES[kind](value))


def strict_schema(schema: Any) -> Any:
    """``schema`` in the form that "strict" output asks for: objects closed, every property required.

    What was optional may be null instead. Defaults, which strict output refuses, are dropped.
    """
    if isinstance(schema, list):
        return [strict_schema(each) for each in schema]
    if not isinstance(schema, Mapping):
        return schema
    result = {key: strict_schema(value) for key, value in schema.items() if key not in ("default", "properties")}
    properties = schema.get("properties")
    if isinstance(properties, Mapping):
        required = set(schema.get("required", ()))
        result["properties"] = {
            name: strict_schema(each) if name in required else _nullable(strict_schema(each))
            for name, each in properties.items()
        }
        result["required"] = list(properties)
        result["additionalProperties"] = False
    return result


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    kinds = schema.get("type")
    if isinstance(kinds, str) and "enum" not in schema and "const" not in schema:
        return schema if kinds == "null" else {**schema, "type": [kinds, "null"]}
    if "anyOf" in schema and any(each.get("type") == "null" for each in schema["anyOf"]):
        return schema
    return {"anyOf": [schema, {"type": "null"}]}
