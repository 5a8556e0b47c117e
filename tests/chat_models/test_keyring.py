"""Keys in the system's keyring: each profile has its own."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import keyring
import pytest

from app.chat_models.keys import KeySource, keyring_password, keyring_service, store_key
from app.domain.chat_errors import AuthenticationError
from app.domain.secrets import SecretStr
from tests.chat_models.keyring_drawer import Drawer


@pytest.fixture
def use_keyring() -> Iterator[None]:
    before = keyring.get_keyring()
    yield
    keyring.set_keyring(before)


@pytest.mark.usefixtures("use_keyring")
def test_a_key_of_one_profile_is_not_found_in_another() -> None:
    keyring.set_keyring(Drawer())
    first, work = keyring_service(""), keyring_service("0123456789ab")
    store_key("openai", SecretStr("sk-first"), first)
    assert keyring_password("openai", work) is None
    store_key("openai", SecretStr("sk-work"), work)
    sources = [KeySource({}, stored=partial(keyring_password, service=each)) for each in (first, work)]
    found = [source.find("openai", ("OPENAI_API_KEY",)) for source in sources]
    assert [each and each.key.get_secret_value() for each in found] == ["sk-first", "sk-work"]
    store_key("openai", None, work)
    store_key("openai", None, work)
    assert keyring_password("openai", work) is None
    assert keyring_password("openai", first) == "sk-first"


def test_the_first_profile_keeps_the_name_under_which_keys_were_always_stored() -> None:
    assert keyring_service("") == "Footnote"


@pytest.mark.usefixtures("use_keyring")
def test_without_a_keyring_nothing_is_found_and_storing_says_so() -> None:
    keyring.set_keyring(Drawer(locked=True))
    assert keyring_password("openai", keyring_service("0123456789ab")) is None
    with pytest.raises(AuthenticationError, match="no keyring that works"):
        store_key("openai", SecretStr("sk"), keyring_service("0123456789ab"))


@pytest.mark.usefixtures("use_keyring")
def test_a_key_for_this_session_is_found_after_the_environment_and_forgotten_on_demand() -> None:
    keyring.set_keyring(Drawer(locked=True))
    environ = {"OPENAI_API_KEY": ""}
    source = KeySource(environ)
    source.keep("openai", SecretStr("sk-session"))
    found = source.find("openai", ("OPENAI_API_KEY",))
    assert found is not None
    assert found.key == SecretStr("sk-session")
    environ["OPENAI_API_KEY"] = "sk-environment"
    found = source.find("openai", ("OPENAI_API_KEY",))
    assert found is not None
    assert found.key == SecretStr("sk-environment")
    environ.clear()
    source.keep("openai", None)
    assert source.find("openai", ("OPENAI_API_KEY",)) is None
