"""Light markup, subtitles, JSON and XML."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.documents import SectionKind
from app.loaders.markup import MarkupLoader
from app.loaders.safe_xml import UnsafeXmlError, parse_xml
from tests.loaders.conftest import Load

RST = (
    "Birds\n=====\n\nIntro.\n\nDucks\n-----\n\nThey swim.\nAnd dive.\n\n"
    "====  ===\nFood  OK\n====  ===\n\nGeese\n-----\n\nHonk."
)
ADOC = "= Birds\n\nIntro.\n\n== Ducks\n\nThey swim.\n\n== Geese ==\n\nHonk."
ORG = "#+TITLE: Stated\n* Birds\nIntro.\n** TODO Ducks  :water:\nThey swim.\n** Geese\nHonk."
TEX = "\\title{Stated}\n\\section{Birds}\nIntro.\n\\subsection*{Ducks}\nThey swim.\n\\subsection[G]{Geese}\nHonk."


@pytest.mark.parametrize(("suffix", "text"), [(".rst", RST), (".adoc", ADOC), (".org", ORG), (".tex", TEX)])
def test_sections_follow_the_headings(tmp_path: Path, load: Load, suffix: str, text: str) -> None:
    path = tmp_path / f"birds{suffix}"
    path.write_text(text)
    document = load(path)
    headings = [placed.section.headings for placed in document.sections if placed.section.headings]
    assert headings == [("Birds",), ("Birds", "Ducks"), ("Birds", "Geese")]
    assert document.sections[-1].section.text.endswith("Honk.")
    assert document.title == ("Stated" if suffix in {".org", ".tex"} else "Birds")


@given(st.text(alphabet="ab=-*\\{} \n", max_size=200), st.sampled_from([".rst", ".adoc", ".org", ".tex"]))
def test_no_character_but_blank_lines_is_lost(tmp_path_factory: pytest.TempPathFactory, text: str, suffix: str) -> None:
    path = tmp_path_factory.getbasetemp() / f"any{suffix}"
    path.write_text(text)
    sections = MarkupLoader().load(path).sections
    assert "".join("".join(each.text for each in sections).split()) == "".join(text.split())


VTT = """WEBVTT - title

NOTE a note
over two lines

STYLE
::cue { color: red }

1
00:00.000 --> 00:02.000 align:start
<v Ada>Hello &amp; welcome</v>
to the pond.

00:02.000 --> 00:04.000
to the pond.

00:04.000 --> 01:00:04.500
- Bye.
"""
SRT = (
    "1\r\n00:00:01,000 --> 00:00:02,500\r\n<i>Hello</i> {\\an8}there.\r\n\r\n"
    "2\r\n00:00:03,000 --> 00:00:04,000\r\nBye.\r\n"
)


def test_subtitles_are_what_is_said(tmp_path: Path, load: Load) -> None:
    (tmp_path / "a.vtt").write_text(VTT)
    (tmp_path / "b.srt").write_text(SRT, newline="")
    assert load(tmp_path / "a.vtt").text == "Hello & welcome\nto the pond.\n- Bye."
    assert load(tmp_path / "b.srt").text == "Hello there.\nBye."


def test_json_is_kept_as_it_stands(tmp_path: Path, load: Load) -> None:
    path = tmp_path / "data.json"
    path.write_text('{"duck": [1, 2]}\n')
    (placed,) = load(path).sections
    assert (placed.section.text, placed.section.kind) == ('{"duck": [1, 2]}\n', SectionKind.CODE)


def test_xml_is_read_by_its_paragraphs_and_titles(tmp_path: Path, load: Load) -> None:
    path = tmp_path / "article.xml"
    path.write_text(
        '<?xml version="1.0"?><!DOCTYPE article SYSTEM "x.dtd"><article><title>Birds</title>'
        "<sec><title>Ducks</title><p>They <i>swim</i> well.</p></sec></article>"
    )
    sections = [placed.section for placed in load(path).sections]
    assert [(section.text, section.headings) for section in sections] == [
        ("Birds", ("Birds",)),
        ("Ducks\n\nThey swim well.", ("Birds", "Ducks")),
    ]


def test_broken_xml_is_read_as_text(tmp_path: Path, load: Load) -> None:
    path = tmp_path / "broken.xml"
    path.write_text("<a>text <b>")
    assert load(path).text == "<a>text <b>"


def test_pictures_of_asciidoc_tell_what_they_show(tmp_path: Path, load: Load) -> None:
    path = tmp_path / "a.adoc"
    path.write_text("= Ducks\n\nimage::pond/a.png[The pond,200,100]\n\nSee image:b.png[] there.")
    assert load(path).text == "= Ducks\n\n[image: The pond]\n\nSee [image] there."


def test_identifiers_of_journals_are_left_out(tmp_path: Path, load: Load) -> None:
    path = tmp_path / "a.nxml"
    path.write_text(
        "<article><article-id>10.1/x</article-id><issn>1-2</issn><title>Ducks</title><p>They swim.</p></article>"
    )
    assert load(path).text == "Ducks\n\nThey swim."


def test_xml_in_an_encoding_nobody_knows_is_refused() -> None:
    with pytest.raises(UnsafeXmlError):
        parse_xml(b'<?xml version="1.0" encoding="x-none"?><a>text</a>')
