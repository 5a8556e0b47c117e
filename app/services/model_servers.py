"""What the user's own model servers have ready: asked all at once, quickly, and as they answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from app.chat_models.call import Timeouts
from app.chat_models.profiles import ModelProfile
from app.chat_models.provider import Provider
from app.chat_models.registry import ModelRegistry
from app.chat_models.served import ServedModel
from app.domain.chat_errors import ChatError, ChatInputError
from app.network.http import is_loopback

PATIENCE_SECONDS = 1.5
"""For one question to a server. Ollama is asked twice: which models there are, then what each can do."""

_ANY_INTERFACE = ("0.0.0.0", "::")  # noqa: S104  # how OLLAMA_HOST is set for a server; nothing is bound here
_QUICK = Timeouts(PATIENCE_SECONDS, PATIENCE_SECONDS, PATIENCE_SECONDS, PATIENCE_SECONDS)


@dataclass(frozen=True, slots=True)
class InstalledModel:
    """A model on a server. ``details`` such as "8.0B Q4_K_M", "" where unknown."""

    profile: ModelProfile
    details: str = ""


@dataclass(frozen=True, slots=True)
class ModelServer:
    """A server and its models, without those that only embed. ``here`` is whether it runs on this computer.

    ``answers`` is False where nothing answers; then there are no models.
    """

    provider: str
    label: str
    here: bool
    answers: bool = False
    models: tuple[InstalledModel, ...] = ()


async def ask_servers(registry: ModelRegistry, seconds: float = PATIENCE_SECONDS) -> AsyncIterator[ModelServer]:
    """Every server that has an address, in the order in which they answer, silent ones after ``2 · seconds``."""
    asked = [asyncio.ensure_future(ask_server(registry, each, seconds)) for each in servers(registry)]
    try:
        for done in asyncio.as_completed(asked):
            yield await done
    finally:
        for task in asked:
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)


def servers(registry: ModelRegistry) -> Sequence[Provider]:
    """Providers that are servers of the user's own and have an address."""
    return [each for each in registry.providers() if each.ask_server is not None and address(registry, each)]


def address(registry: ModelRegistry, provider: Provider) -> str:
    """Where a provider is: as the user set it, as the environment says, or its usual place. "" where it has none."""
    set_by_user = registry.request(provider, "", {}).base_url
    named = (registry.keys.variable(name) for name in provider.base_url_variables)
    return next((each for each in (set_by_user, *named) if each), provider.base_url)


def leads_here(url: str) -> bool:
    """Whether an address, also one without ``http://``, is on this computer."""
    full = url if "//" in url else f"http://{url}"
    return is_loopback(full) or (urlsplit(full).hostname or "") in _ANY_INTERFACE


async def ask_server(registry: ModelRegistry, provider: Provider, seconds: float = PATIENCE_SECONDS) -> ModelServer:
    """One server. What it says its models can do, ``registry`` learns."""
    here = leads_here(address(registry, provider))
    silent = ModelServer(provider.name, provider.label, here)
    try:
        async with asyncio.timeout(2 * seconds):
            models = await served_models(registry, provider)
    except (ChatError, TimeoutError):
        return silent  # a server that isn't there is no error
    known_as = provider.profile_provider or provider.name
    profiles = {each.id: each.profile(provider.name, registry.catalog.profile(each.id, known_as)) for each in models}
    registry.learn(provider, {each.id: profiles[each.id] for each in models if each.abilities is not None})
    installed = [InstalledModel(profiles[each.id], each.details) for each in models if not _only_embeds(each)]
    return ModelServer(provider.name, provider.label, here, True, tuple(installed))


async def served_models(
    registry: ModelRegistry, provider: Provider, base_url: str = "", timeouts: Timeouts = _QUICK
) -> list[ServedModel]:
    """What one server has ready. Raises ``ChatError``s."""
    if provider.ask_server is None:
        raise ChatInputError(f"{provider.label} is no server of your own.")
    settings = {"timeouts": timeouts, **({"base_url": base_url} if base_url else {})}
    return await provider.ask_server(registry.request(provider, "", settings))


def _only_embeds(model: ServedModel) -> bool:
    return model.abilities is None and "embed" in model.id.casefold()
