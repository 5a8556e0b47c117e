"""Small files of several kinds, and the edits that a user makes between two starts. Everything follows from a seed."""

from __future__ import annotations

import random
from collections.abc import Collection
from pathlib import Path

from tests.loaders.pdf_writer import Page, Run, write_pdf

KINDS = (".txt", ".md", ".html", ".csv", ".pdf", ".txt", ".md", ".txt")
SUBJECTS = ("pump", "gate", "ledger", "orchard", "engine", "harbour", "archive", "kettle", "signal", "bridge")
VERBS = ("was checked", "was painted", "stood open", "was repaired", "was moved", "was counted", "failed", "was closed")


class Corpus:
    """A folder of files. Every paragraph ever written is unique, so that texts tell whether work was done twice."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self._chance = random.Random(seed)
        self._written = 0
        self._named = 0
        self._paragraphs: dict[Path, list[str]] = {}
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def files(self) -> list[Path]:
        """What the library must hold once everything is read."""
        return sorted(self._paragraphs)

    def add(self, count: int) -> None:
        """Write new files."""
        for _ in range(count):
            self._named += 1
            path = self.folder / f"note {self._named:04}{KINDS[self._named % len(KINDS)]}"
            self._paragraphs[path] = [self._paragraph() for _ in range(self._chance.randrange(2, 24))]
            self._write(path)

    def edit(self, count: int, leave: Collection[Path] = ()) -> None:
        """Change a paragraph of some files, or take one away; not of those to ``leave``."""
        files = [path for path in self.files if path not in leave]
        for path in self._chance.sample(files, min(count, len(files))):
            paragraphs = self._paragraphs[path]
            place = self._chance.randrange(len(paragraphs))
            if len(paragraphs) > 2 and self._chance.random() < 0.2:
                del paragraphs[place]
            else:
                paragraphs[place] = self._paragraph()
            self._write(path)

    def move(self, path: Path) -> Path:
        """Put a file into another folder; its name, which may be its title, stays."""
        self._named += 1
        target = self.folder / f"folder {self._named:04}" / path.name
        target.parent.mkdir()
        path.rename(target)
        self._paragraphs[target] = self._paragraphs.pop(path)
        return target

    def _paragraph(self) -> str:
        self._written += 1
        facts = (
            f"the {self._chance.choice(SUBJECTS)} {self._chance.choice(VERBS)} on day {self._chance.randrange(999)}"
            for _ in range(self._chance.randrange(3, 9))
        )
        return f"Entry {self._written}: " + ", ".join(facts) + "."

    def _write(self, path: Path) -> None:
        paragraphs = self._paragraphs[path]
        if path.suffix == ".pdf":
            write_pdf(path, [_page(paragraphs[start : start + 8]) for start in range(0, len(paragraphs), 8)])
        elif path.suffix == ".html":
            body = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
            path.write_text(f"<html><head><title>{path.stem}</title></head><body>{body}</body></html>")
        elif path.suffix == ".csv":
            path.write_text("number,entry\n" + "".join(f'{n},"{text}"\n' for n, text in enumerate(paragraphs)))
        else:
            path.write_text("\n\n".join(paragraphs))


def _page(paragraphs: list[str]) -> Page:
    runs = []
    for number, paragraph in enumerate(paragraphs):
        for line, start in enumerate(range(0, len(paragraph), 90)):
            runs.append(Run(40, 750 - 80 * number - 11 * line, paragraph[start : start + 90], size=9))
    return Page(runs)
