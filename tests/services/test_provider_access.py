"""Keys and addresses of providers: stored, tried, removed, and never anywhere else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import keyring
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.chat_models.keys import keyring_password, keyring_service
from app.domain.chat_errors import AuthenticationError, ChatInputError
from app.domain.errors import BadInputError
from app.services.provider_access import KeyPlace, address_from, key_from
from tests.chat_models.keyring_drawer import Drawer
from tests.chat_models.stub_replies import chat_stream
from tests.chat_models.stub_server import StubServer
from tests.services.model_stub import by_path
from tests.services.models_rig import ModelsRig

CANARY = "sk-canary-9f31c7"
PROFILE = "0123456789ab"


@pytest.fixture
def drawer() -> Iterator[Drawer]:
    before, drawer = keyring.get_keyring(), Drawer()
    keyring.set_keyring(drawer)
    yield drawer
    keyring.set_keyring(before)


@pytest.fixture
def rig(tmp_path: Path, drawer: Drawer) -> Iterator[ModelsRig]:
    rig = ModelsRig(tmp_path / "home", PROFILE)
    yield rig
    rig.close()


@pytest.fixture
def stub() -> Iterator[StubServer]:
    with StubServer() as server:
        yield server


def files_with(folder: Path, text: str) -> list[Path]:
    return [each for each in folder.rglob("*") if each.is_file() and text.encode() in each.read_bytes()]


def test_a_key_goes_into_the_keyring_of_the_profile_and_nowhere_else(
    rig: ModelsRig, drawer: Drawer, tmp_path: Path
) -> None:
    assert rig.access.access("openai").key_source == ""
    assert rig.access.save_key("openai", f"  {CANARY}\n") is KeyPlace.KEYRING
    assert drawer.passwords[keyring_service(PROFILE), "openai"] == CANARY
    assert keyring_password("openai", keyring_service("")) is None
    access = rig.access.access("openai")
    assert (access.stored, access.overruled) == (True, False)
    assert CANARY not in repr(access)
    rig.database.close()
    assert files_with(tmp_path, CANARY) == []


def test_providers_of_one_key_share_it_and_lose_it_together(rig: ModelsRig) -> None:
    rig.access.save_key("openai-responses", CANARY)
    assert rig.access.access("openai").stored
    has_key = {each.name: each.has_key for each in rig.models.providers()}
    assert (has_key["openai"], has_key["openai-responses"], has_key["mistral"]) == (True, True, False)
    rig.access.remove_key("openai")
    assert not rig.access.access("openai-responses").stored
    rig.access.remove_key("openai")


def test_without_a_keyring_the_key_lasts_for_the_session(rig: ModelsRig, drawer: Drawer, stub: StubServer) -> None:
    drawer.locked = True
    rig.environ["OPENAI_BASE_URL"] = f"{stub.url}/v1"
    assert rig.access.save_key("openai", CANARY) is KeyPlace.SESSION
    stub.reply(chat_stream("ready"))
    assert rig.access.test("openai", "gpt-4o-mini").works
    assert stub.requests[0].headers["authorization"] == f"Bearer {CANARY}"
    with pytest.raises(AuthenticationError, match="no keyring"):
        rig.access.store_key("openai", CANARY)
    rig.access.remove_key("openai")
    assert rig.access.access("openai").key_source == ""


def test_a_variable_comes_before_a_stored_key_and_this_is_said(rig: ModelsRig) -> None:
    rig.access.save_key("openai", CANARY)
    rig.environ["OPENAI_API_KEY"] = "sk-other"
    access = rig.access.access("openai")
    assert (access.overruled, access.key_source) == (True, "the environment variable OPENAI_API_KEY")


def test_a_key_is_tried_before_it_is_stored_and_never_shown(
    rig: ModelsRig, drawer: Drawer, stub: StubServer, tmp_path: Path
) -> None:
    rig.environ["OPENAI_BASE_URL"] = f"{stub.url}/v1"
    stub.json_reply({"error": {"message": f"Incorrect API key provided: {CANARY}", "code": "invalid_api_key"}}, 401)
    trial = rig.access.test("openai", key=CANARY)
    assert not trial.works
    assert "refused the key" in trial.advice
    assert CANARY not in f"{trial}"
    assert stub.requests[0].headers["authorization"] == f"Bearer {CANARY}"
    assert drawer.passwords == {}
    assert files_with(tmp_path, CANARY) == []


@pytest.mark.parametrize("text", ["", "  \n", "two words", "sk-ключ", "line\nbreak", "k" * 5000, "tab\there"])
def test_what_can_be_no_key_is_refused_and_not_repeated(rig: ModelsRig, drawer: Drawer, text: str) -> None:
    with pytest.raises(BadInputError) as caught:
        rig.access.save_key("openai", text)
    assert not text.strip() or text.strip() not in str(caught.value)
    assert drawer.passwords == {}


def test_names_that_are_none_and_addresses_that_cannot_be_set_are_refused(rig: ModelsRig) -> None:
    with pytest.raises(ChatInputError, match="providers are"):
        rig.access.save_key("nobody", CANARY)
    with pytest.raises(BadInputError, match="can't be set"):
        rig.access.set_address("openai", "http://127.0.0.1:1/v1")
    with pytest.raises(BadInputError, match="no usual address"):
        rig.access.test("openai-compatible", address="")


def test_an_address_is_tried_then_stored_then_taken_back(rig: ModelsRig, stub: StubServer) -> None:
    stub.script(by_path({"/v1/models": {"data": [{"id": "tiny"}, {"id": "small"}]}}))
    assert not rig.access.test("vllm").works
    trial = rig.access.test("vllm", address=stub.url)
    assert trial.works
    assert "2 models: tiny, small" in trial.reply
    assert rig.access.set_address("vllm", stub.url) == f"{stub.url}/v1"
    assert rig.access.access("vllm").address == f"{stub.url}/v1"
    assert rig.access.test("vllm").works
    assert rig.access.set_address("vllm", "") == "http://127.0.0.1:8000/v1"
    assert rig.access.access("vllm").address == "http://127.0.0.1:8000/v1"


def test_a_server_that_is_not_there_comes_with_advice(rig: ModelsRig) -> None:
    trial = rig.access.test("lmstudio", address="127.0.0.1:9")
    assert "127.0.0.1:9" in trial.problem
    assert "Start the server" in trial.advice


@pytest.mark.parametrize(
    ("typed", "usual", "address"),
    [
        ("", "http://127.0.0.1:8000/v1", ""),
        ("box:8080", "http://127.0.0.1:8000/v1", "http://box:8080/v1"),
        ("http://box:8080/", "http://127.0.0.1:8000/v1", "http://box:8080/v1"),
        ("https://box/api/v1/", "http://127.0.0.1:8000/v1", "https://box/api/v1"),
        (" 127.0.0.1:11434 ", "http://127.0.0.1:11434", "http://127.0.0.1:11434"),
    ],
)
def test_what_people_leave_out_of_an_address_is_added(typed: str, usual: str, address: str) -> None:
    assert address_from(typed, usual) == address


@pytest.mark.parametrize(
    "typed", ["ftp://box", "http://", "http://a b", "http://box:999999", "http://me:secret@box/v1", "me:secret@box"]
)
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(BadInputError) as caught:
        address_from(typed, "")
    assert "secret" not in str(caught.value)


@given(st.text(max_size=60))
def test_any_text_is_a_key_or_an_address_or_bad_input(text: str) -> None:
    for read in (key_from, lambda typed: address_from(typed, "http://127.0.0.1:8000/v1")):
        with suppress(BadInputError):
            assert read(text) is not None
