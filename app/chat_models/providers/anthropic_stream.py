"""Decoder of Anthropic Messages streams."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from app.chat_models.wire.decoding import FrameDecoder
from app.chat_models.wire.error_map import Origin, chat_error, interrupted, malformed
from app.chat_models.wire.error_report import report_of_document
from app.chat_models.wire.frames import Frame
from app.chat_models.wire.history import usage_difference
from app.chat_models.wire.text_mending import TextMender
from app.chat_models.wire.tool_slots import ToolCallSlots
from app.domain.messages import AIMessageChunk, Finish, Part, ReasoningPart, TextPart, Usage

FINISHES: dict[str, Finish] = {
    "end_turn": "stop", "stop_sequence": "stop", "tool_use": "tool_calls", "max_tokens": "length",
    "model_context_window_exceeded": "length", "refusal": "content_filter",
}  # fmt: skip


class AnthropicDecoder(FrameDecoder):
    """Makes chunks of the events of one message. Parts are numbered as the message's content blocks.

    Blocks of tools that run at the provider are left out. ``answer_tool`` names the tool whose input is the answer.
    """

    def __init__(self, origin: Origin, answer_tool: str = "") -> None:
        super().__init__(origin)
        self._answer_tool = answer_tool
        self._tools = ToolCallSlots()
        self._blocks: dict[object, str] = {}
        self._signatures: dict[object, str] = {}
        self._menders: dict[object, TextMender] = {}
        self._counts: dict[str, Any] = {}
        self._usage: Usage | None = None
        self._finished = False
        self._terminated = False

    def _take_frame(self, frame: Frame) -> Iterable[AIMessageChunk]:
        event = frame.data
        if frame.terminator:
            self._terminated = True
            return ()
        if frame.event == "error" or _is_error(event):
            raise chat_error(report_of_document(event), self._origin)
        if not isinstance(event, dict):
            raise malformed(self._origin)
        return self._take(event)

    def _take(self, event: Mapping[str, Any]) -> Iterable[AIMessageChunk]:
        match event.get("type"):
            case "content_block_delta":
                return _chunk(self._delta(event.get("index", 0), event.get("delta") or {}))
            case "content_block_start":
                return _chunk(self._start(event.get("index", 0), event.get("content_block") or {}))
            case "message_start":
                return self._introduction(event.get("message") or {})
            case "message_delta":
                return self._end(event.get("delta") or {}, event.get("usage") or {})
            case "message_stop":
                self._terminated = True
            case "message":
                return self._whole(event)
        return ()

    def finish(self) -> Iterable[AIMessageChunk]:
        """The last chunks. Raises ``StreamInterruptedError`` when the answer is not complete."""
        if self._finished:
            return ()
        if self._terminated:
            return (AIMessageChunk(finish="unknown"),)
        raise interrupted(self._origin)

    def _introduction(self, message: Mapping[str, Any]) -> Iterable[AIMessageChunk]:
        usage = self._count(message.get("usage") or {})
        metadata = {"id": message["id"]} if message.get("id") else {}
        return (AIMessageChunk(usage=usage, model=message.get("model"), response_metadata=metadata),)

    def _start(self, index: int, block: Mapping[str, Any]) -> Iterable[Part]:
        kind = block.get("type", "")
        if kind == "tool_use" and block.get("name") == self._answer_tool:
            kind = "answer"
        self._blocks[index] = kind
        if kind == "text" and block.get("text"):
            yield TextPart(block["text"], index)
        elif kind == "thinking" and (block.get("thinking") or block.get("signature")):
            yield ReasoningPart(block.get("thinking") or "", index, _signed(block.get("signature")))
        elif kind == "redacted_thinking":
            yield ReasoningPart("", index, {"redacted_thinking": block.get("data", "")})
        elif kind in ("tool_use", "answer"):
            yield from self._tool_input(index, json.dumps(block["input"]) if block.get("input") else "", block)

    def _delta(self, index: int, delta: Mapping[str, Any]) -> Iterable[Part]:
        match delta.get("type"):
            case "text_delta":
                if text := self._mended(index, delta.get("text", "")):
                    yield TextPart(text, index)
            case "thinking_delta":
                if text := self._mended(index, delta.get("thinking", "")):
                    yield ReasoningPart(text, index)
            case "signature_delta":
                signature = self._signatures.get(index, "") + delta.get("signature", "")
                self._signatures[index] = signature
                yield ReasoningPart("", index, _signed(signature))
            case "input_json_delta":
                yield from self._tool_input(index, delta.get("partial_json") or "", {})

    def _tool_input(self, index: int, text: str, block: Mapping[str, Any]) -> Iterable[Part]:
        kind = self._blocks.get(index, "tool_use")
        if kind == "answer" and text:
            yield TextPart(text, index)
        elif kind == "tool_use":
            part = self._tools.fragment(index, block.get("id"), block.get("name"), text)
            if part is not None:
                yield part

    def _mended(self, index: int, text: str) -> str:
        mender = self._menders.get(index)
        if mender is None:
            mender = self._menders[index] = TextMender()
        return mender.feed(text)

    def _end(self, delta: Mapping[str, Any], counts: Mapping[str, Any]) -> Iterable[AIMessageChunk]:
        reason = delta.get("stop_reason")
        usage = self._count(counts)
        if not reason:
            return (AIMessageChunk(usage=usage),) if usage else ()
        self._finished = True
        metadata: dict[str, Any] = {"finish_reason": reason}
        parts: tuple[Part, ...] = ()
        if stop := delta.get("stop_sequence"):
            metadata["stop_sequence"] = stop
            parts = (TextPart(stop, self._last_text_index()),)
        finish = FINISHES.get(reason, "unknown")
        if finish == "tool_calls" and not self._tools.any:
            finish = "stop"
        return (AIMessageChunk(parts=parts, usage=usage, finish=finish, response_metadata=metadata),)

    def _last_text_index(self) -> int:
        texts = [index for index, kind in self._blocks.items() if kind == "text" and isinstance(index, int)]
        return max(texts, default=0)

    def _whole(self, message: Mapping[str, Any]) -> Iterable[AIMessageChunk]:
        """The answer to a request that was not streamed."""
        yield from self._introduction(message)
        for index, block in enumerate(message.get("content") or ()):
            yield from _chunk(self._start(index, block))
        yield from self._end(message, {})

    def _count(self, counts: Mapping[str, Any]) -> Usage | None:
        """Tokens since the last count: every count is the total so far and may correct the ones before."""
        self._counts.update({name: value for name, value in counts.items() if value is not None})
        if not counts:
            return None
        usage = usage_from(self._counts)
        difference, self._usage = usage_difference(usage, self._usage), usage
        return None if difference == Usage() else difference


def usage_from(counts: Mapping[str, Any]) -> Usage:
    """Anthropic's counts; its input excludes what was read from or written to the cache, ours includes it."""
    read = counts.get("cache_read_input_tokens") or 0
    written = counts.get("cache_creation_input_tokens") or 0
    return Usage(
        input=(counts.get("input_tokens") or 0) + read + written,
        output=counts.get("output_tokens") or 0,
        cache_read=read,
        cache_write=written,
        reasoning=(counts.get("output_tokens_details") or {}).get("thinking_tokens") or 0,
    )


def _is_error(event: object) -> bool:
    return isinstance(event, dict) and (event.get("type") == "error" or bool(event.get("error")))


def _signed(signature: str | None) -> dict[str, Any]:
    return {"signature": signature} if signature else {}


def _chunk(parts: Iterable[Part]) -> Iterable[AIMessageChunk]:
    collected = tuple(parts)
    return (AIMessageChunk(parts=collected),) if collected else ()
