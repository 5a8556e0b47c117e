"""What the viewer is given for a citation, decided away from the screen."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import pytest

from app.domain.citations import Citation
from app.domain.documents import Box, DocumentRecord, DocumentState, FileStamp
from app.domain.errors import BadInputError, DocumentError, FailureReason
from app.domain.page_text import PageText
from app.gui.pdf_file import PdfFile
from app.gui.reading.blocks import runs_of
from app.gui.sources import LoadedSource, Offer, SourceLoader


@dataclass(frozen=True)
class View:
    record: DocumentRecord
    text: str
    changed: bool = False
    sections: tuple[()] = ()
    url: str = ""

    @property
    def file(self) -> Path | None:
        return self.record.path if self.record.path.is_file() else None


@dataclass
class OneDocument:
    """A library with at most one document."""

    view: View | None
    supported_extensions: frozenset[str] = frozenset()
    removed: list[int] = field(default_factory=list)

    def documents(self) -> list[DocumentRecord]:
        return [self.view.record] if self.view else []

    def remove(self, what: int) -> None:
        self.removed.append(what)

    def source(self, document_id: int) -> View:
        if self.view is None:
            raise BadInputError("gone")
        return self.view

    def file(self, path: Path) -> Path | None:
        return path if path.is_file() else None

    def pages(self, path: Path) -> Path | None:
        return None

    def addresses(self) -> dict[Path, str]:
        return {}

    def page_text(self, document_id: int | None, file: Path, page: int) -> PageText:
        raise DocumentError(FailureReason.DAMAGED, "not a PDF")

    def boxes(self, document_id: int, start: int, end: int) -> tuple[int | None, tuple[Box, ...]]:
        return None, ()


def record(path: Path, media_type: str = "text/plain") -> DocumentRecord:
    content = path.read_bytes() if path.exists() else b""
    return DocumentRecord(
        7,
        path,
        "Title",
        media_type,
        FileStamp(1, 1),
        sha256(content).hexdigest(),
        DocumentState.READY,
        None,
        "",
        None,
        1,
        0,
        0,
    )


def citation(path: Path, quote: str, start: int, file_hash: str) -> Citation:
    return Citation(1, 7, path, "Title", file_hash, start, start + len(quote), quote)


def passage(source: LoadedSource) -> str:
    """The words of the passage as they are set."""
    assert source.reading is not None
    first, last = source.reading.start, source.reading.end
    runs = [run for part in source.reading.parts for run in runs_of(part) if run.start >= 0]
    return "".join(run.text[max(0, first - run.start) : max(0, last - run.start)] for run in runs)


def refuse(path: Path) -> PdfFile:
    raise DocumentError(FailureReason.ENCRYPTED, "It is protected with a password.")


def test_an_unchanged_file_is_shown_with_its_passage(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("one two three", encoding="utf-8")
    known = record(path)
    loader = SourceLoader(OneDocument(View(known, "one two three")), refuse)
    source = loader.load_citation(citation(path, "two", 4, known.content_hash))
    assert source.reading is not None
    assert passage(source) == "two"
    assert source.notice == ""


def test_a_pdf_that_cannot_be_shown_leaves_the_quote_and_says_why(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(b"x")
    known = record(path, "application/pdf")
    loader = SourceLoader(OneDocument(View(known, "one two three")), refuse)
    source = loader.load_citation(citation(path, "two", 4, known.content_hash))
    assert source.pdf is None
    assert passage(source) == "two"
    assert "password" in source.notice
    assert source.offers == (Offer.OPEN_OUTSIDE,)


def test_a_pdf_that_cannot_be_shown_and_holds_no_text_leaves_the_quote(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(b"x")
    known = record(path, "application/pdf")
    source = SourceLoader(OneDocument(View(known, "")), refuse).load_citation(
        citation(path, "two", 4, known.content_hash)
    )
    assert (source.pdf, source.reading, source.quote) == (None, None, "two")


@pytest.mark.parametrize("in_library", [True, False])
def test_a_gone_file_leaves_the_quote(tmp_path: Path, in_library: bool) -> None:
    path = tmp_path / "a.txt"
    loader = SourceLoader(OneDocument(View(record(path), "one") if in_library else None), refuse)
    source = loader.load_citation(citation(path, "two", 4, "hash"))
    assert not source.reachable
    assert source.quote == "two"
    assert "not where it was" in source.notice


def test_a_moved_file_is_found_where_the_library_knows_it(tmp_path: Path) -> None:
    old, new = tmp_path / "old.txt", tmp_path / "new.txt"
    new.write_text("one two three", encoding="utf-8")
    known = record(new)
    loader = SourceLoader(OneDocument(View(known, "one two three")), refuse)
    source = loader.load_citation(citation(old, "two", 4, known.content_hash))
    assert source.path == new
    assert source.reading is not None


def test_a_file_that_no_longer_says_it_is_shown_without_a_mark(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("nothing of the kind", encoding="utf-8")
    loader = SourceLoader(OneDocument(View(record(path), "nothing of the kind")), refuse)
    source = loader.load_citation(citation(path, "two", 4, "another hash"))
    assert source.reading is not None
    assert source.reading.start == source.reading.end
    assert "no longer says" in source.notice


def test_a_text_out_of_the_library_leaves_the_quote(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("one two three", encoding="utf-8")
    source = SourceLoader(OneDocument(None), refuse).load_citation(
        citation(path, "two", 4, sha256(path.read_bytes()).hexdigest())
    )
    assert source.quote == "two"
    assert "no longer in your library" in source.notice


@pytest.mark.parametrize("changed", [False, True])
def test_opening_a_document_says_when_it_is_not_the_newest(tmp_path: Path, changed: bool) -> None:
    path = tmp_path / "a.txt"
    path.write_text("one", encoding="utf-8")
    source = SourceLoader(OneDocument(View(record(path), "one", changed)), refuse).load_document(7)
    assert ("changed" in source.notice) is changed
    assert source.reading is not None
