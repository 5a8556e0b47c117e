"""The model picker, and the way from it to keys and servers."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from app.gui.controllers.models_controller import ModelsController
from app.gui.controllers.provider_controller import ProviderController
from app.gui.model_words import Opens, provider_suggestions
from app.gui.models.suggestion_model import Suggestion
from app.gui.ports import Services
from app.gui.widgets.pick_list import PickList
from app.gui.wiring import Stage

MODEL_TITLE = "Model, or provider:model"
PROVIDERS_TITLE = "Keys and servers"


class ModelsWiring:
    """Lets the user choose a model, which ``models`` tells. The lists open above ``place``."""

    def __init__(self, stage: Stage, place: QWidget) -> None:
        self._stage = stage
        self._place = place
        self._services: Services | None = None
        self._picker: PickList | None = None
        self._providers: PickList | None = None
        self.models = ModelsController(stage.runner)
        self.providers = ProviderController(stage)
        self.providers.changed.connect(self.models.reload)
        self.providers.ready.connect(self.models.chosen)
        self.models.changed.connect(self._show_models)

    def attach(self, services: Services) -> None:
        """The services are there."""
        self._services = services
        self.models.attach(services)
        self.providers.attach(services)

    def pick_model(self) -> PickList:
        """Show the models that are known, and ask the user's own servers for theirs."""
        if self._picker is None:
            picker = self._picker = PickList(self._stage.appearance, MODEL_TITLE, self._stage.window)
            picker.picked.connect(self._on_model)
            picker.typed_in.connect(self._on_typed)
        self._picker.set_suggestions(self.models.suggestions())
        self._picker.pop_up(self._place)
        self.models.ask_servers()
        return self._picker

    def pick_provider(self) -> None:
        """Show how each provider is reached; picking one opens its dialog."""
        services = self._services
        if services is not None:
            self._stage.runner.run(
                lambda: provider_suggestions(services.provider_access.providers()),
                self._show_providers,
                group="providers",
            )

    @property
    def model_list(self) -> PickList | None:
        """The list of models, once it was open."""
        return self._picker

    @property
    def provider_list(self) -> PickList | None:
        """The list of keys and servers, once it was open."""
        return self._providers

    def _show_models(self) -> None:
        if self._picker is not None and self._picker.isVisible():
            self._picker.set_suggestions(self.models.suggestions())

    def _show_providers(self, suggestions: list[Suggestion]) -> None:
        if self._providers is None:
            self._providers = PickList(self._stage.appearance, PROVIDERS_TITLE, self._stage.window)
            self._providers.picked.connect(lambda each: self.providers.open(each.value.name))
        self._providers.set_suggestions(suggestions)
        self._providers.pop_up(self._place)

    def _on_model(self, suggestion: Suggestion) -> None:
        if suggestion.value is Opens.PROVIDERS:
            self.pick_provider()
        elif suggestion.enabled:
            self.models.chosen.emit(suggestion.value)
        else:
            self._ask_for_key(suggestion.value)

    def _on_typed(self, text: str) -> None:
        if not text:
            return
        if self._picker is not None:
            self._picker.hide()
        if self.models.lacks_key(text):
            self._ask_for_key(text)
        else:
            self.models.typed.emit(text)

    def _ask_for_key(self, spec: str) -> None:
        name, _, model = spec.partition(":")
        self.providers.open(name.strip(), model.strip())
