"""Typed XML: structured answers for models that can't be made to write JSON.

Every element says its type: ``<age dtype="int">30</age>``; lists hold ``<item dtype="…">`` elements.
Models write sloppy XML: it is parsed strictly first, then with bare ``&`` and ``<`` escaped, then given up.
Documents with ``<!`` are refused, so no entity can be defined (external or exploding).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from app.domain.chat_errors import OutputParserError

_TEMPLATE = """Answer with XML only, without comment and without code fences.
Every element carries its type in the attribute dtype: str, int, float, bool, dict or list.
The elements of a list are named item. An element that has no value is left empty with dtype="null".

Example:
<title dtype="str">Annual report</title>
<pages dtype="int">12</pages>
<authors dtype="list"><item dtype="str">Ann</item><item dtype="str">Ben</item></authors>
<publisher dtype="dict"><city dtype="str">Basel</city></publisher>

{{ instructions }}"""
_BARE_AMPERSAND = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#\d+|#x[0-9a-fA-F]+);)")
_BARE_LESS_THAN = re.compile(r"<(?!/?[A-Za-z_][\w.-]*(?:\s+[\w:.-]+\s*=\s*(?:\"[^\"<]*\"|'[^'<]*'))*\s*/?>)")
_FENCE = re.compile(r"^\s*```\w*\s*\n?|\n?\s*```\s*$")
_TRUE, _FALSE = {"true", "1", "yes"}, {"false", "0", "no"}


@dataclass(frozen=True, slots=True)
class TypedXmlParser:
    """Instructions for the model (``template``, where ``{{ instructions }}`` says what is wanted) and the parser."""

    template: str = _TEMPLATE

    def render(self, instructions: str) -> str:
        """The template with ``instructions`` filled in."""
        return self.template.replace("{{ instructions }}", instructions).strip()

    def parse(self, text: str) -> dict[str, Any]:
        """The object that ``text`` describes. Raises ``OutputParserError`` with the text as ``raw``."""
        root = _root(text)
        try:
            return _dict_of(root)
        except ValueError as error:
            raise OutputParserError(f"The model's XML doesn't hold what it says: {error}.", raw=text) from error


typed_parser_registry: Mapping[str, TypedXmlParser] = {"typed_xml": TypedXmlParser()}
"""The typed parsers by name."""


def _root(text: str) -> ElementTree.Element:
    body = _FENCE.sub("", text).strip()
    if "<!" in body:
        raise OutputParserError("The model's XML holds a declaration, which is refused. Try again.", raw=text)
    body = re.sub(r"^<\?xml[^>]*\?>", "", body).strip()
    begin = body.find("<")
    if begin < 0:
        raise OutputParserError("The model did not answer in XML. Try again, or use another model.", raw=text)
    body = body[begin : body.rfind(">") + 1]
    error: ElementTree.ParseError | None = None
    for candidate in (body, _BARE_LESS_THAN.sub("&lt;", _BARE_AMPERSAND.sub("&amp;", body))):
        try:
            root = ElementTree.fromstring(f"<root>{candidate}</root>")  # noqa: S314  # declarations are refused above
        except ElementTree.ParseError as problem:
            error = problem
            continue
        return _unwrapped(root)
    raise OutputParserError(f"The model's XML is not well-formed: {error}. Try again.", raw=text) from error


def _unwrapped(root: ElementTree.Element) -> ElementTree.Element:
    """A single outer element without a type, or of type dict, is wrapping, not a field."""
    if len(root) == 1 and len(root[0]) and root[0].get("dtype", "dict") == "dict" and not root[0].get("field"):
        inner = root[0]
        if inner.tag in ("root", "response", "answer", "output", "result", "data", "xml"):
            return inner
    return root


def _dict_of(element: ElementTree.Element) -> dict[str, Any]:
    return {child.tag: _value(child) for child in element}


def _value(element: ElementTree.Element) -> Any:
    kind = (element.get("dtype") or ("dict" if len(element) else "str")).strip().lower()
    kind = re.split(r"[\[<|]", kind, maxsplit=1)[0].strip()
    if kind == "dict":
        return _dict_of(element)
    if kind in ("list", "array", "tuple", "set"):
        return [_value(child) for child in element]
    convert = _CONVERTERS.get(kind)
    if convert is None:
        raise ValueError(f"<{element.tag}> has the unknown type {kind!r}")
    text = "".join(element.itertext()).strip()
    try:
        return convert(text)
    except ValueError as error:
        raise ValueError(f"<{element.tag}> is no {kind}: {text!r}") from error


def _bool(text: str) -> bool:
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise ValueError(text)


_CONVERTERS: Mapping[str, Callable[[str], Any]] = {
    "str": str,
    "string": str,
    "int": int,
    "integer": int,
    "float": float,
    "number": float,
    "bool": _bool,
    "boolean": _bool,
    "null": lambda text: None,
    "none": lambda text: None,
}


def xml_instructions(schema: Mapping[str, Any]) -> str:
    """What ``schema`` wants, as lines ``name: type`` for the template."""
    return "The answer has these elements:\n" + "\n".join(_lines(schema, schema, ""))


def _lines(schema: Mapping[str, Any], root: Mapping[str, Any], indent: str) -> list[str]:
    lines: list[str] = []
    required = schema.get("required", ())
    for name, each in schema.get("properties", {}).items():
        field = _dereferenced(each, root)
        note = "" if name in required else " (may be left out)"
        about = f" - {field['description']}" if field.get("description") else ""
        lines.append(f"{indent}{name}: {_type_name(field, root)}{note}{about}")
        inner = _dereferenced(field.get("items", field), root)
        if inner.get("properties"):
            lines += _lines(inner, root, indent + "  ")
    return lines


def _dereferenced(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = schema.get("$ref")
    if isinstance(reference, str):
        found: Mapping[str, Any] = root.get("$defs", {}).get(reference.rsplit("/", 1)[-1], {})
        return {**found, **{key: value for key, value in schema.items() if key != "$ref"}}
    return schema


def _type_name(schema: Mapping[str, Any], root: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return "one of " + ", ".join(map(str, schema["enum"]))
    if "anyOf" in schema:
        return " or ".join(_type_name(_dereferenced(each, root), root) for each in schema["anyOf"])
    names = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "object": "dict"}
    kind = schema.get("type", "str")
    if kind == "array":
        return f"list[{_type_name(_dereferenced(schema.get('items', {}), root), root)}]"
    return " or ".join(names.get(each, each) for each in ([kind] if isinstance(kind, str) else kind))
