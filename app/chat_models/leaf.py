"""What every model gets done for it: fitting the call to what it can, and finishing its stream."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from app.chat_models.call import NO_OVERRIDES, Call, PrefillStyle
from app.chat_models.prefill import after_prefill, arrange_prefill, without_echo
from app.chat_models.stop_matcher import stop_at
from app.chat_models.token_estimate import estimate_prompt
from app.domain.chat_errors import ChatInputError, UnsupportedFeatureError
from app.domain.messages import AIMessageChunk, FilePart, ImagePart, Message

if TYPE_CHECKING:
    from app.chat_models.model import ChatModel
    from app.chat_models.profiles import ModelProfile

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Fitted:
    """A call as the model is asked it, and what remains to be done to its stream."""

    messages: Sequence[Message]
    call: Call
    prefilling: str = ""
    style: PrefillStyle = PrefillStyle.EMULATED


def fit(model: ChatModel, messages: Sequence[Message], call: Call) -> Fitted:
    """Check ``call`` and fit it to ``model``. Raises ``ChatInputError`` and ``UnsupportedFeatureError``."""
    call.check()
    profile = model.profile_of(call)
    if profile is not None:
        _check_profile(profile, model, messages, call)
    call = _drop(model, call)
    if not call.prefilling:
        return Fitted(messages, call)
    if call.tools and call.tool_choice not in (None, "auto", "none"):
        raise ChatInputError("prefilling and a forced tool exclude each other: the answer can't begin with both.")
    style = model.prefill_style(call)
    if style is PrefillStyle.EMULATED and model.strict_prefill:
        raise UnsupportedFeatureError(
            f"{call.model or model.model} can't continue a given beginning (prefill). Leave prefilling out, or allow "
            "imitating it (strict_prefill=False).",
            provider=model.provider,
            model=call.model,
        )
    return Fitted(
        arrange_prefill(messages, call.prefilling, style), replace(call, prefilling=""), call.prefilling, style
    )


def finish_stream(source: AsyncIterator[AIMessageChunk], fitted: Fitted) -> AsyncIterator[AIMessageChunk]:
    """``source`` cut at the first stop string, with the prefill put in front."""
    if fitted.prefilling and fitted.style is not PrefillStyle.NATIVE:
        source = without_echo(source, fitted.prefilling)
    if fitted.call.stop:
        source = stop_at(source, fitted.call.stop, estimate_prompt(fitted.messages))
    if fitted.prefilling:
        source = after_prefill(source, fitted.prefilling)
    return source


def _check_profile(profile: ModelProfile, model: ChatModel, messages: Sequence[Message], call: Call) -> None:
    kinds = {kind for message in messages for part in message.parts if (kind := _modality(part))}
    for kind in sorted(kinds - set(profile.modalities.input)):
        raise _unsupported(f"{profile.id} can't read {kind} input.", kind, model, call)
    if call.tools and not profile.capabilities.tool_call:
        raise _unsupported(f"{profile.id} can't call tools.", "tools", model, call)


def _unsupported(what: str, feature: str, model: ChatModel, call: Call) -> UnsupportedFeatureError:
    advice = f"Choose a model that can, or leave the {feature} out."
    return UnsupportedFeatureError(f"{what} {advice}", provider=model.provider, model=call.model, code="unsupported")


def _modality(part: object) -> str | None:
    if isinstance(part, ImagePart):
        return "image"
    if isinstance(part, FilePart):
        return {"application/pdf": "pdf"}.get(part.media_type or "", (part.media_type or "").split("/", 1)[0] or None)
    return None


def _drop(model: ChatModel, call: Call) -> Call:
    """``call`` without what the model can't take; said once per model and parameter."""
    dropped = [name for name in sorted(model.unsupported(call)) if getattr(call, name) != getattr(NO_OVERRIDES, name)]
    if not dropped:
        return call
    warned: set[tuple[str, str]] = model.__dict__.setdefault("_warned", set())
    for name in dropped:
        if (call.model, name) not in warned:
            warned.add((call.model, name))
            _LOGGER.warning("%s does not take %s; it is left out.", call.model or model.model or model, name)
    changes: Mapping[str, Any] = {name: getattr(NO_OVERRIDES, name) for name in dropped}
    return replace(call, **changes)
