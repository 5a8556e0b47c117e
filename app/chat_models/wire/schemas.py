"""JSON schemas as providers want them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_NAME_MAPS = frozenset({"properties", "$defs", "definitions", "patternProperties"})


def closed_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """``schema`` with ``additionalProperties: false`` on every object that doesn't say otherwise."""
    result = {name: _closed(value, named=name in _NAME_MAPS) for name, value in schema.items()}
    if result.get("type") == "object" and "additionalProperties" not in result:
        result["additionalProperties"] = False
    return result


def _closed(value: Any, *, named: bool = False) -> Any:
    if isinstance(value, Mapping):
        return {name: _closed(each) for name, each in value.items()} if named else closed_schema(value)
    return [_closed(each) for each in value] if isinstance(value, list) else value
