"""Writes the sample documents that no text editor can: the handbook (PDF) and the meeting notes (Word).

usage: python packaging/sample/make_sample.py resources/sample
"""

from __future__ import annotations

import os
import sys
import zipfile
from pathlib import Path
from xml.sax.saxutils import escape

HANDBOOK = [
    (
        "Garden handbook",
        [
            "This handbook is for everyone who rents a plot in the garden. It holds the rules that the members agreed"
            " on and the advice that most of us ask for in the first year.",
            "The garden opens at seven in the morning and closes at sunset. The gate stays locked; the code changes on"
            " the first of every month and is sent by post.",
            "Each member works eight hours a year for the common paths, hedges and the pond. Hours that are not worked"
            " cost twelve euros each and are billed in December.",
        ],
    ),
    (
        "Water",
        [
            "Water comes from our own well and from four rain tanks. From May to September water your plot before nine"
            " in the morning or after seven in the evening, when less of it evaporates.",
            "In a dry summer, when the level of the well falls below two metres, watering is allowed on Tuesdays and"
            " Fridays only. The notice board at the gate shows the level. Seedlings may be watered by can every day.",
            "Sprinklers are not allowed at any time. Hoses must have a trigger that closes by itself.",
        ],
    ),
    (
        "Compost and fertiliser",
        [
            "Each plot has a compost heap of at most two cubic metres, one metre away from the neighbour's border."
            " Cooked food, meat and the roots of bindweed do not belong on it.",
            "Turn the heap in March and in August. Ripe compost is dark, smells of woodland and is ready after nine to"
            " twelve months. Spread three litres a square metre in spring.",
            "Mineral fertiliser and weed killers are forbidden. Slugs may be collected or kept out with copper tape.",
        ],
    ),
    (
        "Tools, shed and lending",
        [
            "The shed holds two wheelbarrows, a shredder, a scythe and hand tools. Write what you take into the book"
            " beside the door and bring it back clean on the same day.",
            "The shredder may be used by two people together only, with goggles, and not between one and three in the"
            " afternoon or on Sundays.",
            "Broken tools go on the red shelf with a note. The garden office has them mended every second month.",
        ],
    ),
]

NOTES = [
    ("Heading1", "Notes of the autumn meeting"),
    (None, "Held on 18 October 2025 in the common house. Thirty-one members were present."),
    ("Heading2", "Rain tanks"),
    (
        None,
        "The fourth rain tank cost 2,340 euros, 160 euros less than planned. The rest goes into a pump with a float"
        " switch, to be bought in February.",
    ),
    ("Heading2", "Waiting list"),
    (
        None,
        "Forty-four households wait for a plot. The mean waiting time is three and a half years. The members voted, 22"
        " to 9, to divide the next two full plots that fall free into half plots.",
    ),
    ("Heading2", "Summer party"),
    (None, "The party is on the second Saturday of July. Music ends at ten in the evening."),
    ("Heading2", "Next meeting"),
    (None, "The spring meeting is on 21 March 2026 at three in the afternoon in the common house."),
]

CONTENT_TYPES = (
    '<?xml version="1.0" encoding="UTF-8"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml" ContentType='
    '"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/><Override PartName='
    '"/word/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.styles+xml"/>'
    "</Types>"
)
RELATIONSHIPS = (
    '<?xml version="1.0" encoding="UTF-8"?><Relationships xmlns='
    '"http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type='
    '"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/>'
    "</Relationships>"
)
DOCUMENT_RELATIONSHIPS = RELATIONSHIPS.replace(
    "officeDocument/2006/relationships/officeDocument", "officeDocument/2006/relationships/styles"
).replace("word/document.xml", "styles.xml")
WORD = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def _paragraph_style(style: str | None) -> str:
    return f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""


def write_notes(path: Path) -> None:
    """Write the meeting notes as a minimal Word document with two levels of headings."""
    paragraphs = "".join(
        f"<w:p>{_paragraph_style(style)}<w:r><w:t xml:space='preserve'>{escape(text)}</w:t></w:r></w:p>"
        for style, text in NOTES
    )
    styles = "".join(
        f'<w:style w:type="paragraph" w:styleId="Heading{level}"><w:name w:val="heading {level}"/>'
        f'<w:pPr><w:outlineLvl w:val="{level - 1}"/></w:pPr><w:rPr><w:b/><w:sz w:val="{36 - 6 * level}"/></w:rPr>'
        "</w:style>"
        for level in (1, 2)
    )
    parts = {
        "[Content_Types].xml": CONTENT_TYPES,
        "_rels/.rels": RELATIONSHIPS,
        "word/_rels/document.xml.rels": DOCUMENT_RELATIONSHIPS,
        "word/styles.xml": f"<w:styles {WORD}>{styles}</w:styles>",
        "word/document.xml": f"<w:document {WORD}><w:body>{paragraphs}</w:body></w:document>",
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), content)


def write_handbook(path: Path) -> None:
    """Write the handbook with Qt, one chapter a page."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtGui import QGuiApplication, QPageSize, QPdfWriter, QTextDocument

    application = QGuiApplication.instance() or QGuiApplication([])
    writer = QPdfWriter(str(path))
    writer.setPageSize(QPageSize(QPageSize.PageSizeId.A5))
    writer.setTitle("Garden handbook")
    writer.setCreator("Footnote")
    writer.setResolution(150)
    chapters = []
    for number, (heading, paragraphs) in enumerate(HANDBOOK):
        style = ' style="page-break-before: always"' if number else ""
        chapters.append(f"<h1{style}>{escape(heading)}</h1>" + "".join(f"<p>{escape(text)}</p>" for text in paragraphs))
    document = QTextDocument()
    document.setHtml("<body style='font-family: DejaVu Serif; font-size: 11pt; line-height: 140%'>" + "".join(chapters))
    document.print_(writer)
    application.processEvents()


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    write_notes(folder / "Meeting notes.docx")
    write_handbook(folder / "Garden handbook.pdf")
