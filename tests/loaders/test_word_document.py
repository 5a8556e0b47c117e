"""Word documents: what stands in boxes, numbers and notes is read, what is deleted or hidden is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.domain.documents import SectionKind
from app.domain.errors import FailureReason
from tests.loaders.conftest import Load, Refused
from tests.loaders.containers import relations, word_paragraph, write_container, write_docx

_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_NAMES = (
    f'xmlns:w="{_WORD}" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" '
    'xmlns:mc="urn:mc" xmlns:wps="urn:wps" xmlns:v="urn:v" xmlns:m="urn:m" xmlns:wp="urn:wp" xmlns:a="urn:a" '
    'xmlns:pic="urn:pic" xmlns:c="urn:c" xmlns:w14="urn:w14"'
)


def write(
    path: Path, body: str, parts: dict[str, str] | None = None, related: tuple[tuple[str, str, str], ...] = ()
) -> Path:
    """A document with further parts beside its body; ``related`` has id, kind and target of each."""
    return write_container(
        path,
        {
            "_rels/.rels": relations(("r1", "officeDocument", "word/document.xml")),
            "word/_rels/document.xml.rels": relations(*related),
            "word/document.xml": f"<w:document {_NAMES}><w:body>{body}</w:body></w:document>",
            **(parts or {}),
        },
    )


def run(text: str, properties: str = "") -> str:
    return f"<w:r><w:rPr>{properties}</w:rPr><w:t>{text}</w:t></w:r>"


def box(text: str) -> str:
    """A text box as Word writes it: once for itself and once for programs of before 2010."""
    content = f"<w:txbxContent>{word_paragraph(text)}</w:txbxContent>"
    return (
        f"<w:r><mc:AlternateContent><mc:Choice><w:drawing><wps:txbx>{content}</wps:txbx></w:drawing></mc:Choice>"
        f"<mc:Fallback><w:pict><v:textbox>{content}</v:textbox></w:pict></mc:Fallback></mc:AlternateContent></w:r>"
    )


def test_text_boxes_stand_once_after_their_paragraph(tmp_path: Path, load: Load) -> None:
    path = write(tmp_path / "a.docx", f"<w:p>{run('Before')}{box('inside')}{run(' and after')}</w:p>")
    assert load(path).text == "Before and after\n\ninside"


def test_old_text_boxes_are_read_too(tmp_path: Path, load: Load) -> None:
    inside = f"<v:shape><v:textbox><w:txbxContent>{word_paragraph('old')}</w:txbxContent></v:textbox></v:shape>"
    path = write(tmp_path / "a.docx", f"<w:p><w:r><w:pict>{inside}</w:pict></w:r></w:p>")
    assert load(path).text == "old"


def test_deleted_and_hidden_text_and_field_codes_are_left_out(tmp_path: Path, load: Load) -> None:
    body = (
        f"<w:p>{run('kept')}<w:del><w:r><w:delText>gone</w:delText></w:r></w:del><w:ins>{run(' added')}</w:ins>"
        f"{run(' secret', '<w:vanish/>')}<w:r><w:instrText>PAGE</w:instrText></w:r>"
        f"<w:moveFrom>{run('moved away')}</w:moveFrom></w:p>"
    )
    assert load(write(tmp_path / "a.docx", body)).text == "kept added"


def numbered(text: str, level: int = 0, number: int = 1) -> str:
    return (
        f'<w:p><w:pPr><w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{number}"/></w:numPr></w:pPr>{run(text)}</w:p>'
    )


def numbering(*levels: tuple[str, str], restart: str = "") -> str:
    made = "".join(
        f'<w:lvl w:ilvl="{place}"><w:start w:val="1"/><w:numFmt w:val="{form}"/><w:lvlText w:val="{text}"/></w:lvl>'
        for place, (form, text) in enumerate(levels)
    )
    return (
        f'<w:numbering xmlns:w="{_WORD}"><w:abstractNum w:abstractNumId="7">{made}</w:abstractNum>'
        '<w:num w:numId="1"><w:abstractNumId w:val="7"/></w:num>'
        f'<w:num w:numId="2"><w:abstractNumId w:val="7"/>{restart}</w:num></w:numbering>'
    )


NUMBERING = (("n", "numbering", "numbering.xml"),)


def test_lists_have_the_numbers_that_word_shows(tmp_path: Path, load: Load) -> None:
    body = "".join(
        (
            numbered("first"),
            numbered("inner", 1),
            numbered("inner too", 1),
            word_paragraph("Between."),
            numbered("second"),
            numbered("inner anew", 1),
            numbered("goes on", 0, 2),
        )
    )
    parts = {"word/numbering.xml": numbering(("decimal", "%1."), ("lowerLetter", "%1.%2)"))}
    assert load(write(tmp_path / "a.docx", body, parts, NUMBERING)).text.split("\n") == [
        "1. first",
        "  1.a) inner",
        "  1.b) inner too",
        "",
        "Between.",
        "2. second",
        "  2.a) inner anew",
        "3. goes on",
    ]


def test_a_list_may_start_anew(tmp_path: Path, load: Load) -> None:
    restart = '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="5"/></w:lvlOverride>'
    parts = {"word/numbering.xml": numbering(("upperRoman", "%1."), restart=restart)}
    body = numbered("one") + numbered("two") + numbered("five", 0, 2) + numbered("six", 0, 2)
    text = load(write(tmp_path / "a.docx", body, parts, NUMBERING)).text
    assert text == "I. one\nII. two\nV. five\nVI. six"


def test_bullets_are_dashes(tmp_path: Path, load: Load) -> None:
    parts = {"word/numbering.xml": numbering(("bullet", "\uf0b7"), ("bullet", "o"))}
    path = write(tmp_path / "a.docx", numbered("a") + numbered("b", 1), parts, NUMBERING)
    assert load(path).text == "- a\n  - b"


def test_headings_keep_their_numbers(tmp_path: Path, load: Load) -> None:
    styles = (
        f'<w:styles xmlns:w="{_WORD}"><w:style w:styleId="H1"><w:name w:val="heading 1"/><w:pPr><w:numPr>'
        '<w:numId w:val="1"/></w:numPr></w:pPr></w:style>'
        '<w:style w:styleId="Own"><w:name w:val="Chapter"/><w:basedOn w:val="H1"/></w:style>'
        '<w:style w:styleId="T"><w:name w:val="Title"/></w:style></w:styles>'
    )
    parts = {"word/numbering.xml": numbering(("decimal", "§ %1")), "word/styles.xml": styles}
    body = (
        word_paragraph("Statutes", "T")
        + word_paragraph("Name", "H1")
        + word_paragraph("It is called so.")
        + word_paragraph("Seat", "Own")
    )
    document = load(write(tmp_path / "a.docx", body, parts, (*NUMBERING, ("s", "styles", "styles.xml"))))
    assert [placed.section.headings for placed in document.sections] == [
        ("Statutes",),
        ("Statutes", "§ 1 Name"),
        ("Statutes", "§ 2 Seat"),
    ]
    assert document.title == "Statutes"


def test_notes_and_comments_follow_the_text(tmp_path: Path, load: Load) -> None:
    notes = f'<w:footnotes xmlns:w="{_WORD}"><w:footnote w:type="separator" w:id="0">{word_paragraph("-")}</w:footnote>'
    parts = {
        "word/footnotes.xml": f'{notes}<w:footnote w:id="2">{word_paragraph("So they say.")}</w:footnote>'
        "</w:footnotes>",
        "word/comments.xml": f'<w:comments xmlns:w="{_WORD}"><w:comment w:author="Ada" w:date="2024-03-01T09:00:00Z">'
        f"{word_paragraph('Really?')}</w:comment></w:comments>",
    }
    body = f'<w:p>{run("Ducks swim.")}<w:r><w:footnoteReference w:id="2"/></w:r></w:p>'
    related = (("f", "footnotes", "footnotes.xml"), ("c", "comments", "comments.xml"))
    assert load(write(tmp_path / "a.docx", body, parts, related)).text == (
        "Ducks swim.[2]\n\n[2] So they say.\n\n[comment, author: Ada, time: 2024-03-01T09:00:00Z] Really?"
    )


def test_addresses_of_links_are_written(tmp_path: Path, load: Load) -> None:
    path = tmp_path / "a.docx"
    links = relations(("r9", "hyperlink", "https://example.org/pond"), ("r8", "hyperlink", "https://example.org/"))
    body = (
        f'<w:p><w:hyperlink r:id="r9">{run("the pond")}</w:hyperlink></w:p>'
        f'<w:p><w:hyperlink r:id="r8">{run("example.org")}</w:hyperlink></w:p>'
    )
    parts = {"word/_rels/document.xml.rels": links.replace("/>", ' TargetMode="External"/>')}
    assert load(write(path, body, parts)).text == "the pond (https://example.org/pond)\n\nexample.org"


def test_checkboxes_show_their_state(tmp_path: Path, load: Load) -> None:
    def checkbox(state: str) -> str:
        properties = f'<w:sdtPr><w14:checkbox><w14:checked w14:val="{state}"/></w14:checkbox></w:sdtPr>'
        return f"<w:sdt>{properties}<w:sdtContent>{run('☐')}</w:sdtContent></w:sdt>"

    path = write(
        tmp_path / "a.docx", f"<w:p>{checkbox('1')}{run(' oats')}</w:p><w:p>{checkbox('0')}{run(' bread')}</w:p>"
    )
    assert load(path).text == "[x] oats\n\n[ ] bread"


def test_merged_cells_fill_what_they_cover(tmp_path: Path, load: Load) -> None:
    def cell(text: str, properties: str = "") -> str:
        return f"<w:tc><w:tcPr>{properties}</w:tcPr>{word_paragraph(text)}</w:tc>"

    def across(columns: int) -> str:
        return f'<w:gridSpan w:val="{columns}"/>'

    begins, goes_on = '<w:vMerge w:val="restart"/>', "<w:vMerge/>"
    body = (
        f"<w:tbl><w:tr>{cell('Counts of all years', across(3))}</w:tr>"
        f"<w:tr>{cell('Year')}{cell('Ducks', across(2))}</w:tr>"
        f"<w:tr>{cell('2024', begins)}{cell('wild')}{cell('5')}</w:tr>"
        f"<w:tr>{cell('', goes_on)}{cell('tame')}{cell('7')}</w:tr></w:tbl>"
    )
    (placed,) = load(write(tmp_path / "a.docx", body)).sections
    assert placed.section.kind is SectionKind.TABLE
    assert placed.section.text == "Counts of all years\nYear | Ducks | Ducks\n2024 | wild | 5\n2024 | tame | 7"


def test_formulas_are_written_as_latex(tmp_path: Path, load: Load) -> None:
    def math(text: str) -> str:
        return f"<m:r><m:t>{text}</m:t></m:r>"

    power = f"<m:sSup><m:e>{math('r')}</m:e><m:sup>{math('2')}</m:sup></m:sSup>"
    fraction = f"<m:f><m:num>{math('a')}</m:num><m:den>{math('b')}</m:den></m:f>"
    properties = '<m:naryPr><m:chr m:val="∑"/></m:naryPr>'
    total = f"<m:nary>{properties}<m:sub>{math('i=1')}</m:sub><m:sup>{math('n')}</m:sup><m:e>{math('i')}</m:e></m:nary>"
    formulas = (f"{math('A=π')}{power}", fraction, total, f"<m:rad><m:deg/><m:e>{math('x')}</m:e></m:rad>")
    body = "".join(f"<w:p><m:oMathPara><m:oMath>{each}</m:oMath></m:oMathPara></w:p>" for each in formulas)
    text = load(write(tmp_path / "a.docx", body)).text
    assert text.split("\n\n") == ["A=\\pi r^{2}", "\\frac{a}{b}", "\\sum_{i=1}^{n}i", "\\sqrt{x}"]


def picture(description: str) -> str:
    return f'<w:p><w:r><w:drawing><wp:docPr descr="{description}"/><pic:pic/></w:drawing></w:r></w:p>'


def test_pictures_leave_a_mark_with_what_their_author_says(tmp_path: Path, load: Load) -> None:
    guessed = "A duck. Description automatically generated"
    body = word_paragraph("Seen:") + picture("Two ducks") + picture("") + picture("Picture 3") + picture(guessed)
    text = load(write(tmp_path / "a.docx", body)).text
    assert text.split("\n\n") == ["Seen:", "[image: Two ducks]", "[image]", "[image]", "[image]"]


def test_documents_of_nothing_but_pictures_hold_no_text(tmp_path: Path, refused: Refused) -> None:
    assert refused(write(tmp_path / "a.docx", picture("") * 3)).reason is FailureReason.NO_TEXT


def test_web_pages_put_into_documents_are_read(tmp_path: Path, load: Load) -> None:
    parts = {"word/part.html": "<p>From a <b>page</b>.</p>"}
    path = write(tmp_path / "a.docx", '<w:altChunk r:id="h"/>', parts, (("h", "aFChunk", "part.html"),))
    assert load(path).text == "From a page."


def test_code_is_told_by_its_style(tmp_path: Path, load: Load) -> None:
    styles = (
        f'<w:styles xmlns:w="{_WORD}"><w:style w:styleId="C"><w:name w:val="HTML Preformatted"/></w:style></w:styles>'
    )
    body = word_paragraph("def f():", "C") + word_paragraph("    return 1", "C") + word_paragraph("So it is.")
    body = body.replace("<w:t>    ", '<w:t xml:space="preserve">    ')
    document = load(write(tmp_path / "a.docx", body, {"word/styles.xml": styles}, (("s", "styles", "styles.xml"),)))
    assert [(placed.section.text, placed.section.kind) for placed in document.sections] == [
        ("def f():\n    return 1", SectionKind.CODE),
        ("So it is.", SectionKind.TEXT),
    ]


@pytest.mark.parametrize("suffix", [".docm", ".dotx", ".dotm"])
def test_templates_and_documents_with_macros_are_read(tmp_path: Path, load: Load, suffix: str) -> None:
    assert load(write_docx(tmp_path / f"a{suffix}", word_paragraph("text"))).text == "text"
