"""Chat models: which there are, making one by name, and trying one out."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass

from app.chat_models.loop_thread import LoopThread
from app.chat_models.model import ChatModel
from app.chat_models.profiles import FREE, ModelProfile
from app.chat_models.provider import Provider
from app.chat_models.registry import ModelRegistry, split_spec
from app.domain.cancellation import CancelToken
from app.domain.chat_errors import (
    APIConnectionError,
    APITimeoutError,
    AuthenticationError,
    ChatError,
    ContextWindowExceededError,
    ModelNotFoundError,
    OverloadedError,
    QuotaExceededError,
    RateLimitError,
)
from app.domain.secrets import SecretStr
from app.services.model_servers import ModelServer, address, ask_server, ask_servers
from app.services.turn_parts import ModelFacts

BUILT_IN = "extractive"
PROBE = "Reply with the single word: ready"
PROBE_TOKENS = 16
ASKED_AGAIN_SECONDS = 300.0
"""How long it counts what a server of the user's own said of its models."""

MISSED_AGAIN_SECONDS = 5.0
"""When a server that is silent, or has no such model, is asked again."""


@dataclass(frozen=True, slots=True)
class ProviderView:
    """A provider and what is known of its models. ``has_key`` is None where none is needed."""

    name: str
    label: str
    local: bool
    key_variable: str
    has_key: bool | None
    base_url: str
    models: tuple[ModelProfile, ...]


@dataclass(frozen=True, slots=True)
class Trial:
    """The outcome of one real call. ``problem`` and ``advice`` are empty when it worked. Seconds of wall time."""

    model: str
    reply: str = ""
    first_token_seconds: float | None = None
    seconds: float = 0.0
    problem: str = ""
    advice: str = ""

    @property
    def works(self) -> bool:
        """Whether the model answered."""
        return not self.problem


class ModelService:
    """Use cases of chat models. ``make_built_in`` makes the answerer that needs no model."""

    def __init__(self, registry: ModelRegistry, loop: LoopThread, make_built_in: Callable[[], ChatModel]) -> None:
        self._registry = registry
        self._loop = loop
        self._make_built_in = make_built_in
        self._asked: dict[tuple[str, str], tuple[float, frozenset[str]]] = {}

    def model(self, spec: str) -> ChatModel:
        """The model that ``spec`` names: ``extractive`` or ``provider:model``.

        Raises ``ChatInputError`` for a name that is none, ``AuthenticationError`` without a key.
        """
        return self._make_built_in() if spec == BUILT_IN else self._registry.model(spec)

    def facts(self, spec: str) -> ModelFacts:
        """Profile and prices of the model that ``spec`` names, as far as they are known. Blocks.

        A server of the user's own is asked what its models can do, now and then; one that is silent takes 3 seconds.
        """
        if spec == BUILT_IN:
            return ModelFacts(prices=FREE, local=True)
        name, model = split_spec(spec)
        provider = self._registry.provider(name)
        self._ask_about(provider, model)
        known_as = provider.profile_provider or provider.name
        prices = FREE if provider.local else self._registry.catalog.prices(known_as, model)
        return ModelFacts(self._registry.profile(provider, model), prices, provider.local)

    def providers(self) -> list[ProviderView]:
        """All providers with the models that the profiles know, by name."""
        return [self._view(provider) for provider in sorted(self._registry.providers(), key=lambda each: each.name)]

    def installed(self) -> list[ModelServer]:
        """The servers of the user's own that answer now, with their models, by label. Takes up to three seconds."""
        return sorted((each for each in self.each_server() if each.answers), key=lambda each: each.label)

    def each_server(self) -> Iterator[ModelServer]:
        """Every server of the user's own as it answers, also those that don't. Closing the iterator stops asking."""
        with closing(self._loop.iterate(ask_servers(self._registry))) as answers:  # type: ignore[type-var]  # a generator
            yield from answers

    def try_out(
        self, spec: str, *, key: SecretStr | None = None, address: str = "", cancel: CancelToken | None = None
    ) -> Trial:
        """One real, small call; what goes wrong is told in plain words. ``key`` and ``address`` are for this call only.

        Raises ``ChatInputError`` for a name that is none.
        """
        if spec == BUILT_IN:
            return Trial(spec, reply="The built-in answerer is always there.")
        provider = self._registry.provider(split_spec(spec)[0])
        started = time.monotonic()
        try:
            given = {"api_key": key, "base_url": address}
            model = self._registry.model(spec, **{name: value for name, value in given.items() if value})
            reply, first = self._reply(model, started, cancel)
        except ChatError as error:
            return Trial(
                spec, seconds=time.monotonic() - started, problem=str(error), advice=advice_for(error, provider)
            )
        return Trial(spec, reply, first, time.monotonic() - started)

    def _ask_about(self, provider: Provider, model: str) -> None:
        """Ask the server of a model, unless it was asked lately and had the model."""
        where = address(self._registry, provider) if provider.ask_server is not None else ""
        if not where:
            return
        asked, had = self._asked.get((provider.name, where), (-math.inf, frozenset[str]()))
        if time.monotonic() - asked < (ASKED_AGAIN_SECONDS if model in had else MISSED_AGAIN_SECONDS):
            return
        server = self._loop.run(ask_server(self._registry, provider))
        self._asked[provider.name, where] = time.monotonic(), frozenset(each.profile.id for each in server.models)

    def _reply(self, model: ChatModel, started: float, cancel: CancelToken | None) -> tuple[str, float | None]:
        text, first = "", None
        for chunk in model.stream(PROBE, max_tokens=PROBE_TOKENS, cancel=cancel):
            if chunk.text and first is None:
                first = time.monotonic() - started
            text += chunk.text
        return text, first

    def _view(self, provider: Provider) -> ProviderView:
        keys = self._registry.keys
        found = keys.find(provider.name, provider.key_variables) if provider.needs_key else None
        profiles = self._registry.catalog.profiles(provider.profile_provider or provider.name)
        return ProviderView(
            name=provider.name,
            label=provider.label,
            local=provider.local,
            key_variable=provider.key_variables[0] if provider.key_variables else "",
            has_key=found is not None if provider.needs_key else None,
            base_url=provider.base_url,
            models=tuple(sorted(profiles, key=lambda profile: profile.id)),
        )


def advice_for(error: ChatError, provider: Provider) -> str:
    """What the user can do about an error, in plain words."""
    if isinstance(error, AuthenticationError):
        variable = provider.key_variables[0] if provider.key_variables else "the key"
        if error.status is None:
            return (
                f"There is no key for {provider.label}. Set {variable}, or store a key: in the window under Ctrl+M, "
                f"or with `footnote models key {provider.name}`."
            )
        return f"{provider.label} refused the key. Is it complete, active and for this provider? See also {variable}."
    if isinstance(error, ModelNotFoundError):
        pull = f" Fetch it with: ollama pull {error.model or 'MODEL'}" if provider.name == "ollama" else ""
        return f"{provider.label} has no model of this name. Check the spelling with `footnote models`.{pull}"
    if isinstance(error, ContextWindowExceededError):
        return "The model's context is too small even for this short question. Load it with a larger context."
    if isinstance(error, QuotaExceededError):
        return f"The account at {provider.label} has no credit left. Add credit or choose another model."
    if isinstance(error, RateLimitError):
        return "Too many requests in a short time. Wait a minute and try again."
    if isinstance(error, APITimeoutError):
        return "The server took too long. A local model may still be loading: try again in a minute."
    if isinstance(error, OverloadedError):
        return "The server is busy or still loading the model. Wait a minute and try again."
    if isinstance(error, APIConnectionError):
        start = "Start the server" if provider.local else "Check the network connection"
        return f"{start}, or correct the address of {provider.label} under Ctrl+M, Keys and servers."
    return "See the message of the server above."
