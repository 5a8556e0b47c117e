"""What goes with a question: where to search, files, the model, a persona. Shown as chips and buttons."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.domain.collections import CollectionRecord
from app.domain.documents import DocumentState
from app.domain.turn_options import BUILT_IN_MODEL, TurnOptions
from app.gui.asking import AskWith
from app.gui.chips import (
    LIMITING,
    Chip,
    ChipKind,
    Trigger,
    attachment_chip,
    attachments_of,
    pinned_of,
    scope_of,
)
from app.gui.composer_words import (
    chips_of,
    file_suggestions,
    place_suggestions,
    scope_words,
    template_suggestions,
    with_chip,
)
from app.gui.controllers.choices_controller import ChoicesController
from app.gui.controllers.models_controller import ModelsController
from app.gui.model_words import model_name
from app.gui.models.suggestion_model import Suggestion
from app.gui.ports import Services
from app.gui.widgets.composer import Composer
from app.gui.wiring import Stage
from app.services.template_service import Template, TemplateKind, as_choice, read_choice

TOOLS_FLAG = "model_may_search"
MOST_ATTACHED = 20


@dataclass(frozen=True, slots=True)
class Command:
    """What a slash command does."""

    run: Callable[[], object]


def command(name: str, about: str, icon: str, run: Callable[[], object]) -> Suggestion:
    """A slash command that can be picked."""
    return Suggestion(name, about, icon, Command(run))


class ComposerController(QObject):
    """Signals: ``values_wished(template)``: its variables are to be filled; ``new_chat_wished``;
    ``every_document_wished``: the question is to be answered from all documents one by one; ``providers_wished``:
    keys and servers are to be seen; ``file_unwanted(id)``: an attached file is to leave the chat;
    ``library_wished(list of paths)``: they can't go with a question and are to join the library.
    """

    values_wished = Signal(object)
    new_chat_wished = Signal()
    every_document_wished = Signal()
    providers_wished = Signal()
    file_unwanted = Signal(int)
    library_wished = Signal(list)

    def __init__(self, stage: Stage, choices: ChoicesController, models: ModelsController, composer: Composer) -> None:
        super().__init__()
        self._stage = stage
        self._choices = choices
        self._models = models
        self._composer = composer
        self._services: Services | None = None
        self._extra: list[Chip] = []  # files that go with the next question
        self._kept: list[Chip] = []  # files that the chat has; the rest of the chips is its scope
        self._collections: Sequence[CollectionRecord] = ()
        self._templates: Sequence[Template] = ()
        self._instructions = ""
        self._tools = stage.state.flag(TOOLS_FLAG)
        self.commands_of_others: Sequence[Suggestion] = ()
        self._default_model = BUILT_IN_MODEL
        self._connect()

    def _connect(self) -> None:
        composer = self._composer
        composer.set_tools(self._tools)
        composer.tools_toggled.connect(self._set_tools)
        composer.trigger_changed.connect(self._on_trigger)
        composer.suggested.connect(self._on_suggested)
        composer.paths_dropped.connect(self.attach_paths)
        for sent in (composer.question_sent, self._stage.window.chat.invitation.question_chosen):
            sent.connect(self._on_sent)
        composer.command_missed.connect(self._on_missed)
        composer.task_sent.connect(lambda: self._on_sent(""))
        composer.chips.removed.connect(self.remove)
        composer.chips.replaced.connect(self._replace)
        self._choices.changed.connect(self._show_choices)
        self._models.changed.connect(self._show_choices)
        self._models.chosen.connect(self.choose_model)
        self._models.typed.connect(self.type_model)
        documents = self._stage.documents
        for signal in (documents.modelReset, documents.rowsInserted, documents.rowsRemoved, documents.dataChanged):
            signal.connect(self._show_chips)

    def attach(self, services: Services) -> None:
        """The services are there."""
        self._services = services
        self.reload_templates()
        self.reload_collections()

    # -- what is asked ---------------------------------------------------------------------------------------------

    def ask_with(self) -> AskWith:
        """What goes with the next question."""
        choices, chips = self._choices.choices, self.chips
        options = TurnOptions(
            strictness=choices.strictness,
            memory=choices.memory,
            instructions=self._instructions,
            pinned=pinned_of(chips),
            attachments=attachments_of(chips),
            tools=self._tools,
        )
        return AskWith(choices.model or None, choices.scope, options)

    @property
    def chips(self) -> list[Chip]:
        """The chips on the screen: the scope of the chat, the files it has, then files that go with the question."""
        now = datetime.now().astimezone()
        limiting = chips_of(self._choices.choices.scope, self._collections, self._stage.documents.entries, now)
        return [*limiting, *self._kept, *self._extra]

    def add(self, chip: Chip) -> None:
        """Let another chip go with the question."""
        if chip.kind in LIMITING:
            limiting = [each for each in self.chips if each.kind in LIMITING]
            self._choices.set(scope=scope_of(with_chip(limiting, chip)))
        elif chip not in self._extra:
            self._extra.append(chip)
        self._show_chips()

    def remove(self, chip: Chip) -> None:
        """Take a chip away."""
        if chip.kind in LIMITING:
            kept = [each for each in self.chips if each.kind in LIMITING and each != chip]
            self._choices.set(scope=scope_of(kept))
        elif chip.kind is ChipKind.KEPT:
            self.file_unwanted.emit(chip.value)
        else:
            self._extra = [each for each in self._extra if each != chip]
        self._show_chips()
        self._composer.edit.setFocus()

    def show_kept(self, chips: Sequence[Chip]) -> None:
        """The files that the chat has from earlier questions."""
        self._kept = list(chips)
        self._show_chips()

    def exchange_files(self, files: Sequence[Chip]) -> list[Chip]:
        """Let other files go with the next question. Returns those that would have gone."""
        before, self._extra = self._extra, list(files)
        self._show_chips()
        return before

    def attach_paths(self, paths: Sequence[Path]) -> None:
        """Let files go with the question; folders belong into the library."""
        services = self._services
        if services is not None:
            self._stage.runner.run(lambda: _attachable(services, paths), self._on_attachable)

    def choose_model(self, spec: str) -> None:
        """Let another model answer in this chat, and in new ones."""
        from app.services.chat_service import CHAT_MODEL

        self._choices.set(model=spec)
        services = self._services
        if services is not None:
            self._stage.runner.run(lambda: services.settings.set(CHAT_MODEL, spec))

    def type_model(self, text: str) -> None:
        """A model that the list does not have, typed as ``provider:model``."""
        if ":" in text:
            self.choose_model(text)
        else:
            self._stage.window.toast.say("Write a model as provider:model, such as ollama:llama3.2.")

    def use_template(self, template: Template, values: dict[str, str] | None = None) -> None:
        """Take a persona on, or put a prompt into the question; asks for values where there are variables."""
        if template.variables and values is None:
            self.values_wished.emit(template)
        elif template.kind is TemplateKind.PERSONA:
            self._choices.set(persona=as_choice(template.name, values or {}))
        else:
            self._composer.set_text(template.filled(values or {}))
            self._composer.edit.setFocus()

    # -- what there is to choose from ------------------------------------------------------------------------------

    def scope_suggestions(self) -> list[Suggestion]:
        """Everything that a search can be limited to."""
        places = place_suggestions(self._collections, datetime.now().astimezone())
        return [*places, *file_suggestions(self._stage.documents.entries)]

    def model_suggestions(self) -> list[Suggestion]:
        """Every model that is known."""
        return self._models.suggestions()

    def persona_suggestions(self) -> list[Suggestion]:
        """No persona, and all there are."""
        personas = [each for each in self._templates if each.kind is TemplateKind.PERSONA]
        none = Suggestion("No persona", "Answers as Footnote does", "close", None)
        return [none, *template_suggestions(personas)]

    def pick_persona(self, suggestion: Suggestion) -> None:
        """Take on what was picked from ``persona_suggestions``."""
        if suggestion.value is None:
            self._choices.set(persona="")
        else:
            self.use_template(suggestion.value)

    @property
    def templates(self) -> Sequence[Template]:
        """All personas and prompt templates."""
        return self._templates

    def reload_templates(self, then: Callable[[], None] = lambda: None) -> None:
        """Read the templates again."""
        services = self._services
        if services is None:
            return

        def read() -> list[Template]:
            return [each for kind in TemplateKind for each in services.templates.templates(kind)]

        def show(templates: list[Template]) -> None:
            self._templates = templates
            self._show_choices()
            then()

        self._stage.runner.run(read, show)

    def reload_collections(self) -> None:
        """Read the collections again."""
        services = self._services
        if services is not None:
            read = lambda: services.packs.collections.collections()  # noqa: E731, PLW0108  made on the worker, not here
            self._stage.runner.run(read, self._on_collections)

    # -- reactions -------------------------------------------------------------------------------------------------

    def _on_trigger(self, trigger: Trigger | None) -> None:
        if trigger is None:
            return
        if trigger.mark == "#":
            offered = place_suggestions(self._collections, datetime.now().astimezone())
        elif trigger.mark == "@":
            offered = file_suggestions(self._stage.documents.entries)
        else:
            templates = sorted(self._templates, key=lambda each: each.kind is TemplateKind.PERSONA)
            offered = [*self._commands(), *template_suggestions(templates)]
        self._composer.suggest(offered, trigger.typed)

    def _on_missed(self, text: str) -> None:
        self._stage.window.toast.say(f"There is no command {text}. Type / to see all of them.")

    def _commands(self) -> list[Suggestion]:
        composer = self._composer
        commands: list[tuple[str, str, str, Callable[[], object]]] = [
            ("new", "Begin a new chat", "new-chat", self.new_chat_wished.emit),
            ("model", "Choose the model that answers", "chat", composer.model_wished.emit),
            ("keys", "Keys of services and addresses of servers", "settings", self.providers_wished.emit),
            ("persona", "Choose how the model answers", "info", composer.persona_wished.emit),
            ("scope", "Search only in some documents", "search", composer.scope_wished.emit),
            ("attach", "Let files go with the question", "file-add", composer.attach_wished.emit),
            ("pin", "Give the model a chosen document as a whole", "quote", self._pin_chosen),
            ("everything", "Search in all documents again", "close", self._search_everywhere),
            ("checkall", "Check every document for the question", "library", self.every_document_wished.emit),
            ("templates", "Write personas and prompt templates", "rename", composer.templates_wished.emit),
        ]
        own = [command(name, about, icon, run) for name, about, icon, run in commands]
        return [*own, *self.commands_of_others]

    def _on_suggested(self, suggestion: Suggestion, trigger: Trigger) -> None:
        self._composer.edit.replace_trigger(trigger)
        if isinstance(suggestion.value, Command):
            suggestion.value.run()
        elif isinstance(suggestion.value, Template):
            self.use_template(suggestion.value)
        else:
            self.add(suggestion.value)

    def _pin_chosen(self) -> None:
        files = [chip for chip in self.chips if chip.kind is ChipKind.FILE]
        for chip in files:
            self.add(Chip(ChipKind.PINNED, chip.label, chip.value, "Goes to the model as a whole"))
        if not files:
            self._stage.window.toast.say("Choose a document with @ first; then /pin sends it as a whole.")

    def _search_everywhere(self) -> None:
        self._choices.set(scope=scope_of(()))

    def _set_tools(self, wanted: bool) -> None:
        self._tools = wanted
        self._stage.state.set_flag(TOOLS_FLAG, wanted)
        self._composer.set_tools(wanted)

    def _replace(self, chip: Chip, other: Chip) -> None:
        self._extra = [other if each == chip else each for each in self._extra]
        self._show_chips()

    def _on_sent(self, _text: str) -> None:
        self._extra = [chip for chip in self._extra if chip.kind is ChipKind.PINNED]
        self._show_chips()

    def _on_attachable(self, found: tuple[list[Path], list[Path]]) -> None:
        files, refused = found
        room = MOST_ATTACHED - len(attachments_of(self._extra))
        for path in files[:room]:
            self.add(attachment_chip(path))
        if refused:
            names = ", ".join(path.name for path in refused[:3])
            self._stage.window.toast.say(
                f"{names} can't go with a question.", "Add to library", lambda: self.library_wished.emit(refused)
            )
        elif len(files) > room:
            self._stage.window.toast.say(f"At most {MOST_ATTACHED} files go with a question. Add more to the library.")

    def _on_collections(self, collections: Sequence[CollectionRecord]) -> None:
        self._collections = collections
        self._show_chips()

    def _show_choices(self) -> None:
        self._read_default_model()
        choices = self._choices.choices
        spec = choices.model or self._default_model
        about = next((each.detail for each in self.model_suggestions() if each.value == spec), "")
        self._composer.set_model(model_name(spec), about)
        name, values = read_choice(choices.persona)
        persona = next((each for each in self._templates if each.name == name), None)
        usable = persona is not None and all(values.get(each) for each in persona.variables)
        self._instructions = persona.filled(values) if persona is not None and usable else ""
        self._composer.set_persona(name if usable else "")
        self._show_chips()

    def _read_default_model(self) -> None:
        from app.services.chat_service import CHAT_MODEL

        services = self._services
        if services is not None:
            read = lambda: services.settings[CHAT_MODEL]  # noqa: E731  read on the worker, not here
            self._stage.runner.run(read, self._on_default_model, group="default-model")

    def _on_default_model(self, spec: str) -> None:
        if spec != self._default_model:
            self._default_model = spec
            self._show_choices()

    def _show_chips(self) -> None:
        chips = self.chips
        if chips != [each.chip for each in self._composer.chips.widgets]:
            self._composer.set_chips(chips)
        ready = self._stage.documents.count(DocumentState.READY)
        self._composer.set_scope(scope_words([each for each in chips if each.kind in LIMITING], ready))


def _attachable(services: Services, paths: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """Files that can go with a question, and what can't."""
    known = services.library.supported_extensions
    files = [path for path in paths if path.suffix.lower() in known and path.is_file()]
    return files, [path for path in paths if path not in files]
