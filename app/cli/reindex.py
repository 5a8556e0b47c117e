"""``footnote reindex``: what changing the search model or the size of passages costs, and the change itself."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path

from app.bootstrap import open_services
from app.cli.output import Output
from app.domain.errors import BadInputError
from app.retrieval.embedding_models import EMBEDDING_MODEL
from app.retrieval.text_splitter import CHUNK_TOKENS
from app.services.chunk_change import ChunkChangePlan
from app.services.model_change import ModelChangePlan

PROGRESS_SECONDS = 2.0


def reindex(options: argparse.Namespace, output: Output) -> int:
    """Tell the cost, then do it, while searches go on. With ``--dry-run`` only tell."""
    if options.passage_tokens is not None:
        return _cut_anew(options, output)
    model = None if options.model is None else _chosen(options.model)
    with open_services(os.environ, writer=not options.dry_run) as services:
        change = services.model_change(None if model is None else {EMBEDDING_MODEL.key: model})
        plan = change.plan()
        output.row(_row(plan), _text(plan))
        if options.dry_run:
            return 0
        started = time.monotonic()
        change.run(_progress(output))
        if model is not None:
            services.settings.set(EMBEDDING_MODEL, model)
    seconds = time.monotonic() - started
    output.row({"serving": plan.wanted, "seconds": round(seconds, 3)}, f"{plan.wanted} answers ({seconds:.1f} s)")
    return 0


def _cut_anew(options: argparse.Namespace, output: Output) -> int:
    """Cut all documents into passages of another size, and embed those that are new."""
    if options.model is not None:
        raise BadInputError("Change one at a time: first the model (--model), then the passages (--passage-tokens).")
    tokens = CHUNK_TOKENS.validate(options.passage_tokens)
    with open_services(os.environ, writer=not options.dry_run) as services:
        change = services.chunk_change(tokens)
        plan = change.plan()
        output.row(_plan_row(plan), _plan_text(plan))
        if options.dry_run:
            return 0
        started = time.monotonic()
        services.settings.set(CHUNK_TOKENS, tokens)
        change.run(_progress(output, "documents"))
        services.open_indexes()
    seconds = time.monotonic() - started
    output.row({"passage_tokens": tokens, "seconds": round(seconds, 3)}, f"Done ({seconds:.1f} s)")
    return 0


def _plan_row(plan: ChunkChangePlan) -> dict[str, object]:
    return {
        "passage_tokens": plan.tokens,
        "documents": plan.documents,
        "passages": plan.passages_now,
        "estimated_passages": plan.passages_then,
        "estimated_to_embed": plan.to_embed,
        "estimated_seconds": round(plan.seconds, 1),
    }


def _plan_text(plan: ChunkChangePlan) -> str:
    if not plan.documents:
        return f"All documents are in passages of about {plan.tokens} tokens already."
    minutes = max(1, round(plan.seconds / 60))
    return (
        f"{plan.documents} documents in {plan.passages_now} passages are to be cut to about {plan.tokens} tokens: "
        f"some {plan.passages_then} passages, {plan.to_embed} of them to embed, about {minutes} min. "
        "Searches go on meanwhile."
    )


def _chosen(model: str) -> str:
    """The folder as the settings keep it; empty is the model that comes with Footnote."""
    return str(Path(os.path.abspath(Path(model).expanduser()))) if model else ""  # noqa: PTH100  links stay as they are


def _row(plan: ModelChangePlan) -> dict[str, object]:
    return {
        "serving": plan.serving,
        "wanted": plan.wanted,
        "documents": plan.documents,
        "chunks": plan.chunks,
        "estimated_seconds": round(plan.seconds, 1),
    }


def _text(plan: ModelChangePlan) -> str:
    if not plan.needed:
        return f"{plan.serving} answers already."
    minutes = max(1, round(plan.seconds / 60))
    return (
        f"{plan.wanted} is to replace {plan.serving}: {plan.chunks} passages of {plan.documents} documents to embed, "
        f"about {minutes} min. Searches go on meanwhile."
    )


def _progress(output: Output, unit: str = "passages") -> Callable[[int, int], None]:
    last = time.monotonic()

    def tell(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last >= PROGRESS_SECONDS:
            last = time.monotonic()
            output.note(f"{done} of {total} {unit}")

    return tell
