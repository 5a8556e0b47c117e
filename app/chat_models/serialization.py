"""Models as JSON: enough to make them again, and never a secret."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from app.chat_models.call import NO_OVERRIDES, Call, ResponseFormat, ToolSpec
from app.domain.chat_errors import ChatInputError
from app.domain.secrets import HoldsSecret

if TYPE_CHECKING:
    from app.chat_models.model import ChatModel

_SECRET_NAME = re.compile(r"key|secret|token|password|credential|authorization|headers", re.IGNORECASE)
_NOT_SECRET = frozenset({"max_tokens"})
_NOT_SAVED = ("model", "timeouts", "whole", "headers")


def without_secrets(settings: Mapping[str, Any]) -> dict[str, Any]:
    """``settings`` that may be written down: no secrets, nothing whose name sounds like one, nothing but JSON."""
    return {
        name: value
        for name, value in settings.items()
        if value is not None
        and not isinstance(value, HoldsSecret)
        and (name in _NOT_SECRET or not _SECRET_NAME.search(name))
        and _is_json(value)
    }


def _is_json(value: object) -> bool:
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return False
    return True


def serialize_model(model: ChatModel) -> dict[str, Any]:
    """``model`` as JSON. Headers of calls are left out: they may carry secrets."""
    call = model.resolve(NO_OVERRIDES)
    state = {**(model.origin or {}), **_saved_call(call), "model": call.model}
    if model.streaming:
        state["streaming"] = True
    return {
        "footnote_type": "model",
        "provider": model.provider,
        "model_type": model.instance_type()["model_type"],
        "state": state,
    }


def _saved_call(call: Call) -> dict[str, Any]:
    values = {
        name: getattr(call, name)
        for name in Call.__dataclass_fields__
        if name not in _NOT_SAVED and getattr(call, name) != getattr(NO_OVERRIDES, name)
    }
    if call.tools:
        values["tools"] = [asdict(tool) for tool in call.tools]
    if call.response_format is not None:
        values["response_format"] = asdict(call.response_format)
    if call.stop:
        values["stop"] = list(call.stop)
    if call.options:
        values["options"] = without_secrets(call.options)
    return values


def restored_settings(state: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that ``serialize_model`` saved as ``state``. Raises ``ChatInputError`` if it is damaged."""
    values = dict(state)
    try:
        if "tools" in values:
            values["tools"] = [ToolSpec(**tool) for tool in values["tools"]]
        if "response_format" in values:
            values["response_format"] = ResponseFormat(**values["response_format"])
    except TypeError as error:
        raise ChatInputError(f"The description of the model is damaged: {error}.") from error
    return values
