"""What there is to search with, read for the window. Called on a worker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.gui.ports import Services
from app.gui.rebuild_words import model_name
from app.gui.widgets.search_model_row import SearchModel
from app.gui.wording import shown

if TYPE_CHECKING:
    from app.services.embedding_model_service import ModelView, Proposal

OURS_ABOUT = "English · comes with Footnote · the fastest"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The models, the size of passages in force, and a model that would suit better, if there is one."""

    models: tuple[SearchModel, ...]
    tokens: int
    proposal: Proposal | None


def read_catalogue(services: Services) -> Catalogue:
    """Our own model, the catalogue's, and one from a folder if that was chosen. Raises ``ModelFileError``."""
    from app.retrieval.embedding_models import EMBEDDING_MODEL
    from app.retrieval.model_files import ALL_MINILM
    from app.retrieval.text_splitter import CHUNK_TOKENS

    service = services.embedding_models
    chosen, views = services.settings[EMBEDDING_MODEL], service.models()
    serving = model_name(service.serving()) or _chosen_name(chosen, views) or ALL_MINILM.name
    models = [_listed(ALL_MINILM.name, OURS_ABOUT, "", 0, serving, wanted=not chosen)]
    models += [
        _listed(
            view.model.name,
            _about(view),
            None if view.folder is None else str(view.folder),
            view.model.megabytes,
            serving,
            wanted=view.in_use,
        )
        for view in views
    ]
    if chosen and not any(view.in_use for view in views):
        name = Path(chosen).name
        models.append(_listed(name, f"Your own, in {shown(chosen)}", chosen, 0, serving, wanted=True))
    return Catalogue(tuple(models), services.settings[CHUNK_TOKENS], service.proposal())


def _listed(name: str, about: str, folder: str | None, megabytes: int, serving: str, *, wanted: bool) -> SearchModel:
    answers = shown(name) == serving
    return SearchModel(shown(name), about, folder, megabytes, answers=answers, wanted=wanted and not answers)


def _about(view: ModelView) -> str:
    model = view.model
    parts = (model.language_note, f"{model.megabytes:,} MB", model.speed, model.licence)
    words = shown(" · ".join(parts))
    return words[:1].upper() + words[1:]


def _chosen_name(chosen: str, views: Sequence[ModelView]) -> str:
    if not chosen:
        return ""
    return next((view.model.name for view in views if view.in_use), Path(chosen).name)
