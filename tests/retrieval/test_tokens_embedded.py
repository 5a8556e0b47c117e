"""Every token of a document's text is inside some embedded chunk: nothing is cut off at the model's window."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from app.domain.documents import ParsedDocument, Section, SectionKind, assemble
from app.retrieval.model_files import ModelFiles
from app.retrieval.model_tokenizer import ModelTokenizer
from app.retrieval.text_splitter import CHUNK_TOKENS, TextSplitter

WINDOW = 256
SCRIPTS = {
    "latin": "The ferry crossed the sound with nine cars and returned before the tide had turned. ",
    "german": "Donaudampfschifffahrtsgesellschaftskapitänsmütze und Straßenbahnhaltestellenverzeichnis. ",
    "greek": "Το λιμάνι πάγωσε και κανένα πλοίο δεν έφυγε εκείνη την ημέρα. ",
    "russian": "Гавань замёрзла, и ни один корабль не вышел в море в тот день. ",
    "arabic": "تجمد الميناء ولم تغادر أي سفينة في ذلك اليوم البارد. ",
    "hindi": "बंदरगाह जम गया और उस दिन कोई जहाज़ नहीं निकला। ",
    "chinese": "港口结冰了，那天没有船只离开。",
    "japanese": "港は凍った。船は出ない。",
    "thai": "ท่าเรือเป็นน้ำแข็งและไม่มีเรือออกในวันนั้น ",
    "korean": "항구가 얼어붙어 그날 배가 떠나지 않았다. ",
    "emoji": "👩‍👩‍👧‍👦 sailed ⛵ on 🌊 ",
    "figures": "1,234.56 (789.01) 12% $3.4m 2017-12-31 ",
}
PROSE = st.builds(
    lambda script, times, cut: (SCRIPTS[script] * times)[cut:],
    st.sampled_from(sorted(SCRIPTS)),
    st.integers(1, 60),
    st.integers(0, 9),
)
LONG_WORDS = st.builds(
    lambda word, times: word * times, st.sampled_from(["Aa1", "/path", "ACGT", "9", "é", "字"]), st.integers(1, 500)
)
TABLES = st.builds(
    lambda columns, rows, cell: "\n".join(["\t".join(["Heading"] * columns), *["\t".join([cell] * columns)] * rows]),
    st.integers(1, 30),
    st.integers(1, 60),
    st.sampled_from(["1,234.5", "a long cell that goes on for a while and longer", "x", "Überschrift"]),
)
CODE = st.builds(
    lambda names: "\n\n".join(
        f"def {name}(value: int) -> str:\n    return f'{{value:>{len(name)}}}'" for name in names
    ),
    st.lists(st.from_regex(r"[a-z_]{1,60}", fullmatch=True), min_size=1, max_size=30),
)
SECTIONS = st.one_of(
    st.builds(
        Section, st.one_of(PROSE, LONG_WORDS, st.text(max_size=300)), headings=st.lists(PROSE, max_size=3).map(tuple)
    ),
    st.builds(Section, TABLES, kind=st.just(SectionKind.TABLE), page=st.integers(1, 3)),
    st.builds(Section, CODE, kind=st.just(SectionKind.CODE)),
)


@pytest.fixture(scope="module")
def tokenizer(default_model: ModelFiles) -> ModelTokenizer:
    """As the engine has it: what is beyond the window is cut off."""
    return ModelTokenizer(default_model.tokenizer.read_bytes(), WINDOW)


@pytest.fixture(scope="module")
def plain(default_model: ModelFiles) -> Tokenizer:
    """The tokenizer without limits, with the place of every token."""
    plain = Tokenizer.from_buffer(default_model.tokenizer.read_bytes())
    plain.no_truncation()
    plain.no_padding()
    return plain


@settings(max_examples=50, deadline=None)
@given(sections=st.lists(SECTIONS, min_size=1, max_size=5), title=st.one_of(PROSE, st.text(max_size=80)))
def test_every_token_is_embedded(
    tokenizer: ModelTokenizer, plain: Tokenizer, sections: list[Section], title: str
) -> None:
    parsed = assemble(sections, title=title, media_type="text/plain")
    splitter = TextSplitter(tokenizer.count, max_tokens=WINDOW, target_tokens=CHUNK_TOKENS.default)
    chunks = splitter.split(parsed)
    texts = [chunk.embedded_text for chunk in chunks]
    # What the engine computes with is the whole text of the chunk and its context.
    assert [len(ids) for ids in tokenizer.ids(texts)] == tokenizer.count(texts) == [each.token_count for each in chunks]
    embedded = bytearray(len(parsed.text))
    for chunk in chunks:
        assert chunk.embedded_text.endswith(parsed.text[chunk.start : chunk.end])
        embedded[chunk.start : chunk.end] = b"\1" * (chunk.end - chunk.start)
    for start, end in plain.encode(_encodable(parsed), add_special_tokens=False).offsets:
        assert all(embedded[start:end])


@settings(max_examples=15, deadline=None)
@given(documents=st.lists(st.lists(SECTIONS, max_size=3), max_size=5))
def test_documents_split_together_are_split_as_alone(tokenizer: ModelTokenizer, documents: list[list[Section]]) -> None:
    parsed = [assemble(sections, title="Log", media_type="text/plain") for sections in documents]
    splitter = TextSplitter(tokenizer.count, max_tokens=WINDOW, target_tokens=CHUNK_TOKENS.default)
    assert splitter.split_all(parsed) == [splitter.split(each) for each in parsed]


def _encodable(parsed: ParsedDocument) -> str:
    return parsed.text.encode("utf-8", "replace").decode()
