"""Finds footnote markers in an answer while it streams.

A model is asked to write ``[p1]`` behind a sentence that rests on passage p1. Models drift from that, so these habits
count as well: ``[p1][p2]``, ``[p1, p3]``, ``[p1-p3]``, ``【p1】``, ``[[p1]]``, ``[^p1]``, ``\\[p1\\]``, ``(p1)``,
``[passage 1]``, ``[source: p1]``, ``[p1†L3]``, ``[p1, page 4]``, ``[p1](#p1)`` and a marker in backticks. Code (fenced,
or between two backticks on a line) is left as it is. Ids that no passage has are dropped, with the space before them.

A parser of open answers also takes ``[g]`` and ``[general knowledge]``: what a sentence ends with that rests on no
document. It becomes a marker with the id ``GENERAL`` and shows nothing.

Bracketed numbers such as ``[12]`` are ordinary text, kept; a word joiner (U+2060, invisible) goes behind the bracket,
so that nobody takes them for one of our own numbered footnotes. Numbers that the caller declares as
``bare_numbers`` stand for passages, for models that write ``[1]`` however they are asked.

The result does not depend on how the stream was cut, and never more than ``MAX_HELD`` characters wait for their end.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from app.grounding.word_lists import MARKER_LABELS

MAX_HELD = 240
WORD_JOINER = "\u2060"
GENERAL = "g"
_LONGEST_MARKER = 80
_LONGEST_CODE = 160
_LONGEST_TARGET = 120

_CLOSING = {"[[": "]]", "\\[": "\\]", "[": "]", "【": "】", "［": "］", "〔": "〕", "(": ")", "（": "）", "{": "}"}
_OPENING = "[【［〔(（\\{"
_ROUND = "(（{"
_SPECIAL = re.compile(r"[\[【［〔(（{\\` \n]")
_FOLLOWS_DROPPED = re.compile(r"[\s.,;:!?)\]。，；：！？、]")
_TARGET = re.compile(r"\((?:#|https?://|\.{0,2}/|p\d)[^\s()]*\)", re.IGNORECASE)

_LABEL = (
    r"(?:(?:sources?|passages?|documents?|docs?|ref(?:erence)?s?|citations?|cited?|see|from|via|ids?|quelle|fuente"
    r"|来源|來源|出典)\s*[:：=#]?\s*)"
)
_QUOTES = "\"'“”‘’*"
_TO = r"(?:\s?(?:[-–—]|\.{2,3}|…)\s?p?\d{1,3})?"
_ITEM = rf"{_LABEL}?[\^#@{_QUOTES}]*p[\s_-]?\d{{1,3}}{_TO}[\^{_QUOTES}?]*"
_MORE = rf"(?:{_ITEM}|\d{{1,3}}(?!\d){_TO})"
_BETWEEN = r"(?:\s*(?:[,;/&+|、，；]|\b(?:and|und|et|y)\b)\s*|\s+)"
_TAIL = r"(?:†[^\[\]]*|,\s*(?:pages?|pp?\.|seite|s\.)\s*[\d–—-]+|(?:[:›>]|,(?=\s*[^\W\d]))(?P<words>[^\[\]]*))"
_IDS = re.compile(rf"\s*(?P<ids>{_ITEM}(?:{_BETWEEN}{_MORE})*)\s*{_TAIL}?\s*", re.IGNORECASE)
_WITHOUT_P = re.compile(r"(?<![\w.-])\d{1,3}\b")
_LABELLED_NUMBERS = re.compile(
    r"\s*(?:(?P<sure>sources?|passages?)|citations?|cite|docs?|documents?)\s*[:=#]?\s*"
    rf"\d{{1,3}}(?:{_BETWEEN}\d{{1,3}})*\s*",
    re.IGNORECASE,
)
_DAGGER = re.compile(r"\s*\d{1,3}†[^\[\]【】]*")
_NOISE = re.compile(r"\s*cite[_ ](?:start|end)\s*", re.IGNORECASE)
_PLAIN_IDS = re.compile(rf"\s*{_LABEL}?p\d{{1,3}}(?:{_BETWEEN}{_LABEL}?p\d{{1,3}})*\s*", re.IGNORECASE)
_NUMBERS = re.compile(r"\s*\^?\d{1,3}(?:\s*[,;–-]\s*\d{1,3})*\^?\s*")
_IN_CODE = re.compile(r"\s*(?:[\[【][^\[\]【】`]*[\]】]\s*)+|\s*p\d{1,3}\s*", re.IGNORECASE)
_RANGE = re.compile(r"(?:p[\s_-]?)?(\d{1,3})(?:\s?(?:[-–—]|\.{2,3}|…)\s?p?(\d{1,3}))?", re.IGNORECASE)
_GENERAL = re.compile(r"\s*(?:g|general(?P<long>[\s_-]knowledge)?)\s*", re.IGNORECASE)
_LETTERS = re.compile(r"[^\W\d_]*")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_MAYBE_FENCE = re.compile(r" {0,3}(?:`*|~*)\Z")


@dataclass(frozen=True, slots=True)
class Marker:
    """A place where the answer cites passages, by their ids, each once; or says that it rests on none (``GENERAL``)."""

    passage_ids: tuple[str, ...]


Piece = str | Marker


@dataclass(frozen=True, slots=True)
class _Found:
    """Something recognised at the head of the buffer: how long it is, what it cites, and words that must stay."""

    length: int
    passage_ids: tuple[str, ...] = ()
    words: str = ""
    literal: str = ""


class _Wait(Exception):  # noqa: N818 -- a signal, not an error
    """More of the stream is needed to tell what the head of the buffer is."""


class MarkerParser:
    """Turns a stream of text into text and markers. One parser serves one answer."""

    def __init__(
        self, passage_ids: Collection[str], bare_numbers: Collection[int] = (), *, general: bool = False
    ) -> None:
        self._general = general
        self._known = {each.lower() for each in passage_ids}
        self._bare = frozenset(bare_numbers)
        self._buffer = ""
        self._final = False
        self._previous = "\n"
        self._fence = ""
        self._run: set[str] = set()

    def know(self, passage_ids: Collection[str]) -> None:
        """Recognise these ids from now on."""
        self._known = {each.lower() for each in passage_ids}

    @property
    def held(self) -> int:
        """How many characters wait for what follows them."""
        return len(self._buffer)

    def feed(self, text: str) -> list[Piece]:
        """Take the next part of the answer; return what is certain now."""
        self._buffer += text
        return _joined(self._drain())

    def finish(self) -> list[Piece]:
        """Return what was still held back. The parser must not be fed again."""
        self._final = True
        return _joined(self._drain())

    def _drain(self) -> Iterator[Piece]:
        while self._buffer:
            try:
                found = self._next()
            except _Wait:
                return
            yield from self._consume(found)

    def _consume(self, found: _Found) -> Iterator[Piece]:
        """Take what was found off the buffer and pass it on."""
        raw = self._buffer[: found.length]
        self._buffer = self._buffer[found.length :]
        self._previous = raw[-1]
        if found.literal:
            if found.literal.strip(" "):
                self._run.clear()
            yield found.literal
            return
        fresh = tuple(dict.fromkeys(each for each in found.passage_ids if each not in self._run))
        if fresh:
            self._run.update(fresh)
            yield Marker(fresh)
        if found.words:
            self._run.clear()
            yield found.words

    def _next(self) -> _Found:
        if self._previous == "\n":
            fence = self._fence_line()
            if fence is not None:
                return fence
        if self._fence:
            return self._rest_of_line()
        special = _SPECIAL.search(self._buffer)
        if special is None or special.start() > 0:
            return self._literal(len(self._buffer) if special is None else special.start())
        head = self._buffer[0]
        if head == "\n":
            return self._literal(1)
        if head == " ":
            return self._space()
        if head == "`":
            return self._backticks()
        return self._bracket(0) or self._literal(1)

    def _literal(self, length: int) -> _Found:
        return _Found(length, literal=self._buffer[:length])

    def _need(self, *, more: bool) -> None:
        if more and not self._final:
            raise _Wait

    # code ---------------------------------------------------------------------------------------------------------

    def _fence_line(self) -> _Found | None:
        """Recognise the line that opens or closes fenced code. Called at the start of a line."""
        self._need(more=_MAYBE_FENCE.match(self._buffer) is not None)
        match = _FENCE.match(self._buffer)
        if match is None:
            return None
        after = self._buffer[match.end() :]
        if self._fence:
            if match[1].startswith(self._fence) and (not after or after[0].isspace()):
                self._fence = ""
                return self._literal(match.end())
            return None
        line, newline, _ = after[:_LONGEST_CODE].partition("\n")
        self._need(more="`" not in line and not newline and len(after) < _LONGEST_CODE)
        if "`" in line:
            return None
        self._fence = match[1]
        return self._literal(match.end())

    def _rest_of_line(self) -> _Found:
        newline = self._buffer.find("\n")
        return self._literal(len(self._buffer) if newline < 0 else newline + 1)

    def _backticks(self) -> _Found:
        run = len(self._buffer) - len(self._buffer.lstrip("`"))
        self._need(more=run == len(self._buffer) and run < _LONGEST_CODE)
        if run > 2:
            return self._literal(run)
        line, newline, _ = self._buffer[run : run + _LONGEST_CODE].partition("\n")
        close = line.find("`" * run)
        self._need(more=close < 0 and not newline and len(line) < _LONGEST_CODE)
        content = line[: max(close, 0)]
        if _IN_CODE.fullmatch(content):
            ids = self._ids_in_code(content)
            if ids is not None:
                return _Found(close + 2 * run, ids)
        # Two backticks also open a quotation in typewriter style, which nothing closes: those are no code.
        return self._literal(run if close < 0 or run == 2 else close + 2)

    def _ids_in_code(self, content: str) -> tuple[str, ...] | None:
        groups = re.findall(r"[\[【]([^\]】]*)[\]】]", content) or [content]
        if not all(_IDS.fullmatch(each) for each in groups):
            return None
        return self._known_ids(",".join(groups))

    # brackets -----------------------------------------------------------------------------------------------------

    def _space(self) -> _Found:
        """Pass a space on, unless it stands before a marker that is dropped."""
        self._need(more=len(self._buffer) == 1)
        if len(self._buffer) > 1 and self._buffer[1] in _OPENING:
            found = self._bracket(1)
            shown = set(found.passage_ids) - self._run - {GENERAL} if found else set()
            if found and not found.literal and not found.words and not shown:
                end = 1 + found.length
                self._need(more=end == len(self._buffer))
                if end == len(self._buffer) or _FOLLOWS_DROPPED.match(self._buffer, end):
                    return _Found(end, found.passage_ids)
        return self._literal(1)

    def _bracket(self, at: int) -> _Found | None:
        """Recognise a bracket with ids or numbers at ``at``, or return None."""
        rest = self._buffer[at:]
        self._need(more=rest in ("[", "\\"))
        opening = next((each for each in _CLOSING if rest.startswith(each)), "")
        if not opening:
            return None
        inside = rest[len(opening) : len(opening) + _LONGEST_MARKER]
        close = inside.find(_CLOSING[opening])
        if close < 0:
            open_general = self._general and "general knowledge".startswith(inside.strip().lower())
            self._need(more=len(inside) < _LONGEST_MARKER and (open_general or _may_become_marker(inside, opening)))
            return None
        content, length = inside[:close], close + 2 * len(opening)
        before = self._buffer[at - 1] if at else self._previous
        general = _GENERAL.fullmatch(content) if self._general else None
        if general and (general["long"] or not (opening in _ROUND or before.isalnum() or before == "_")):
            return _Found(length, (GENERAL,))
        if "\n" in content:
            return None
        if opening in _ROUND:
            return self._in_parentheses(content, length, before)
        return self._in_brackets(content, length, before, rest)

    def _in_parentheses(self, content: str, length: int, before: str) -> _Found | None:
        """``f(p1)`` and ``x_{p1}`` are code and ``(p12)`` may be a page: only ids of passages count here."""
        if before.isalnum() or before in "_^\\}$" or not _PLAIN_IDS.fullmatch(content):
            return None
        ids = _ids(content)
        return _Found(length, ids) if set(ids) <= self._known else None

    def _in_brackets(self, content: str, length: int, before: str, rest: str) -> _Found | None:
        if _NOISE.fullmatch(content):
            return _Found(length)
        match = _IDS.fullmatch(content)
        if match and {f"p{int(each)}" for each in _WITHOUT_P.findall(match["ids"])} <= self._known:
            words = (match["words"] or "").strip()
            found = _Found(length, self._known_ids(match["ids"]), f" ({words})" if words else "")
        elif self._is_labelled(content):
            found = _Found(length, _ids(content.split("†")[0]))
        elif _NUMBERS.fullmatch(content):
            return self._numbers(content, length, before, rest)
        else:
            return None
        return _Found(length + self._link_target(rest[length:]), found.passage_ids, found.words)

    def _is_labelled(self, content: str) -> bool:
        """Whether the content is numbers with a label in front of them, or with a dagger, that mean passages."""
        if _DAGGER.fullmatch(content):
            return set(_ids(content.split("†")[0])) <= self._known
        match = _LABELLED_NUMBERS.fullmatch(content)
        if match is None:
            return False
        return set(_ids(content)) <= (self._known if match["sure"] else {f"p{number}" for number in self._bare})

    def _numbers(self, content: str, length: int, before: str, rest: str) -> _Found:
        after = rest[length:]
        self._need(more=not after)
        free = bool(self._run) or not (before.isalnum() or before in "_])")
        if free and after[:1] not in ("(", ":") and {int(each[1:]) for each in _ids(content)} <= self._bare:
            return _Found(length, self._known_ids(content))
        return _Found(length, literal=rest[0] + WORD_JOINER + rest[1:length])

    def _link_target(self, after: str) -> int:
        """Length of the ``(#p1)`` of a marker that was written as a link."""
        self._need(more=not after)
        if not after.startswith("("):
            return 0
        self._need(more=len(after) < _LONGEST_TARGET and re.fullmatch(r"\([^\s()]*", after) is not None)
        match = _TARGET.match(after[:_LONGEST_TARGET])
        return match.end() if match else 0

    def _known_ids(self, content: str) -> tuple[str, ...]:
        return tuple(each for each in _ids(content) if each in self._known)


def _ids(content: str) -> tuple[str, ...]:
    """Return the ids in a marker, ranges spelled out, lower case, each once."""
    ids: dict[str, None] = {}
    for match in _RANGE.finditer(content):
        first, last = int(match[1]), int(match[2] or match[1])
        for number in range(first, last + 1) if first <= last else (first, last):
            ids[f"p{number}"] = None
    return tuple(ids)


def _may_become_marker(inside: str, opening: str) -> bool:
    """Tell whether an unclosed bracket can still turn out to be a marker."""
    text = inside.lstrip(" ^#@\"'“”‘’*").lower()
    if len(opening) == 2 and text.endswith(_CLOSING[opening][0]):
        text = text[:-1]
    if "\n" in text or not set(text).isdisjoint("[]【】()`"):
        return False
    letters = _LETTERS.match(text)[0]  # type: ignore[index]  # it always matches, if only nothing
    if not letters:
        return not text or (opening not in _ROUND and _NUMBERS.match(text) is not None)
    if letters == text:
        return any(each.startswith(letters) for each in MARKER_LABELS)
    return letters in MARKER_LABELS and text[len(letters)] in " :：=#^@._-0123456789\"'“”‘’*"


def _joined(pieces: Iterator[Piece]) -> list[Piece]:
    """Join neighbouring texts."""
    joined: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, str) and joined and isinstance(joined[-1], str):
            joined[-1] += piece
        else:
            joined.append(piece)
    return joined
