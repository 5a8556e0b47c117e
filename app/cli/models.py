"""``footnote models``: what there is, and whether one works."""

from __future__ import annotations

import argparse
import os

from app.bootstrap import open_services
from app.chat_models.profiles import ModelProfile
from app.cli.main import EXIT_FAILED
from app.cli.output import Output
from app.domain.errors import BadInputError
from app.services.model_servers import ModelServer
from app.services.model_service import ProviderView, Trial


def models(options: argparse.Namespace, output: Output) -> int:
    """List providers and models with what local servers have ready, try one out, or store a key."""
    if options.action in ("embedding", "reranker"):
        from app.cli.search_models import search_models

        return search_models(options, output)
    if options.action == "key":
        from app.cli.model_keys import model_key

        return model_key(options, output)
    if options.remove:
        raise BadInputError("--remove goes with a key: footnote models key PROVIDER --remove")
    if options.name:
        raise BadInputError("Name one model: footnote models test PROVIDER:MODEL")
    if options.action == "test":
        if not options.spec:
            raise BadInputError("Name the model to test: footnote models test PROVIDER:MODEL")
        return _test(options.spec, output)
    with open_services(os.environ, writer=False) as services:
        servers = {server.provider: server for server in services.models.installed()}
        for provider in services.models.providers():
            server = servers.get(provider.name)
            output.row(_provider_row(provider, server), _provider_text(provider, server))
    return 0


def _test(spec: str, output: Output) -> int:
    with open_services(os.environ, writer=False) as services:
        trial = services.models.try_out(spec)
    output.row(_trial_row(trial), _trial_text(trial))
    return 0 if trial.works else EXIT_FAILED


def _provider_row(provider: ProviderView, server: ModelServer | None) -> dict[str, object]:
    return {
        "provider": provider.name,
        "label": provider.label,
        "local": provider.local,
        "key_variable": provider.key_variable or None,
        "has_key": provider.has_key,
        "models": [_model_row(model) for model in provider.models],
        "installed": [_model_row(model.profile) for model in server.models] if server else [],
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


def _provider_text(provider: ProviderView, server: ModelServer | None) -> str:
    if provider.has_key is None:
        key = "no key needed"
    else:
        key = "key found" if provider.has_key else f"no key: set {provider.key_variable}, or footnote models key"
    lines = [f"{provider.name}  ({provider.label}; {key})"]
    if server is not None:
        lines += [f"{_model_text(model.profile)}  installed {model.details}".rstrip() for model in server.models]
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
