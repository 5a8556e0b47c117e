"""What a model server of the user's own has ready, as far as it tells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from app.chat_models.profiles import Capabilities, Limits, Modalities, ModelProfile

TOOLS, IMAGES, REASONING = "tools", "images", "reasoning"
_ABILITIES = {
    "tools": TOOLS, "tool_use": TOOLS, "vision": IMAGES, "multimodal": IMAGES, "thinking": REASONING,
}  # fmt: skip
"""The words of Ollama, LM Studio and llama.cpp, and ours."""


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A model on a server. ``details`` such as "8.0B Q4_K_M"; ``context`` in tokens, None where the server doesn't say.

    ``abilities`` are ``TOOLS``, ``IMAGES``, ``REASONING``; None where the server doesn't say.
    """

    id: str
    details: str = ""
    context: int | None = None
    abilities: frozenset[str] | None = None

    def profile(self, provider: str, known: ModelProfile | None) -> ModelProfile:
        """The profile: what the server says comes before what is ``known`` of a model of this name.

        Servers that tell abilities constrain what a model writes themselves, so that each gives structured output.
        """
        base = known or ModelProfile(self.id, provider)
        profile = replace(base, id=self.id, provider=provider, cost=None)
        if self.context is not None:
            profile = replace(profile, limits=Limits(self.context, base.limits.output))
        if self.abilities is None:
            return profile
        inputs = ("text", "image") if IMAGES in self.abilities else ("text",)
        can = Capabilities(
            tool_call=TOOLS in self.abilities,
            structured_output=known is None or known.capabilities.structured_output,
            reasoning=REASONING in self.abilities,
        )
        return replace(profile, capabilities=can, modalities=Modalities(inputs))


def abilities_from(words: object) -> frozenset[str] | None:
    """Abilities from a server's list of words; None if it isn't one."""
    if not isinstance(words, (list, tuple, set, frozenset)):
        return None
    return frozenset(_ABILITIES[word] for word in words if isinstance(word, str) and word in _ABILITIES)


def tokens_from(*values: object) -> int | None:
    """The first of ``values`` that is a number of tokens."""
    return next((each for each in values if type(each) is int and each > 0), None)


def items_in(document: Mapping[str, Any], group: str) -> Iterable[Mapping[str, Any]]:
    """The objects in the list ``group`` of a server's answer; anything else is left out."""
    items = document.get(group)
    return [item for item in (items if isinstance(items, list) else ()) if isinstance(item, dict)]
