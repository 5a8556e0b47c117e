"""Where keys come from: the environment, a ``.env`` file, what was entered for this session, the system's keyring; in
this order.

An environment variable beats the stored key, as command-line programs do it everywhere. Which of them a key came from
is remembered, so that an error can say it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.domain.chat_errors import AuthenticationError
from app.domain.secrets import SecretStr, as_secret

KEYRING_SERVICE = "Footnote"
KEYRING = "the system's keyring"
SESSION = "what was entered since Footnote was opened"


@dataclass(frozen=True, slots=True)
class FoundKey:
    """A key and where it was found, in words."""

    key: SecretStr
    source: str


def keyring_service(profile: str) -> str:
    """The name under which the keys of a profile, given by its id, are stored in the system's keyring."""
    return f"{KEYRING_SERVICE} profile {profile}" if profile else KEYRING_SERVICE


def keyring_password(name: str, service: str = KEYRING_SERVICE) -> str | None:
    """The key stored under ``name`` in the system's keyring; None also where there is no keyring."""
    import keyring
    from keyring.errors import KeyringError

    try:
        return keyring.get_password(service, name)
    except KeyringError:
        return None  # a machine without keyring has no stored keys; the environment remains


def store_key(name: str, key: SecretStr | None, service: str = KEYRING_SERVICE) -> None:
    """Store ``key`` under ``name`` in the system's keyring; None removes it.

    Raises ``AuthenticationError`` where there is no keyring.
    """
    import keyring
    from keyring.errors import KeyringError, PasswordDeleteError

    try:
        if key is not None:
            keyring.set_password(service, name, key.get_secret_value())
            return
        keyring.delete_password(service, name)
    except PasswordDeleteError:
        return  # there was none
    except KeyringError as error:
        raise AuthenticationError(
            f"The key can't be stored: this system has no keyring that works ({error}). Put it into an environment "
            "variable instead."
        ) from error


class KeySource:
    """Finds keys. ``dotenv`` is a ``.env`` file, read once; ``stored`` looks into the keyring."""

    def __init__(
        self,
        environ: Mapping[str, str] | None = None,
        dotenv: Path | None = None,
        stored: Callable[[str], str | None] = keyring_password,
    ) -> None:
        self._environ = os.environ if environ is None else environ
        self._dotenv_path = dotenv
        self._stored = stored
        self._dotenv: dict[str, str] | None = None
        self._session: dict[str, SecretStr] = {}

    def keep(self, provider: str, key: SecretStr | None) -> None:
        """Know a key until the program ends, where no keyring can keep it; None forgets it."""
        if key is None:
            self._session.pop(provider, None)
        else:
            self._session[provider] = key

    def variable(self, name: str) -> str | None:
        """The value of a variable of the environment or of ``.env``."""
        return self._environ.get(name) or self._file().get(name) or None

    def find(self, provider: str, variables: Sequence[str]) -> FoundKey | None:
        """The key of ``provider``, which may also stand in one of ``variables``."""
        for name in variables:
            if key := as_secret(self._environ.get(name)):
                return FoundKey(key, f"the environment variable {name}")
            if key := as_secret(self._file().get(name)):
                return FoundKey(key, f"{name} in {self._dotenv_path}")
        if provider in self._session:
            return FoundKey(self._session[provider], SESSION)
        if key := as_secret(self._stored(provider)):
            return FoundKey(key, KEYRING)
        return None

    def require(self, provider: str, label: str, variables: Sequence[str]) -> FoundKey:
        """As ``find``. Raises ``AuthenticationError`` naming the variable when there is no key."""
        found = self.find(provider, variables)
        if found is None:
            name = variables[0] if variables else f"{provider.upper()}_API_KEY"
            raise AuthenticationError(
                f"There is no key for {label}. Set the environment variable {name}, or store one: choose a model of it "
                f"with Ctrl+M, or use `footnote models key {provider}`.",
                provider=provider,
                code="missing_key",
            )
        return found

    def _file(self) -> dict[str, str]:
        if self._dotenv is None:
            self._dotenv = _read_dotenv(self._dotenv_path)
        return self._dotenv


def _read_dotenv(path: Path | None) -> dict[str, str]:
    if path is None or not path.is_file():
        return {}
    from dotenv import dotenv_values

    return {name: value for name, value in dotenv_values(path).items() if value}
