"""The viewer shows a picture as a page, highlights the passage, and says that OCR read it."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import QThread

from app.domain.box_map import BoxMap, PlacedWord
from app.domain.citations import Citation
from app.domain.documents import Box, Chunk, FileStamp, Section, assemble
from app.gui.pdf_file import open_pdf
from app.gui.sources import SourceLoader
from app.loaders.parser_limits import ParserLimits
from app.loaders.parser_pool import ParserPool
from app.services.document_files import PlainFiles
from app.services.library_service import LibraryService
from app.services.picture_pages import PicturePages
from app.storage.library_store import LibraryStore, open_library

PLACES = BoxMap([PlacedWord(0, 5, 0, 10, 20, 60, 40), PlacedWord(6, 11, 0, 70, 20, 120, 40)])


def never() -> None:
    raise AssertionError("this library is not searched")


@pytest.mark.usefixtures("qapp")
def test_a_quote_of_a_picture_is_highlighted_on_it(tmp_path: Path) -> None:
    path = tmp_path / "page.png"
    Image.new("RGB", (300, 200), "white").save(path)
    parsed = assemble(
        [Section("grain ships", 1, confidence=0.93, box_map=PLACES), Section("printed", 2)],
        title="page",
        media_type="image/png",
    )
    database = open_library(tmp_path / "library.db")
    store = LibraryStore(database)
    information = path.stat()
    record = store.enqueue(path, FileStamp(information.st_size, information.st_mtime_ns))
    store.replace_content(record.id, parsed, "hash", [Chunk(parsed.text, 0, len(parsed.text))], [parsed.text])
    with ParserPool(1, ParserLimits(ocr=False)) as pool:
        pictures = PicturePages(tmp_path / "cache", lambda: pool)
        library = LibraryService(store, never, frozenset, never, PlainFiles(), pictures)  # type: ignore[arg-type]  # no retriever is opened here
        loader = SourceLoader(library, lambda file: open_pdf(file, QThread.currentThread()))
        page, boxes = library.boxes(record.id, 6, 11)
        assert (page, boxes) == (1, (Box(70, 20, 120, 40),))
        citation = Citation(1, record.id, path, "page", "hash", 6, 11, "ships", page, boxes)
        source = loader.load_citation(citation)
        whole = loader.load_document(record.id)
    assert source.pdf is not None
    assert [(size.width(), size.height()) for size in source.pdf.page_sizes] == [(300, 200)]
    assert source.boxes == boxes
    assert source.notice == "Read by OCR, 93 % sure."
    assert whole.notice == "1 of 2 pages were read by OCR."
    database.close()
