"""Writes what a mail says: its subject, who wrote to whom, its text in all its renderings, and its attachments."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from app.domain.documents import Section, SectionKind
from app.loaders.attachments import Attachment, AttachmentReader
from app.loaders.html import add_html
from app.loaders.html_tree import parse_html
from app.loaders.section_builder import SectionBuilder

# A rendering that holds hardly any word which the text before it has not says the same again.
TOLERATED_NEWS = 0.1
DEEPEST_MAIL = 5
HEADERS = ("subject", "from", "to", "cc", "date")
_WORDS = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Body:
    """One rendering or part of a mail's text."""

    text: str
    is_html: bool = False


@dataclass
class Mail:
    """One mail, whatever file it came in. ``headers`` has those of ``HEADERS`` that are stated."""

    headers: Mapping[str, str]
    bodies: list[Body] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    inner: list[Mail] = field(default_factory=list)


def add_mail(builder: SectionBuilder, mail: Mail, attachments: AttachmentReader, level: int = 1) -> None:
    """Add a mail: its subject is a heading, who wrote to whom is one that the text doesn't show, as it shows nowhere in
    the mail itself. Renderings that repeat others come last, marked so."""
    subject = mail.headers.get("subject", "")
    builder.heading(level, subject, written=False)
    builder.heading(level + 1, sent_line(mail.headers), written=False)
    builder.paragraph(subject)
    repeated = _add_bodies(builder, mail.bodies)
    for each in mail.attachments:
        sections = attachments.read(each)
        builder.leave(level + 1)
        builder.heading(level + 1, f"Attachment: {each.name}", written=bool(sections))
        builder.extend(sections)
    builder.leave(level + 1)
    for inner in mail.inner:
        if level < DEEPEST_MAIL:
            add_mail(builder, inner, attachments, level + 1)
    builder.leave(level + 1)
    builder.extend(repeated)


def sent_line(headers: Mapping[str, str]) -> str:
    """Return who sent a mail to whom and when, in one line."""
    named = (("From", "from"), ("To", "to"), ("Cc", "cc"), ("Date", "date"))
    return " · ".join(f"{label}: {headers[key]}" for label, key in named if headers.get(key))


def _add_bodies(builder: SectionBuilder, bodies: Sequence[Body]) -> list[Section]:
    """Add the texts that say something new; return the others."""
    said: Counter[str] = Counter()
    repeated: list[Section] = []
    for body in bodies:
        sections = _sections(body)
        words = Counter(word for section in sections for word in _WORDS.findall(section.text.lower()))
        if said and (words - said).total() <= TOLERATED_NEWS * words.total():
            repeated.extend(replace(section, kind=SectionKind.REPEATED) for section in sections)
        else:
            said |= words
            if body.is_html:
                builder.extend(sections)
            else:
                builder.paragraph(body.text)
    return repeated


def _sections(body: Body) -> list[Section]:
    made = SectionBuilder()
    if body.is_html:
        add_html(made, parse_html(body.text))
    else:
        made.paragraph(body.text)
    return made.finish()
