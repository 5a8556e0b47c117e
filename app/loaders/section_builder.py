"""Puts a document's parts together as sections: one for every run of text, table or code under one heading."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from app.domain.documents import Section, SectionKind
from app.loaders.tables import table_text


class SectionBuilder:
    """Collects parts in reading order. ``page`` may be set at any time and holds for what is added afterwards."""

    def __init__(self) -> None:
        self._sections: list[Section] = []
        self._path: list[tuple[int, str]] = []
        self._parts: list[str] = []
        self._page: int | None = None

    @property
    def page(self) -> int | None:
        """The page, slide, sheet or chapter that is being read, from 1."""
        return self._page

    @page.setter
    def page(self, number: int | None) -> None:
        if number != self._page:
            self._close()
            self._page = number

    def heading(self, level: int, text: str, *, written: bool = True) -> None:
        """Begin what stands under the heading ``text`` of ``level`` (1 is the highest).

        What is not ``written`` shows nowhere in the text, but holds for what comes under it.
        """
        title = " ".join(text.split())
        if title:
            self._close()
            self._path = [entry for entry in self._path if entry[0] < level]
            self._path.append((level, title))
            if written:
                self._parts.append(title)

    def leave(self, level: int) -> None:
        """End what stands under headings of ``level`` and below."""
        if any(entry[0] >= level for entry in self._path):
            self._close()
            self._path = [entry for entry in self._path if entry[0] < level]

    def paragraph(self, text: str) -> None:
        """Add a paragraph, after an empty line."""
        self._add(text.strip(), "\n\n")

    def line(self, text: str) -> None:
        """Add a line, such as an item of a list; its indentation stays."""
        self._add(text.rstrip().strip("\n"), "\n")

    def table(self, rows: Iterable[Sequence[str]]) -> None:
        """Add a table, its header row first."""
        self._single(table_text(rows), SectionKind.TABLE)

    def code(self, text: str) -> None:
        """Add code; its indentation stays."""
        self._single(text.strip("\n").rstrip(), SectionKind.CODE)

    def extend(self, sections: Iterable[Section]) -> None:
        """Add sections made elsewhere, under the headings and on the page that hold here."""
        self._close()
        for section in sections:
            path = (*(title for _, title in self._path), *section.headings)
            self._sections.append(replace(section, page=section.page or self._page, headings=path))

    def finish(self) -> list[Section]:
        """Return the sections."""
        self._close()
        return self._sections

    def _add(self, text: str, separator: str) -> None:
        if text:
            self._parts.append(separator + text if self._parts else text)

    def _single(self, text: str, kind: SectionKind) -> None:
        if text.strip():
            self._close()
            self._append(text, kind)

    def _close(self) -> None:
        text, self._parts = "".join(self._parts), []
        if text.strip():
            self._append(text, SectionKind.TEXT)

    def _append(self, text: str, kind: SectionKind) -> None:
        self._sections.append(Section(text, self._page, tuple(title for _, title in self._path), kind))
