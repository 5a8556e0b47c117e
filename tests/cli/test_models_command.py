"""``footnote models`` and ``footnote ask --model`` against a scripted server over real HTTP."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.settings.paths import AppPaths
from app.settings.setting import Setting
from app.storage.session_store import open_chats
from app.storage.settings_store import SettingsStore
from tests.chat_models.stub_replies import chat_chunk, chat_stream, sse
from tests.chat_models.stub_server import StubServer
from tests.cli.conftest import Footnote

# The key of the setting is what users' databases hold, so the test names it.
LM_STUDIO_URL = Setting("chat.lmstudio.base_url", "", "Address")
OLLAMA_URL = Setting("chat.ollama.base_url", "", "Address")


@pytest.fixture
def stub() -> Iterator[StubServer]:
    with StubServer() as server:
        yield server


def _set(footnote: Footnote, setting: Setting[str], value: str) -> None:
    paths = AppPaths.from_environment({"FOOTNOTE_HOME": str(footnote.home)})
    paths.create()
    database = open_chats(paths.chats_db)
    SettingsStore(database).set(setting, value)
    database.close()


def test_models_lists_providers_with_capabilities_and_prices(footnote: Footnote) -> None:
    result = footnote("models", "--json")
    assert result.status == 0, result.err
    providers = {row["provider"]: row for row in result.rows}
    assert {"openai", "anthropic", "google", "ollama", "bedrock"} <= providers.keys()
    [mini] = [model for model in providers["openai"]["models"] if model["id"] == "gpt-4o-mini"]
    assert "tools" in mini["capabilities"]
    assert mini["input_per_million"] == 0.15
    assert "gpt-4o-mini" in footnote("models").out


def test_a_working_model_is_said_to_work(footnote: Footnote, stub: StubServer) -> None:
    _set(footnote, LM_STUDIO_URL, f"{stub.url}/v1")
    stub.reply(chat_stream("re", "ady"))
    result = footnote("models", "test", "lmstudio:tiny", "--json")
    assert result.status == 0, result.out
    [row] = result.rows
    assert row["works"]
    assert row["reply"] == "ready"
    assert stub.bodies[0]["model"] == "tiny"


def test_no_key_is_told_in_plain_words(footnote: Footnote) -> None:
    result = footnote("models", "test", "anthropic:claude-sonnet-4-5")
    assert result.status == 1
    assert "ANTHROPIC_API_KEY" in result.out
    assert "Traceback" not in result.err


def test_no_server_is_told_in_plain_words(footnote: Footnote) -> None:
    _set(footnote, OLLAMA_URL, "http://127.0.0.1:9")
    result = footnote("models", "test", "ollama:llama3.2")
    assert result.status == 1
    assert "Start the server" in result.out


def test_a_model_that_is_not_pulled_is_told_in_plain_words(footnote: Footnote, stub: StubServer) -> None:
    _set(footnote, OLLAMA_URL, stub.url)
    stub.json_reply({"error": "model 'llama3.2' not found"}, status=404)
    result = footnote("models", "test", "ollama:llama3.2")
    assert result.status == 1
    assert "ollama pull llama3.2" in result.out


def test_a_wrong_key_is_told_in_plain_words(footnote: Footnote, stub: StubServer) -> None:
    _set(footnote, LM_STUDIO_URL, f"{stub.url}/v1")
    stub.json_reply({"error": {"message": "Incorrect API key provided", "code": "invalid_api_key"}}, status=401)
    result = footnote("models", "test", "lmstudio:tiny")
    assert result.status == 1
    assert "refused the key" in result.out


def test_a_context_that_is_too_small_is_told_in_plain_words(footnote: Footnote, stub: StubServer) -> None:
    _set(footnote, LM_STUDIO_URL, f"{stub.url}/v1")
    error = {"message": "the request exceeds the available context size", "type": "exceed_context_size_error"}
    stub.json_reply({"error": error}, status=400)
    result = footnote("models", "test", "lmstudio:tiny")
    assert result.status == 1
    assert "larger context" in result.out


@pytest.mark.parametrize("spec", ["nowhere:model", "gpt-4o", "openai:", ":x", ""])
def test_a_name_that_is_none_is_bad_input(footnote: Footnote, spec: str) -> None:
    result = footnote("models", "test", spec)
    assert result.status == 2
    assert "Traceback" not in result.err


def test_ask_sends_passages_and_streams_the_footnoted_answer(
    sample_footnote: Footnote, stub: StubServer, tmp_path: Path
) -> None:
    _set(sample_footnote, LM_STUDIO_URL, f"{stub.url}/v1")
    stub.reply(chat_stream("Watering is allowed on Tuesdays and Fridays", " only [p", "1]. Made up [p99]."))
    result = sample_footnote("ask", "On which days may I water in a dry summer?", "--model", "lmstudio:tiny", "--json")
    assert result.status == 0, result.err
    sent = json.dumps(stub.bodies[0]["messages"])
    assert "Tuesdays" in sent
    [answer] = result.rows
    assert answer["model"] == "lmstudio:tiny"
    assert "[p1]" not in answer["answer"]
    assert "p99" not in answer["answer"]
    assert answer["citations"][0]["n"] == 1
    assert "Tuesdays" in answer["citations"][0]["quote"]


def test_ask_says_which_sentences_the_documents_do_not_bear_out(sample_footnote: Footnote, stub: StubServer) -> None:
    _set(sample_footnote, LM_STUDIO_URL, f"{stub.url}/v1")
    answer = "Watering is allowed on Sundays and Fridays only [p1]. Zebras live in herds on the savanna."
    question = ("ask", "On which days may I water in a dry summer?", "--model", "lmstudio:tiny")
    stub.reply(chat_stream(answer))
    shown = sample_footnote(*question)
    assert shown.status == 0, shown.err
    assert "(partly) Watering is allowed" in shown.out
    assert "(not in the documents) Zebras live" in shown.out

    [row] = sample_footnote(*question, "--json").rows
    assert [each["support"] for each in row["sentences"]] == ["partly", "unsupported"]
    assert "“Sundays”" in row["sentences"][0]["reason"]


def test_interrupting_ask_closes_the_connection_and_keeps_the_part(sample_footnote: Footnote, stub: StubServer) -> None:
    _set(sample_footnote, LM_STUDIO_URL, f"{stub.url}/v1")
    stub.reply(sse(chat_chunk("The beginning of an answer. ")), stub.gate())
    # A shell starts background jobs with SIGINT ignored, and children inherit that; a terminal's user is not there.
    code = (
        "import signal, sys\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from app.__main__ import main\nsys.exit(main(['ask', 'When may I water?', '--model', 'lmstudio:tiny']))"
    )
    asking = subprocess.Popen(
        [sys.executable, "-c", code],
        env=sample_footnote.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with asking, contextlib.ExitStack() as at_the_end:
        at_the_end.callback(asking.kill)
        assert asking.stdout is not None
        assert asking.stdout.read(3) == b"The"
        asking.send_signal(2)
        stub.requests[0].wait_disconnected()
        assert asking.wait(20) == 130
        assert asking.stderr is not None
        assert b"Traceback" not in asking.stderr.read()
