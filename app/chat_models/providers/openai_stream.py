"""Decoder of OpenAI chat completion streams, in all dialects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from app.chat_models.providers.openai_dialects import Dialect
from app.chat_models.wire.decoding import FrameDecoder
from app.chat_models.wire.error_map import Origin, chat_error, interrupted, malformed
from app.chat_models.wire.error_report import report_of_document
from app.chat_models.wire.frames import Frame
from app.chat_models.wire.history import usage_difference
from app.chat_models.wire.text_mending import TextMender
from app.chat_models.wire.think_tags import ThinkTagSplitter
from app.chat_models.wire.tool_slots import ToolCallSlots
from app.domain.chat_errors import ChatInputError
from app.domain.messages import AIMessageChunk, Finish, ImagePart, Part, ReasoningPart, TextPart, Usage
from app.domain.parts import image_from_url

_FINISHES: dict[str, Finish] = {
    "stop": "stop", "eos": "stop", "eos_token": "stop", "end_turn": "stop", "completed": "stop",
    "stop_sequence": "stop",
    "tool_calls": "tool_calls", "function_call": "tool_calls", "tool_use": "tool_calls",
    "length": "length", "max_tokens": "length", "model_length": "length",
    "content_filter": "content_filter", "safety": "content_filter",
    "error": "error", "insufficient_system_resource": "error",
}  # fmt: skip


class OpenAIChatDecoder(FrameDecoder):
    """Makes chunks of the frames of one answer."""

    def __init__(self, dialect: Dialect, origin: Origin) -> None:
        self._dialect = dialect
        super().__init__(origin)
        self._tools = ToolCallSlots()
        self._text = TextMender()
        self._reasoning = TextMender()
        self._think = ThinkTagSplitter() if dialect.think_tags else None
        self._details: list[dict[str, Any]] = []
        self._usage: Usage | None = None
        self._introduced = False
        self._finished = False
        self._terminated = False

    def feed(self, frame: Frame) -> list[AIMessageChunk]:
        """The chunks that ``frame`` brings. Raises the ``ChatError`` of an error frame, or ``ProtocolError``."""
        if self._introduced and self._think is None and (text := _only_text(frame.data)):
            text = self._text.feed(text)
            return [AIMessageChunk(parts=(TextPart(text, 0),))] if text else []
        return super().feed(frame)

    def _take_frame(self, frame: Frame) -> Iterable[AIMessageChunk]:
        if frame.terminator:
            self._terminated = True
            return ()
        document = frame.data
        if frame.event == "error" or _is_error(document):
            raise chat_error(report_of_document(document), self._origin)
        if not isinstance(document, dict):
            raise malformed(self._origin)
        parts: list[Part] = []
        finish: Finish | None = None
        metadata = self._introduction(document)
        for choice in document.get("choices") or ():
            if choice.get("index") in (0, None):
                self._read_choice(choice, parts)
                finish = self._finish(choice, parts, metadata) or finish
        usage = self._read_usage(document)
        if not (parts or finish or usage or metadata):
            return ()
        model = metadata.pop("model", None)
        return (
            AIMessageChunk(parts=tuple(parts), usage=usage, finish=finish, model=model, response_metadata=metadata),
        )

    def finish(self) -> Iterable[AIMessageChunk]:
        """The last chunks. Raises ``StreamInterruptedError`` when the answer is not complete."""
        if not (self._finished or self._terminated):
            raise interrupted(self._origin)
        parts = self._held_back()
        if parts or not self._finished:
            yield AIMessageChunk(parts=tuple(parts), finish=None if self._finished else "unknown")

    def _introduction(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Id and model, once; Azure's first chunk has empty ones."""
        if self._introduced or not (document.get("id") or document.get("model")):
            return {}
        names = ("id", "model", "system_fingerprint", "service_tier", "provider")
        facts = {name: document[name] for name in names if document.get(name)}
        self._introduced = bool(document.get("choices"))
        return facts

    def _read_choice(self, choice: Mapping[str, Any], parts: list[Part]) -> None:
        delta = choice.get("delta") or choice.get("message") or {}
        for name in self._dialect.reasoning:
            if reasoning := delta.get(name):
                self._add_reasoning(_text_of(reasoning), parts)
                break
        if details := delta.get("reasoning_details"):
            self._keep_details(details)
        content = delta.get("content")
        if content:
            self._add_content(content, parts)
        if refusal := delta.get("refusal"):
            parts.append(TextPart(self._text.feed(refusal), 0, {"refusal": True}))
        for call in delta.get("tool_calls") or ():
            self._add_call(call, parts)
        if function := delta.get("function_call"):
            self._add_call({"index": 0, "function": function}, parts)
        parts.extend(map(_image, delta.get("images") or ()))

    def _add_content(self, content: object, parts: list[Part]) -> None:
        if isinstance(content, str):
            self._add_text(content, parts)
        for item in content if isinstance(content, list) else ():
            if item.get("type") == "thinking":
                self._add_reasoning(_text_of(item.get("thinking")), parts)
            elif item.get("text"):
                self._add_text(item["text"], parts)

    def _add_text(self, text: str, parts: list[Part]) -> None:
        text = self._text.feed(text)
        if self._think is None:
            if text:
                parts.append(TextPart(text, 0))
            return
        parts.extend(_thought_or_text(self._think.feed(text)))

    def _add_reasoning(self, text: str, parts: list[Part]) -> None:
        text = self._reasoning.feed(text)
        if text:
            parts.append(ReasoningPart(text, 0))

    def _add_call(self, call: Mapping[str, Any], parts: list[Part]) -> None:
        function = call.get("function") or {}
        arguments = function.get("arguments")
        if isinstance(arguments, dict):
            arguments = _dumps(arguments)
        part = self._tools.fragment(call.get("index"), call.get("id"), function.get("name"), arguments or "")
        if part is not None:
            parts.append(part)

    def _keep_details(self, details: list[dict[str, Any]]) -> None:
        """Join the fragments of OpenRouter's reasoning details, which must go back as they came."""
        for detail in details:
            last = self._details[-1] if self._details else {}
            if detail.get("type") != last.get("type") or detail.get("index") != last.get("index"):
                self._details.append(dict(detail))
                continue
            for name, value in detail.items():
                joins = name in ("text", "summary", "data") and isinstance(value, str)
                last[name] = (last.get(name) or "") + value if joins else value or last.get(name)

    def _finish(self, choice: Mapping[str, Any], parts: list[Part], metadata: dict[str, Any]) -> Finish | None:
        reason = choice.get("finish_reason")
        if not reason:
            return None
        if not self._finished:
            self._finished = True
            parts.extend(self._held_back())
        metadata["finish_reason"] = reason
        for name in ("stop_reason", "native_finish_reason", "content_filter_results"):
            if choice.get(name) is not None:
                metadata[name] = choice[name]
        finish = _FINISHES.get(str(reason).lower(), "unknown")
        # A forced call comes with "stop", and "tool_calls" comes without a call: only what has arrived counts.
        return ("tool_calls" if self._tools.any else "stop") if finish in ("stop", "tool_calls") else finish

    def _held_back(self) -> list[Part]:
        parts: list[Part] = []
        if rest := self._reasoning.finish():
            parts.append(ReasoningPart(rest, 0))
        if self._details:
            parts.append(ReasoningPart("", 0, {"reasoning_details": self._details}))
            self._details = []
        rest = self._text.finish()
        if self._think is not None:
            parts.extend(_thought_or_text([*self._think.feed(rest), *self._think.finish()]))
        elif rest:
            parts.append(TextPart(rest, 0))
        return parts

    def _read_usage(self, document: Mapping[str, Any]) -> Usage | None:
        """Tokens since the last count. vLLM can send a growing total with every chunk."""
        counts = document.get("usage") or (document.get("x_groq") or {}).get("usage")
        if not isinstance(counts, Mapping):
            return None
        usage = usage_from(counts)
        difference, self._usage = usage_difference(usage, self._usage), usage
        return None if difference == Usage() else difference


def usage_from(counts: Mapping[str, Any]) -> Usage:
    """Token counts of either OpenAI protocol. Cached and reasoning tokens are inside input and output."""
    inside = counts.get("prompt_tokens_details") or counts.get("input_tokens_details") or {}
    outside = counts.get("completion_tokens_details") or counts.get("output_tokens_details") or {}
    return Usage(
        input=_count(counts, "prompt_tokens") or _count(counts, "input_tokens"),
        output=_count(counts, "completion_tokens") or _count(counts, "output_tokens"),
        cache_read=_count(inside, "cached_tokens") or _count(counts, "prompt_cache_hit_tokens"),
        cache_write=_count(inside, "cache_write_tokens"),
        reasoning=_count(outside, "reasoning_tokens"),
    )


def _count(counts: Mapping[str, Any], name: str) -> int:
    value = counts.get(name)
    return value if isinstance(value, int) else 0


def _image(item: Mapping[str, Any]) -> ImagePart:
    """A picture that the model drew, as OpenRouter sends it; an empty part for one that is damaged."""
    try:
        return image_from_url(str((item.get("image_url") or {}).get("url")))
    except ChatInputError:
        return ImagePart()


_TEXT_FIELDS = {"content", "role"}


def _only_text(document: object) -> str:
    """The text of the usual frame, which brings nothing else; "" for every other frame. It is the hot path."""
    if type(document) is not dict or document.get("usage") or document.get("error"):
        return ""
    choices = document.get("choices")
    if type(choices) is not list or len(choices) != 1 or type(choices[0]) is not dict:
        return ""
    choice = choices[0]
    delta = choice.get("delta")
    if type(delta) is not dict or not delta.keys() <= _TEXT_FIELDS:
        return ""
    if choice.get("finish_reason") or choice.get("index"):
        return ""
    content = delta.get("content")
    return content if type(content) is str else ""


def _is_error(document: object) -> bool:
    if not isinstance(document, dict):
        return isinstance(document, list) and bool(document) and _is_error(document[0])
    return bool(document.get("error")) or document.get("object") == "error" or document.get("type") == "error"


def _thought_or_text(pieces: Iterable[tuple[bool, str]]) -> Iterable[Part]:
    return (ReasoningPart(text, 0) if thought else TextPart(text, 0) for thought, text in pieces)


def _text_of(value: object) -> str:
    """Text, or the texts of a list of chunks (Mistral)."""
    if isinstance(value, str):
        return value
    return "".join(item.get("text", "") for item in value) if isinstance(value, list) else ""


def _dumps(arguments: Mapping[str, Any]) -> str:
    import json

    return json.dumps(arguments, ensure_ascii=False)
