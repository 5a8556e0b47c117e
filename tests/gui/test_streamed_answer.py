"""Markdown that arrives in pieces becomes the same document as Markdown that arrives at once."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtGui import QTextDocument, QTextTable

from app.gui.answer_style import AnswerStyle
from app.gui.markdown_blocks import BlockSplitter
from app.gui.streamed_answer import StreamedAnswer
from app.gui.theme import Appearance

MARKDOWN = """# Watering

In a **dry** summer, *every second day* [1]. See `pump` and [the page](http://example.org/a) [2][3].
A second line of the paragraph.

- one [1]
- two
  - nested [2]

- loose, after a blank line

1. first

2. second

```python
def rent(plot):

    return plot.area  # [1] is no footnote here
```

> quoted [3]
> words

| Plot | Rent |
|------|-----:|
| Full | 140 [1] |

![a picture](http://example.org/x.png) <b>not bold</b> <img src="http://example.org/y.png">

End."""
NUMBERS = frozenset({1, 2, 3})


def written(appearance: Appearance, pieces: list[str]) -> tuple[QTextDocument, StreamedAnswer]:
    document = QTextDocument()
    answer = StreamedAnswer(document, AnswerStyle(appearance))
    for piece in pieces:
        answer.append(piece, NUMBERS)
    answer.finish()
    return document, answer


def whole(appearance: Appearance, text: str) -> tuple[QTextDocument, StreamedAnswer]:
    document = QTextDocument()
    answer = StreamedAnswer(document, AnswerStyle(appearance))
    answer.show(text, NUMBERS)
    return document, answer


def cut(text: str, places: list[int]) -> list[str]:
    bounds = sorted({0, len(text), *(place % (len(text) + 1) for place in places)})
    return [text[start:end] for start, end in pairwise(bounds)]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(places=st.lists(st.integers(0, 10_000), max_size=60))
def test_any_cutting_gives_the_same_document(appearance: Appearance, places: list[int]) -> None:
    document, answer = written(appearance, cut(MARKDOWN, places))
    expected, reference = whole(appearance, MARKDOWN)
    assert document.toPlainText() == expected.toPlainText()
    assert document.toHtml() == expected.toHtml()
    assert list(answer.chips) == list(reference.chips)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.text(alphabet="ab *_`#>-+|[]()!1.\n\t<&~:", max_size=160), places=st.lists(st.integers(0, 200), max_size=12)
)
def test_broken_markdown_neither_fails_nor_depends_on_the_cutting(
    appearance: Appearance, text: str, places: list[int]
) -> None:
    document, _ = written(appearance, cut(text, places))
    expected, _ = whole(appearance, text)
    assert document.toPlainText() == expected.toPlainText()


@settings(max_examples=150, deadline=None)
@given(text=st.text(alphabet="ab`~\n-1. \t", max_size=120), places=st.lists(st.integers(0, 200), max_size=12))
def test_blocks_don_t_depend_on_the_cutting(text: str, places: list[int]) -> None:
    splitter = BlockSplitter()
    pieces = [block for piece in cut(text, places) for block in splitter.feed(piece)] + splitter.finish()
    reference = BlockSplitter()
    assert pieces == reference.feed(text) + reference.finish()


def test_what_was_written_is_shown_at_every_moment(appearance: Appearance) -> None:
    document = QTextDocument()
    answer = StreamedAnswer(document, AnswerStyle(appearance))
    text = "Plain words and more words "
    for position, character in enumerate(text):
        answer.append(character, NUMBERS)
        assert document.toPlainText().rstrip() == text[: position + 1].rstrip()


def test_footnotes_are_marked_where_they_are_known_and_not_in_code(appearance: Appearance) -> None:
    document, answer = whole(appearance, MARKDOWN + "\n\nAn index like a[7] stays text.")
    text = document.toPlainText()
    assert [chip.number for chip in answer.chips] == [1, 2, 3, 1, 2, 3, 1]
    assert all(text[chip.start : chip.end] == f"[{chip.number}]" for chip in answer.chips)
    assert "# [1] is no footnote here" in text


def test_a_footnote_that_becomes_known_later_is_marked_in_the_open_block(appearance: Appearance) -> None:
    document = QTextDocument()
    answer = StreamedAnswer(document, AnswerStyle(appearance))
    answer.append("A sentence. [4]", frozenset())
    assert not answer.chips
    answer.rewrite_tail({4})
    assert [chip.number for chip in answer.chips] == [4]


def test_html_stays_text_and_images_become_words(appearance: Appearance) -> None:
    document, _ = whole(appearance, MARKDOWN)
    text = document.toPlainText()
    assert '<b>not bold</b> <img src="http://example.org/y.png">' in text
    assert "[image: a picture]" in text
    assert "\ufffc" not in text
    assert "example.org/x.png" not in document.toHtml()


def test_links_are_only_numbers_in_the_document(appearance: Appearance) -> None:
    document, answer = whole(appearance, "[a](javascript:alert(1)) [b](footnote:1) <file:///etc/passwd>")
    html = document.toHtml()
    assert "javascript" not in html
    assert "footnote:" not in html
    assert "javascript:alert(1)" in answer.links
    assert "footnote:1" in answer.links


def test_tables_keep_rows_and_columns(appearance: Appearance) -> None:
    document, _ = whole(appearance, MARKDOWN)
    tables = [frame for frame in document.rootFrame().childFrames() if isinstance(frame, QTextTable)]
    assert [(table.rows(), table.columns()) for table in tables] == [(2, 2)]


@pytest.mark.parametrize("size", [40_000, 160_000])
def test_closed_blocks_are_never_written_again(appearance: Appearance, size: int) -> None:
    """Text written per piece depends on the open block, not on the length of the answer."""
    document = QTextDocument()
    changed: list[int] = []
    document.contentsChange.connect(lambda _at, removed, added: changed.append(removed + added))
    answer = StreamedAnswer(document, AnswerStyle(appearance))
    paragraph = "Some words about a garden in summer, a little longer than a line. [1]\n\n"
    text = paragraph * (size // len(paragraph))
    for start in range(0, len(text), 50):
        answer.append(text[start : start + 50], NUMBERS)
    assert max(changed) < 1000
    assert sum(changed) < 8 * len(text)
