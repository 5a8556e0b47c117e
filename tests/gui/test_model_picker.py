"""The model picker of the real window: what local servers have, keys, addresses."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.gui.desktop import Desktop
from app.gui.model_words import Opens
from app.gui.widgets.pick_list import PickList
from app.gui.widgets.provider_dialog import ProviderDialog
from app.services.chat_service import CHAT_MODEL
from app.services.provider_access import ADDRESS
from tests.chat_models.keyring_drawer import Drawer
from tests.chat_models.stub_replies import Reply, chat_stream
from tests.chat_models.stub_server import StubServer
from tests.gui.conftest import IGNORED_QT_LOG, WAIT, DesktopRig
from tests.services.model_stub import TAGS, by_path
from tests.services.models_rig import NOWHERE
from tests.services.test_provider_access import CANARY, files_with

pytestmark = pytest.mark.qt_log_ignore(IGNORED_QT_LOG)


@pytest.fixture
def stub() -> Iterator[StubServer]:
    with StubServer() as server:
        yield server


@pytest.fixture
def drawer() -> Iterator[Drawer]:
    before, drawer = keyring.get_keyring(), Drawer()
    keyring.set_keyring(drawer)
    yield drawer
    keyring.set_keyring(before)


@pytest.fixture
def window(rig: DesktopRig, qtbot: QtBot, drawer: Drawer, stub: StubServer, monkeypatch: pytest.MonkeyPatch) -> Desktop:
    """A window whose servers are nowhere, and whose OpenAI is the stub."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setenv("OPENAI_BASE_URL", f"{stub.url}/v1")
    desktop = rig.open()
    for name in ("ollama", "llama.cpp", "lmstudio", "vllm", "openai-compatible"):
        point(rig, name, NOWHERE)
    qtbot.waitUntil(lambda: len(desktop.composer.model_suggestions()) > 20, timeout=WAIT)
    return desktop


def point(rig: DesktopRig, provider: str, address: str) -> None:
    services = rig.built[-1]
    services.settings.set(services._model_registry.provider(provider).settings[ADDRESS], address)


def rows(picker: PickList) -> list[str]:
    return [str(picker.model.data(picker.model.index(row))) for row in range(picker.model.rowCount())]


def pick(picker: PickList, typed: str) -> None:
    """Type into the list and take the first that fits."""
    QTest.keyClicks(picker.field, typed)
    QTest.keyClick(picker.field, Qt.Key.Key_Return)


def pick_value(picker: PickList, value: str) -> None:
    """Click on the row that stands for a model."""
    picker.field.setText(value.partition(":")[2])
    shown = [picker.model.suggestion(row) for row in range(picker.model.rowCount())]
    row = next(row for row, each in enumerate(shown) if each is not None and each.value == value)
    picker.list.clicked.emit(picker.model.index(row))


def open_list(desktop: Desktop) -> PickList:
    desktop.window.chat.composer.model_button.click()
    picker = desktop.composer_wiring.models.model_list
    assert picker is not None
    assert picker.isVisible()
    return picker


def open_dialog(qtbot: QtBot, desktop: Desktop) -> ProviderDialog:
    providers = desktop.composer_wiring.models.providers
    qtbot.waitUntil(lambda: providers.dialog is not None, timeout=WAIT)
    assert providers.dialog is not None
    return providers.dialog


def wait_for_words(qtbot: QtBot, dialog: ProviderDialog, words: str) -> None:
    qtbot.waitUntil(lambda: words in dialog.outcome.text(), timeout=WAIT)


def test_local_models_join_the_open_list_as_their_servers_answer(
    qtbot: QtBot, window: Desktop, rig: DesktopRig, stub: StubServer
) -> None:
    point(rig, "ollama", stub.url)
    gate = stub.gate()
    slow = Reply(
        (b'{"models": [{"name": "qwen3:8b", "details": {"parameter_size": "8.2B"}}]}',), before_headers=(gate,)
    )
    stub.script(by_path({"/api/tags": slow}))
    picker = open_list(window)
    assert rows(picker)[:2] == ["Built-in", "Keys and servers…"]
    gate.open()
    qtbot.waitUntil(lambda: "qwen3:8b" in rows(picker), timeout=WAIT)
    assert rows(picker)[:3] == ["Built-in", "qwen3:8b", "Keys and servers…"]
    detail = picker.model.suggestion(1)
    assert detail is not None
    assert detail.detail == "On this computer · Ollama · 8.2B · 41k tokens · tools · reasoning"
    assert picker.list.currentIndex().row() == 0
    pick(picker, "qwen")
    assert window.composer.ask_with().model == "ollama:qwen3:8b"
    assert "tools" in window.window.chat.composer.model_button.toolTip()


def test_what_was_typed_stays_when_models_come(
    qtbot: QtBot, window: Desktop, rig: DesktopRig, stub: StubServer
) -> None:
    point(rig, "ollama", stub.url)
    gate = stub.gate()
    slow = Reply((b'{"models": [{"name": "qwen3:8b"}]}',), before_headers=(gate,))
    stub.script(by_path({"/api/tags": slow}))
    picker = open_list(window)
    QTest.keyClicks(picker.field, "qwen3:8b")
    assert "qwen3:8b" not in rows(picker)
    gate.open()
    qtbot.waitUntil(lambda: "qwen3:8b" in rows(picker), timeout=WAIT)
    assert all("qwen3:8b" in row for row in rows(picker))


def test_a_model_that_is_gone_leaves_the_list_the_next_time(
    qtbot: QtBot, window: Desktop, rig: DesktopRig, stub: StubServer
) -> None:
    point(rig, "ollama", stub.url)
    stub.script(by_path({"/api/tags": TAGS}))
    picker = open_list(window)
    qtbot.waitUntil(lambda: "qwen3:8b" in rows(picker), timeout=WAIT)
    picker.hide()
    point(rig, "ollama", NOWHERE)
    with qtbot.waitSignal(window.composer_wiring.models.models.asked, timeout=WAIT):
        assert "qwen3:8b" in rows(open_list(window))
    assert "qwen3:8b" not in rows(picker)
    picker.hide()


def test_a_key_is_asked_for_tried_stored_and_left_nowhere_else(
    qtbot: QtBot,
    window: Desktop,
    rig: DesktopRig,
    stub: StubServer,
    drawer: Drawer,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    pick_value(open_list(window), "openai:gpt-4o-mini")
    dialog = open_dialog(qtbot, window)
    assert dialog.windowTitle() == "Key for OpenAI"
    assert "platform.openai.com" in dialog.key_state.text()
    assert not dialog.save_button.isEnabled()
    assert window.composer.ask_with().model != "openai:gpt-4o-mini"
    QTest.keyClicks(dialog.key, CANARY)
    assert dialog.key.displayText() != CANARY
    stub.json_reply({"error": {"message": f"Incorrect API key: {CANARY}", "code": "invalid_api_key"}}, 401)
    stub.reply(chat_stream("ready"))
    dialog.test_button.click()
    wait_for_words(qtbot, dialog, "refused the key")
    assert CANARY not in dialog.outcome.text()
    dialog.test_button.click()
    wait_for_words(qtbot, dialog, "It works: ready")
    assert [each.headers["authorization"] for each in stub.requests] == [f"Bearer {CANARY}"] * 2
    assert stub.bodies[1]["model"] == "gpt-4o-mini"
    dialog.save_button.click()
    qtbot.waitUntil(lambda: window.composer.ask_with().model == "openai:gpt-4o-mini", timeout=WAIT)
    assert "keyring of this computer" in window.window.toast.text
    assert drawer.passwords["Footnote", "openai"] == CANARY
    rig.ask("Is anybody there?")
    assert stub.requests[-1].headers["authorization"] == f"Bearer {CANARY}"
    rig.close()
    assert len(files_with(rig.paths.data, "openai:gpt-4o-mini")) > 0
    assert files_with(tmp_path, CANARY) == []
    assert CANARY not in caplog.text


def test_a_key_is_removed_and_its_models_need_one_again(
    qtbot: QtBot, window: Desktop, rig: DesktopRig, drawer: Drawer
) -> None:
    rig.built[-1].provider_access.save_key("mistral", CANARY)
    window.composer_wiring.models.models.reload()
    pick(open_list(window), "keys and servers")
    wiring = window.composer_wiring.models
    qtbot.waitUntil(lambda: wiring.provider_list is not None and wiring.provider_list.isVisible(), timeout=WAIT)
    assert wiring.provider_list is not None
    pick(wiring.provider_list, "mistral")
    dialog = open_dialog(qtbot, window)
    assert "the system's keyring" in dialog.key_state.text()
    dialog.remove_button.click()
    wait_for_words(qtbot, dialog, "removed")
    assert dialog.remove_button.isHidden()
    assert drawer.passwords == {}
    dialog.reject()
    qtbot.waitUntil(lambda: window.composer_wiring.models.models.lacks_key("mistral:any"), timeout=WAIT)
    assert wiring.providers.dialog is None


def test_without_a_keyring_the_user_is_told_that_the_key_will_not_last(
    qtbot: QtBot, window: Desktop, drawer: Drawer
) -> None:
    drawer.locked = True
    pick_value(open_list(window), "openai:gpt-4o-mini")
    dialog = open_dialog(qtbot, window)
    QTest.keyClicks(dialog.key, CANARY)
    QTest.keyClick(dialog.key, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "until Footnote closes" in window.window.toast.text, timeout=WAIT)
    assert "OPENAI_API_KEY" in window.window.toast.text
    assert window.composer.ask_with().model == "openai:gpt-4o-mini"
    assert drawer.passwords == {}


def test_what_is_no_key_is_told_and_the_dialog_stays(qtbot: QtBot, window: Desktop, drawer: Drawer) -> None:
    window.composer_wiring.models.providers.open("anthropic")
    dialog = open_dialog(qtbot, window)
    dialog.key.setText("two words")
    dialog.save_button.click()
    wait_for_words(qtbot, dialog, "This is no key")
    assert dialog.isVisible()
    assert drawer.passwords == {}
    dialog.reject()


def test_an_address_is_tried_and_stored(qtbot: QtBot, window: Desktop, rig: DesktopRig, stub: StubServer) -> None:
    stub.script(by_path({"/v1/models": {"data": [{"id": "tiny"}]}}))
    window.composer_wiring.models.providers.open("lmstudio")
    dialog = open_dialog(qtbot, window)
    assert dialog.windowTitle() == "LM Studio"
    dialog.test_button.click()
    wait_for_words(qtbot, dialog, "Start the server")
    dialog.address.setText("ftp://nowhere")
    dialog.save_button.click()
    wait_for_words(qtbot, dialog, "no address of a server")
    dialog.address.setText(stub.url.removeprefix("http://"))
    dialog.test_button.click()
    wait_for_words(qtbot, dialog, "1 model: tiny")
    dialog.save_button.click()
    qtbot.waitUntil(lambda: stub.url in window.window.toast.text, timeout=WAIT)
    picker = open_list(window)
    qtbot.waitUntil(lambda: "tiny" in rows(picker), timeout=WAIT)
    picker.hide()
    assert rig.built[-1].provider_access.access("lmstudio").address == f"{stub.url}/v1"


def test_closing_the_dialog_stops_the_test(qtbot: QtBot, window: Desktop, stub: StubServer) -> None:
    stub.reply(stub.gate())
    window.composer_wiring.models.providers.open("openai", "gpt-4o-mini")
    dialog = open_dialog(qtbot, window)
    dialog.key.setText(CANARY)
    dialog.test_button.click()
    qtbot.waitUntil(lambda: len(stub.requests) == 1, timeout=WAIT)
    dialog.reject()
    stub.requests[0].wait_disconnected()


def test_a_typed_model_of_a_service_without_key_asks_for_the_key(
    qtbot: QtBot, window: Desktop, rig: DesktopRig
) -> None:
    pick(open_list(window), "openai:something-new")
    assert open_dialog(qtbot, window).windowTitle() == "Key for OpenAI"
    assert rig.built[-1].settings[CHAT_MODEL] != "openai:something-new"
    assert [each for each in window.composer.model_suggestions() if each.value is Opens.PROVIDERS]
