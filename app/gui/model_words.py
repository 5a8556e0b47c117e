"""Chat models, their servers and keys in words, as suggestions to pick from."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import TYPE_CHECKING

from app.domain.turn_options import BUILT_IN_MODEL
from app.gui.models.suggestion_model import Suggestion
from app.gui.wording import shown

if TYPE_CHECKING:
    from app.chat_models.profiles import ModelProfile
    from app.services.model_servers import ModelServer
    from app.services.model_service import ProviderView, Trial
    from app.services.provider_access import KeyPlace, ProviderAccess


class Opens(Enum):
    """What a row opens that is no model."""

    PROVIDERS = "providers"


def model_suggestions(providers: Iterable[ProviderView], servers: Iterable[ModelServer] = ()) -> list[Suggestion]:
    """The built-in answerer, what is installed, the way to keys and servers, then the models of services.

    Services without a key say so. What a local server could run but hasn't got is left out.
    """
    found = [Suggestion("Built-in", "Quotes your documents exactly; needs no network", "quote", BUILT_IN_MODEL)]
    found += installed_suggestions(servers)
    about = "Keys of services, addresses of Ollama, LM Studio and other servers"
    found.append(Suggestion("Keys and servers…", about, "settings", Opens.PROVIDERS))
    services = (each for each in providers if not each.local)
    for provider in sorted(services, key=lambda each: each.has_key is False):
        lacks_key = provider.has_key is False
        for model in provider.models:
            missing = ("needs a key",) if lacks_key else ()
            about = " · ".join(part for part in (provider.label, *missing, capabilities(model)) if part)
            icon = "lock" if lacks_key else "chat"
            found.append(Suggestion(shown(model.id), about, icon, f"{provider.name}:{model.id}", not lacks_key))
    return found


def installed_suggestions(servers: Iterable[ModelServer]) -> list[Suggestion]:
    """The models of the user's own servers, those on this computer first."""
    found = []
    for server in sorted(servers, key=lambda each: (not each.here, each.label)):
        place = "On this computer" if server.here else "On another computer"
        for model in server.models:
            parts = (place, server.label, shown(model.details), capabilities(model.profile))
            about = " · ".join(part for part in parts if part)
            spec = f"{server.provider}:{model.profile.id}"
            found.append(Suggestion(shown(model.profile.id), about, "library" if server.here else "chat", spec))
    return found


def provider_suggestions(providers: Iterable[ProviderAccess]) -> list[Suggestion]:
    """Every provider that takes a key or an address, with how it is reached now."""
    return [
        Suggestion(
            headline(each), access_words(each), "chat" if each.key_source or not each.needs_key else "lock", each
        )
        for each in providers
        if each.key_variable or each.address is not None
    ]


def headline(access: ProviderAccess) -> str:
    """What a provider is called where its name stands alone."""
    return access.label.removeprefix("The ")


def access_words(access: ProviderAccess) -> str:
    """How a provider is reached: ``Key from the system's keyring · http://…``."""
    parts = []
    if access.key_source:
        parts.append(f"Key from {access.key_source}")
    elif access.needs_key:
        parts.append("No key yet")
    if access.address is not None:
        parts.append(shown(access.address) or "No address yet")
    return " · ".join(parts) or "Needs no key"


def key_words(access: ProviderAccess) -> str:
    """What there is to say about the key of a provider, where it comes from or where to get one."""
    if access.overruled:
        return f"Used now: {access.key_source}. It comes before a key that is stored here."
    if access.stored:
        return f"A key is there, from {access.key_source}. Paste another one to replace it."
    if not access.needs_key:
        return "Only if the server asks for one."
    page = f"Make one at {access.key_page}. " if access.key_page else ""
    return f"{page}Footnote puts it into the keyring of this computer, never into its own files."


def saved_words(place: KeyPlace | None, access: ProviderAccess) -> str:
    """What became of what the user saved."""
    from app.services.provider_access import KeyPlace

    if place is KeyPlace.KEYRING:
        return f"The key for {access.label} is in the keyring of this computer."
    if place is KeyPlace.SESSION:
        return (
            f"This computer has no keyring that works. The key for {access.label} is kept until Footnote closes; "
            f"for longer, set the environment variable {access.key_variable}."
        )
    return f"{access.label} is asked at {shown(access.address or '')}."


def trial_words(trial: Trial) -> str:
    """How a test went, with advice."""
    if not trial.works:
        return shown(f"{trial.problem} {trial.advice}")
    return shown(f"It works: {trial.reply.strip() or 'an empty answer'} ({trial.seconds:.1f} s).")


def capabilities(model: ModelProfile) -> str:
    """What a model can do, in a few words: ``128k tokens · images · tools``."""
    words = []
    if model.limits.context:
        words.append(f"{round(model.limits.context / 1000)}k tokens")
    words += [
        word
        for word, there in (
            ("images", "image" in model.modalities.input),
            ("tools", model.capabilities.tool_call),
            ("reasoning", model.capabilities.reasoning),
        )
        if there
    ]
    if model.cost is not None and model.cost.input_per_million:
        words.append(f"${model.cost.input_per_million:g} / ${model.cost.output_per_million:g} a million tokens")
    return " · ".join(words)


def model_name(spec: str) -> str:
    """What a model is called on its button."""
    return "Built-in" if spec in {"", BUILT_IN_MODEL} else shown(spec.partition(":")[2] or spec)
