"""Workbooks and presentations: merged cells, remarks, charts, text boxes and pictures stand where they belong."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

from app.domain.documents import SectionKind
from tests.loaders.binary_workbooks import write_xlsb
from tests.loaders.conftest import Load
from tests.loaders.containers import SLIDE_NAMES, relations, shape, slide, write_pptx, write_xlsx

_DRAWING = 'xmlns:xdr="urn:xdr" xmlns:a="urn:a" xmlns:c="urn:c" xmlns:r="urn:r"'


def points(kind: str, values: list[str]) -> str:
    made = "".join(f'<c:pt idx="{place}"><c:v>{value}</c:v></c:pt>' for place, value in enumerate(values))
    return f"<c:{kind}>{made}</c:{kind}>"


CHART = (
    '<c:chartSpace xmlns:c="urn:c"><c:chart><c:plotArea><c:lineChart><c:ser>'
    f"{points('tx', ['Ducks'])}{points('cat', ['2020', '2021'])}{points('val', ['4.4000000000000004', '5'])}"
    "</c:ser></c:lineChart></c:plotArea></c:chart></c:chartSpace>"
)


def workbook(path: Path, rows: list[list[str]], parts: Mapping[str, str], merged: tuple[str, ...] = ()) -> Path:
    """A workbook with one sheet of these cells, with merged areas and further parts."""
    write_xlsx(path, {"Counts": rows})
    areas = "".join(f'<mergeCell ref="{each}"/>' for each in merged)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name).decode() for name in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    for number in range(1, len(rows) + 1):
        members[sheet] = members[sheet].replace("<row><c ", f'<row r="{number}"><c r="A{number}" ', 1)
    for column in "BCDE":
        for number in range(1, len(rows) + 1):
            before, found, after = members[sheet].partition(f'<row r="{number}">')
            members[sheet] = before + found + after.replace("<c t=", f'<c r="{column}{number}" t=', 1)
    members[sheet] = members[sheet].replace("</sheetData>", f"</sheetData><mergeCells>{areas}</mergeCells>")
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in {**members, **parts}.items():
            archive.writestr(name, text)
    return path


def texts(load: Load, path: Path) -> list[str]:
    return [placed.section.text for placed in load(path).sections]


def test_merged_cells_tell_every_row_and_column_what_it_belongs_to(tmp_path: Path, load: Load) -> None:
    rows = [["All counts", "", ""], ["Year", "Ducks", ""], ["2024", "wild", "5"], ["", "tame", "7"]]
    path = workbook(tmp_path / "a.xlsx", rows, {}, ("A1:C1", "B2:C2", "A3:A4", "X90:Z99"))
    assert texts(load, path) == [
        "Counts",
        "All counts\nYear | Ducks | Ducks\n2024 | wild | 5\n2024 | tame | 7",
    ]


def test_remarks_charts_boxes_and_pictures_follow_their_sheet(tmp_path: Path, load: Load) -> None:
    threaded = '<threadedComments><threadedComment ref="A1" dT="2024-01-02T03:04:05" personId="p1"><text>Why?</text>'
    parts = {
        "xl/worksheets/_rels/sheet1.xml.rels": relations(
            ("d", "drawing", "../drawings/drawing1.xml"),
            ("n", "comments", "../comments1.xml"),
            ("t", "threadedComment", "../threaded.xml"),
        ),
        "xl/_rels/workbook.xml.rels": relations(
            ("r1", "worksheet", "worksheets/sheet1.xml"), ("p", "person", "persons/person.xml")
        ),
        "xl/comments1.xml": "<comments><authors><author>Ben</author></authors><commentList>"
        '<comment ref="A1" authorId="0"><text><r><t>Ben:</t></r><r><t> Check this.</t></r></text></comment>'
        '<comment ref="B1" authorId="0"><text><t>[Threaded comment] Your version …</t></text></comment>'
        "</commentList></comments>",
        "xl/threaded.xml": f"{threaded}</threadedComment></threadedComments>",
        "xl/persons/person.xml": '<personList><person id="p1" displayName="Ada"/></personList>',
        "xl/drawings/drawing1.xml": f"<xdr:wsDr {_DRAWING}><xdr:sp><xdr:txBody><a:p><a:r><a:t>In a box</a:t></a:r>"
        '</a:p></xdr:txBody></xdr:sp><xdr:pic><xdr:nvPicPr><xdr:cNvPr descr="A map"/></xdr:nvPicPr></xdr:pic>'
        '<xdr:graphicFrame><c:chart r:id="c1"/></xdr:graphicFrame></xdr:wsDr>',
        "xl/drawings/_rels/drawing1.xml.rels": relations(("c1", "chart", "../charts/chart1.xml")),
        "xl/charts/chart1.xml": CHART,
    }
    path = workbook(tmp_path / "a.xlsx", [["Oats", "yes"]], parts)
    assert texts(load, path) == [
        "Counts",
        "Oats | yes",
        "In a box\n\n[image: A map]\n\n[image]\nLine chart",
        " | Ducks\n2020 | 4.4\n2021 | 5",
        "[comment, author: Ben] Check this.\n\n[comment, author: Ada, time: 2024-01-02T03:04:05] Why?",
    ]
    assert {placed.section.page for placed in load(path).sections} == {1}
    assert {placed.section.headings for placed in load(path).sections} == {("Counts",)}


def test_remarks_on_slides_name_their_authors(tmp_path: Path, load: Load) -> None:
    extra = {
        "ppt/_rels/presentation.xml.rels": relations(
            ("r0", "slide", "slides/slide1.xml"), ("a", "commentAuthors", "authors.xml")
        ),
        "ppt/authors.xml": f'<p:cmAuthorLst {SLIDE_NAMES}><p:cmAuthor id="3" name="Ada"/></p:cmAuthorLst>',
        "ppt/slides/_rels/slide1.xml.rels": relations(("c", "comments", "../comments/comment1.xml")),
        "ppt/comments/comment1.xml": f'<p:cmLst {SLIDE_NAMES}><p:cm authorId="3" dt="2024-01-02"><p:text>Why?</p:text>'
        "</p:cm></p:cmLst>",
    }
    path = write_pptx(tmp_path / "a.pptx", [slide(shape("Ducks", "title"))], extra)
    assert texts(load, path) == ["Ducks\n\n[comment, author: Ada, time: 2024-01-02] Why?"]


def test_cells_merged_on_slides_fill_what_they_cover(tmp_path: Path, load: Load) -> None:
    def cell(text: str, attributes: str = "") -> str:
        return f"<a:tc {attributes}><a:txBody><a:p><a:r><a:t>{text}</a:t></a:r></a:p></a:txBody></a:tc>"

    table = (
        f"<a:tbl><a:tr>{cell('Year')}{cell('Ducks', 'gridSpan=' + repr('2'))}{cell('', 'hMerge=' + repr('1'))}</a:tr>"
        f"<a:tr>{cell('2024', 'rowSpan=' + repr('2'))}{cell('wild')}{cell('5')}</a:tr>"
        f"<a:tr>{cell('', 'vMerge=' + repr('1'))}{cell('tame')}{cell('7')}</a:tr></a:tbl>"
    )
    frame = f"<p:graphicFrame><a:graphic><a:graphicData>{table}</a:graphicData></a:graphic></p:graphicFrame>"
    (placed,) = load(write_pptx(tmp_path / "a.pptx", [slide(frame)])).sections
    assert placed.section.kind is SectionKind.TABLE
    assert placed.section.text == "Year | Ducks | Ducks\n2024 | wild | 5\n2024 | tame | 7"


def test_lists_and_pictures_of_slides(tmp_path: Path, load: Load) -> None:
    item = '<a:p><a:pPr><a:buAutoNum type="arabicPeriod"/></a:pPr><a:r><a:t>{}</a:t></a:r></a:p>'
    body = item.format("Oats") + item.format("Bread") + "<a:p><a:r><a:t>So.</a:t></a:r></a:p>" + item.format("Anew")
    numbered = f"<p:sp><p:txBody>{body}</p:txBody></p:sp>"
    picture = '<p:pic><p:nvPicPr><p:cNvPr descr="A duck"/></p:nvPicPr></p:pic>'
    path = write_pptx(tmp_path / "a.pptx", [slide(numbered, picture)])
    assert texts(load, path) == ["1. Oats\n2. Bread\nSo.\n1. Anew\n\n[image: A duck]"]


def test_only_dates_are_left_out_where_dates_stand(tmp_path: Path, load: Load) -> None:
    slides = [slide(shape("3/4/2024", "dt"), shape("Ducks", "title")), slide(shape("No date yet", "dt"))]
    assert texts(load, write_pptx(tmp_path / "a.pptx", slides)) == ["Ducks", "No date yet"]


def test_tables_below_each_other_keep_their_own_headers(tmp_path: Path, load: Load) -> None:
    ducks = [["Year", "Ducks"], ["2023", "5"], ["", ""], ["2024", "7"], ["Sum", "12"]]
    geese = [["", ""], ["All geese", ""], ["Year", "Geese"], ["2023", "1"]]
    path = write_xlsx(tmp_path / "a.xlsx", {"Counts": ducks + geese})
    assert texts(load, path) == [
        "Counts",
        "Year | Ducks\n2023 | 5\n2024 | 7\nSum | 12",
        "All geese\nYear | Geese\n2023 | 1",
    ]


def test_a_picture_that_is_not_in_the_file_leaves_no_mark(tmp_path: Path, load: Load) -> None:
    def picture(blip: str) -> str:
        return f"<p:pic><p:nvPicPr/><p:blipFill>{blip}</p:blipFill></p:pic>"

    shapes = [shape("Ducks", "title"), picture('<a:blip r:embed="p1"/>')]
    lost = [picture('<a:blip r:embed="gone"/>'), picture('<a:blip r:link="p1"/>'), picture("")]
    rows = relations(("p1", "image", "../media/image1.png"))
    extra = {"ppt/slides/_rels/slide1.xml.rels": rows, "ppt/media/image1.png": "pixels"}
    path = write_pptx(tmp_path / "a.pptx", [slide(*shapes, *lost)], extra)
    assert texts(load, path) == ["Ducks\n\n[image]"]


def test_binary_workbooks_are_read_sheet_by_sheet(tmp_path: Path, load: Load) -> None:
    sheets: dict[str, list[list[str | float]]] = {
        "Counts": [["Pond", "Ducks"], ["North", 12.0], ["South", 7.5]],
        "Notes": [["Read in May."]],
    }
    document = load(write_xlsb(tmp_path / "a.xlsb", sheets))
    assert [(each.section.page, each.section.headings, each.section.text) for each in document.sections] == [
        (1, ("Counts",), "Counts"),
        (1, ("Counts",), "Pond | Ducks\nNorth | 12\nSouth | 7.5"),
        (2, ("Notes",), "Notes"),
        (2, ("Notes",), "Read in May."),
    ]
    assert document.page_count == 2
