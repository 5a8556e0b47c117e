"""Keys in the system's keyring: each profile has its own."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import NoKeyringError, PasswordDeleteError

from app.chat_models.keys import KeySource, keyring_password, keyring_service, store_key
from app.domain.chat_errors import AuthenticationError
from app.domain.secrets import SecretStr


class Drawer(KeyringBackend):
    """A keyring in memory; ``locked`` ones refuse everything."""

    priority = 1

    def __init__(self, *, locked: bool = False) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # keyring's base has no types
        self.locked = locked
        self.passwords: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        self._open()
        return self.passwords.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._open()
        self.passwords[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._open()
        if self.passwords.pop((service, username), None) is None:
            raise PasswordDeleteError("there is none")

    def _open(self) -> None:
        if self.locked:
            raise NoKeyringError("no keyring")


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
