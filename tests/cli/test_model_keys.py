"""``footnote models key``: into the system's keyring and out of it, seen nowhere else; and what servers have ready."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.settings.paths import AppPaths
from app.settings.setting import Setting
from app.storage.session_store import open_chats
from app.storage.settings_store import SettingsStore
from tests.chat_models.stub_server import StubServer
from tests.cli.conftest import Footnote
from tests.services.model_stub import TAGS, by_path

CANARY = "sk-canary-51d0e2"
OLLAMA_URL = Setting("chat.ollama.base_url", "", "Address")


@pytest.fixture
def drawer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file behind the keyring of the commands."""
    file = tmp_path / "keyring.json"
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "tests.cli.file_keyring.FileDrawer")
    monkeypatch.setenv("TEST_KEYRING", str(file))
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    return file


def test_a_key_is_read_from_the_standard_input_stored_used_and_removed(footnote: Footnote, drawer: Path) -> None:
    stored = footnote("models", "key", "openai", stdin=f"{CANARY}\n")
    assert stored.status == 0, stored.err
    assert "stored in the system's keyring" in stored.out
    assert CANARY in drawer.read_text("utf-8")
    has_key = {row["provider"]: row["has_key"] for row in footnote("models", "--json").rows}
    assert (has_key["openai"], has_key["mistral"]) == (True, False)
    removed = footnote("models", "key", "openai", "--remove", "--json")
    assert removed.rows == [{"provider": "openai", "stored": False, "used_from": None}]
    assert CANARY not in drawer.read_text("utf-8")
    assert CANARY not in stored.out + stored.err
    left = [each for each in footnote.home.rglob("*") if each.is_file() and CANARY.encode() in each.read_bytes()]
    assert left == []


def test_a_key_belongs_to_the_profile_in_which_it_was_stored(footnote: Footnote, drawer: Path) -> None:
    assert footnote("profiles", "create", "Work").status == 0
    stored = footnote("--profile", "Work", "models", "key", "mistral", stdin=CANARY)
    assert stored.status == 0, stored.err
    [[service, name, key]] = json.loads(drawer.read_text("utf-8"))
    assert (service.startswith("Footnote profile "), name, key) == (True, "mistral", CANARY)
    has_key = {row["provider"]: row["has_key"] for row in footnote("models", "--json").rows}
    assert has_key["mistral"] is False


@pytest.mark.usefixtures("drawer")
@pytest.mark.parametrize(
    ("arguments", "stdin"),
    [
        (("models", "key"), CANARY),
        (("models", "key", "openai"), ""),
        (("models", "key", "openai"), "two words\n"),
        (("models", "key", "nobody"), CANARY),
        (("models", "key", "openai", CANARY), ""),
        (("models", "--remove"), ""),
    ],
)
def test_bad_input_stores_nothing_and_repeats_no_key(
    footnote: Footnote, drawer: Path, arguments: tuple[str, ...], stdin: str
) -> None:
    result = footnote(*arguments, stdin=stdin)
    assert result.status == 2, result.out
    assert not drawer.exists()
    assert CANARY not in result.out + result.err
    assert "Traceback" not in result.err


def test_without_a_keyring_the_variable_is_named(footnote: Footnote, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    result = footnote("models", "key", "openai", stdin=CANARY)
    assert result.status == 1
    assert "no keyring that works" in result.err
    assert "environment variable" in result.err
    assert CANARY not in result.err


def test_models_tells_what_a_local_server_has_ready(footnote: Footnote) -> None:
    with StubServer() as stub:
        stub.script(by_path({"/api/tags": TAGS}))
        paths = AppPaths.from_environment({"FOOTNOTE_HOME": str(footnote.home)})
        paths.create()
        database = open_chats(paths.chats_db)
        SettingsStore(database).set(OLLAMA_URL, stub.url)
        database.close()
        [ollama] = [row for row in footnote("models", "--json").rows if row["provider"] == "ollama"]
    [model] = ollama["installed"]
    assert (model["id"], model["context"]) == ("qwen3:8b", 40960)
    assert model["capabilities"] == ["tools", "structured", "reasoning"], "Ollama keeps every model to a schema"
