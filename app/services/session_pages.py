"""Chats as pages for people: Markdown, and HTML that is nothing but text and its shape."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from app.domain.citations import Citation
from app.domain.pictures import PICTURE
from app.domain.turns import MessageStatus, SessionRecord, StoredMessage

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

LONGEST_FORMATTED = 100_000  # characters; the parser is not made for more
PIECE = 10_000
# C0 and C1 controls but tab and line feed, and marks that turn the direction of what follows around.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_MARKER = re.compile(r"\[(\d{1,4})\]")
_MARKDOWN_SIGNS = re.compile(r"([\\`*_\[\]<>#|])")
_NAMES = {"user": "You", "assistant": "Footnote", "tool": "Tool", "system": "Instructions"}
_ENDINGS = {
    MessageStatus.STREAMING: "This answer is still being written.",
    MessageStatus.STOPPED: "This answer was stopped.",
    MessageStatus.INTERRUPTED: "This answer was cut off.",
    MessageStatus.FAILED: "This answer failed.",
}


def to_markdown(record: SessionRecord, messages: Sequence[StoredMessage]) -> Iterator[str]:
    """The branch on show as Markdown, in pieces; the sources of each answer stand below it."""
    yield f"# {_one_line(record.title) or 'Chat'}\n\n{_day(record.created_at)}\n"
    for message in messages:
        yield f"\n## {_speaker(message)}\n\n{_plain(message.text).rstrip()}\n"
        for note in _notes(message):
            yield f"\n*{_one_line(note)}*\n"
        if message.citations:
            yield "\n**Sources**\n\n"
            yield from (f"- [{each.number}] {_place(each)}: “{_one_line(each.quote)}”\n" for each in message.citations)


def to_html(record: SessionRecord, messages: Sequence[StoredMessage]) -> Iterator[str]:
    """The branch on show as a page of its own, in pieces.

    It has no script, no form, no picture but those an answer holds itself, and no link but those to its own sources;
    every word is escaped.
    """
    yield _HEAD.format(title=escape(_plain(record.title)) or "Chat", style=STYLE)
    yield from html_pieces(record, messages)
    yield "</body>\n</html>\n"


def html_pieces(record: SessionRecord, messages: Sequence[StoredMessage]) -> Iterator[str]:
    """What stands on the page, in pieces that can be laid out one by one; long messages in several."""
    yield f'<h1>{escape(_plain(record.title)) or "Chat"}</h1>\n<p class="day">{escape(_day(record.created_at))}</p>\n'
    markdown = _markdown()
    for number, message in enumerate(messages, start=1):
        kind = "question" if message.role == "user" else "answer"
        head = f'<p class="who">{escape(_plain(_speaker(message)))}</p>\n'
        for body in _bodies(markdown, message, number):
            yield f'<div class="{kind}">\n{head}{body}</div>\n'
            head = ""
        tail = "".join(_below(message, number))
        if tail:
            yield f'<div class="below">\n{tail}</div>\n'


def _below(message: StoredMessage, number: int) -> Iterator[str]:
    yield from (f'<p class="note">{escape(_plain(note))}</p>\n' for note in _notes(message))
    if message.citations:
        yield '<p class="sources">Sources</p>\n<ul>\n'
        yield from (_source(each, number) for each in message.citations)
        yield "</ul>\n"


STYLE = """
body { font-family: sans-serif; line-height: 1.5; color: #1d2329; }
h1 { font-size: 1.5rem; margin-bottom: 0; }
.who { font-size: 0.8rem; font-weight: 600; color: #5b6671; margin: 1.6rem 0 0.2rem; }
.day, .note, .sources { font-size: 0.8rem; color: #5b6671; }
.sources { margin-bottom: 0; }
.question { font-weight: 600; }
ul { font-size: 0.85rem; padding-left: 1.2rem; }
.quote { color: #5b6671; }
sup a { text-decoration: none; }
img { max-width: 100%; }
pre { background: #f2f4f6; padding: 0.7rem; white-space: pre-wrap; }
table { border-collapse: collapse; }
td, th { border: 1px solid #c9d1d8; padding: 0.2rem 0.5rem; }
"""
_HEAD = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>{title}</title>
<style>
body {{ max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }}
{style}</style>
</head>
<body>
"""


def _bodies(markdown: MarkdownIt, message: StoredMessage, number: int) -> Iterator[str]:
    text, at = _plain(message.text), 0
    for picture in PICTURE.finditer(text) if message.role == "assistant" else ():
        if text[at : picture.start()].strip():
            yield from _formatted(markdown, text[at : picture.start()], message, number)
        yield f'<p><img src="{picture[2]}" alt="{escape(picture[1])}"></p>\n'
        at = picture.end()
    if not at or text[at:].strip():
        yield from _formatted(markdown, text[at:], message, number)


def _formatted(markdown: MarkdownIt, text: str, message: StoredMessage, number: int) -> Iterator[str]:
    if len(text) > LONGEST_FORMATTED:
        yield from (f"<pre>{escape(text[at : at + PIECE])}</pre>\n" for at in range(0, len(text), PIECE))
        return
    known = frozenset(citation.number for citation in message.citations)
    yield str(markdown.render(text, {"known": known, "message": number}))


def _source(citation: Citation, number: int) -> str:
    quote = escape(_plain(" ".join(citation.quote.split())))
    return (
        f'<li id="s{number}-{citation.number}">[{citation.number}] {escape(_place(citation))}: '
        f'<span class="quote">“{quote}”</span></li>\n'
    )


def _markdown() -> MarkdownIt:
    """A renderer that knows no HTML, links or pictures: they are shown as the text they are written with."""
    from markdown_it import MarkdownIt

    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    markdown.disable(["link", "image", "autolink", "html_inline", "html_block", "reference"])
    markdown.add_render_rule("text", _text_with_markers)
    markdown.add_render_rule("fence", _code)
    return markdown


def _text_with_markers(_renderer: Any, tokens: Sequence[Any], index: int, _options: Any, env: Any) -> str:
    """Text, escaped, in which a footnote of the message becomes a link to its source below."""

    def link(found: re.Match[str]) -> str:
        number = int(found[1])
        return f'<sup><a href="#s{env["message"]}-{number}">{number}</a></sup>' if number in env["known"] else found[0]

    return _MARKER.sub(link, escape(tokens[index].content))


def _code(_renderer: Any, tokens: Sequence[Any], index: int, _options: Any, _env: Any) -> str:
    return f"<pre><code>{escape(tokens[index].content)}</code></pre>\n"


def _speaker(message: StoredMessage) -> str:
    name = _NAMES.get(message.role, _one_line(message.role) or "Unknown")
    return f"{name} · {_one_line(message.model)}" if message.model and message.role == "assistant" else name


def _notes(message: StoredMessage) -> Iterator[str]:
    if message.status in _ENDINGS:
        yield " ".join(filter(None, (_ENDINGS[message.status], message.error)))
    if message.siblings:
        yield f"Version {message.siblings.index(message.id) + 1} of {len(message.siblings)}"
    yield from message.damage


def _place(citation: Citation) -> str:
    page = f", page {citation.page}" if citation.page else ""
    return f"{_plain(str(citation.path))}{page}"


def _plain(text: str) -> str:
    """``text`` without what would steer a terminal, a viewer or the direction of writing."""
    return _UNSAFE.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n").replace("\r", "\n"))


def _one_line(text: str) -> str:
    """``text`` for a line of Markdown, in which nothing of it acts as a sign."""
    return _MARKDOWN_SIGNS.sub(r"\\\1", " ".join(_plain(text).split()))


def _day(seconds: float) -> str:
    try:
        return time.strftime("%Y-%m-%d", time.localtime(seconds))
    except (OverflowError, ValueError, OSError):  # a time that no calendar has
        return ""
