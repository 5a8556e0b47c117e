"""Tools as models see them: JSON schemas of functions, pydantic models and dicts.

A function and a pydantic model that say the same as a dict give the same schema. Pydantic is imported when the first
function or model is turned into a schema.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, get_type_hints

from app.chat_models.call import ToolSpec
from app.domain.chat_errors import ChatInputError

if TYPE_CHECKING:
    from pydantic import BaseModel

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_GOOGLE_SECTION = re.compile(r"^(args|arguments|parameters):\s*$", re.IGNORECASE)
_GOOGLE_ITEM = re.compile(r"^\s+\*{0,2}(\w+)\s*(?:\([^)]*\))?:\s*(.+)$")
_SPHINX_ITEM = re.compile(r"^\s*:param\s+(?:\S+\s+)?(\w+):\s*(.+)$")
_ANY_SECTION = re.compile(r"^[A-Z][A-Za-z ]*:\s*$")


def tool_spec(tool: Any) -> ToolSpec:
    """The description of ``tool``: a ``ToolSpec``, a dict, a pydantic model, a function, or an object with ``spec``.

    Dicts are ``{"type": "function", "function": {…}}`` or its inner part. Raises ``ChatInputError`` for a name that
    providers refuse and for what has no JSON schema.
    """
    if isinstance(tool, ToolSpec):
        spec = tool
    elif isinstance(getattr(tool, "spec", None), ToolSpec):
        spec = tool.spec
    elif isinstance(tool, Mapping):
        spec = _from_dict(tool)
    elif is_model_class(tool):
        spec = ToolSpec(tool.__name__, inspect.getdoc(tool) or "", model_schema(tool))
    elif callable(tool):
        spec = ToolSpec(_function_name(tool), _summary(tool), model_schema(arguments_model(tool)))
    else:
        raise ChatInputError(f"A tool can't be a {type(tool).__name__}. Pass a function, a model class or a dict.")
    return _checked(spec)


def is_model_class(value: object) -> bool:
    """Whether ``value`` is a pydantic model class; asked without importing pydantic."""
    return isinstance(value, type) and hasattr(value, "model_json_schema") and hasattr(value, "model_validate")


def model_schema(model: Any) -> dict[str, Any]:
    """The JSON schema of a pydantic model without titles; other fields are forbidden unless the model allows them.

    Raises ``ChatInputError`` for types that JSON has no place for.
    """
    from pydantic.errors import PydanticUserError

    try:
        schema = model.model_json_schema()
    except PydanticUserError as error:
        raise ChatInputError(f"{model.__name__} can't be described as JSON: {error}") from error
    schema.pop("description", None)
    cleaned = without_titles(schema)
    assert isinstance(cleaned, dict)  # noqa: S101  # a dict stays a dict
    if model.model_config.get("extra") != "allow":
        cleaned.setdefault("additionalProperties", False)
    return cleaned


def without_titles(schema: Any, *, names: bool = False) -> Any:
    """``schema`` without the titles pydantic adds. ``names`` says that the keys are names of properties."""
    if isinstance(schema, list):
        return [without_titles(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: without_titles(value, names=key in ("properties", "$defs") and not names)
        for key, value in schema.items()
        if names or not ((key == "title" and isinstance(value, str)) or (key == "default" and value is None))
    }


def arguments_model(function: Callable[..., Any]) -> type[BaseModel]:
    """A pydantic model of the arguments of ``function``: types by annotation, descriptions by annotation or docstring.

    Raises ``ChatInputError`` for an argument that no model could give by name.
    """
    from pydantic import ConfigDict, create_model
    from pydantic.errors import PydanticUserError

    hints = get_type_hints(function, include_extras=True)
    described = _described_arguments(function)
    fields: dict[str, Any] = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise ChatInputError(f"{_function_name(function)}: the argument {name!r} can't be passed by name.")
        fields[name] = _field(hints.get(name, str), parameter.default, described.get(name))
    try:
        return create_model(_function_name(function), __config__=ConfigDict(extra="forbid"), **fields)
    except PydanticUserError as error:
        raise ChatInputError(f"{_function_name(function)} can't be a tool: {error}") from error


def _field(hint: Any, default: Any, description: str | None) -> tuple[Any, Any]:
    from pydantic import Field

    texts = [each for each in getattr(hint, "__metadata__", ()) if isinstance(each, str)]
    text = texts[0] if texts else description
    settings: dict[str, Any] = {"description": text} if text else {}
    return hint, Field(... if default is inspect.Parameter.empty else default, **settings)


def _function_name(function: Any) -> str:
    name: str = getattr(function, "__name__", "") or type(function).__name__
    return name


def _summary(function: Any) -> str:
    """The docstring up to its list of arguments."""
    lines: list[str] = []
    for line in (inspect.getdoc(function) or "").splitlines():
        if _ANY_SECTION.match(line) or _SPHINX_ITEM.match(line):
            break
        lines.append(line)
    return "\n".join(lines).strip()


def _described_arguments(function: Any) -> dict[str, str]:
    """The arguments that the docstring explains, in Google's or Sphinx' style."""
    found: dict[str, str] = {}
    inside = False
    for line in (inspect.getdoc(function) or "").splitlines():
        if sphinx := _SPHINX_ITEM.match(line):
            found[sphinx[1]] = sphinx[2].strip()
        elif _GOOGLE_SECTION.match(line):
            inside = True
        elif inside and (item := _GOOGLE_ITEM.match(line)):
            found[item[1]] = item[2].strip()
        elif inside and line.strip() and not line.startswith(" "):
            inside = False
    return found


def _from_dict(tool: Mapping[str, Any]) -> ToolSpec:
    function = tool.get("function", tool)
    name = function.get("name") if isinstance(function, Mapping) else None
    if not isinstance(name, str):
        raise ChatInputError("A tool's dict needs a 'name', or a 'function' with one.")
    parameters = function.get("parameters") or function.get("input_schema") or {"type": "object", "properties": {}}
    return ToolSpec(name, str(function.get("description") or ""), parameters, function.get("strict"))


def _checked(spec: ToolSpec) -> ToolSpec:
    if not _NAME.fullmatch(spec.name):
        raise ChatInputError(f"{spec.name!r} can't name a tool. Use up to 64 letters, digits, underscores and hyphens.")
    try:
        json.dumps(spec.parameters)
    except (TypeError, ValueError) as error:
        raise ChatInputError(f"The parameters of the tool {spec.name!r} are not JSON: {error}.") from error
    if not isinstance(spec.parameters, Mapping) or spec.parameters.get("type", "object") != "object":
        raise ChatInputError(f"The parameters of the tool {spec.name!r} must be a JSON schema of type 'object'.")
    return spec
