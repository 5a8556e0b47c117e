"""Second opinions on the format corpus: its references mended where they are known to be wrong, and what a file holds.

The corpus says of its references that most come from other extractors, some of them weak. As given, they count escapes
of Markdown, marks for pictures and addresses of links as words of a document, hold UTF-16 read as single bytes and text
boxes twice (as drawn now, and for programs before 2010) and the ligature of lam and alef backwards, and lack speaker's
notes, comments, text boxes, descriptions of pictures, and merged cells in all but the first of the places that they
cover. Nothing here looks at what a file is called, or uses any of the program's readers.
"""

from __future__ import annotations

import email
import email.policy
import html
import logging
import re
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
# What our own readers put where a picture stands that nobody describes; references of Markdown have a comment there.
_IMAGE = re.compile(r"\[image\]|\[image: ")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_LINK = re.compile(r"(?<=\])\((?:[^()\s]|\([^()\s]*\))*(?:\s+\"[^\"]*\")?\)")
_ALEFS_AND_LAMS = re.compile("[\u0622\u0623\u0625\u0627\u0671\u0644]{2,}")
_AUTOLINK = re.compile(r"<(?:https?|mailto):[^>\s]*>")
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
_RUN = re.compile(rb"(?:[\x20-\x7e\xa0-\xff]\x00){3,}|[\x20-\x7e\xa0-\xff]{4,}")


def words(text: str) -> Counter[str]:
    """The words of a text as the corpus's scorer counts them, ligatures and letters of formulas as plain ones, and lam
    and alef in one order."""
    plain = unicodedata.normalize("NFKC", text).lower()
    return Counter(re.findall(r"\w+", _ALEFS_AND_LAMS.sub(lambda run: "".join(sorted(run[0])), plain)))


def own_words(text: str) -> Counter[str]:
    """The words of a text that one of our readers made, marks of pictures without a description left out."""
    return words(_IMAGE.sub(" ", text))


def mended(reference: str, row: dict[str, Any], path: Path) -> str:
    """Return the reference of a file of the corpus without its known mistakes. ``row`` is from the manifest."""
    if "\0" in reference:
        return _decoded(path)
    if row.get("ref_kind", "").startswith("upstream"):
        return _plain(reference)
    if row["ext"] == "docx" and zipfile.is_zipfile(path):
        return _without_fallbacks(reference, path)
    if row["ext"] in {"html", "htm"} and not _is_utf8(path.read_bytes()):
        try:
            return reference.encode("cp1250").decode("cp1252")  # what browsers take where nothing is declared
        except UnicodeError:
            return reference
    return reference


def _plain(markdown: str) -> str:
    """The words of Markdown: without marks, escapes and addresses that nobody sees."""
    text = _AUTOLINK.sub(" ", _LINK.sub(" ", _COMMENT.sub(" ", markdown)))
    return html.unescape(_ESCAPE.sub(r"\1", text))


def _without_fallbacks(reference: str, path: Path) -> str:
    """A text without what a document holds a second time, for programs that can't draw the first."""
    for part in _parts(path, "word/document.xml"):
        for fallback in part.iter("{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"):
            for text in filter(None, (each.text for each in fallback.iter() if each.tag.endswith("}t"))):
                reference = reference.replace(text, " ", 1)
    return reference


def _parts(path: Path, name: str) -> Iterator[ElementTree.Element]:
    with zipfile.ZipFile(path) as archive:
        try:
            yield ElementTree.fromstring(archive.read(name))
        except (KeyError, ElementTree.ParseError, zipfile.BadZipFile):
            return  # broken in one of the ways that the corpus collects


def _is_utf8(data: bytes) -> bool:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True  # one of its cousins, and said so
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _decoded(path: Path) -> str:
    """A text file or message of UTF-16 or UTF-32, by Python's own codecs."""
    data = path.read_bytes()
    if data.startswith(b"\xff\xfe\0\0"):
        text = data.decode("utf-32")
    elif data.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = data.decode("utf-16")
    else:
        text = data.decode("utf-16-be" if data[:1] == b"\0" else "utf-16-le")
    if path.suffix != ".eml":
        return text
    message = email.message_from_string(text, policy=email.policy.default)
    parts = [part for part in message.walk() if part.get_content_type() in {"text/plain", "text/html"}]
    bodies = [(part.get_content_type(), str(part.get_content())) for part in parts]
    texts = [" ".join(_Strings.of(body)) if kind == "text/html" else body for kind, body in bodies]
    return "\n".join([str(message["subject"]), *texts])


def held(path: Path) -> Counter[str]:
    """Return the words that a file holds anywhere, visible or not, by means that know nothing of its format's rules."""
    data = path.read_bytes()
    if path.suffix == ".pdf":
        return words(" ".join(_field_values(path)))
    if data.startswith(b"PK"):
        with zipfile.ZipFile(path) as archive:
            parts = {name: archive.read(name) for name in archive.namelist() if name.endswith((".xml", ".rels"))}
        strings = words(" ".join(text for part in parts.values() for text in _xml_strings(part)))
        merged = [again for part in _parts(path, "word/document.xml") for again in _merged_again(part)]
        return strings + _shared_again(parts) + words(" ".join(merged))
    if path.suffix == ".eml":
        return words(" ".join(_message_strings(data)))
    if path.suffix in {".html", ".htm"}:
        return words(" ".join(_Strings.of(data.decode("utf-8", "replace"))))
    return words(" ".join(_raw_strings(data)))


def _xml_strings(data: bytes) -> Iterator[str]:
    """The text of an XML part, a paragraph a string, as its words may be cut into pieces; and of all attributes."""
    try:
        root = ElementTree.fromstring(data)
    except ElementTree.ParseError:
        return
    for element in root.iter():
        yield from element.attrib.values()
        if element.tag.rpartition("}")[2] in {"p", "si", "text", "h", "a"}:
            yield "".join(element.itertext())
        elif element.text and not len(element) and element.tag.rpartition("}")[2] not in {"t", "span"}:
            yield element.text


def _shared_again(parts: Mapping[str, bytes]) -> Counter[str]:
    """The words of a workbook's cells that share a text: it is stored once, however many cells show it."""
    found = Counter[str]()
    table = parts.get("xl/sharedStrings.xml")
    texts = [words("".join(entry.itertext())) for entry in ElementTree.fromstring(table)] if table else []
    for name, part in parts.items():
        if name.startswith("xl/worksheets/") and name.endswith(".xml") and texts:
            for number in re.findall(rb'<c [^>]*t="s"[^>]*>\s*<v>(\d+)</v>', part):
                found += texts[int(number)]
    return found


def _merged_again(document: ElementTree.Element) -> Iterator[str]:
    """The texts of merged cells of a Word table, once for each place beyond the first that they cover."""
    for table in document.iter(_WORD + "tbl"):
        above: dict[int, tuple[str, int]] = {}
        for row in table.findall(_WORD + "tr"):
            before = row.find(f"{_WORD}trPr/{_WORD}gridBefore")
            column = int(before.get(_WORD + "val", "0")) if before is not None else 0
            for cell in row.findall(_WORD + "tc"):
                text, span = "".join(cell.itertext()), cell.find(f"{_WORD}tcPr/{_WORD}gridSpan")
                columns = int(span.get(_WORD + "val", "1")) if span is not None else 1
                down = cell.find(f"{_WORD}tcPr/{_WORD}vMerge")
                if down is not None and down.get(_WORD + "val", "continue") == "continue" and column in above:
                    text, columns = above[column]
                    yield text
                above[column] = (text, columns)
                yield from [text] * (columns - 1)
                column += columns


def _message_strings(data: bytes) -> Iterator[str]:
    message = email.message_from_bytes(data, policy=email.policy.default)
    for part in message.walk():
        yield from (str(value) for value in part.values())
        if part.get_content_maintype() == "text":
            yield from _Strings.of(str(part.get_content()))


def _field_values(path: Path) -> Iterator[str]:
    """What the form fields of a PDF are filled with: references hold only as much of it as a field shows."""
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # the corpus is full of what it would complain of
    try:
        fields = PdfReader(path).get_fields() or {}
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return  # broken in one of the ways that the corpus collects
    yield from (str(field.get("/V", "")) for field in fields.values())


def _raw_strings(data: bytes) -> Iterator[str]:
    """What looks like text in a file of unknown make: stretches of UTF-16 and of single bytes."""
    for found in _RUN.findall(data):
        yield found.decode("utf-16-le", "replace") if b"\0" in found else found.decode("cp1252", "replace")


class _Strings(HTMLParser):
    """Gathers the text and the attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    @classmethod
    def of(cls, page: str) -> list[str]:
        parser = cls()
        parser.feed(page)
        parser.close()
        return parser.found

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del tag
        self.found.extend(value for _, value in attrs if value)

    def handle_data(self, data: str) -> None:
        self.found.append(data)
