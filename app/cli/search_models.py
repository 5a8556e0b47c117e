"""``footnote models embedding`` and ``footnote models reranker``: models that search, from the catalogue."""

from __future__ import annotations

import argparse
import os
import time
from typing import TYPE_CHECKING

from app.bootstrap import open_services
from app.cli.output import Output
from app.domain.errors import BadInputError
from app.retrieval.model_catalogue import EMBEDDING

if TYPE_CHECKING:
    from app.retrieval.model_catalogue import CatalogueModel
    from app.services.embedding_model_service import ModelView

PROGRESS_SECONDS = 2.0
DEFAULT = "default"
"""The name of the model that comes with Footnote, or of no reranker."""


def search_models(options: argparse.Namespace, output: Output) -> int:
    """List the models of a kind, download one, or use one from now on."""
    action = options.spec or "list"
    if action == "list":
        return _list(options.action, output)
    if action not in ("download", "use") or not options.name:
        raise BadInputError(f"Say what to do: footnote models {options.action} [list|download NAME|use NAME]")
    if action == "download":
        return _download(options.action, options.name, output)
    return _use(options.action, options.name, output)


def _list(kind: str, output: Output) -> int:
    with open_services(os.environ, writer=False) as services:
        views = services.embedding_models.models(kind)
        proposal = services.embedding_models.proposal() if kind == EMBEDDING else None
    for view in views:
        output.row(_row(view), _text(view))
    if proposal is not None:
        output.row({"proposal": proposal.model.name, "languages": proposal.languages}, f"proposed: {proposal.reason}")
    return 0


def _download(kind: str, name: str, output: Output) -> int:
    told = time.monotonic()

    def progress(path: str, present: int) -> None:
        nonlocal told
        if time.monotonic() - told >= PROGRESS_SECONDS:
            told = time.monotonic()
            output.note(f"{path}: {present / 1e6:.0f} MB")

    with open_services(os.environ, writer=False) as services:
        installed = services.embedding_models.download(name, kind, progress)
    row = {"model": name, "folder": str(installed.folder), "commit": installed.commit, "sha256": installed.sha256}
    output.row(row, f"{name} is here and checked ({len(installed.sha256)} files, commit {installed.commit[:12]})")
    return 0


def _use(kind: str, name: str, output: Output) -> int:
    if kind == EMBEDDING:
        from app.cli.reindex import reindex

        return reindex(argparse.Namespace(model=_folder(kind, name), passage_tokens=None, dry_run=False), output)
    from app.retrieval.reranker import RERANKER_MODEL

    folder = _folder(kind, name)
    with open_services(os.environ, writer=False) as services:
        services.settings.set(RERANKER_MODEL, folder)
    output.row({"reranker": name}, f"{name} ranks the best passages again" if folder else "no reranker is used")
    return 0


def _folder(kind: str, name: str) -> str:
    if name == DEFAULT:
        return ""
    with open_services(os.environ, writer=False) as services:
        return str(services.embedding_models.installed(name, kind).folder)


def _row(view: ModelView) -> dict[str, object]:
    model = view.model
    return {
        "name": model.name,
        "languages": list(model.languages),
        "megabytes": model.megabytes,
        "dimension": model.dimension,
        "max_tokens": model.max_tokens,
        "speed": model.speed,
        "licence": model.licence,
        "folder": None if view.folder is None else str(view.folder),
        "in_use": view.in_use,
    }


def _text(view: ModelView) -> str:
    state = "in use" if view.in_use else ("here" if view.folder else "not downloaded")
    return f"{view.model.name:<40} {_figures(view.model)}; {state}"


def _figures(model: CatalogueModel) -> str:
    width = f", {model.dimension} numbers a vector" if model.dimension else ""
    return f"{model.language_note}; {model.megabytes} MB{width}; {model.speed}; {model.licence}"
