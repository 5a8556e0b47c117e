"""Makes office files and e-books by hand, with just the parts a test is about."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
SLIDE_NAMES = (
    'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    f'xmlns:r="{_RELATIONS}"'
)
ODF_NAMES = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0" '
    'xmlns:presentation="urn:oasis:names:tc:opendocument:xmlns:presentation:1.0" '
    'xmlns:meta="urn:oasis:names:tc:opendocument:xmlns:meta:1.0" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/"'
)


def write_container(path: Path, members: Mapping[str, str]) -> Path:
    """Write a zip container of UTF-8 members."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return path


def relations(*rows: tuple[str, str, str]) -> str:
    """The relations part for rows of id, last word of the type, and target."""
    made = "".join(f'<Relationship Id="{i}" Type="{_RELATIONS}/{kind}" Target="{target}"/>' for i, kind, target in rows)
    return f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{made}</Relationships>'


def write_docx(path: Path, body: str, prolog: str = "") -> Path:
    """A Word document with this content of its ``w:body``."""
    main = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    styles = "".join(
        f'<w:style w:type="paragraph" w:styleId="Heading{level}"><w:name w:val="heading {level}"/></w:style>'
        for level in (1, 2, 3)
    )
    return write_container(
        path,
        {
            "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Default Extension="xml" ContentType="application/xml"/>'
            f'<Override PartName="/word/document.xml" ContentType="{main}"/></Types>',
            "_rels/.rels": relations(("r1", "officeDocument", "word/document.xml")),
            "word/_rels/document.xml.rels": relations(("r1", "styles", "styles.xml")),
            "word/styles.xml": f'<w:styles xmlns:w="{_WORD}">{styles}</w:styles>',
            "word/document.xml": f'{prolog}<w:document xmlns:w="{_WORD}"><w:body>{body}</w:body></w:document>',
        },
    )


def word_paragraph(text: str, style: str = "") -> str:
    """A paragraph of a Word document."""
    chosen = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f"<w:p>{chosen}<w:r><w:t>{text}</w:t></w:r></w:p>"


def word_table(*rows: tuple[str, ...]) -> str:
    """A table of a Word document."""
    made = "".join("<w:tr>" + "".join(f"<w:tc>{word_paragraph(c)}</w:tc>" for c in row) + "</w:tr>" for row in rows)
    return f"<w:tbl>{made}</w:tbl>"


def shape(text: str, placeholder: str = "") -> str:
    """A shape of a slide, a paragraph for each line of ``text``."""
    kind = f'<p:nvSpPr><p:nvPr><p:ph type="{placeholder}"/></p:nvPr></p:nvSpPr>' if placeholder else ""
    lines = "".join(f"<a:p><a:r><a:t>{line}</a:t></a:r></a:p>" for line in text.split("\n"))
    return f"<p:sp>{kind}<p:txBody>{lines}</p:txBody></p:sp>"


def slide(*shapes: str, root: str = "sld") -> str:
    """A slide, or with ``root="notes"`` its notes."""
    return f"<p:{root} {SLIDE_NAMES}><p:cSld><p:spTree>{''.join(shapes)}</p:spTree></p:cSld></p:{root}>"


def write_pptx(path: Path, slides: list[str], extra: Mapping[str, str] | None = None) -> Path:
    """A presentation whose slides are shown in the order given; their files are numbered backwards."""
    count = len(slides)
    ids = "".join(f'<p:sldId id="{256 + place}" r:id="r{place}"/>' for place in range(count))
    rows = [(f"r{place}", "slide", f"slides/slide{count - place}.xml") for place in range(count)]
    members = {
        "_rels/.rels": relations(("r1", "officeDocument", "ppt/presentation.xml")),
        "ppt/presentation.xml": f"<p:presentation {SLIDE_NAMES}><p:sldIdLst>{ids}</p:sldIdLst></p:presentation>",
        "ppt/_rels/presentation.xml.rels": relations(*rows),
        **{f"ppt/slides/slide{count - place}.xml": each for place, each in enumerate(slides)},
    }
    return write_container(path, {**members, **(extra or {})})


def write_odt(path: Path, body: str, kind: str = "text", prolog: str = "") -> Path:
    """A text document or presentation of OpenDocument, packed or flat as the name says."""
    meta = "<office:meta><dc:title>A stated title</dc:title></office:meta>"
    content = f"<office:body><office:{kind}>{body}</office:{kind}></office:body>"
    if path.suffix.startswith(".f"):
        path.write_text(f"{prolog}<office:document {ODF_NAMES}>{meta}{content}</office:document>")
        return path
    return write_container(
        path,
        {
            "content.xml": f"{prolog}<office:document-content {ODF_NAMES}>{content}</office:document-content>",
            "meta.xml": f"<office:document-meta {ODF_NAMES}>{meta}</office:document-meta>",
        },
    )


def write_epub(path: Path, chapters: Mapping[str, str], package: str = "OEBPS/book.opf") -> Path:
    """An e-book with these chapter files, in this order."""
    items = "".join(f'<item id="i{n}" href="{name}"/>' for n, name in enumerate(chapters))
    spine = "".join(f'<itemref idref="i{n}"/>' for n in range(len(chapters)))
    return write_container(
        path,
        {
            "META-INF/container.xml": f'<container><rootfiles><rootfile full-path="{package}"/></rootfiles>'
            "</container>",
            package: '<package xmlns:dc="http://purl.org/dc/elements/1.1/">'
            "<metadata><dc:title>A book</dc:title></metadata>"
            f"<manifest>{items}</manifest><spine>{spine}</spine></package>",
            **{f"OEBPS/{name.replace('%20', ' ')}": text for name, text in chapters.items()},
        },
    )


def write_xlsx(path: Path, sheets: Mapping[str, Sequence[Sequence[str]]]) -> Path:
    """A workbook of these sheets, every cell a text."""
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    types = "application/vnd.openxmlformats-officedocument.spreadsheetml."
    listed = "".join(f'<sheet name="{name}" sheetId="{n}" r:id="r{n}"/>' for n, name in enumerate(sheets, 1))
    parts = {
        f"xl/worksheets/sheet{n}.xml": f"<worksheet {main}><sheetData>{_cells(rows)}</sheetData></worksheet>"
        for n, rows in enumerate(sheets.values(), 1)
    }
    overrides = "".join(f'<Override PartName="/{part}" ContentType="{types}worksheet+xml"/>' for part in parts)
    return write_container(
        path,
        {
            "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{types}sheet.main+xml"/>{overrides}</Types>',
            "_rels/.rels": relations(("r1", "officeDocument", "xl/workbook.xml")),
            "xl/workbook.xml": f'<workbook {main} xmlns:r="{_RELATIONS}"><sheets>{listed}</sheets></workbook>',
            "xl/_rels/workbook.xml.rels": relations(
                *((f"r{n}", "worksheet", f"worksheets/sheet{n}.xml") for n in range(1, len(sheets) + 1))
            ),
            **parts,
        },
    )


def _cells(rows: Sequence[Sequence[str]]) -> str:
    return "".join(
        "<row>" + "".join(f'<c t="inlineStr"><is><t>{cell}</t></is></c>' for cell in row) + "</row>" for row in rows
    )
