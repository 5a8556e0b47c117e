"""The blocks in view are found without walking over those that are not."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QRectF
from PySide6.QtGui import QTextBlock, QTextDocument

from app.gui.answer_style import AnswerStyle
from app.gui.streamed_answer import StreamedAnswer
from app.gui.theme import Appearance
from app.gui.visible_blocks import blocks_between

PART = """# Watering

In a **dry** summer, every second day.

> quoted words
> of two lines

| Plot | Rent and what it is good for in a narrow column |
|------|-----:|
| Full, with words enough for several lines in a table of this width | 140 |
| Half | 70 |

```python
def rent(plot):
    return plot.area
```

- one
- two
"""


class CountingDocument(QTextDocument):
    """Counts how many blocks were asked for by number."""

    asked = 0

    def findBlockByNumber(self, number: int) -> QTextBlock:
        self.asked += 1
        return super().findBlockByNumber(number)


def document_of(appearance: Appearance, markdown: str, document: QTextDocument) -> QTextDocument:
    StreamedAnswer(document, AnswerStyle(appearance)).show(markdown, ())
    document.setTextWidth(300)
    return document


def walked_over(document: QTextDocument, top: float, bottom: float) -> list[tuple[int, QRectF]]:
    """What a walk over all blocks finds."""
    found = []
    block = document.begin()
    while block.isValid():
        place = document.documentLayout().blockBoundingRect(block)
        if place.bottom() >= top and place.top() <= bottom:
            found.append((block.blockNumber(), place))
        block = block.next()
    return found


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(top=st.floats(-50, 2500), height=st.floats(0, 900))
@example(top=544.0, height=0.0)  # where an empty paragraph reaches into the table behind it
def test_it_finds_what_a_walk_finds(appearance: Appearance, top: float, height: float) -> None:
    document = document_of(appearance, PART * 4, QTextDocument())
    found = [(block.blockNumber(), place) for block, place in blocks_between(document, top, top + height)]
    assert found == walked_over(document, top, top + height)


def test_an_empty_document_has_its_one_empty_block() -> None:
    assert [block.blockNumber() for block, _place in blocks_between(QTextDocument(), 0, 100)] == [0]


@pytest.mark.parametrize("parts", [10, 160])
def test_a_longer_document_hardly_costs_more(appearance: Appearance, parts: int) -> None:
    document = CountingDocument()
    document_of(appearance, PART * parts, document)
    height = document.size().height()
    document.asked = 0
    assert list(blocks_between(document, height - 100, height))
    assert document.asked < 20
