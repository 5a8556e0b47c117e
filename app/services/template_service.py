"""Personas and prompt templates: texts with variables, a file each, for the user to write and to edit anywhere.

A persona's text goes before the rules of every prompt of a chat; a prompt template becomes the text of a question.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

from app.domain.errors import BadInputError, StorageError

LONGEST_NAME = 60
LONGEST_TEXT = 20_000
SUFFIX = ".md"
_NAME = re.compile(r"[\w][\w '(),&+-]*")
_VARIABLE = re.compile(r"\{\{\s*([^\W\d][\w ]{0,39}?)\s*\}\}")


class TemplateKind(StrEnum):
    """What a template is for; also the name of its folder."""

    PERSONA = "personas"
    PROMPT = "prompts"


@dataclass(frozen=True, slots=True)
class Template:
    """A text with variables written ``{{like this}}``. ``own`` ones can be changed and deleted."""

    kind: TemplateKind
    name: str
    text: str
    own: bool = True

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the variables in the order in which they appear."""
        return tuple(dict.fromkeys(_VARIABLE.findall(self.text)))

    def filled(self, values: Mapping[str, str]) -> str:
        """The text with a value in every place. Raises ``BadInputError`` for one that is missing."""
        missing = [name for name in self.variables if not values.get(name, "").strip()]
        if missing:
            raise BadInputError(f"“{self.name}” needs a value for: {', '.join(missing)}.")
        return _VARIABLE.sub(lambda found: values[found[1]].strip(), self.text)


class TemplateService:
    """Templates that come with the program (``built_in``) and those of the user (``folder``). Blocks on the disk."""

    def __init__(self, folder: Path, built_in: Path) -> None:
        self._folder = folder
        self._built_in = built_in

    def templates(self, kind: TemplateKind) -> list[Template]:
        """All of a kind by name; an own one hides one of the same name that came with the program."""
        found = {each.name: each for each in self._read(self._built_in, kind, own=False)}
        found |= {each.name: each for each in self._read(self._folder, kind, own=True)}
        return [found[name] for name in sorted(found, key=str.casefold)]

    def template(self, kind: TemplateKind, name: str) -> Template:
        """The one with that name. Raises ``BadInputError`` if there is none."""
        for each in self.templates(kind):
            if each.name.casefold() == name.strip().casefold():
                return each
        what = "persona" if kind is TemplateKind.PERSONA else "prompt template"
        raise BadInputError(f"There is no {what} “{name.strip()}” any more. Choose another one.")

    def save(self, kind: TemplateKind, name: str, text: str) -> Template:
        """Store one of the user's, in place of one of the same name. Raises ``BadInputError`` for what can't be."""
        template = Template(kind, _checked_name(name), _checked_text(text))
        path = self._path(template)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            written = path.with_suffix(".part")
            written.write_text(template.text, encoding="utf-8")
            written.replace(path)
        except OSError as error:
            raise StorageError(f"“{template.name}” can't be saved: {error.strerror}. Check {path.parent}.") from error
        return template

    def delete(self, kind: TemplateKind, name: str) -> None:
        """Delete one of the user's; nothing happens if there is none."""
        try:
            self._path(Template(kind, _checked_name(name), "")).unlink(missing_ok=True)
        except OSError as error:
            raise StorageError(f"“{name}” can't be deleted: {error.strerror}.") from error

    def instructions(self, choice: str) -> str:
        """The filled text of the persona that ``choice`` names; "" for none and for one that is gone."""
        if not choice:
            return ""
        name, values = read_choice(choice)
        try:
            return self.template(TemplateKind.PERSONA, name).filled(values)
        except BadInputError:
            return ""

    def _path(self, template: Template) -> Path:
        return self._folder / template.kind / f"{template.name}{SUFFIX}"

    def _read(self, folder: Path, kind: TemplateKind, *, own: bool) -> list[Template]:
        found: list[Template] = []
        for path in sorted((folder / kind).glob(f"*{SUFFIX}")):
            try:
                text = path.read_text(encoding="utf-8")[:LONGEST_TEXT].strip()
            except (OSError, UnicodeDecodeError):
                continue  # a file that can't be read is none of the templates, and is left as it is
            if text:
                found.append(Template(kind, path.stem, text, own))
        return found


def as_choice(name: str, values: Mapping[str, str]) -> str:
    """A persona with its values as one text, such as a chat keeps it: ``Tutor?language=German``."""
    return f"{name}?{urlencode(values)}" if values else name


def read_choice(choice: str) -> tuple[str, dict[str, str]]:
    """The name and the values in a text that ``as_choice`` made."""
    name, _, values = choice.partition("?")
    return name, dict(parse_qsl(values, keep_blank_values=True))


def _checked_name(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME or not _NAME.fullmatch(name):
        raise BadInputError(
            f"A name has 1 to {LONGEST_NAME} letters, figures, spaces and - ' ( ) , & +, and begins with a letter."
        )
    return name


def _checked_text(text: str) -> str:
    text = text.strip()
    if not text:
        raise BadInputError("The text is empty. Write what the model is to do.")
    if len(text) > LONGEST_TEXT:
        raise BadInputError(f"The text has {len(text):,} characters; at most {LONGEST_TEXT:,} can be kept.")
    return text
