"""Which chat models there are: of services, and of the user's own servers as they answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.gui.jobs import JobRunner
from app.gui.model_words import model_suggestions
from app.gui.models.suggestion_model import Suggestion
from app.gui.ports import Services

if TYPE_CHECKING:
    from app.services.model_servers import ModelServer
    from app.services.model_service import ProviderView


class ModelsController(QObject):
    """Signals: ``changed``: there are other models, or other keys; ``asked``: every server has answered or won't;
    ``chosen(spec)``: a model that can be used; ``typed(text)``: the name of a model, as it was typed.
    """

    changed = Signal()
    asked = Signal()
    chosen = Signal(str)
    typed = Signal(str)

    def __init__(self, runner: JobRunner) -> None:
        super().__init__()
        self._runner = runner
        self._services: Services | None = None
        self._providers: Sequence[ProviderView] = ()
        self._servers: dict[str, ModelServer] = {}

    def attach(self, services: Services) -> None:
        """The services are there."""
        self._services = services
        self.reload()

    def suggestions(self) -> list[Suggestion]:
        """Every model that is known now."""
        return model_suggestions(self._providers, self._servers.values())

    def lacks_key(self, spec: str) -> bool:
        """Whether the provider of a model needs a key that is not there."""
        name = spec.partition(":")[0].strip().lower()
        return any(each.name == name and each.has_key is False for each in self._providers)

    def reload(self) -> None:
        """Read providers and their keys again."""
        services = self._services
        if services is not None:
            read = lambda: services.models.providers()  # noqa: E731, PLW0108  made on the worker, not here
            self._runner.run(read, self._on_providers)

    def ask_servers(self) -> None:
        """Ask the user's own servers which models they have; what was known stays until they have answered."""
        services = self._services
        if services is not None:
            ask = lambda: services.models.each_server()  # noqa: E731, PLW0108  made on the worker, not here
            self._runner.stream(ask, self._on_servers, self.asked.emit, group="model-servers")

    def _on_providers(self, providers: Sequence[ProviderView]) -> None:
        self._providers = providers
        self.changed.emit()

    def _on_servers(self, servers: Sequence[ModelServer]) -> None:
        for server in servers:
            self._servers[server.provider] = server
        self.changed.emit()
