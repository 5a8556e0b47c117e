"""What a provider's file declares, and what it gets to build a model from.

A file in ``providers/`` holds ``PROVIDERS``, a tuple of ``Provider``s. A package of somebody else registers one under
the entry point group ``footnote.chat_models``: the entry point is a ``Provider``, a ``ChatModel`` class, or a function
``(ModelRequest) -> ChatModel``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.chat_models.call import NO_OVERRIDES, Call, Timeouts
from app.chat_models.keys import KeySource
from app.chat_models.loop_thread import LoopThread
from app.chat_models.model import ChatModel
from app.chat_models.profiles import ModelProfile
from app.chat_models.served import ServedModel
from app.domain.secrets import SecretStr
from app.network.http import HttpFactory
from app.settings.setting import Setting


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """What a model is built from.

    - ``provider`` is the name it was asked for by, ``model`` the model's name there.
    - ``api_key`` is what the caller gave; a provider that needs one looks into ``keys`` where it is None.
    - ``base_url`` "" means the provider's own. ``options`` are the arguments that only this provider knows.
    - ``profile_of`` finds the profile of a model of this provider.
    """

    provider: str
    model: str
    api_key: SecretStr | None = None
    base_url: str = ""
    defaults: Call = NO_OVERRIDES
    timeouts: Timeouts | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    keys: KeySource = field(default_factory=KeySource)
    http: HttpFactory = field(default_factory=HttpFactory)
    loop: LoopThread | None = None
    profile_of: Callable[[str], ModelProfile | None] = lambda model: None


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider of chat models.

    - ``name`` is what stands before the colon in ``openai:gpt-4o``; ``aliases`` are other names for it.
    - ``key_variables`` are the environment variables a key may stand in, the usual one first; empty for none.
    - ``base_url_variables`` are the environment variables that its address may stand in.
    - ``local`` providers run on this machine and cost nothing.
    - ``profile_provider`` is the name under which the profiles know it, where that differs.
    - ``package`` is what must be installed for it, "" for nothing beyond Footnote itself.
    - ``list_models`` asks the server which models there are; None where it can't be asked.
    - ``ask_server`` asks a server of the user's own what it has ready; None for services on the internet.
    - ``key_page`` says in words where a key is made.
    - ``settings`` are the options (``base_url`` included) that the user can set, by the option's name.
    """

    name: str
    label: str
    build: Callable[[ModelRequest], ChatModel]
    key_variables: Sequence[str] = ()
    needs_key: bool = True
    local: bool = False
    base_url: str = ""
    aliases: Sequence[str] = ()
    profile_provider: str = ""
    package: str = ""
    documentation: str = ""
    list_models: Callable[[ModelRequest], Awaitable[list[str]]] | None = None
    ask_server: Callable[[ModelRequest], Awaitable[list[ServedModel]]] | None = None
    base_url_variables: Sequence[str] = ()
    key_page: str = ""
    settings: Mapping[str, Setting[Any]] = field(default_factory=dict)
