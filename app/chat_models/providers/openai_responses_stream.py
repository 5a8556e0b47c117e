"""Decoder of OpenAI Responses streams."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from app.chat_models.providers.openai_stream import usage_from
from app.chat_models.wire.decoding import FrameDecoder
from app.chat_models.wire.error_map import Origin, chat_error, interrupted, malformed
from app.chat_models.wire.error_report import report_of_document
from app.chat_models.wire.frames import Frame
from app.chat_models.wire.text_mending import TextMender
from app.chat_models.wire.tool_slots import ToolCallSlots
from app.domain.messages import AIMessageChunk, Finish, Part, ReasoningPart, TextPart

_INCOMPLETE: dict[str, Finish] = {"max_output_tokens": "length", "content_filter": "content_filter"}
_KEPT_OF_REASONING = ("type", "id", "summary", "encrypted_content")


class ResponsesDecoder(FrameDecoder):
    """Makes chunks of the events of one response. Text and thoughts are numbered by output item."""

    def __init__(self, origin: Origin) -> None:
        super().__init__(origin)
        self._tools = ToolCallSlots()
        self._menders: dict[tuple[str, object], TextMender] = {}
        self._with_delta: set[object] = set()
        self._introduced = False
        self._finished = False
        self._terminated = False
        self._handlers: dict[str, Callable[[Mapping[str, Any]], Iterable[Part]]] = {
            "response.output_text.delta": self._text_delta,
            "response.refusal.delta": self._refusal_delta,
            "response.reasoning_text.delta": self._reasoning_delta,
            "response.reasoning_summary_text.delta": self._reasoning_delta,
            "response.reasoning_summary_part.added": self._summary_part,
            "response.output_item.added": self._item_added,
            "response.function_call_arguments.delta": self._arguments_delta,
            "response.output_item.done": self._item_done,
        }

    def _take_frame(self, frame: Frame) -> Iterable[AIMessageChunk]:
        if frame.terminator:
            self._terminated = True
            return ()
        event = frame.data
        if not isinstance(event, dict):
            if frame.event == "error":
                raise chat_error(report_of_document(event), self._origin)
            raise malformed(self._origin)
        kind = event.get("type", "")
        if kind == "error" or frame.event == "error" or (not kind and event.get("error")):
            raise chat_error(report_of_document(event), self._origin)
        if handler := self._handlers.get(kind):
            parts = tuple(handler(event))
            return (AIMessageChunk(parts=parts),) if parts else ()
        response = event if event.get("object") == "response" else event.get("response")
        return self._response(response) if isinstance(response, dict) else ()

    def finish(self) -> Iterable[AIMessageChunk]:
        """The last chunks. Raises ``StreamInterruptedError`` when the answer is not complete."""
        if self._finished:
            return ()
        if self._terminated:
            return (AIMessageChunk(finish="unknown"),)
        raise interrupted(self._origin)

    def _response(self, response: Mapping[str, Any]) -> Iterable[AIMessageChunk]:
        """The response object: at the beginning, at the end, or as the whole answer."""
        status = response.get("status")
        if status == "failed" or response.get("error"):
            raise chat_error(report_of_document(response.get("error") or response), self._origin)
        if status in ("completed", "incomplete"):
            yield self._end(response)
        elif status == "cancelled":
            raise interrupted(self._origin)
        elif not self._introduced:
            yield AIMessageChunk(**self._introduction(response))

    def _end(self, response: Mapping[str, Any]) -> AIMessageChunk:
        parts = [
            part
            for index, item in enumerate(response.get("output") or ())
            if index not in self._with_delta
            for part in self._whole_item(item, index)
        ]
        self._finished = True
        reason = (response.get("incomplete_details") or {}).get("reason")
        finish: Finish = "tool_calls" if self._tools.any else "stop"
        if response.get("status") == "incomplete":
            finish = _INCOMPLETE.get(str(reason), "unknown")
        introduction = {} if self._introduced else self._introduction(response)
        metadata = introduction.pop("response_metadata", {}) | {"finish_reason": reason or response["status"]}
        usage = usage_from(response.get("usage") or {})
        known = usage if response.get("usage") else None
        return AIMessageChunk(
            parts=tuple(parts), usage=known, finish=finish, response_metadata=metadata, **introduction
        )

    def _introduction(self, response: Mapping[str, Any]) -> dict[str, Any]:
        self._introduced = True
        metadata = {name: response[name] for name in ("id", "service_tier") if response.get(name)}
        return {"model": response.get("model"), "response_metadata": metadata}

    def _mended(self, kind: str, event: Mapping[str, Any]) -> str:
        index = event.get("output_index", 0)
        self._with_delta.add(index)
        return self._menders.setdefault((kind, index), TextMender()).feed(event.get("delta") or "")

    def _text_delta(self, event: Mapping[str, Any]) -> Iterable[Part]:
        text = self._mended("text", event)
        return (TextPart(text, event.get("output_index", 0)),) if text else ()

    def _refusal_delta(self, event: Mapping[str, Any]) -> Iterable[Part]:
        text = self._mended("text", event)
        return (TextPart(text, event.get("output_index", 0), {"refusal": True}),) if text else ()

    def _reasoning_delta(self, event: Mapping[str, Any]) -> Iterable[Part]:
        text = self._mended("reasoning", event)
        return (ReasoningPart(text, event.get("output_index", 0)),) if text else ()

    def _summary_part(self, event: Mapping[str, Any]) -> Iterable[Part]:
        return (ReasoningPart("\n\n", event.get("output_index", 0)),) if event.get("summary_index") else ()

    def _item_added(self, event: Mapping[str, Any]) -> Iterable[Part]:
        item = event.get("item") or {}
        if item.get("type") != "function_call":
            return ()
        index = event.get("output_index", 0)
        self._with_delta.add(index)
        part = self._tools.fragment(index, item.get("call_id"), item.get("name"), item.get("arguments") or "")
        return (part,) if part else ()

    def _arguments_delta(self, event: Mapping[str, Any]) -> Iterable[Part]:
        part = self._tools.fragment(event.get("output_index", 0), None, None, event.get("delta") or "")
        return (part,) if part else ()

    def _item_done(self, event: Mapping[str, Any]) -> Iterable[Part]:
        item, index = event.get("item") or {}, event.get("output_index", 0)
        kind = item.get("type")
        if kind == "reasoning":
            yield from self._reasoning_item(item, index)
        elif kind == "function_call":
            yield from self._missing_arguments(item, index)
        elif index not in self._with_delta:
            yield from self._whole_item(item, index)
        self._with_delta.add(index)

    def _missing_arguments(self, item: Mapping[str, Any], index: int) -> Iterable[Part]:
        """What the deltas left out of the arguments, which may be all of them."""
        arguments = item.get("arguments") or ""
        part = self._tools.completion(index, item.get("call_id"), item.get("name"), arguments)
        return (part,) if part else ()

    def _reasoning_item(self, item: Mapping[str, Any], index: int) -> Iterable[Part]:
        if index not in self._with_delta:
            texts = [*(item.get("summary") or ()), *(item.get("content") or ())]
            text = "\n\n".join(each.get("text", "") for each in texts)
        else:
            text = ""
        extras = {}
        if item.get("encrypted_content"):
            extras = {"openai_item": {name: item[name] for name in _KEPT_OF_REASONING if name in item}}
        if text or extras:
            yield ReasoningPart(text, index, extras)

    def _whole_item(self, item: Mapping[str, Any], index: int) -> Iterable[Part]:
        """An item that comes all at once."""
        kind = item.get("type")
        if kind == "reasoning":
            yield from self._reasoning_item(item, index)
        elif kind == "function_call":
            yield from self._item_added({"item": item, "output_index": index})
        for content in (item.get("content") or ()) if kind == "message" else ():
            if text := content.get("text") or content.get("refusal"):
                extras = {"refusal": True} if content.get("type") == "refusal" else {}
                yield TextPart(text, index, extras)
