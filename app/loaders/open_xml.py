"""Packages of Office Open XML (ECMA-376, part 2): parts, and how they refer to each other."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

from app.loaders.archive_guard import GuardedArchive, damaged
from app.loaders.safe_xml import UnsafeXmlError, local_name, parse_xml


class OpenXmlPackage:
    """The parts of a package. Elements are told by their local names, since strict and transitional files differ in
    namespaces only.
    """

    def __init__(self, path: Path) -> None:
        """Raises ``DocumentError`` as ``GuardedArchive`` does."""
        self._path = path
        self._archive = GuardedArchive(path)

    def __enter__(self) -> OpenXmlPackage:
        return self

    def __exit__(self, *_: object) -> None:
        self._archive.__exit__()

    def part(self, name: str) -> Element | None:
        """Return the root of an XML part, None if it isn't there. Raises ``DocumentError`` if it is no sound XML."""
        data = self._archive.read(name)
        if data is None:
            return None
        try:
            return parse_xml(data)
        except UnsafeXmlError as error:
            raise damaged(self._path) from error

    def data(self, name: str) -> bytes | None:
        """Return the content of any part, None if it isn't there."""
        return self._archive.read(name)

    def links(self, name: str) -> dict[str, str]:
        """Return the addresses outside the package that a part refers to, by id."""
        return {each.get("Id", ""): each.get("Target", "") for each in self._relations(name) if _is_external(each)}

    def relations(self, name: str) -> dict[str, tuple[str, str]]:
        """Return what a part refers to inside the package: ``{id: (last word of the type, part name)}``."""
        folder = posixpath.dirname(name)
        found = {}
        for relation in self._relations(name):
            if not _is_external(relation):
                target = posixpath.normpath(posixpath.join("/" + folder, relation.get("Target", ""))).lstrip("/")
                found[relation.get("Id", "")] = (relation.get("Type", "").rpartition("/")[2], target)
        return found

    def _relations(self, name: str) -> list[Element]:
        folder, base = posixpath.split(name)
        root = self.part(posixpath.join(folder, "_rels", f"{base}.rels"))
        return list(root) if root is not None else []

    def related(self, name: str, kind: str) -> list[str]:
        """Return the names of the parts that ``name`` refers to as ``kind``, in the order of their ids."""
        relations = self.relations(name)
        return [target for _, (relation, target) in sorted(relations.items()) if relation == kind]

    def main_part(self) -> str:
        """Return the name of the part that the document begins with. Raises ``DocumentError`` if there is none."""
        found = self.related("", "officeDocument")
        if not found:
            raise damaged(self._path)
        return found[0]

    def properties(self) -> dict[str, str]:
        """Return title, author and creation date as the package states them."""
        names = {"title": "title", "creator": "author", "created": "created", "subject": "subject"}
        found = {}
        for part in self.related("", "core-properties"):
            for element in self.part(part) or ():
                if (key := names.get(local_name(element))) and (element.text or "").strip():
                    found[key] = (element.text or "").strip()
        return found


def _is_external(relation: Element) -> bool:
    return relation.get("TargetMode") == "External"


def attribute(element: Element, name: str) -> str | None:
    """Return an attribute by its local name."""
    for key, value in element.attrib.items():
        if key.rpartition("}")[2] == name:
            return value
    return None


def descendants(element: Element, name: str) -> Iterator[Element]:
    """Yield the elements of a local name inside ``element``, in document order."""
    return (each for each in element.iter() if local_name(each) == name)


def child(element: Element, *names: str) -> Element | None:
    """Return the element reached by following the first children of these local names, or None."""
    found: Element | None = element
    for name in names:
        found = next((each for each in found if local_name(each) == name), None) if found is not None else None
    return found
