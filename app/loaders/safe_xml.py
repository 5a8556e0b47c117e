"""Parses XML from strangers: no document type, hence no entities, and nothing is ever fetched."""

from __future__ import annotations

from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

NAMESPACE_SEPARATOR = "}"
DEEPEST_NESTING = 300


class UnsafeXmlError(ValueError):
    """The XML is malformed, declares a document type, or is nested too deeply."""


def parse_xml(data: bytes, *, allow_doctype: bool = False) -> Element:
    """Return the root of ``data``; tags are ``{namespace}name`` as in ElementTree.

    XHTML needs ``allow_doctype``; its declarations are skipped, entities of its own are still refused. Raises
    ``UnsafeXmlError``.
    """
    builder = TreeBuilder()
    parser = expat.ParserCreate(namespace_separator=NAMESPACE_SEPARATOR)
    parser.buffer_text = True
    depth = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > DEEPEST_NESTING:
            raise UnsafeXmlError("nested too deeply")
        builder.start(_qualified(tag), {_qualified(name): value for name, value in attributes.items()})

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(_qualified(tag))

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = builder.data
    parser.EntityDeclHandler = _refuse_entity
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    parser.UseForeignDTD(False)
    if not allow_doctype:
        parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        parser.Parse(data, True)
        root = builder.close()
    except (expat.ExpatError, AssertionError, LookupError) as error:  # the last: an encoding nobody knows
        raise UnsafeXmlError(str(error)) from error
    return root


def local_name(element: Element) -> str:
    """Return an element's name without its namespace."""
    return element.tag.rpartition(NAMESPACE_SEPARATOR)[2] if isinstance(element.tag, str) else ""


def _qualified(name: str) -> str:
    return "{" + name if NAMESPACE_SEPARATOR in name else name


def _refuse_doctype(name: str, system_id: str | None, public_id: str | None, internal: int) -> None:
    del name, system_id, public_id, internal
    raise UnsafeXmlError("a document type is declared")


def _refuse_entity(*_: object) -> None:
    raise UnsafeXmlError("an entity is declared")
