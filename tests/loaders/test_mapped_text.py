"""Text and character map stay in step however they are cut."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from app.domain.char_map import NO_GLYPH, CharMap
from app.loaders.mapped_text import MappedText


@st.composite
def texts(draw: st.DrawFn) -> MappedText:
    indexes = draw(st.lists(st.integers(-1, 40), max_size=40))
    text = "".join(chr(ord("a") + index % 26) if index >= 0 else " " for index in indexes)
    return MappedText(text, CharMap.from_indexes(indexes))


@given(texts(), st.data())
def test_parts_keep_their_glyphs(mapped: MappedText, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(mapped.text)), max_size=8)))
    bounds = [0, *cuts, len(mapped.text)]
    spans = data.draw(st.permutations(list(pairwise(bounds))))
    assert mapped.char_map is not None

    made = mapped.rearranged(part for span in spans for part in (span, "+"))

    assert made.text == "".join(mapped.text[start:end] + "+" for start, end in spans)
    expected = [index for start, end in spans for index in (*mapped.char_map[start:end], NO_GLYPH)]
    assert list(made.char_map or ()) == expected


@given(texts(), st.data())
def test_what_is_cut_out_takes_its_glyphs_along(mapped: MappedText, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(0, len(mapped.text)), max_size=8)))
    spans = list(zip(cuts[::2], cuts[1::2], strict=False))
    gone = {place for start, end in spans for place in range(start, end)}
    assert mapped.char_map is not None

    made = mapped.without(spans)

    assert made.text == "".join(sign for place, sign in enumerate(mapped.text) if place not in gone)
    assert list(made.char_map or ()) == [each for place, each in enumerate(mapped.char_map) if place not in gone]


def test_text_without_places_stays_without() -> None:
    assert MappedText("abc").without([(1, 2)]) == MappedText("ac", None)
