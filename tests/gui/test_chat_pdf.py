"""Chats as PDF files: every word, on pages that break between lines, with nothing loaded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pypdf import PdfReader
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from app.domain.errors import UserFacingError, WorkCancelledError
from app.domain.turns import SessionRecord, StoredMessage
from app.gui.chat_pdf import print_pdf
from app.services.session_pages import html_pieces
from tests.services.chats_rig import citation


def words_of(path: Path) -> list[str]:
    return " ".join(page.extract_text() for page in PdfReader(path).pages).split()


def pieces(*texts: str) -> Iterator[str]:
    messages = [StoredMessage(n + 1, "s", "assistant", text, citations=[citation(1)]) for n, text in enumerate(texts)]
    return html_pieces(SessionRecord("s", "Pumps & <wells>", 1.0, 1.0), messages)


def test_every_word_stands_on_a_page_in_order(qtbot: QtBot, tmp_path: Path) -> None:
    texts = [" ".join(f"w{number}x{place}" for place in range(150)) for number in range(12)]
    print_pdf("Pumps", pieces(*texts), tmp_path / "chat.pdf")
    found = [word for word in words_of(tmp_path / "chat.pdf") if word.startswith("w") and "x" in word]
    assert list(dict.fromkeys(found)) == " ".join(texts).split()  # a line may stand hidden on the next page too
    assert len(PdfReader(tmp_path / "chat.pdf").pages) > 2
    assert "dry" in words_of(tmp_path / "chat.pdf")


def test_a_message_longer_than_many_pages(qtbot: QtBot, tmp_path: Path) -> None:
    text = "\n".join(f"line{number}" for number in range(600)).replace("\n", "\n\n")
    print_pdf("Long", pieces(text), tmp_path / "chat.pdf")
    found = [word for word in words_of(tmp_path / "chat.pdf") if word.startswith("line")]
    assert list(dict.fromkeys(found)) == text.split()
    assert len(PdfReader(tmp_path / "chat.pdf").pages) > 8


def test_a_line_taller_than_a_page_is_cut_and_ends(qtbot: QtBot, tmp_path: Path) -> None:
    print_pdf("Tall", ['<p style="font-size: 3000px">A</p>', "<p>end</p>"], tmp_path / "chat.pdf")
    assert words_of(tmp_path / "chat.pdf")[-1] == "end"


def test_nothing_is_loaded(qtbot: QtBot, tmp_path: Path) -> None:
    picture = QImage(211, 97, QImage.Format.Format_RGB32)
    picture.fill(0xFF0000)
    assert picture.save(str(tmp_path / "picture.png"))
    page = f'<p>words <img src="{(tmp_path / "picture.png").as_uri()}"> more</p>'
    print_pdf("Sealed", [page], tmp_path / "chat.pdf")
    assert words_of(tmp_path / "chat.pdf") == ["words", "more"]
    sizes = [image.image.size for image in PdfReader(tmp_path / "chat.pdf").pages[0].images if image.image]
    assert (211, 97) not in sizes


def test_a_stopped_or_refused_print_leaves_no_file(qtbot: QtBot, tmp_path: Path) -> None:
    def stopped() -> Iterator[str]:
        yield "<p>one</p>"
        raise WorkCancelledError

    with pytest.raises(WorkCancelledError):
        print_pdf("Stopped", stopped(), tmp_path / "chat.pdf")
    with pytest.raises(UserFacingError, match="can't be written"):
        print_pdf("Refused", pieces("x"), tmp_path / "missing" / "chat.pdf")
    assert list(tmp_path.iterdir()) == []
