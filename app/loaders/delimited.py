"""Tables in text files: comma-, semicolon-, tab- or pipe-separated."""

from __future__ import annotations

import csv
import io
import sys
from collections import Counter
from pathlib import Path

from app.domain.documents import Section, SectionKind
from app.domain.errors import DocumentError, FailureReason
from app.loaders.document_loader import DocumentLoader, LoadedDocument
from app.loaders.tables import table_text
from app.loaders.text_decoding import read_text

SAMPLE_LINES = 50
_DELIMITERS = ",;\t|"


class DelimitedLoader(DocumentLoader):
    """Rows become lines, the header row first."""

    extensions = frozenset({".csv", ".tsv", ".tab", ".psv"})
    plain_text = True

    def media_type(self, path: Path) -> str:
        """Return ``text/csv`` or ``text/tab-separated-values``."""
        return "text/csv" if path.suffix.lower() in {".csv", ".psv"} else "text/tab-separated-values"

    def load(self, path: Path) -> LoadedDocument:
        """Read the whole file as one table."""
        text = read_text(path)
        csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
        try:
            table = table_text(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter_of(text)))
        except csv.Error as error:
            message = f"“{path.name}” is not a table that could be read ({error})."
            raise DocumentError(FailureReason.DAMAGED, message) from error
        return LoadedDocument([Section(table, kind=SectionKind.TABLE)])


def delimiter_of(text: str) -> str:
    """Return the character that splits most lines of the head of ``text`` into one same number of cells."""
    lines = [line + "\n" for line in text[:65536].split("\n")[:SAMPLE_LINES] if line.strip()]
    best, best_score = ",", 0.0
    for delimiter in _DELIMITERS:
        widths = _widths(lines, delimiter)
        width, count = widths.most_common(1)[0] if widths else (1, 0)
        score = (count / len(lines)) * min(width, 10) if width > 1 else 0.0
        if score > best_score:
            best, best_score = delimiter, score
    return best


def _widths(lines: list[str], delimiter: str) -> Counter[int]:
    """How often each number of cells occurs; none at all if ``delimiter`` contradicts the quotes."""
    widths: Counter[int] = Counter()
    rows = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        widths.update(len(row) for row in rows)
    except csv.Error as error:
        if "unexpected end" not in str(error):  # the sample ends inside a cell, which is no contradiction
            return Counter()
    return widths
