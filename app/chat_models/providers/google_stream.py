"""Decoder of Gemini streams: every frame is a whole response object."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from typing import Any

from app.chat_models.providers.google_messages import CALL_ID, SIGNATURE
from app.chat_models.wire.decoding import FrameDecoder
from app.chat_models.wire.error_map import Origin, chat_error, interrupted, malformed
from app.chat_models.wire.error_report import report_of_document
from app.chat_models.wire.frames import Frame
from app.chat_models.wire.history import usage_difference
from app.chat_models.wire.text_mending import TextMender
from app.chat_models.wire.tool_slots import ToolCallSlots
from app.domain.chat_errors import ContentFilterError
from app.domain.messages import AIMessageChunk, Finish, ImagePart, Part, ReasoningPart, TextPart, Usage

_FINISHES: dict[str, Finish] = {
    "STOP": "stop", "MAX_TOKENS": "length",
    "SAFETY": "content_filter", "RECITATION": "content_filter", "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter", "SPII": "content_filter", "LANGUAGE": "content_filter",
    "IMAGE_SAFETY": "content_filter", "IMAGE_PROHIBITED_CONTENT": "content_filter",
    "MALFORMED_FUNCTION_CALL": "error", "UNEXPECTED_TOOL_CALL": "error", "MISSING_THOUGHT_SIGNATURE": "error",
    "TOO_MANY_TOOL_CALLS": "error", "MALFORMED_RESPONSE": "error", "OTHER": "error",
}  # fmt: skip


class GoogleDecoder(FrameDecoder):
    """Makes chunks of the frames of one answer.

    A part with a signature stays a part of its own, because signatures must go back with the part they came with.
    """

    def __init__(self, origin: Origin) -> None:
        super().__init__(origin)
        self._tools = ToolCallSlots()
        self._mender = TextMender()
        self._usage: Usage | None = None
        self._response_id = ""
        self._block = 0
        self._kind: type | None = None
        self._introduced = False
        self._finished = False
        self._terminated = False

    def _take_frame(self, frame: Frame) -> Iterable[AIMessageChunk]:
        if frame.terminator:
            self._terminated = True
            return ()
        document = frame.data
        if isinstance(document, list) and document:
            return [chunk for element in document for chunk in self._take_frame(Frame(element, frame.event))]
        if not isinstance(document, dict):
            raise malformed(self._origin)
        if document.get("error") or frame.event == "error":
            raise chat_error(report_of_document(document), self._origin)
        self._response_id = document.get("responseId") or self._response_id
        candidates = document.get("candidates") or ()
        if not candidates:
            self._refuse_if_blocked(document.get("promptFeedback") or {})
        parts = [part for candidate in candidates[:1] for part in self._parts(candidate.get("content") or {})]
        finish, metadata = self._finish(candidates[0] if candidates else {})
        return self._chunk(document, parts, finish, metadata)

    def finish(self) -> Iterable[AIMessageChunk]:
        """The last chunks. Raises ``StreamInterruptedError`` when the answer is not complete."""
        if self._finished:
            return ()
        if self._terminated:
            return (AIMessageChunk(finish="unknown"),)
        raise interrupted(self._origin)

    def _chunk(
        self, document: Mapping[str, Any], parts: list[Part], finish: Finish | None, metadata: dict[str, Any]
    ) -> Iterable[AIMessageChunk]:
        usage = self._count(document.get("usageMetadata"))
        model = None
        if not self._introduced and document.get("modelVersion"):
            self._introduced = True
            model = document["modelVersion"]
            metadata |= {"id": self._response_id} if self._response_id else {}
        if not (parts or finish or usage or model):
            return ()
        return (
            AIMessageChunk(parts=tuple(parts), usage=usage, finish=finish, model=model, response_metadata=metadata),
        )

    def _refuse_if_blocked(self, feedback: Mapping[str, Any]) -> None:
        reason = feedback.get("blockReason")
        if reason:
            raise ContentFilterError(
                f"{self._origin.label} refused the question by its content rules ({reason}). Put it differently.",
                provider=self._origin.provider,
                model=self._origin.model,
                code=str(reason).lower(),
                body=json.dumps(feedback),
            )

    def _parts(self, content: Mapping[str, Any]) -> Iterable[Part]:
        for part in content.get("parts") or ():
            signature = part.get("thoughtSignature")
            extras = {SIGNATURE: signature} if signature else {}
            if call := part.get("functionCall"):
                yield from self._call(call, extras)
            elif (data := part.get("inlineData")) and data.get("data"):
                yield ImagePart(data=base64.b64decode(data["data"]), media_type=data.get("mimeType"), extras=extras)
            elif "text" in part and (part["text"] or extras):
                kind = ReasoningPart if part.get("thought") else TextPart
                text = self._mender.feed(part["text"])
                yield kind(text, self._number(kind, signed=bool(signature)), extras)

    def _call(self, call: Mapping[str, Any], extras: dict[str, Any]) -> Iterable[Part]:
        given = call.get("id")
        if given:
            extras = {**extras, CALL_ID: given}
        # Calls come whole and mostly without an id; the answer's own id makes one that stays the same in a replay.
        made = f"call_{self._response_id}_{self._tools.count}" if self._response_id else None
        arguments = json.dumps(call.get("args") or {}, ensure_ascii=False)
        self._kind = None
        part = self._tools.fragment(self._tools.count, given or made, call.get("name"), arguments, extras)
        if part is not None:
            yield part

    def _number(self, kind: type, *, signed: bool) -> int:
        """The number of the block a text belongs to: a new one after another kind and around signatures."""
        if kind is not self._kind or signed:
            self._block += 1
        self._kind = None if signed else kind
        return self._block - 1

    def _finish(self, candidate: Mapping[str, Any]) -> tuple[Finish | None, dict[str, Any]]:
        reason = candidate.get("finishReason")
        if not reason or reason == "FINISH_REASON_UNSPECIFIED":
            return None, {}
        self._finished = True
        finish = _FINISHES.get(reason, "unknown")
        metadata = {"finish_reason": reason}
        if message := candidate.get("finishMessage"):
            metadata["finish_message"] = message
        calls = finish in ("stop", "unknown") and self._tools.any
        return ("tool_calls" if calls else finish), metadata

    def _count(self, counts: Mapping[str, Any] | None) -> Usage | None:
        """Tokens since the last count: every frame carries the total so far."""
        if not counts:
            return None
        usage = Usage(
            input=(counts.get("promptTokenCount") or 0) + (counts.get("toolUsePromptTokenCount") or 0),
            output=(counts.get("candidatesTokenCount") or 0) + (counts.get("thoughtsTokenCount") or 0),
            cache_read=counts.get("cachedContentTokenCount") or 0,
            reasoning=counts.get("thoughtsTokenCount") or 0,
        )
        difference, self._usage = usage_difference(usage, self._usage), usage
        return None if difference == Usage() else difference
