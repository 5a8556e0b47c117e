"""Decoder of Ollama's chat streams: one JSON document a line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from app.chat_models.wire.decoding import FrameDecoder
from app.chat_models.wire.error_map import Origin, chat_error, interrupted, malformed
from app.chat_models.wire.error_report import report_of_document
from app.chat_models.wire.frames import Frame
from app.chat_models.wire.text_mending import TextMender
from app.chat_models.wire.tool_slots import ToolCallSlots
from app.domain.messages import AIMessageChunk, Finish, Part, ReasoningPart, TextPart, Usage

_FINISHES: dict[str, Finish] = {"stop": "stop", "length": "length"}
_NANOSECONDS = 1e9


class OllamaDecoder(FrameDecoder):
    """Makes chunks of the lines of one answer."""

    def __init__(self, origin: Origin) -> None:
        super().__init__(origin)
        self._tools = ToolCallSlots()
        self._text = TextMender()
        self._reasoning = TextMender()
        self._introduced = False
        self._finished = False

    def _take_frame(self, frame: Frame) -> Iterable[AIMessageChunk]:
        line = frame.data
        if frame.terminator:
            return ()
        if not isinstance(line, dict):
            raise malformed(self._origin)
        if line.get("error"):
            raise chat_error(report_of_document(line), self._origin)
        parts = list(self._parts(line.get("message") or {}))
        model = None if self._introduced else line.get("model")
        self._introduced = True
        if not line.get("done"):
            return (AIMessageChunk(parts=tuple(parts), model=model),) if parts or model else ()
        return (self._end(line, parts, model),)

    def finish(self) -> Iterable[AIMessageChunk]:
        """The stream has ended. Raises ``StreamInterruptedError`` when the answer is not complete."""
        if not self._finished:
            raise interrupted(self._origin)
        return ()

    def _parts(self, message: Mapping[str, Any]) -> Iterable[Part]:
        # "reasoning_content" is what gateways before an Ollama call it.
        thoughts = self._reasoning.feed(message.get("thinking") or message.get("reasoning_content") or "")
        if thoughts:
            yield ReasoningPart(thoughts, 0)
        text = self._text.feed(message.get("content") or "")
        if text:
            yield TextPart(text, 0)
        for call in message.get("tool_calls") or ():
            function = call.get("function") or {}
            arguments = function.get("arguments") or {}
            as_text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
            part = self._tools.fragment(self._tools.count, call.get("id"), function.get("name"), as_text)
            if part is not None:
                yield part

    def _end(self, line: Mapping[str, Any], parts: list[Part], model: str | None) -> AIMessageChunk:
        reason = line.get("done_reason", "stop")
        if reason == "":
            raise interrupted(self._origin)  # the process that ran the model has died
        self._finished = True
        parts.extend(ReasoningPart(rest, 0) for rest in [self._reasoning.finish()] if rest)
        parts.extend(TextPart(rest, 0) for rest in [self._text.finish()] if rest)
        finish = _FINISHES.get(reason, "unknown")
        metadata: dict[str, Any] = {"finish_reason": reason}
        for name in ("load_duration", "prompt_eval_duration", "eval_duration", "total_duration"):
            if isinstance(line.get(name), int):
                metadata[f"{name}_seconds"] = line[name] / _NANOSECONDS
        return AIMessageChunk(
            parts=tuple(parts),
            usage=_usage(line),
            finish="tool_calls" if finish == "stop" and self._tools.any else finish,
            model=model,
            response_metadata=metadata,
        )


def _usage(line: Mapping[str, Any]) -> Usage | None:
    """Counts of the last line; a missing count is nought, two missing ones are no count."""
    if "prompt_eval_count" not in line and "eval_count" not in line:
        return None
    return Usage(input=line.get("prompt_eval_count") or 0, output=line.get("eval_count") or 0)
