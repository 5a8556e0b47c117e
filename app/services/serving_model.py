"""The embedding model that answers: the one of the settings, or the one before it until all is embedded anew."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

from app.domain.errors import BadInputError, ModelFileError
from app.retrieval.embedder import Embedder
from app.retrieval.embedding_models import (
    EMBEDDING_DEVICE,
    EMBEDDING_ENGINE,
    EMBEDDING_MODEL,
    EMBEDDING_PRECISION,
    open_embedder,
)
from app.settings.paths import AppPaths
from app.settings.setting import Setting
from app.storage.library_store import LibraryStore
from app.storage.model_table import ServingModel

log = logging.getLogger(__name__)

T = TypeVar("T")

CHOICES: tuple[Setting[Any], ...] = (EMBEDDING_MODEL, EMBEDDING_ENGINE, EMBEDDING_PRECISION, EMBEDDING_DEVICE)


class Settings(Protocol):
    """Where the values of settings come from."""

    def __getitem__(self, setting: Setting[T], /) -> T:
        """The value of ``setting``."""
        ...


class ChangedSettings:
    """Settings with other values for some: plain ones, by key. Raises ``BadInputError`` for one that is not allowed."""

    def __init__(self, settings: Settings, changed: Mapping[str, object]) -> None:
        self._settings = settings
        self._changed = changed

    def __getitem__(self, setting: Setting[T]) -> T:
        if setting.key in self._changed:
            return setting.validate(self._changed[setting.key])
        return self._settings[setting]


def model_choice(settings: Settings) -> dict[str, object]:
    """The settings that decide about the model, as plain values by key."""
    return {setting.key: setting.to_plain(settings[setting]) for setting in CHOICES}


def is_model_change(store: LibraryStore, settings: Settings) -> bool:
    """Whether the settings name another model than answers. Opens nothing."""
    record = store.serving_model()
    return record is not None and record.choice != model_choice(settings)


def open_serving_model(
    store: LibraryStore, settings: Settings, paths: AppPaths, open_wanted: Callable[[], Embedder], *, may_write: bool
) -> Embedder:
    """The model that the library's vectors are of, while it is another than the settings name and can be opened.

    Otherwise the wanted one, which is recorded as the one that answers.
    """
    record = store.serving_model()
    if record is not None and record.choice != model_choice(settings) and store.has_vectors(record.model_key):
        try:
            serving = open_embedder(ChangedSettings(settings, record.choice), paths)
            if serving.model_key == record.model_key:
                return serving
        except (ModelFileError, BadInputError) as error:
            log.warning("the search model that the library was made with can't be opened: %s", error)
    wanted = open_wanted()
    if may_write and record != (now := ServingModel(wanted.model_key, model_choice(settings))):
        store.set_serving_model(*now)
    return wanted
