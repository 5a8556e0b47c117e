"""Model services over a settings store of their own, with every server's address leading nowhere at first."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from app.chat_models.keys import KeySource, keyring_password, keyring_service
from app.chat_models.loop_thread import LoopThread
from app.chat_models.model import ChatModel
from app.chat_models.registry import ModelRegistry
from app.services.model_service import ModelService
from app.services.provider_access import ADDRESS, ProviderAccessService
from app.storage.session_store import open_chats
from app.storage.settings_store import SettingsStore
from tests.gui.stand_ins import QuotingModel

NOWHERE = "http://127.0.0.1:9/v1"


class ModelsRig:
    """``environ`` is the environment; ``close`` ends all threads."""

    def __init__(self, home: Path, profile: str = "") -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.environ: dict[str, str] = {}
        self.database = open_chats(home / "chats.db")
        self.settings = SettingsStore(self.database)
        self.loop = LoopThread("test-models")
        service = keyring_service(profile)
        keys = KeySource(self.environ, stored=partial(keyring_password, service=service))
        self.registry = ModelRegistry(loop=self.loop, keys=keys, setting=self.settings.__getitem__)
        make: Callable[[], ChatModel] = partial(QuotingModel, model="quoting")
        self.models = ModelService(self.registry, self.loop, make)
        self.access = ProviderAccessService(self.registry, self.settings, service, self.loop, self.models)
        for provider in self.registry.providers():
            if provider.ask_server is not None:
                self.point(provider.name, NOWHERE)

    def point(self, provider: str, address: str) -> None:
        """Let a provider be at an address."""
        self.settings.set(self.registry.provider(provider).settings[ADDRESS], address)

    def close(self) -> None:
        self.loop.close()
        self.database.close()
