"""Keys and addresses of chat providers: what there is, storing, removing, trying out.

A key goes into the keyring of the operating system, under the name of the profile, and nowhere else: no database, no
setting, no log. Where there is no keyring it is known until the program ends.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol
from urllib.parse import urlsplit

from app.chat_models.call import Timeouts
from app.chat_models.keys import KEYRING, SESSION, store_key
from app.chat_models.loop_thread import LoopThread
from app.chat_models.provider import Provider
from app.chat_models.registry import ModelRegistry
from app.domain.cancellation import CancelToken
from app.domain.chat_errors import AuthenticationError, ChatError
from app.domain.errors import BadInputError
from app.domain.secrets import SecretStr, as_secret
from app.services.model_servers import address, served_models
from app.services.model_service import ModelService, Trial, advice_for
from app.settings.setting import Setting

LONGEST_KEY = 4096
ADDRESS = "base_url"
_TRY = Timeouts(5.0, 10.0, 10.0, 5.0)
"""For a server whose address is being tried."""


class KeyPlace(StrEnum):
    """Where a key was put."""

    KEYRING = "keyring"
    SESSION = "session"


@dataclass(frozen=True, slots=True)
class ProviderAccess:
    """How a provider is reached.

    - ``key_source`` says where the key in use comes from, "" where there is none. ``stored`` is whether it can be
      removed, ``overruled`` whether a variable of the environment comes before any stored key.
    - ``key_page`` says in words where a key is made. ``key_variable`` is the usual variable for it.
    - ``address`` is None where the user can't set one; ``usual_address`` is what an empty one means.
    """

    name: str
    label: str
    needs_key: bool
    key_variable: str = ""
    key_page: str = ""
    key_source: str = ""
    stored: bool = False
    overruled: bool = False
    address: str | None = None
    usual_address: str = ""


class SettingsPort(Protocol):
    """Typed settings that can be changed."""

    def __getitem__(self, setting: Setting[Any]) -> Any: ...
    def set(self, setting: Setting[Any], value: Any) -> None: ...
    def reset(self, setting: Setting[Any]) -> None: ...


class ProviderAccessService:
    """Use cases of keys and addresses. ``keyring`` is the name under which the profile's keys are stored."""

    def __init__(
        self, registry: ModelRegistry, settings: SettingsPort, keyring: str, loop: LoopThread, models: ModelService
    ) -> None:
        self._registry = registry
        self._settings = settings
        self._keyring = keyring
        self._loop = loop
        self._models = models

    def providers(self) -> list[ProviderAccess]:
        """All providers: those with a key, the user's own servers, then the rest."""
        found = [self._access(provider) for provider in self._registry.providers()]
        return sorted(found, key=lambda each: (not each.key_source, each.needs_key, each.label.casefold()))

    def access(self, name: str) -> ProviderAccess:
        """One provider. Raises ``ChatInputError`` for an unknown name."""
        return self._access(self._registry.provider(name))

    def save_key(self, name: str, text: str) -> KeyPlace:
        """Keep a key: in the keyring, or until the program ends where there is none.

        Providers that take the same key share it. Raises ``BadInputError`` for what can be no key.
        """
        key, names = key_from(text), self._sharing(name)
        try:
            for each in names:
                store_key(each, key, self._keyring)
        except AuthenticationError:
            for each in names:
                self._registry.keys.keep(each, key)
            return KeyPlace.SESSION
        for each in names:
            self._registry.keys.keep(each, None)
        return KeyPlace.KEYRING

    def store_key(self, name: str, text: str) -> None:
        """Keep a key in the keyring. Raises ``AuthenticationError`` where there is none, and as ``save_key``."""
        key = key_from(text)
        for each in self._sharing(name):
            store_key(each, key, self._keyring)

    def remove_key(self, name: str) -> None:
        """Forget a stored key. Raises ``AuthenticationError`` where it stands in a keyring that doesn't work now."""
        source = self.access(name).key_source
        for each in self._sharing(name):
            self._registry.keys.keep(each, None)
            if source != SESSION:
                store_key(each, None, self._keyring)

    def set_address(self, name: str, text: str) -> str:
        """Store where a server is; returns the address as stored. "" is its usual place.

        Raises ``BadInputError`` for what is no address, and for a provider whose address can't be set.
        """
        provider = self._registry.provider(name)
        setting = provider.settings.get(ADDRESS)
        if setting is None:
            raise BadInputError(f"The address of {provider.label} can't be set.")
        url = address_from(text, str(setting.default))
        if url in ("", setting.default):
            self._settings.reset(setting)
            return str(setting.default)
        self._settings.set(setting, url)
        return url

    def test(
        self,
        name: str,
        model: str = "",
        *,
        key: str = "",
        address: str | None = None,
        cancel: CancelToken | None = None,
    ) -> Trial:
        """One real, small call with a key and an address that need not be stored yet.

        Without ``model`` the cheapest that is known is asked; of a server of the user's own, which models it has.
        ``address`` None is the stored one, "" the usual one. Raises ``BadInputError`` for what is no key or address.
        """
        provider = self._registry.provider(name)
        secret = key_from(key) if key.strip() else None
        url = _address_to_try(provider, address)
        chosen = model or self._cheapest(provider)
        if not chosen and provider.ask_server is not None:
            return self._ask(provider, url, cancel)
        if not chosen:
            raise BadInputError(f"Choose a model of {provider.label} first (Ctrl+M), or type one: {name}:MODEL.")
        return self._models.try_out(f"{name}:{chosen}", key=secret, address=url, cancel=cancel)

    def _ask(self, provider: Provider, url: str, cancel: CancelToken | None) -> Trial:
        started = time.monotonic()
        try:
            found = self._loop.run(served_models(self._registry, provider, url, _TRY), cancel)
        except ChatError as error:
            took = time.monotonic() - started
            return Trial(provider.name, seconds=took, problem=str(error), advice=advice_for(error, provider))
        names = ", ".join(each.id for each in found[:3]) + (" …" if len(found) > 3 else "")
        reply = f"{len(found)} {'model' if len(found) == 1 else 'models'}: {names}" if found else "no models yet"
        return Trial(provider.name, reply, seconds=time.monotonic() - started)

    def _cheapest(self, provider: Provider) -> str:
        profiles = self._registry.catalog.profiles(provider.profile_provider or provider.name)
        priced = [(each.cost.output_per_million, each.id) for each in profiles if each.cost is not None]
        return min(priced)[1] if priced and provider.ask_server is None else ""

    def _sharing(self, name: str) -> Sequence[str]:
        """The provider and those that take the same key."""
        provider = self._registry.provider(name)
        if not provider.key_variables:
            raise BadInputError(f"{provider.label} takes no key.")
        return [
            each.name for each in self._registry.providers() if each.key_variables[:1] == provider.key_variables[:1]
        ]

    def _access(self, provider: Provider) -> ProviderAccess:
        found = self._registry.keys.find(provider.name, provider.key_variables)
        source = found.source if found else ""
        stored = source in (KEYRING, SESSION)
        setting = provider.settings.get(ADDRESS)
        return ProviderAccess(
            name=provider.name,
            label=provider.label,
            needs_key=provider.needs_key,
            key_variable=provider.key_variables[0] if provider.key_variables else "",
            key_page=provider.key_page,
            key_source=source,
            stored=stored,
            overruled=bool(source) and not stored,
            address=None if setting is None else address(self._registry, provider),
            usual_address="" if setting is None else str(setting.default),
        )


def _address_to_try(provider: Provider, text: str | None) -> str:
    setting = provider.settings.get(ADDRESS)
    if text is None or setting is None:
        return ""
    url = address_from(text, str(setting.default)) or str(setting.default)
    if not url:
        raise BadInputError(f"{provider.label} has no usual address: enter one.")
    return url


def key_from(text: str) -> SecretStr:
    """A key as it was typed or pasted. Raises ``BadInputError``, without showing it, for what can be none."""
    key = as_secret(text)
    if key is None:
        raise BadInputError("There is no key yet: paste it.")
    value = key.get_secret_value()
    if len(value) > LONGEST_KEY or not value.isascii() or not value.isprintable() or " " in value:
        raise BadInputError("This is no key: keys have letters, digits and signs, but no spaces or line breaks.")
    return key


def address_from(text: str, usual: str) -> str:
    """An address as it was typed, with what people leave out: ``http://``, and ``/v1`` where ``usual`` has it.

    Raises ``BadInputError`` for what is no address, and for one that holds a password.
    """
    typed = text.strip()
    if not typed:
        return ""
    full = typed if "://" in typed else f"http://{typed}"
    try:
        parts = urlsplit(full)
        known = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        known = False
    if not known or any(each.isspace() for each in full):
        raise BadInputError("This is no address of a server. It looks like http://127.0.0.1:8080/v1.")
    if "@" in parts.netloc:
        raise BadInputError(
            "Leave name and password out of the address, which is stored as it is. Enter a key instead."
        )
    bare = full.rstrip("/")
    return f"{bare}/v1" if not parts.path.strip("/") and urlsplit(usual).path == "/v1" else bare
