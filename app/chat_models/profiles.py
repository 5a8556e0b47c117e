"""Model profiles: what a model can do, how much it takes, what it costs.

The facts come from a snapshot in the format of models.dev's ``api.json`` (MIT licence): an object of providers, each
with an object of models. A bundled one makes everything work offline; ``ProfileCatalog`` may refresh it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from app.chat_models.call import SAMPLING_PARAMETERS

if TYPE_CHECKING:
    from app.domain.messages import Usage

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a model can do. ``temperature`` is whether it takes sampling parameters, ``attachment`` whether files."""

    tool_call: bool = False
    structured_output: bool = False
    reasoning: bool = False
    temperature: bool = True
    attachment: bool = False


@dataclass(frozen=True, slots=True)
class Modalities:
    """What a model reads and writes: "text", "image", "audio", "video", "pdf"."""

    input: tuple[str, ...] = ("text",)
    output: tuple[str, ...] = ("text",)


@dataclass(frozen=True, slots=True)
class Limits:
    """Tokens. ``context`` is input and output together; None is unknown."""

    context: int | None = None
    output: int | None = None


@dataclass(frozen=True, slots=True)
class Cost:
    """US dollars per million tokens. Without a price of its own, what is read from or written to the provider's cache
    costs as much as other input. ``tiers`` are the prices of larger requests: (more than so many input tokens, prices).
    """

    input_per_million: float = 0.0
    output_per_million: float = 0.0
    cache_read_per_million: float | None = None
    cache_write_per_million: float | None = None
    tiers: tuple[tuple[int, Cost], ...] = ()

    def calculate(
        self, input_tokens: int, output_tokens: int, *, cache_read_tokens: int = 0, cache_write_tokens: int = 0
    ) -> float:
        """US dollars of a request.

        Cache reads and writes are part of ``input_tokens`` and are priced once, at their own price:
        ``((input - read - write) · p_in + read · p_read + write · p_write + output · p_out) / 10⁶``.
        """
        prices = self._at(input_tokens)
        read = _first(prices.cache_read_per_million, prices.input_per_million)
        write = _first(prices.cache_write_per_million, prices.input_per_million)
        plain = max(0, input_tokens - cache_read_tokens - cache_write_tokens)
        spent = plain * prices.input_per_million + cache_read_tokens * read + cache_write_tokens * write
        return (spent + output_tokens * prices.output_per_million) / _MILLION

    def _at(self, input_tokens: int) -> Cost:
        """The prices of a request of this size: those of the highest tier it exceeds."""
        return max(
            ((size, cost) for size, cost in self.tiers if input_tokens > size),
            key=lambda tier: tier[0],
            default=(0, self),
        )[1]

    def of(self, usage: Usage) -> float:
        """US dollars of the tokens in ``usage``."""
        return self.calculate(
            usage.input, usage.output, cache_read_tokens=usage.cache_read, cache_write_tokens=usage.cache_write
        )


FREE = Cost()


@dataclass(frozen=True, slots=True)
class ModelProfile:
    """What is known of one model of one provider. ``cost`` is None where the price isn't known."""

    id: str
    provider: str
    name: str = ""
    capabilities: Capabilities = field(default_factory=Capabilities)
    modalities: Modalities = field(default_factory=Modalities)
    limits: Limits = field(default_factory=Limits)
    cost: Cost | None = None

    @property
    def unsupported_parameters(self) -> frozenset[str]:
        """Parameters that the model refuses."""
        return frozenset() if self.capabilities.temperature else SAMPLING_PARAMETERS


def profile_from(provider: str, model_id: str, entry: Mapping[str, Any]) -> ModelProfile:
    """The profile of an entry of a models.dev snapshot. Raises ``ValueError`` for an entry of another form."""
    try:
        limits = entry.get("limit") or {}
        modalities = entry.get("modalities") or {}
        return ModelProfile(
            id=model_id,
            provider=provider,
            name=str(entry.get("name") or model_id),
            capabilities=Capabilities(
                tool_call=bool(entry.get("tool_call")),
                structured_output=bool(entry.get("structured_output")),
                reasoning=bool(entry.get("reasoning")),
                temperature=bool(entry.get("temperature", True)),
                attachment=bool(entry.get("attachment")),
            ),
            modalities=Modalities(
                tuple(modalities.get("input") or ("text",)), tuple(modalities.get("output") or ("text",))
            ),
            limits=Limits(limits.get("context") or None, limits.get("output") or None),
            cost=_cost(entry.get("cost")),
        )
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"the profile of {provider}/{model_id} is damaged: {error}") from error


def _cost(prices: Mapping[str, Any] | None) -> Cost | None:
    if prices is None or prices.get("input") is None or prices.get("output") is None:
        return None
    return Cost(
        float(prices["input"]),
        float(prices["output"]),
        _price(prices.get("cache_read")),
        _price(prices.get("cache_write")),
        tuple(_tiers(prices)),
    )


def _tiers(prices: Mapping[str, Any]) -> Iterator[tuple[int, Cost]]:
    for tier in prices.get("tiers") or ():
        if (cost := _cost(tier)) is not None and tier.get("tier", {}).get("type", "context") == "context":
            yield int(tier["tier"]["size"]), cost
    if not prices.get("tiers") and (cost := _cost(prices.get("context_over_200k"))) is not None:
        yield 200_000, cost


def _price(price: Any) -> float | None:
    return None if price is None else float(price)


def _first(price: float | None, other: float) -> float:
    return other if price is None else price
