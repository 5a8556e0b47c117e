"""Finding providers by name, and making models.

Built-in providers are the files of ``providers/``; packages of others register theirs under the entry point group
``footnote.chat_models``. An empty folder is an error: a frozen build without its hidden imports would find none.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.chat_models import providers as provider_files
from app.chat_models.call import Call, call_from
from app.chat_models.catalog import ProfileCatalog, bundled_catalog
from app.chat_models.keys import KeySource
from app.chat_models.loop_thread import LoopThread
from app.chat_models.model import ChatModel
from app.chat_models.profiles import ModelProfile
from app.chat_models.provider import ModelRequest, Provider
from app.chat_models.serialization import restored_settings, without_secrets
from app.domain.chat_errors import ChatInputError, MissingDependencyError
from app.domain.secrets import as_secret
from app.network.http import HttpFactory
from app.settings.setting import Setting

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

ENTRY_POINTS = "footnote.chat_models"
_OF_THE_MODEL = ("callbacks", "streaming", "strict_prefill")
_CALL_FIELDS = frozenset(each.name for each in fields(Call)) - {"model", "timeouts", "whole"}
"""Settings of a model that are parameters of its calls."""


def built_in_providers() -> Iterator[Provider]:
    """What the files of ``providers/`` declare. Raises ``RuntimeError`` when there is none."""
    found = False
    for module in sorted(pkgutil.iter_modules(provider_files.__path__), key=lambda each: each.name):
        declared = getattr(importlib.import_module(f"{provider_files.__name__}.{module.name}"), "PROVIDERS", ())
        for provider in declared:
            found = True
            yield provider
    if not found:
        raise RuntimeError("No chat provider was found: the program is incomplete. Install it again.")


def installed_entry_points() -> Iterable[EntryPoint]:
    """The entry points of other packages."""
    from importlib.metadata import entry_points

    return entry_points(group=ENTRY_POINTS)


class ModelRegistry:
    """Knows the providers, and makes models of theirs that share one HTTP factory, one loop and one key source.

    ``setting`` looks up what the user has set (``settings_store.__getitem__``); without it defaults hold.
    """

    def __init__(
        self,
        *,
        extra: Iterable[Provider] = (),
        http: HttpFactory | None = None,
        loop: LoopThread | None = None,
        keys: KeySource | None = None,
        catalog: ProfileCatalog | None = None,
        plugins: Callable[[], Iterable[EntryPoint]] = installed_entry_points,
        setting: Callable[[Setting[Any]], Any] | None = None,
    ) -> None:
        self._extra = tuple(extra)
        self.http = http or HttpFactory()
        self._loop = loop
        self.keys = keys or KeySource()
        self.catalog = catalog or bundled_catalog()
        self._plugins = plugins
        self._setting = setting
        self._known: dict[str, Provider] | None = None
        self._served: dict[str, Mapping[str, ModelProfile]] = {}

    def providers(self) -> list[Provider]:
        """All providers: built-in ones, those passed to the constructor, those of other packages."""
        return [*{provider.name: provider for provider in (*self._built_in().values(), *self._from_plugins())}.values()]

    def provider(self, name: str) -> Provider:
        """The provider of this name or alias. Raises ``ChatInputError`` listing the known ones."""
        wanted = name.strip().lower()
        for source in (self._built_in().values(), self._from_plugins()):
            for provider in source:
                if wanted == provider.name or wanted in provider.aliases:
                    return provider
        known = ", ".join(sorted(provider.name for provider in self.providers()))
        raise ChatInputError(f"There is no provider {name!r}. The providers are: {known}.")

    def model(self, spec: str, **settings: Any) -> ChatModel:
        """The model that ``spec`` names, as "provider:model" or "provider/model".

        ``settings`` are parameters of calls (temperature …), ``api_key``, ``base_url``, ``timeouts``, ``callbacks``,
        ``streaming``, ``strict_prefill``, and what only the provider knows. ``enable_cache`` (with ``cache_size``),
        ``max_retries`` and ``requests_per_minute`` put the wrappers of that name around the model.
        Raises ``ChatInputError`` for an unknown provider and bad values, ``AuthenticationError`` without a key,
        ``MissingDependencyError`` when a package is missing.
        """
        name, model = split_spec(spec)
        provider = self.provider(name)
        wrappers = {key: settings.pop(key) for key in _WRAPPER_SETTINGS if key in settings}
        own = {key: settings.pop(key) for key in _OF_THE_MODEL if key in settings}
        built = self._build(provider, self.request(provider, model, settings))
        built.loop = built.loop or self._loop
        built.origin = without_secrets({key: value for key, value in settings.items() if key not in _CALL_FIELDS})
        for key, value in own.items():
            setattr(built, key, tuple(value) if key == "callbacks" else value)
        return _wrapped(built, wrappers)

    def request(self, provider: Provider, model: str, settings: Mapping[str, Any]) -> ModelRequest:
        """What ``provider`` builds from. Raises ``ChatInputError`` for values out of range."""
        values = {**self._set_by_user(provider), **settings}
        defaults = call_from({key: values.pop(key) for key in _CALL_FIELDS & set(values)})
        defaults.check()
        return ModelRequest(
            provider=provider.name,
            model=model,
            api_key=as_secret(values.pop("api_key", None)),
            base_url=str(values.pop("base_url", "") or "").rstrip("/"),
            timeouts=values.pop("timeouts", None),
            defaults=defaults,
            options=values,
            keys=self.keys,
            http=self.http,
            loop=self._loop,
            profile_of=self._profiles_of(provider),
        )

    def learn(self, provider: Provider, profiles: Mapping[str, ModelProfile]) -> None:
        """Let what a server says of its models, by their ids, count before the catalogue, instead of what it said."""
        self._served[provider.name] = dict(profiles)

    def profile(self, provider: Provider, model: str) -> ModelProfile | None:
        """What is known of a model: as its server said, else as in the catalogue; None if nothing is."""
        served = self._served.get(provider.name, {}).get(model)
        return served or self.catalog.profile(model, provider.profile_provider or provider.name)

    def restore(self, state: Mapping[str, Any], **settings: Any) -> ChatModel:
        """The model that ``serialize_model`` described. Its key is looked up again.

        Raises ``ChatInputError`` for anything else than such a description.
        """
        if state.get("footnote_type") != "model" or state.get("model_type") != "chat_completion":
            raise ChatInputError("This is no description of a chat model.")
        saved = restored_settings(state.get("state") or {})
        model = saved.pop("model", "")
        return self.model(f"{state.get('provider')}:{model}", **{**saved, **settings})

    def _set_by_user(self, provider: Provider) -> dict[str, Any]:
        """The provider's settings that the user has changed; the defaults are the provider's own business."""
        if self._setting is None:
            return {}
        found = {name: (setting, self._setting(setting)) for name, setting in provider.settings.items()}
        return {name: value for name, (setting, value) in found.items() if value != setting.default}

    def _profiles_of(self, provider: Provider) -> Callable[[str], ModelProfile | None]:
        return lambda model: self.profile(provider, model)

    def _build(self, provider: Provider, request: ModelRequest) -> ChatModel:
        try:
            return provider.build(request)
        except MissingDependencyError:
            raise
        except ImportError as error:
            raise MissingDependencyError(
                f"{provider.label} needs the package {provider.package or error.name!r}, which is not installed. "
                f"Install it with: pip install {provider.package or error.name}",
                provider=provider.name,
            ) from error

    def _built_in(self) -> dict[str, Provider]:
        if self._known is None:
            self._known = {provider.name: provider for provider in (*built_in_providers(), *self._extra)}
        return self._known

    def _from_plugins(self) -> Iterator[Provider]:
        for entry in self._plugins():
            yield _plugin_provider(entry)


def _plugin_provider(entry: EntryPoint) -> Provider:
    """The provider behind an entry point; it is loaded when the first model is built."""

    def build(request: ModelRequest) -> ChatModel:
        target = entry.load()
        if isinstance(target, Provider):
            return target.build(request)
        if isinstance(target, type) and issubclass(target, ChatModel):
            return target(model=request.model, defaults=request.defaults, **request.options)
        made: ChatModel = target(request)
        return made

    return Provider(entry.name, entry.name, build, needs_key=False)


def split_spec(spec: str) -> tuple[str, str]:
    """Provider and model of "provider:model" or "provider/model". Raises ``ChatInputError`` for anything else.

    The first separator counts: models have colons and slashes of their own.
    """
    positions = [at for mark in ":/" if (at := spec.find(mark)) > 0]
    if not positions or not spec[min(positions) + 1 :].strip():
        raise ChatInputError(f"{spec!r} names no model. Write provider:model, such as openai:gpt-4o-mini.")
    at = min(positions)
    return spec[:at].strip(), spec[at + 1 :].strip()


_WRAPPER_SETTINGS = ("enable_cache", "cache_size", "max_retries", "requests_per_minute")


def _wrapped(model: ChatModel, settings: Mapping[str, Any]) -> ChatModel:
    """``model`` inside the wrappers that ``settings`` name, in the order cache, retry, rate limit, model."""
    if settings.get("requests_per_minute"):
        from app.chat_models.wrappers.rate_limit import RateLimit, RateLimiter

        model = RateLimit(inner=model, limiter=RateLimiter(settings["requests_per_minute"]))
    if settings.get("max_retries"):
        from app.chat_models.wrappers.retry import Retry, RetryPolicy

        model = Retry(inner=model, policy=RetryPolicy(max_retries=settings["max_retries"]))
    if settings.get("enable_cache"):
        from app.chat_models.wrappers.cache import DEFAULT_SIZE, Cache, ResponseCache

        model = Cache(inner=model, cache=ResponseCache(settings.get("cache_size", DEFAULT_SIZE)))
    return model


def init_chat_model(spec: str, **settings: Any) -> ChatModel:
    """A model by name, such as ``init_chat_model("openai:gpt-4o-mini", temperature=0)``; see ``ModelRegistry.model``.

    Keys may stand in the environment or in ``.env`` in the current folder. Each call makes a registry of its own; a
    program that makes many models shares one ``ModelRegistry``.
    """
    return ModelRegistry(keys=KeySource(dotenv=Path(".env"))).model(spec, **settings)
