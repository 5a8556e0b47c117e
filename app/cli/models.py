"""``footnote models``: what there is, and whether one works."""

from __future__ import annotations

import argparse
import os

from app.bootstrap import open_services
from app.chat_models.profiles import ModelProfile
from app.cli.main import EXIT_FAILED
from app.cli.output import Output
from app.domain.errors import BadInputError
from app.services.model_service import ProviderView, Trial


def models(options: argparse.Namespace, output: Output) -> int:
    """List providers and models, or try one out with ``test``."""
    if options.action in ("embedding", "reranker"):
        from app.cli.search_models import search_models

        return search_models(options, output)
    if options.name:
        raise BadInputError("Name one model: footnote models test PROVIDER:MODEL")
    if options.action == "test":
        if not options.spec:
            raise BadInputError("Name the model to test: footnote models test PROVIDER:MODEL")
        return _test(options.spec, output)
    with open_services(os.environ, writer=False) as services:
        for provider in services.models.providers():
            output.row(_provider_row(provider), _provider_text(provider))
    return 0


def _test(spec: str, output: Output) -> int:
    with open_services(os.environ, writer=False) as services:
        trial = services.models.try_out(spec)
    output.row(_trial_row(trial), _trial_text(trial))
    return 0 if trial.works else EXIT_FAILED


def _provider_row(provider: ProviderView) -> dict[str, object]:
    return {
        "provider": provider.name,
        "label": provider.label,
        "local": provider.local,
        "key_variable": provider.key_variable or None,
        "has_key": provider.has_key,
        "models": [_model_row(model) for model in provider.models],
    }


def _model_row(model: ModelProfile) -> dict[str, object]:
    return {
        "id": model.id,
        "capabilities": _capabilities(model),
        "input": list(model.modalities.input),
        "context": model.limits.context,
        "output": model.limits.output,
        "input_per_million": model.cost.input_per_million if model.cost else None,
        "output_per_million": model.cost.output_per_million if model.cost else None,
    }


def _capabilities(model: ModelProfile) -> list[str]:
    known = model.capabilities
    marks = {"tools": known.tool_call, "structured": known.structured_output, "reasoning": known.reasoning}
    return [name for name, has in marks.items() if has]


def _provider_text(provider: ProviderView) -> str:
    if provider.has_key is None:
        key = "no key needed"
    else:
        key = "key found" if provider.has_key else f"no key: set {provider.key_variable}"
    lines = [f"{provider.name}  ({provider.label}; {key})"]
    return "\n".join(lines + [_model_text(model) for model in provider.models])


def _model_text(model: ModelProfile) -> str:
    price = f"${model.cost.input_per_million:g} / ${model.cost.output_per_million:g}" if model.cost else "price unknown"
    context = f"{model.limits.context:,}" if model.limits.context else "?"
    return f"  {model.id:<44} {context:>10} tokens  {price:<18} {', '.join(_capabilities(model))}"


def _trial_row(trial: Trial) -> dict[str, object]:
    return {
        "model": trial.model,
        "works": trial.works,
        "reply": trial.reply,
        "first_token_seconds": trial.first_token_seconds,
        "seconds": round(trial.seconds, 3),
        "problem": trial.problem or None,
        "advice": trial.advice or None,
    }


def _trial_text(trial: Trial) -> str:
    if trial.works:
        first = f", first word after {trial.first_token_seconds:.2f} s" if trial.first_token_seconds else ""
        return f"{trial.model} works: {trial.reply.strip()!r} in {trial.seconds:.2f} s{first}"
    return f"{trial.model} does not work: {trial.problem}\n{trial.advice}"
