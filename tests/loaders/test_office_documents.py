"""Office files and e-books: headings, tables and page numbers arrive; hostile ones are refused."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from app.domain.documents import SectionKind
from app.domain.errors import DocumentError, FailureReason
from tests.loaders.conftest import Load, Refused
from tests.loaders.containers import (
    ODF_NAMES,
    SLIDE_NAMES,
    relations,
    shape,
    slide,
    word_paragraph,
    word_table,
    write_docx,
    write_epub,
    write_odt,
    write_pptx,
    write_xlsx,
)

TEXT, TABLE, CODE = SectionKind.TEXT, SectionKind.TABLE, SectionKind.CODE
Row = tuple[str, tuple[str, ...], SectionKind, int | None]


def rows_of(load: Load, path: Path) -> list[Row]:
    sections = [placed.section for placed in load(path).sections]
    return [(section.text, section.headings, section.kind, section.page) for section in sections]


def test_word_documents_keep_headings_and_tables(tmp_path: Path, load: Load) -> None:
    body = (
        word_paragraph("Before.")
        + word_paragraph("Birds", "Heading1")
        + word_paragraph("Ducks", "Heading2")
        + word_paragraph("They swim.")
        + word_table(("Food", "Good"), ("Oats", "yes"))
        + word_paragraph("Geese", "Heading2")
        + word_paragraph("They honk.")
    )
    assert rows_of(load, write_docx(tmp_path / "birds.docx", body)) == [
        ("Before.", (), TEXT, None),
        ("Birds", ("Birds",), TEXT, None),
        ("Ducks\n\nThey swim.", ("Birds", "Ducks"), TEXT, None),
        ("Food | Good\nOats | yes", ("Birds", "Ducks"), TABLE, None),
        ("Geese\n\nThey honk.", ("Birds", "Geese"), TEXT, None),
    ]


def test_slides_are_pages_in_the_order_shown(tmp_path: Path, load: Load) -> None:
    grid = "".join(
        "<a:tr>"
        + "".join(f"<a:tc><a:txBody><a:p><a:r><a:t>{c}</a:t></a:r></a:p></a:txBody></a:tc>" for c in row)
        + "</a:tr>"
        for row in (("Food", "Good"), ("Oats", "yes"))
    )
    table = (
        f"<p:graphicFrame><a:graphic><a:graphicData><a:tbl>{grid}</a:tbl></a:graphicData></a:graphic></p:graphicFrame>"
    )
    slides = [
        slide(shape("text first\nsecond line"), shape("Ducks", "title"), shape("7", "sldNum")),
        slide(shape("Food", "ctrTitle"), f"<p:grpSp>{shape('in a group')}</p:grpSp>", table),
    ]
    notes = {
        "ppt/slides/_rels/slide2.xml.rels": relations(("r1", "notesSlide", "../notesSlides/notes.xml")),
        "ppt/notesSlides/notes.xml": slide(shape("what the speaker says", "body"), root="notes"),
    }
    path = write_pptx(tmp_path / "talk.pptx", slides, notes)

    assert rows_of(load, path) == [
        ("Ducks\n\ntext first\nsecond line\n\nwhat the speaker says", ("Ducks",), TEXT, 1),
        ("Food\n\nin a group", ("Food",), TEXT, 2),
        ("Food | Good\nOats | yes", ("Food",), TABLE, 2),
    ]
    assert load(path).page_count == 2
    assert load(path).title == "Ducks"


def test_figures_of_charts_are_read_as_a_table(tmp_path: Path, load: Load) -> None:
    def points(kind: str, values: list[str]) -> str:
        return f"<c:{kind}>" + "".join(f"<c:pt><c:v>{value}</c:v></c:pt>" for value in values) + f"</c:{kind}>"

    series = f"<c:ser>{points('tx', ['Ducks'])}{points('cat', ['2020', '2021'])}{points('val', ['3', '5'])}</c:ser>"
    extra = {
        "ppt/slides/_rels/slide1.xml.rels": relations(("r1", "chart", "../charts/chart1.xml")),
        "ppt/charts/chart1.xml": f'<c:chartSpace xmlns:c="urn:c">{series}</c:chartSpace>',
    }
    path = write_pptx(tmp_path / "chart.pptx", [slide(shape("Counts", "title"))], extra)
    assert (" | Ducks\n2020 | 3\n2021 | 5", ("Counts",), TABLE, 1) in rows_of(load, path)


@pytest.mark.parametrize("name", ["a.odt", "a.fodt"])
def test_open_documents_keep_headings_lists_and_tables(tmp_path: Path, load: Load, name: str) -> None:
    body = (
        '<text:h text:outline-level="1">Birds</text:h>'
        '<text:p>Two<text:s text:c="2"/>spaces<text:line-break/>below</text:p>'
        "<text:list><text:list-item><text:p>one</text:p><text:list><text:list-item><text:p>inner</text:p>"
        "</text:list-item></text:list></text:list-item><text:list-item><text:p>two</text:p></text:list-item></text:list>"
        '<table:table><table:table-row><table:table-cell table:number-columns-repeated="2"><text:p>x</text:p>'
        "</table:table-cell></table:table-row><table:table-row><table:table-cell><text:p>y</text:p></table:table-cell>"
        '<table:table-cell table:number-columns-repeated="16000"/></table:table-row></table:table>'
        "<text:p>Box:<draw:frame><draw:text-box><text:p>inside</text:p></draw:text-box></draw:frame></text:p>"
    )
    path = write_odt(tmp_path / name, body)
    assert rows_of(load, path) == [
        ("Birds\n\nTwo  spaces\nbelow\n- one\n  - inner\n- two", ("Birds",), TEXT, None),
        ("x | x\ny", ("Birds",), TABLE, None),
        ("Box:\n\ninside", ("Birds",), TEXT, None),
    ]
    assert load(path).title == "A stated title"


def test_lists_of_open_documents_have_their_numbers(tmp_path: Path, load: Load) -> None:
    def level(number: int, form: str, shown: int = 1) -> str:
        return (
            f'<text:list-level-style-number text:level="{number}" style:num-format="{form}" style:num-suffix="."'
            f' text:display-levels="{shown}"/>'
        )

    def item(text: str, inside: str = "") -> str:
        return f"<text:list-item><text:p>{text}</text:p>{inside}</text:list-item>"

    styles = f'<text:list-style style:name="L1">{level(1, "1")}{level(2, "a", 2)}</text:list-style>'
    inner = f"<text:list>{item('inner')}{item('inner too')}</text:list>"
    body = (
        f'<text:list text:style-name="L1">{item("one", inner)}{item("two")}</text:list><text:p>Between.</text:p>'
        f'<text:list text:style-name="L1" text:continue-numbering="true">{item("three")}</text:list>'
        f'<text:list text:style-name="L1">{item("anew")}</text:list>'
    )
    path = tmp_path / "a.fodt"
    path.write_text(
        f'<office:document {ODF_NAMES} xmlns:style="urn:style"><office:automatic-styles>{styles}'
        f"</office:automatic-styles><office:body><office:text>{body}</office:text></office:body></office:document>"
    )
    assert load(path).text.split("\n") == [
        "1. one",
        "  1.a. inner",
        "  1.b. inner too",
        "2. two",
        "",
        "Between.",
        "3. three",
        "1. anew",
    ]


def test_merged_cells_and_pictures_of_open_documents(tmp_path: Path, load: Load) -> None:
    def cell(text: str, attributes: str = "") -> str:
        return f"<table:table-cell {attributes}><text:p>{text}</text:p></table:table-cell>"

    covered = "<table:covered-table-cell/>"
    rows = (
        cell("Year") + cell("Ducks", 'table:number-columns-spanned="2"') + covered,
        cell("2024", 'table:number-rows-spanned="2"') + cell("wild") + cell("5"),
        covered + cell("tame") + cell("7"),
    )
    table = "".join(f"<table:table-row>{row}</table:table-row>" for row in rows)
    picture = '<draw:frame><draw:image/><svg:desc xmlns:svg="urn:svg">A duck</svg:desc></draw:frame>'
    body = f"<table:table>{table}</table:table><text:p>Seen:{picture}</text:p>"
    path = write_odt(tmp_path / "a.odt", body)
    assert [text for text, *_ in rows_of(load, path)] == [
        "Year | Ducks | Ducks\n2024 | wild | 5\n2024 | tame | 7",
        "Seen:\n\n[image: A duck]",
    ]


def test_open_document_slides_are_pages(tmp_path: Path, load: Load) -> None:
    def page(title: str, text: str) -> str:
        return (
            f"<draw:page><draw:frame><draw:text-box><text:p>{text}</text:p></draw:text-box></draw:frame>"
            f'<draw:frame presentation:class="title"><draw:text-box><text:p>{title}</text:p></draw:text-box>'
            "</draw:frame></draw:page>"
        )

    path = write_odt(tmp_path / "talk.odp", page("One", "first") + page("Two", "second"), "presentation")
    assert rows_of(load, path) == [
        ("One\n\nfirst", ("One",), TEXT, 1),
        ("Two\n\nsecond", ("Two",), TEXT, 2),
    ]


def test_sheets_are_pages_and_tables_under_their_names(tmp_path: Path, load: Load) -> None:
    sheets = {"Food": [["Name", "Good"], ["Oats", "yes"], ["Bread, white", ""]], "Counts": [["2020", "3"]]}
    path = write_xlsx(tmp_path / "ducks.xlsx", sheets)
    assert rows_of(load, path) == [
        ("Food", ("Food",), TEXT, 1),
        ("Name | Good\nOats | yes\nBread, white", ("Food",), TABLE, 1),
        ("Counts", ("Counts",), TEXT, 2),
        ("2020 | 3", ("Counts",), TABLE, 2),
    ]
    assert load(path).page_count == 2


def test_chapters_of_a_book_are_pages(tmp_path: Path, load: Load) -> None:
    chapters = {
        "z.xhtml": "<html><head><title>z</title></head><body><h1>First</h1><p>It begins.</p></body></html>",
        "chapter%20two.xhtml": "<html><body><h1>Second</h1><h2>Part</h2><p>It ends.</p></body></html>",
    }
    path = write_epub(tmp_path / "book.epub", chapters)
    assert rows_of(load, path) == [
        ("First\n\nIt begins.", ("First",), TEXT, 1),
        ("Second", ("Second",), TEXT, 2),
        ("Part\n\nIt ends.", ("Second", "Part"), TEXT, 2),
    ]
    assert load(path).title == "A book"


@pytest.mark.parametrize("suffix", [".docx", ".pptx", ".xlsx", ".odt", ".odp", ".epub", ".doc", ".rtf", ".xls"])
@pytest.mark.parametrize("data", [b"no container at all " * 40, b"PK\x03\x04" + b"\x00" * 200])
def test_broken_documents_are_damaged(tmp_path: Path, refused: Refused, suffix: str, data: bytes) -> None:
    path = tmp_path / f"broken{suffix}"
    path.write_bytes(data)
    assert refused(path).reason in {FailureReason.DAMAGED, FailureReason.NO_TEXT}


LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>'
SECRET = "the content of another file"


def hostile_prolog(tmp_path: Path, port: int) -> str:
    secret = tmp_path / "secret.txt"
    secret.write_text(SECRET)
    entities = f'<!ENTITY c SYSTEM "{secret.as_uri()}"><!ENTITY % d SYSTEM "http://127.0.0.1:{port}/x"> %d;'
    return f"<!DOCTYPE x [{entities}]>"


@pytest.mark.parametrize("kind", ["docx", "odt", "fodt", "pptx", "epub", "xml"])
def test_entities_are_never_resolved(tmp_path: Path, load: Load, kind: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        for prolog in (LAUGHS, hostile_prolog(tmp_path, server.getsockname()[1])):
            path = tmp_path / f"hostile.{kind}"
            if kind == "docx":
                write_docx(path, word_paragraph("word &c; word"), prolog)
            elif kind == "pptx":
                write_pptx(path, [prolog + slide(shape("word &c; word"))])
            elif kind == "epub":
                write_epub(path, {"a.xhtml": f"{prolog}<html><body><p>word &c; word</p></body></html>"})
            elif kind == "xml":
                path.write_text(f"{prolog}<x>word &c; word</x>")
            else:
                write_odt(path, "<text:p>word &c; word</text:p>", prolog=prolog)
            text = told_or_read(load, path)
            assert SECRET not in text
            assert "hahaha" not in text
        with pytest.raises(TimeoutError):
            server.accept()


def told_or_read(load: Load, path: Path) -> str:
    try:
        return load(path).text
    except DocumentError as error:
        return str(error)


def test_names_of_namespaces_are_those_of_the_standards() -> None:
    assert "presentationml" in SLIDE_NAMES
    assert "opendocument" in ODF_NAMES
