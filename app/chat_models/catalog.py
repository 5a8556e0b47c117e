"""The catalogue of model profiles: a bundled snapshot, and a newer one where the user had it fetched."""

from __future__ import annotations

import functools
import json
import logging
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from app.chat_models.profiles import FREE, Cost, ModelProfile, profile_from
from app.domain.chat_errors import ChatError, ProtocolError
from app.domain.messages import Usage
from app.network.http import HttpFactory
from app.settings.resources import resource

SNAPSHOT_URL = "https://models.dev/api.json"
TTL_SECONDS = 7 * 24 * 3600.0
_MAX_BYTES = 64 * 1024 * 1024
_LOGGER = logging.getLogger(__name__)
# What providers put behind a name without making it another model: dates, "latest", Bedrock's versions and regions.
_SUFFIX = re.compile(r"(-\d{8}|-\d{4}-\d{2}-\d{2}|-latest|-\d{3}|:latest|-v\d+(:\d+)?(:\d+k)?)$")
_REGION = re.compile(r"^(us|eu|apac|global|us-gov|jp|au|ca)\.")
# Providers that the snapshot knows under another name.
_ALIASES = {"bedrock": "amazon-bedrock", "vertex": "google-vertex", "openai-responses": "openai", "gemini": "google"}
LOCAL_PROVIDERS = frozenset({"ollama", "llama.cpp", "lmstudio", "vllm", "local", "extractive"})


class ProfileCatalog:
    """Finds profiles. Nothing is read before the first question, nothing is fetched unless ``refresh`` is called.

    ``cache`` is where a fetched snapshot is kept; without one nothing is fetched. A damaged file there is ignored.
    """

    def __init__(
        self,
        bundled: Path | None = None,
        cache: Path | None = None,
        *,
        clock: Callable[[], float] = time.time,
        ttl_seconds: float = TTL_SECONDS,
    ) -> None:
        self._bundled = bundled
        self._cache = cache
        self._clock = clock
        self._ttl_seconds = ttl_seconds
        self._snapshot: Mapping[str, Any] | None = None

    def profile(self, model_id: str, provider: str) -> ModelProfile | None:
        """The profile of a model of a provider; None if it isn't known. Dated names find their undated model."""
        models = self._models(provider)
        for name in _names(model_id):
            if name in models:
                return profile_from(provider, name, models[name])
        dated = [each for each in models if any(name == _bare(each) for name in _names(model_id))]
        return profile_from(provider, max(dated), models[max(dated)]) if dated else None

    def profiles(self, provider: str | None = None) -> Iterator[ModelProfile]:
        """All profiles, or those of one provider."""
        for name in [provider] if provider else list(self._data()):
            for model_id, entry in self._models(name).items():
                yield profile_from(name, model_id, entry)

    def cost(self, provider: str, model_id: str, usage: Usage) -> float | None:
        """US dollars of an answer: None for a model whose price isn't known, 0 for a local one."""
        prices = self.prices(provider, model_id)
        return None if prices is None else prices.of(usage)

    def prices(self, provider: str, model_id: str) -> Cost | None:
        """The prices of a model; None if they aren't known."""
        if provider in LOCAL_PROVIDERS:
            return FREE
        profile = self.profile(model_id, provider)
        return profile.cost if profile else None

    @property
    def stale(self) -> bool:
        """Whether the snapshot in use was not fetched, or longer ago than its time to live."""
        if self._cache is None or not self._cache.is_file():
            return True
        return self._clock() - self._cache.stat().st_mtime > self._ttl_seconds

    async def refresh(self, http: HttpFactory, *, url: str = SNAPSHOT_URL, force: bool = False) -> bool:
        """Fetch a new snapshot if this one is stale; whether that was done. After a failure the old one stays."""
        if self._cache is None or not (force or self.stale):
            return False
        try:
            body = await http.fetch(url, max_bytes=_MAX_BYTES)
            snapshot = _checked(body)
        except ChatError as error:
            _LOGGER.warning("the model profiles could not be refreshed: %s", error)
            return False
        self._keep(body)
        self._snapshot = snapshot
        return True

    def _keep(self, body: bytes) -> None:
        assert self._cache is not None  # noqa: S101  # refresh has asked
        self._cache.parent.mkdir(parents=True, exist_ok=True)
        aside = self._cache.with_suffix(f".{os.getpid()}.part")
        aside.write_bytes(body)
        now = self._clock()
        os.utime(aside, (now, now))
        aside.replace(self._cache)

    def _models(self, provider: str) -> Mapping[str, Any]:
        models = self._data().get(_ALIASES.get(provider, provider), {}).get("models", {})
        return models if isinstance(models, Mapping) else {}

    def _data(self) -> Mapping[str, Any]:
        if self._snapshot is None:
            self._snapshot = self._fetched() or _checked((self._bundled or _bundled_path()).read_bytes())
        return self._snapshot

    def _fetched(self) -> Mapping[str, Any] | None:
        if self._cache is None or not self._cache.is_file():
            return None
        try:
            return _checked(self._cache.read_bytes())
        except (ChatError, OSError) as error:
            _LOGGER.warning("the fetched model profiles can't be used, the bundled ones are: %s", error)
            return None


def _bundled_path() -> Path:
    return resource("models", "profiles.json")


def _checked(body: bytes) -> Mapping[str, Any]:
    """The snapshot in ``body``. Raises ``ProtocolError`` if it isn't one."""
    try:
        snapshot = json.loads(body)
        known = [
            profile_from(name, model_id, model)
            for name, entry in snapshot.items()
            for model_id, model in entry["models"].items()
        ]
    except (ValueError, AttributeError, KeyError, TypeError) as error:
        raise ProtocolError(f"The snapshot of model profiles is damaged: {error!r}.") from error
    if not known:
        raise ProtocolError("The snapshot of model profiles holds no model.")
    return dict(snapshot)


def _names(model_id: str) -> list[str]:
    """``model_id`` and what is left of it without region and suffixes, most exact first."""
    names = [model_id, _REGION.sub("", model_id)]
    while (shorter := _SUFFIX.sub("", names[-1])) != names[-1]:
        names.append(shorter)
    return names


def _bare(model_id: str) -> str:
    return _names(model_id)[-1]


@functools.cache
def bundled_catalog() -> ProfileCatalog:
    """The catalogue of the bundled snapshot."""
    return ProfileCatalog()


def get_model_profile(
    model_id: str, provider_id: str = "openai", catalog: ProfileCatalog | None = None
) -> ModelProfile | None:
    """The profile of a model, by default from the bundled snapshot; None if it isn't known."""
    return (catalog or bundled_catalog()).profile(model_id, provider_id)


def select_model(
    candidates: Iterable[tuple[str, str]],
    *,
    max_output_per_million: float | None = None,
    needs: Iterable[str] = (),
    cheapest: bool = False,
    catalog: ProfileCatalog | None = None,
) -> str | None:
    """The first of ``candidates`` (model, provider) within the budget that can all that is needed, as
    "provider/model"; with ``cheapest`` the one whose output costs least. None if there is none.

    ``needs`` are names of capabilities ("tool_call", "structured_output", "reasoning") and of input modalities.
    """
    wanted = set(needs)
    fitting = [
        profile
        for model_id, provider in candidates
        if (profile := (catalog or bundled_catalog()).profile(model_id, provider))
        and profile.cost is not None
        and (max_output_per_million is None or profile.cost.output_per_million <= max_output_per_million)
        and all(getattr(profile.capabilities, need, need in profile.modalities.input) for need in wanted)
    ]
    if not fitting:
        return None
    chosen = min(fitting, key=_output_price) if cheapest else fitting[0]
    return f"{chosen.provider}/{chosen.id}"


def _output_price(profile: ModelProfile) -> float:
    assert profile.cost is not None  # noqa: S101  # only priced models are compared
    return profile.cost.output_per_million
