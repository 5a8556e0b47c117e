"""Decoder of Converse streams."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from app.chat_models.wire.decoding import FrameDecoder
from app.chat_models.wire.error_map import Origin, chat_error, interrupted, malformed
from app.chat_models.wire.error_report import report_of_document
from app.chat_models.wire.frames import Frame
from app.chat_models.wire.text_mending import TextMender
from app.chat_models.wire.tool_slots import ToolCallSlots
from app.domain.messages import AIMessageChunk, Finish, Part, ReasoningPart, TextPart, Usage

_FINISHES: dict[str, Finish] = {
    "end_turn": "stop", "stop_sequence": "stop", "tool_use": "tool_calls", "max_tokens": "length",
    "model_context_window_exceeded": "length", "guardrail_intervened": "content_filter",
    "content_filtered": "content_filter", "malformed_model_output": "error", "malformed_tool_use": "error",
}  # fmt: skip


class BedrockDecoder(FrameDecoder):
    """Makes chunks of the events of one answer. Parts are numbered as the message's content blocks.

    ``answer_tool`` names the tool whose input is the answer.
    """

    def __init__(self, origin: Origin, answer_tool: str = "") -> None:
        super().__init__(origin)
        self._answer_tool = answer_tool
        self._answer_blocks: set[int] = set()
        self._tools = ToolCallSlots()
        self._menders: dict[int, TextMender] = {}
        self._redacted: dict[int, str] = {}
        self._last_text = 0
        self._finished = False

    def _take_frame(self, frame: Frame) -> Iterable[AIMessageChunk]:
        event = frame.data
        if not isinstance(event, dict):
            raise malformed(self._origin)
        kind, _, code = frame.event.partition(":")
        if kind in ("exception", "error"):
            report = report_of_document(event)
            raise chat_error(replace(report, codes=(code.lower(), *report.codes)), self._origin)
        index = event.get("contentBlockIndex", 0)
        match kind:
            case "contentBlockDelta":
                return _chunk(self._delta(index, event.get("delta") or {}))
            case "contentBlockStart":
                return _chunk(self._start(index, event.get("start") or {}))
            case "messageStop":
                return (self._end(event, event.get("stopReason")),)
            case "metadata":
                return (AIMessageChunk(usage=usage_from(event["usage"])),) if event.get("usage") else ()
        return self._whole(event) if "output" in event else ()

    def finish(self) -> Iterable[AIMessageChunk]:
        """The stream has ended. Raises ``StreamInterruptedError`` when the answer is not complete."""
        if not self._finished:
            raise interrupted(self._origin)
        return ()

    def _start(self, index: int, start: Mapping[str, Any]) -> Iterable[Part]:
        tool = start.get("toolUse")
        if not tool:
            return
        if tool.get("name") == self._answer_tool:
            self._answer_blocks.add(index)
            return
        part = self._tools.fragment(index, tool.get("toolUseId"), tool.get("name"), "")
        if part is not None:
            yield part

    def _delta(self, index: int, delta: Mapping[str, Any]) -> Iterable[Part]:
        if "text" in delta:
            self._last_text = index
            if text := self._mended(index, delta["text"]):
                yield TextPart(text, index)
        elif "toolUse" in delta:
            yield from self._tool_input(index, delta["toolUse"].get("input") or "")
        elif "reasoningContent" in delta:
            yield from self._thought(index, delta["reasoningContent"])

    def _tool_input(self, index: int, text: str) -> Iterable[Part]:
        if index in self._answer_blocks:
            if text:
                yield TextPart(text, index)
            return
        part = self._tools.fragment(index, None, None, text)
        if part is not None:
            yield part

    def _thought(self, index: int, content: Mapping[str, Any]) -> Iterable[Part]:
        thought = content.get("reasoningText") or content
        text = self._mended(index, thought.get("text") or "")
        extras: dict[str, Any] = {}
        if thought.get("signature"):
            extras["signature"] = thought["signature"]
        if content.get("redactedContent"):
            self._redacted[index] = self._redacted.get(index, "") + content["redactedContent"]
            extras["redacted_content"] = self._redacted[index]
        if text or extras:
            yield ReasoningPart(text, index, extras)

    def _mended(self, index: int, text: str) -> str:
        mender = self._menders.get(index)
        if mender is None:
            mender = self._menders[index] = TextMender()
        return mender.feed(text)

    def _end(self, event: Mapping[str, Any], reason: object) -> AIMessageChunk:
        self._finished = True
        metadata: dict[str, Any] = {"finish_reason": reason}
        parts: tuple[Part, ...] = ()
        stop = (event.get("additionalModelResponseFields") or {}).get("stop_sequence")
        if stop and reason == "stop_sequence":
            metadata["stop_sequence"] = stop
            parts = (TextPart(stop, self._last_text),)
        finish = _FINISHES.get(str(reason), "unknown")
        if finish in ("stop", "tool_calls"):
            finish = "tool_calls" if self._tools.any else "stop"
        return AIMessageChunk(parts=parts, finish=finish, response_metadata=metadata)

    def _whole(self, document: Mapping[str, Any]) -> Iterable[AIMessageChunk]:
        """The answer to a request that was not streamed."""
        message = (document.get("output") or {}).get("message") or {}
        for index, block in enumerate(message.get("content") or ()):
            yield from _chunk(self._block(index, block))
        yield self._end(document, document.get("stopReason"))
        if document.get("usage"):
            yield AIMessageChunk(usage=usage_from(document["usage"]))

    def _block(self, index: int, block: Mapping[str, Any]) -> Iterable[Part]:
        if tool := block.get("toolUse"):
            yield from self._start(index, {"toolUse": tool})
            yield from self._tool_input(index, json.dumps(tool.get("input") or {}, ensure_ascii=False))
        else:
            yield from self._delta(index, block)


def usage_from(counts: Mapping[str, Any]) -> Usage:
    """Bedrock's counts; its input excludes what was read from or written to the cache, ours includes it."""
    read, written = counts.get("cacheReadInputTokens") or 0, counts.get("cacheWriteInputTokens") or 0
    return Usage(
        input=(counts.get("inputTokens") or 0) + read + written,
        output=counts.get("outputTokens") or 0,
        cache_read=read,
        cache_write=written,
    )


def _chunk(parts: Iterable[Part]) -> Iterable[AIMessageChunk]:
    collected = tuple(parts)
    return (AIMessageChunk(parts=collected),) if collected else ()
