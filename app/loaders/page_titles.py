"""What a page of a PDF without bookmarks is about: the lines that stand over its text like a title.

A table that fills a page says what it is in the page's first lines alone; the chunks behind the first are found by a
question for “the balance sheet” only if they carry that title along.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice, takewhile

LINES_LOOKED_AT = 4
LONGEST_LINE = 80
LONGEST_TITLE = 100
MOST_WORDS_OF_A_NAME = 5
_ENDS = ".,;:–-"
_FEWEST_LETTERS = 5
_LETTERS_SHARE = 0.6


def page_title(text: str) -> str:
    """The one or two lines at the top of ``text`` that look like a title, as one line; empty if there are none."""
    lines = (" ".join(line.split()) for line in text.split("\n"))
    top = islice((line for line in lines if line), LINES_LOOKED_AT)
    return _joined(takewhile(_is_like_title, top))


def _joined(lines: Iterable[str]) -> str:
    title = ""
    for line in islice(lines, 2):
        longer = f"{title} {line}" if title else line
        if len(longer) > LONGEST_TITLE:
            break
        title = longer
    return title


def _is_like_title(line: str) -> bool:
    letters = sum(character.isalpha() for character in line)
    enough = letters >= max(_FEWEST_LETTERS, _LETTERS_SHARE * len(line.replace(" ", "")))
    opens = line[0].isupper() or line[0].isdigit() or not line[0].isascii()
    return enough and opens and len(line) <= LONGEST_LINE and (line[-1] not in _ENDS or _is_name(line))


def _is_name(line: str) -> bool:
    """Whether a line with a full stop is no sentence but a name: NETFLIX, INC."""
    words = line.split()
    return (
        line[-1] == "."
        and len(words) <= MOST_WORDS_OF_A_NAME
        and all(word[0].isupper() or not word[0].isalpha() for word in words)
    )
