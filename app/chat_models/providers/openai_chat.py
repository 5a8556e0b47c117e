"""The OpenAI chat completions protocol (https://platform.openai.com/docs/api-reference/chat), in all its dialects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from app.chat_models.call import Call, PrefillStyle
from app.chat_models.codec import Framing, WireRequest
from app.chat_models.providers.openai_dialects import Dialect
from app.chat_models.providers.openai_messages import prefill_fields, wire_messages, wire_response_format, wire_tools
from app.chat_models.providers.openai_stream import OpenAIChatDecoder
from app.chat_models.wire.error_map import Origin, chat_error
from app.chat_models.wire.error_report import report_of_response
from app.chat_models.wire.history import is_prefill
from app.domain.chat_errors import ChatError
from app.domain.messages import Message

_PATH = "/chat/completions"
_PLAIN_PARAMETERS = ("temperature", "top_p", "frequency_penalty", "presence_penalty")


@dataclass(frozen=True, slots=True)
class OpenAIChatCodec:
    """A codec of one dialect. ``api_version`` selects Azure's older addresses, in which the path names the model."""

    dialect: Dialect
    api_version: str = ""

    @property
    def provider(self) -> str:
        """The provider's name."""
        return self.dialect.name

    @property
    def unsupported(self) -> frozenset[str]:
        """Names of ``Call`` fields that the server has no place for."""
        without_effort = frozenset() if self.dialect.effort else frozenset({"reasoning_effort"})
        return self.dialect.unsupported | without_effort

    @property
    def reports_stop(self) -> bool:
        """Whether the answer can be made to end with the stop string; else it is matched by the caller alone."""
        return self.dialect.includes_stop

    def prefill_style(self, call: Call) -> PrefillStyle:
        """What the server does with a trailing assistant message."""
        return self.dialect.prefill

    def request(self, messages: Sequence[Message], call: Call) -> WireRequest:
        """The request."""
        streamed = call.stream_wire is not False
        body: dict[str, Any] = {
            "model": call.model,
            "messages": wire_messages(messages, self.dialect),
            "stream": streamed,
            **({"stream_options": {"include_usage": True}} if streamed and self.dialect.stream_usage else {}),
            **self._parameters(call),
            **wire_tools(call, self.dialect),
            **wire_response_format(call.response_format, self.dialect),
            **prefill_fields(messages, self.dialect),
            **call.options,
        }
        framing = Framing.SSE if streamed else Framing.JSON
        return WireRequest(self._path(messages, call), body, headers=call.headers, framing=framing)

    def decoder(self, call: Call) -> OpenAIChatDecoder:
        """A fresh decoder."""
        return OpenAIChatDecoder(self.dialect, self._origin(call.model))

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> ChatError:
        """The error of a response that has an error status."""
        return chat_error(report_of_response(status, headers, body), self._origin())

    def _path(self, messages: Sequence[Message], call: Call) -> str:
        if self.api_version:
            return f"/deployments/{quote(call.model, safe='')}{_PATH}?api-version={quote(self.api_version)}"
        if self.dialect.prefill_path and is_prefill(messages[-1]):
            return self.dialect.prefill_path
        return _PATH

    def _parameters(self, call: Call) -> dict[str, Any]:
        dialect = self.dialect
        fields: dict[str, Any] = {name: getattr(call, name) for name in _PLAIN_PARAMETERS}
        fields[dialect.max_tokens] = call.max_tokens
        fields[dialect.seed] = call.seed
        if call.stop and dialect.includes_stop:
            fields |= {"stop": list(call.stop), "include_stop_str_in_output": True}
        fields |= self._effort(call)
        return {name: value for name, value in fields.items() if value is not None}

    def _effort(self, call: Call) -> dict[str, Any]:
        effort = call.reasoning_effort
        if effort is None:
            return {}
        if self.dialect.effort == "template":
            return {"chat_template_kwargs": {"enable_thinking": effort != "none", "reasoning_effort": effort}}
        word = "high" if effort == "max" else effort
        if self.dialect.effort == "object":
            return {"reasoning": {"enabled": False} if effort == "none" else {"effort": word}}
        return {"reasoning_effort": word}

    def _origin(self, model: str = "") -> Origin:
        hint = self.dialect.keys[0] if self.dialect.keys else ""
        return Origin(self.dialect.name, self.dialect.label, model, key_hint=hint)
