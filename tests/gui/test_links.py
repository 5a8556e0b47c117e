"""Nothing that a model or a document wrote opens by itself, and most of it never."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt, QUrl, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QMessageBox, QPushButton, QWidget
from pytestqt.qtbot import QtBot

import app.gui
from app.gui.external import open_link, web_target
from app.gui.theme import Appearance
from app.gui.widgets.answer_browser import AnswerBrowser
from app.gui.widgets.dialogs import ask_about_link
from tests.gui.hostile import HOSTILE_LINKS


class UrlCatcher(QWidget):
    """Receives what ``QDesktopServices.openUrl`` is given, in place of other programs."""

    SCHEMES = ("http", "https", "mailto", "file", "smb", "ftp", "javascript", "data", "ms-msdt", "steam", "vscode")

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[str] = []
        for scheme in self.SCHEMES:
            QDesktopServices.setUrlHandler(scheme, self, "catch")  # type: ignore[arg-type]  # the stubs are wrong

    def release(self) -> None:
        for scheme in self.SCHEMES:
            QDesktopServices.unsetUrlHandler(scheme)

    @Slot(QUrl)
    def catch(self, url: QUrl) -> None:
        self.opened.append(url.toString())


@pytest.fixture
def catcher(qtbot: QtBot) -> UrlCatcher:
    catcher = UrlCatcher()
    qtbot.addWidget(catcher, before_close_func=lambda each: each.release())
    return catcher


@pytest.mark.parametrize("link", HOSTILE_LINKS)
def test_hostile_links_have_no_target_and_open_nothing(link: str, catcher: UrlCatcher) -> None:
    assert web_target(link) is None
    assert not open_link(link)
    assert catcher.opened == []


@pytest.mark.parametrize(
    "link",
    ["http://example.org", "https://example.org/a?b=c#d", "mailto:someone@example.org", "HTTPS://EXAMPLE.ORG/x"],
)
def test_web_links_open_where_the_user_wants_them(link: str, catcher: UrlCatcher) -> None:
    assert open_link(link)
    assert len(catcher.opened) == 1


# Where Markdown doesn't see a link there is nothing to click on, about which Qt's test library complains.
@pytest.mark.qt_log_ignore("not accepted by receiving widget", "propagateSizeHints", extend=True)
@pytest.mark.parametrize("link", HOSTILE_LINKS)
def test_clicking_a_hostile_link_in_an_answer_asks_and_opens_nothing(
    qtbot: QtBot, appearance: Appearance, catcher: UrlCatcher, link: str
) -> None:
    browser = AnswerBrowser(appearance)
    qtbot.addWidget(browser)
    browser.resize(500, 200)
    browser.show_answer(f"[press here]({link.replace(' ', '%20')}) and then some", ())
    browser.show()
    before = browser.toPlainText()
    asked: list[QMessageBox] = []
    browser.link_activated.connect(lambda target: asked.append(ask_about_link(target, open_link, browser)))
    QTest.mouseClick(browser.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(30, 10))
    qtbot.wait(1)
    assert catcher.opened == []
    assert browser.toPlainText() == before
    for box in asked:
        assert box.textFormat() is Qt.TextFormat.PlainText
        buttons = [button for button in box.findChildren(QPushButton) if button.text().startswith("Open")]
        assert not buttons
        box.close()


def test_a_web_link_opens_only_after_a_yes(qtbot: QtBot, appearance: Appearance, catcher: UrlCatcher) -> None:
    browser = AnswerBrowser(appearance)
    qtbot.addWidget(browser)
    browser.resize(500, 200)
    browser.show_answer("[press here](https://example.org/page?q=secret) and then some", ())
    browser.show()
    boxes: list[QMessageBox] = []
    browser.link_activated.connect(lambda target: boxes.append(ask_about_link(target, open_link, browser)))
    QTest.mouseClick(browser.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(30, 10))
    qtbot.waitUntil(lambda: bool(boxes))
    shown = " ".join(label.text() for label in boxes[0].findChildren(QLabel))
    assert "example.org" in shown
    assert "https://example.org/page?q=secret" in shown
    assert catcher.opened == []
    assert boxes[0].defaultButton().text().endswith("Cancel")
    next(each for each in boxes[0].findChildren(QPushButton) if each.text() == "Open link").click()
    assert catcher.opened == ["https://example.org/page?q=secret"]
    boxes[0].close()


def test_forged_footnotes_and_link_numbers_do_nothing(
    qtbot: QtBot, appearance: Appearance, catcher: UrlCatcher
) -> None:
    browser = AnswerBrowser(appearance)
    qtbot.addWidget(browser)
    browser.show_answer("[a](footnote:1) [b](link:0)", ())
    numbers: list[int] = []
    targets: list[str] = []
    browser.footnote_activated.connect(numbers.append)
    browser.link_activated.connect(targets.append)
    for forged in ("footnote:x", "footnote:", "link:99", "link:-1", "file:///etc/passwd", "other"):
        browser.anchorClicked.emit(QUrl(forged))
    assert numbers == []
    assert targets == []
    browser.setSource(QUrl.fromLocalFile("/etc/passwd"))
    assert "root" not in browser.toPlainText()


def test_only_one_module_opens_anything_outside() -> None:
    uses = []
    for path in sorted(Path(app.gui.__path__[0]).rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        attributes = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        if "QDesktopServices" in names or "openUrl" in attributes:
            uses.append(path.name)
    assert uses == ["external.py"]


def test_message_boxes_are_made_in_one_place_and_show_plain_text() -> None:
    makers = []
    for path in sorted(Path(app.gui.__path__[0]).rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if "QMessageBox(" in text or "QMessageBox.warning" in text or "QMessageBox.critical" in text:
            makers.append(path.name)
            assert text.count("QMessageBox(parent)") == text.count("setTextFormat(Qt.TextFormat.PlainText)")
    assert makers == ["dialogs.py"]


def test_hovering_a_marker_names_it(qtbot: QtBot, appearance: Appearance, qapp: QApplication) -> None:
    browser = AnswerBrowser(appearance)
    qtbot.addWidget(browser)
    browser.resize(500, 200)
    browser.show_answer("A sentence with a source. [3]", {3})
    browser.show()
    hovered: list[int] = []
    activated: list[int] = []
    browser.footnote_hovered.connect(lambda number, _where: hovered.append(number))
    browser.footnote_activated.connect(activated.append)
    place = browser.chip_rectangle(browser.chips[0]).center().toPoint()
    QTest.mouseMove(browser.viewport(), place)
    qtbot.waitUntil(lambda: hovered == [3])
    QTest.mouseClick(browser.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert activated == [3]
    assert browser.chip_rectangle(browser.chips[0]).contains(QPointF(place))
