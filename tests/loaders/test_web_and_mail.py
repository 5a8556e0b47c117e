"""HTML and e-mail: what a reader sees is read, the machinery is not."""

from __future__ import annotations

import re
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.documents import SectionKind
from app.domain.errors import FailureReason
from app.loaders.html import add_html
from app.loaders.html_inline import plain_text
from app.loaders.html_tree import parse_html
from app.loaders.section_builder import SectionBuilder
from tests.loaders.conftest import Load, Refused

TEXT, TABLE, CODE = SectionKind.TEXT, SectionKind.TABLE, SectionKind.CODE
PAGE = """<!DOCTYPE html><html><head><title>The page</title><style>p {color: red}</style>
<script>var a = "<p>not text</p>";</script></head><body>
<h1>Birds</h1><p>Ducks   <b>swi</b>m<br>and dive &amp; eat.</p>
<ul><li>oats<li>peas<ol start=3><li>green</ol></ul>
<table><caption>Food</caption><tr><th>Name<th>Good</tr><tr><td>Oats<td>yes</table>
<h2>Code</h2><pre>
def quack():
    return 1
</pre>
<p style="display:none">hidden</p><div>Tail<p>end</div></body></html>"""


def sections_of(html: str) -> list[tuple[str, tuple[str, ...], SectionKind]]:
    builder = SectionBuilder()
    add_html(builder, parse_html(html))
    return [(each.text, each.headings, each.kind) for each in builder.finish()]


def test_a_page_keeps_headings_lists_tables_and_code(tmp_path: Path, load: Load) -> None:
    path = tmp_path / "page.html"
    path.write_text(PAGE)
    document = load(path)
    assert document.title == "The page"
    assert [(p.section.text, p.section.headings, p.section.kind) for p in document.sections] == [
        ("Birds\n\nDucks swim\nand dive & eat.\n- oats\n- peas\n  3. green\n\nFood", ("Birds",), TEXT),
        ("Name | Good\nOats | yes", ("Birds",), TABLE),
        ("Code", ("Birds", "Code"), TEXT),
        ("def quack():\n    return 1", ("Birds", "Code"), CODE),
        ("Tail\n\nend", ("Birds", "Code"), TEXT),
    ]


def test_raised_numbers_stay_apart_from_what_they_stand_on() -> None:
    html = "10<sup>6</sup> m<sup><i>-2</i></sup>, CO<sub>2</sub>, a note<sup><a>3</a></sup>, the 1<sup>st</sup>"
    assert sections_of(html) == [("10^6 m^-2, CO2, a note^3, the 1st", (), TEXT)]
    assert sections_of("<table><tr><th>Area<th>Size<tr><td>One<td>5 m<sup>2</sup></table>")[0][0].endswith("5 m^2")


def test_items_of_lists_in_cells_keep_their_marks() -> None:
    html = "<table><tr><th>What<th>How<tr><td><ul><li>oats<li>peas</ul><td><ol><li>Fly<li>Nest</ol></table>"
    assert sections_of(html) == [("What | How\n- oats - peas | 1. Fly 2. Nest", (), TABLE)]


def test_tables_that_lay_out_a_page_are_read_as_text() -> None:
    html = "<table><tr><td><h1>Title</h1></td><td><table><tr><td>a</td><td>b</td></tr></table></td></tr></table>"
    assert sections_of(html) == [("Title", ("Title",), TEXT), ("a | b", ("Title",), TABLE)]


@pytest.mark.parametrize(
    ("html", "words"),
    [
        ("<table><tr><td>in</td></tr><tr><table><tr><td>astray</td></tr></table></tr></table>after", "in astray after"),
        ("<p>one<p>two<div>three", "one two three"),
        ("<b><i>crossed</b> tags</i> end", "crossed tags end"),
        ("</div></p></table>stray ends", "stray ends"),
        ("<ul><li>a<li>b</ul>c", "a b c"),
        ("<table>loose<tr><td>cell</table>", "loose cell"),
        ("text <!-- comment --> more <![CDATA[x]]>", "text more"),
        ("<div>" * 3000 + "deep", "deep"),
        ("<select><option>one<option>two</select>", "one two"),
    ],
)
def test_no_text_is_lost_in_broken_pages(html: str, words: str) -> None:
    text = " ".join(text for text, _, _ in sections_of(html))
    assert [word.strip("-|") for word in text.split() if word.strip("-|")] == words.split()


TAGS = re.findall(r"\S+", "<p> </p> <table> <tr> <td> </td> </table> <li> <ul> </ul> <h2> </h2> <pre> w")


@given(st.lists(st.sampled_from(TAGS)))
def test_every_word_arrives_whatever_the_tags(parts: list[str]) -> None:
    html = "".join(f" word{number} " if part == "w" else part for number, part in enumerate(parts))
    text = " ".join(text for text, _, _ in sections_of(html))
    assert [word for word in re.findall(r"word\d+", plain_text(parse_html(html))) if word not in text] == []


@pytest.mark.parametrize(
    ("declared", "encoding"),
    [("windows-1252", "cp1252"), ("utf-8", "utf-8"), ("shift_jis", "shift_jis"), ("", "utf-16")],
)
def test_pages_are_read_in_the_encoding_they_declare(tmp_path: Path, load: Load, declared: str, encoding: str) -> None:
    word = "日本" if encoding == "shift_jis" else "größer"
    path = tmp_path / "page.htm"
    meta = f'<meta charset="{declared}">' if declared else ""
    path.write_bytes(f"<html><head>{meta}</head><p>{word} and more</p>".encode(encoding))
    assert load(path).text == f"{word} and more"


def test_cells_over_several_rows_and_columns_stay_in_their_columns() -> None:
    html = (
        "<table><tr><th colspan=3>All counts</th></tr><tr><th>Year</th><th colspan=2>Ducks</th></tr>"
        "<tr><td rowspan=2>2024</td><td>wild</td><td>5</td></tr><tr><td>tame</td><td>7</td></tr>"
        "<tr><td rowspan=99999999>2025</td><td colspan=x>wild</td></tr></table>"
    )
    ((text, _, kind),) = sections_of(html)
    assert kind is SectionKind.TABLE
    assert text == "All counts\nYear | Ducks | Ducks\n2024 | wild | 5\n2024 | tame | 7\n2025 | wild"


def test_pictures_tell_what_their_page_says_of_them() -> None:
    html = '<p>Seen: <img alt="two ducks" src="a.png"><img alt="" src="b.png"><img src="c.png"><img alt="logo.png"></p>'
    assert sections_of(html)[0][0] == "Seen: [image: two ducks]"


def message(**headers: str) -> EmailMessage:
    made = EmailMessage()
    for name, value in headers.items():
        made[name] = value
    return made


def test_a_message_is_its_subject_and_text(tmp_path: Path, load: Load) -> None:
    made = message(Subject="Grüße vom Teich", From="Ada <ada@example.org>", Date="Fri, 16 Dec 2022 17:04:16 -0500")
    made.set_content("Hello,\n\nthe ducks are back.\n")
    path = tmp_path / "a.eml"
    path.write_bytes(made.as_bytes())
    document = load(path)
    assert document.title == "Grüße vom Teich"
    assert document.text == "Grüße vom Teich\n\nHello,\n\nthe ducks are back."
    assert document.metadata["from"] == "Ada <ada@example.org>"


def test_renderings_that_repeat_others_are_kept_apart(tmp_path: Path, load: Load) -> None:
    made = message(Subject="News")
    made.set_content("The ducks are back.")
    made.add_alternative("<p>The <b>ducks</b> are back.</p>", subtype="html")
    path = tmp_path / "a.eml"
    path.write_bytes(made.as_bytes())
    kinds = [(placed.section.text, placed.section.kind) for placed in load(path).sections]
    assert kinds == [
        ("News\n\nThe ducks are back.", SectionKind.TEXT),
        ("The ducks are back.", SectionKind.REPEATED),
    ]

    made = message(Subject="News")
    made.set_content("Please view this message in a browser.")
    made.add_alternative("<h2>Teich</h2><p>All the ducks of the north are back since Monday.</p>", subtype="html")
    path.write_bytes(made.as_bytes())
    assert "ducks of the north" in load(path).text
    assert load(path).sections[-1].section.headings == ("News", "Teich")
    assert load(path).sections[-1].section.kind is SectionKind.TEXT


def test_who_wrote_to_whom_is_found_without_being_written(tmp_path: Path, load: Load) -> None:
    made = message(Subject="News", From="Ada <ada@example.org>", To="ben@example.org")
    made.set_content("The ducks are back.")
    path = tmp_path / "a.eml"
    path.write_bytes(made.as_bytes())
    document = load(path)
    assert document.sections[-1].section.headings == ("News", "From: Ada <ada@example.org> · To: ben@example.org")
    assert "example.org" not in document.text


def test_attachments_and_forwarded_messages_are_read(tmp_path: Path, load: Load) -> None:
    inner = message(Subject="The original")
    inner.set_content("It began so.")
    made = message(Subject="Fwd")
    made.set_content("See below.")
    made.add_attachment("Food;Good\nOats;yes\n", subtype="csv", filename="../ducks.csv")
    made.add_attachment(b"\x00\x01", maintype="audio", subtype="mpeg", filename="quack.mp3")
    made.add_attachment(b"%PDF-1.4 no more", maintype="application", subtype="pdf", filename="torn.pdf")
    made.add_attachment(inner)
    path = tmp_path / "a.eml"
    path.write_bytes(made.as_bytes())
    document = load(path)
    found = {placed.section.text: placed.section for placed in document.sections}
    assert found["Food | Good\nOats | yes"].headings == ("Fwd", "Attachment: ../ducks.csv")
    assert found["Food | Good\nOats | yes"].kind is SectionKind.TABLE
    assert found["The original\n\nIt began so."].headings == ("Fwd", "Attachment: The original.eml", "The original")
    assert document.metadata["attachments"] == "../ducks.csv, quack.mp3, torn.pdf, The original.eml"
    assert "quack.mp3” (files of this kind can't be read)" in document.metadata["warning"]
    assert "torn.pdf” (it is damaged)" in document.metadata["warning"]
    assert "ducks.csv" not in document.metadata["warning"]


def test_attachments_of_attachments_end_somewhere(tmp_path: Path, load: Load) -> None:
    made = message(Subject="level 0")
    made.set_content("innermost")
    for level in range(1, 8):
        outer = message(Subject=f"level {level}")
        outer.set_content(f"text {level}")
        outer.add_attachment(made.as_bytes(), maintype="application", subtype="octet-stream", filename="inner.eml")
        made = outer
    path = tmp_path / "a.eml"
    path.write_bytes(made.as_bytes())
    document = load(path)
    assert "text 4" in document.text
    assert "innermost" not in document.text


def test_pictures_within_a_message_are_no_attachments(tmp_path: Path, load: Load) -> None:
    made = message(Subject="Logo")
    made.set_content("See the logo.")
    made.add_attachment(b"\x89PNG", maintype="image", subtype="png", filename="logo.png", disposition="inline")
    path = tmp_path / "a.eml"
    path.write_bytes(made.as_bytes())
    assert "attachments" not in load(path).metadata


def test_messages_of_a_mailbox_are_pages(tmp_path: Path, load: Load) -> None:
    path = tmp_path / "folder.mbox"
    path.write_bytes(
        b"From ada@example.org Fri Dec 16 17:04:16 2022\nSubject: First\n\nHello.\n>From then on it rained.\n\n"
        b"From my side: nothing.\n\nFrom ben@example.org Sat Dec 17 10:00:00 2022\nSubject: Second\n\nBye.\n"
    )
    document = load(path)
    rows = [(placed.section.page, placed.section.headings[0], placed.section.text) for placed in document.sections]
    assert rows == [
        (1, "First", "First\n\nHello.\nFrom then on it rained.\n\nFrom my side: nothing."),
        (2, "Second", "Second\n\nBye."),
    ]
    assert document.page_count == 2


def test_files_that_are_no_mailbox_are_damaged(tmp_path: Path, refused: Refused) -> None:
    path = tmp_path / "a.mbox"
    path.write_bytes(b"no mail at all\n" * 10)
    assert refused(path).reason is FailureReason.DAMAGED


@pytest.mark.parametrize("data", [b"no container", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 2000])
def test_broken_outlook_messages_are_damaged(tmp_path: Path, refused: Refused, data: bytes) -> None:
    path = tmp_path / "a.msg"
    path.write_bytes(data)
    assert refused(path).reason is FailureReason.DAMAGED


def test_pages_saved_with_their_parts_are_read(tmp_path: Path, load: Load) -> None:
    made = message(Subject="Saved")
    made.make_related()
    page = EmailMessage()
    page.set_content("<title>Pond</title><h1>Ducks</h1><p>They swim.</p>", subtype="html")
    style = EmailMessage()
    style.set_content("p { color: red }", subtype="css")
    made.attach(page)
    made.attach(style)
    path = tmp_path / "a.mhtml"
    path.write_bytes(made.as_bytes())
    document = load(path)
    assert (document.title, document.text) == ("Pond", "Ducks\n\nThey swim.")


def test_encrypted_messages_are_told(tmp_path: Path, refused: Refused) -> None:
    path = tmp_path / "a.eml"
    path.write_text("Subject: x\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data\n\nMIIB")
    error = refused(path)
    assert error.reason is FailureReason.UNSUPPORTED
    assert "encrypted" in str(error)
