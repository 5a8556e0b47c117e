"""The wire protocols from the server's side: what each of them says, for tests that go through all of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.chat_models.keys import KeySource
from app.chat_models.loop_thread import LoopThread
from app.chat_models.model import ChatModel
from app.chat_models.registry import ModelRegistry
from tests.chat_models.stub_replies import chat_chunk, event_stream_frame, ndjson, sse
from tests.chat_models.stub_server import StubServer

KEY = "sk-test-0123456789abcdef"
Calls = Sequence[tuple[str, str, str]]  # id, name, arguments as JSON text


@dataclass(frozen=True)
class Protocol:
    """One protocol. ``says`` makes the frames of an answer, ``calls`` those of one that calls tools.

    The last frame of both is the end; without it the answer is not complete. ``fails`` makes an error inside a stream
    that means "overloaded".
    """

    spec: str
    suffix: str
    content_type: str
    says: Callable[[Sequence[str], str], list[bytes]]
    calls: Callable[[Calls, str], list[bytes]]
    fails: Callable[[], bytes]
    error_body: Callable[[str], Any]
    whole: Callable[[str], Any]
    reasons: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name of the provider."""
        return self.spec.split(":")[0]

    def text(self, *texts: str, finish: str = "stop") -> list[bytes]:
        """The frames of an answer."""
        return self.says(texts, self.reasons[finish])

    def tools(self, *calls: tuple[str, str, str], finish: str = "tool_calls") -> list[bytes]:
        """The frames of an answer that calls tools."""
        return self.calls(calls, self.reasons[finish])


def model_at(stub: StubServer | str, protocol: Protocol, loop: LoopThread | None, **settings: Any) -> ChatModel:
    """A model of ``protocol`` at the stub server."""
    url = stub if isinstance(stub, str) else stub.url
    registry = ModelRegistry(loop=loop, keys=KeySource(environ={}, stored=lambda name: None))
    return registry.model(protocol.spec, **{"api_key": KEY, "base_url": url + protocol.suffix, **settings})


# OpenAI chat


def _chat_says(texts: Sequence[str], finish: str) -> list[bytes]:
    usage = {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}
    chunks = [sse(chat_chunk(text)) for text in texts]
    return [*chunks, sse(chat_chunk(finish_reason=finish), {"choices": [], "usage": usage}, done=True)]


def _chat_calls(calls: Calls, finish: str) -> list[bytes]:
    frames = []
    for index, (id, name, arguments) in enumerate(calls):
        start = {"index": index, "id": id, "type": "function", "function": {"name": name, "arguments": ""}}
        rest = {"index": index, "function": {"arguments": arguments}}
        frames += [sse(chat_chunk(tool_calls=[start])), sse(chat_chunk(tool_calls=[rest]))]
    return [*frames, sse(chat_chunk(finish_reason=finish), done=True)]


def _openai_error(message: str) -> Any:
    return {"error": {"message": message, "type": "some_error", "code": None}}


def _chat_whole(text: str) -> Any:
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 5, "completion_tokens": 7}
    return {"id": "c1", "object": "chat.completion", "model": "m", "choices": [choice], "usage": usage}


CHAT = Protocol(
    "openai:gpt-4o-mini",
    "/v1",
    "text/event-stream",
    _chat_says,
    _chat_calls,
    lambda: sse({"error": {"message": "Overloaded", "code": 503}}),
    _openai_error,
    _chat_whole,
    {"stop": "stop", "length": "length", "tool_calls": "tool_calls", "content_filter": "content_filter"},
)

# OpenAI Responses


def _responses_end(finish: str, output: Sequence[Any] = ()) -> dict[str, Any]:
    reason = {"length": "max_output_tokens", "content_filter": "content_filter"}.get(finish)
    response = {
        "id": "r1",
        "object": "response",
        "status": "incomplete" if reason else "completed",
        "incomplete_details": {"reason": reason} if reason else None,
        "output": list(output),
        "usage": {"input_tokens": 5, "output_tokens": 7},
        "model": "m",
    }
    return {"type": "response.incomplete" if reason else "response.completed", "response": response}


def _responses_says(texts: Sequence[str], finish: str) -> list[bytes]:
    created = {"type": "response.created", "response": {"id": "r1", "status": "in_progress", "model": "m"}}
    deltas = [{"type": "response.output_text.delta", "output_index": 0, "delta": text} for text in texts]
    return [
        sse(created, *deltas[:1], event_key="type"),
        *(sse(delta, event_key="type") for delta in deltas[1:]),
        sse(_responses_end(finish), event_key="type"),
    ]


def _responses_calls(calls: Calls, finish: str) -> list[bytes]:
    frames = []
    for index, (id, name, arguments) in enumerate(calls):
        item = {"type": "function_call", "id": f"fc_{index}", "call_id": id, "name": name, "arguments": ""}
        added = {"type": "response.output_item.added", "output_index": index, "item": item}
        delta = {"type": "response.function_call_arguments.delta", "output_index": index, "delta": arguments}
        done = {"type": "response.output_item.done", "output_index": index, "item": {**item, "arguments": arguments}}
        frames += [sse(added, event_key="type"), sse(delta, done, event_key="type")]
    return [*frames, sse(_responses_end(finish), event_key="type")]


def _responses_whole(text: str) -> Any:
    message = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]}
    return _responses_end("stop", [message])["response"]


RESPONSES = Protocol(
    "openai-responses:gpt-4o-mini",
    "/v1",
    "text/event-stream",
    _responses_says,
    _responses_calls,
    lambda: sse({"type": "error", "code": "503", "message": "Overloaded"}, event_key="type"),
    _openai_error,
    _responses_whole,
    {"stop": "stop", "length": "length", "tool_calls": "tool_calls", "content_filter": "content_filter"},
)

# Anthropic


def _anthropic_start() -> dict[str, Any]:
    usage = {"input_tokens": 5, "output_tokens": 1}
    return {"type": "message_start", "message": {"id": "m1", "model": "m", "content": [], "usage": usage}}


def _anthropic_end(finish: str) -> bytes:
    delta = {"type": "message_delta", "delta": {"stop_reason": finish}, "usage": {"output_tokens": 7}}
    return sse(delta, {"type": "message_stop"}, event_key="type")


def _anthropic_says(texts: Sequence[str], finish: str) -> list[bytes]:
    block = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    deltas = [
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}} for text in texts
    ]
    first = sse(_anthropic_start(), block, {"type": "ping"}, *deltas[:1], event_key="type")
    return [first, *(sse(delta, event_key="type") for delta in deltas[1:]), _anthropic_end(finish)]


def _anthropic_calls(calls: Calls, finish: str) -> list[bytes]:
    frames = [sse(_anthropic_start(), event_key="type")]
    for index, (id, name, arguments) in enumerate(calls):
        block = {"type": "tool_use", "id": id, "name": name, "input": {}}
        start = {"type": "content_block_start", "index": index, "content_block": block}
        deltas = [
            {"type": "content_block_delta", "index": index, "delta": {"type": "input_json_delta", "partial_json": text}}
            for text in ("", arguments)
        ]
        frames.append(sse(start, *deltas, event_key="type"))
    return [*frames, _anthropic_end(finish)]


def _anthropic_whole(text: str) -> Any:
    content, usage = [{"type": "text", "text": text}], {"input_tokens": 5, "output_tokens": 7}
    return {"type": "message", "id": "m1", "model": "m", "content": content, "stop_reason": "end_turn", "usage": usage}


ANTHROPIC = Protocol(
    "anthropic:claude-sonnet-4-5",
    "",
    "text/event-stream",
    _anthropic_says,
    _anthropic_calls,
    lambda: sse({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, event_key="type"),
    lambda message: {"type": "error", "error": {"type": "some_error", "message": message}},
    _anthropic_whole,
    {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"},
)

# Google


def _google(parts: Sequence[Any], finish: str | None = None) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": list(parts)}}
    if finish:
        candidate["finishReason"] = finish
    usage = {"promptTokenCount": 5, "candidatesTokenCount": 7, "totalTokenCount": 12}
    return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "m", "responseId": "g1"}


def _google_says(texts: Sequence[str], finish: str) -> list[bytes]:
    frames = [sse(_google([{"text": text}])) for text in texts]
    return [frame.replace(b"\n", b"\r\n") for frame in (*frames, sse(_google([{"text": ""}], finish)))]


def _google_calls(calls: Calls, finish: str) -> list[bytes]:
    parts = [{"functionCall": {"id": id, "name": name, "args": json.loads(arguments)}} for id, name, arguments in calls]
    return [sse(_google(parts)), sse(_google([], finish))]


GOOGLE = Protocol(
    "google:gemini-2.5-flash",
    "/v1beta",
    "text/event-stream",
    _google_says,
    _google_calls,
    lambda: b'{\n  "error": {\n    "code": 503,\n    "message": "Overloaded",\n    "status": "UNAVAILABLE"\n  }\n}\n',
    lambda message: [{"error": {"message": message, "status": "SOMETHING"}}],
    lambda text: _google([{"text": text}], "STOP"),
    {"stop": "STOP", "length": "MAX_TOKENS", "tool_calls": "STOP", "content_filter": "SAFETY"},
)

# Ollama


def _ollama_end(finish: str) -> bytes:
    return ndjson({"model": "m", "done": True, "done_reason": finish, "prompt_eval_count": 5, "eval_count": 7})


def _ollama_says(texts: Sequence[str], finish: str) -> list[bytes]:
    lines = [ndjson({"model": "m", "message": {"role": "assistant", "content": text}, "done": False}) for text in texts]
    return [*lines, _ollama_end(finish)]


def _ollama_calls(calls: Calls, finish: str) -> list[bytes]:
    wire = [
        {"id": id, "function": {"index": index, "name": name, "arguments": json.loads(arguments)}}
        for index, (id, name, arguments) in enumerate(calls)
    ]
    message = {"role": "assistant", "content": "", "tool_calls": wire}
    return [ndjson({"model": "m", "message": message, "done": False}), _ollama_end(finish)]


OLLAMA = Protocol(
    "ollama:llama3.2",
    "",
    "application/x-ndjson",
    _ollama_says,
    _ollama_calls,
    lambda: ndjson({"error": "server busy, overloaded"}),
    lambda message: {"error": message},
    lambda text: {
        "model": "m",
        "message": {"role": "assistant", "content": text},
        "done": True,
        "done_reason": "stop",
        "prompt_eval_count": 5,
        "eval_count": 7,
    },
    {"stop": "stop", "length": "length", "tool_calls": "stop"},
)

# Bedrock


def _bedrock_end(finish: str) -> bytes:
    usage = {"inputTokens": 5, "outputTokens": 7, "totalTokens": 12}
    stop = event_stream_frame("messageStop", {"stopReason": finish, "p": "ab"})
    return stop + event_stream_frame("metadata", {"usage": usage, "metrics": {"latencyMs": 3}})


def _bedrock_says(texts: Sequence[str], finish: str) -> list[bytes]:
    frames = [
        event_stream_frame("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": text}}) for text in texts
    ]
    start = event_stream_frame("messageStart", {"role": "assistant", "p": "abcd"})
    stop = event_stream_frame("contentBlockStop", {"contentBlockIndex": 0})
    return [start + frames[0], *frames[1:], stop + _bedrock_end(finish)]


def _bedrock_calls(calls: Calls, finish: str) -> list[bytes]:
    frames = [event_stream_frame("messageStart", {"role": "assistant"})]
    for index, (id, name, arguments) in enumerate(calls):
        tool = {"toolUse": {"toolUseId": id, "name": name}}
        delta = {"contentBlockIndex": index, "delta": {"toolUse": {"input": arguments}}}
        frames.append(
            event_stream_frame("contentBlockStart", {"contentBlockIndex": index, "start": tool})
            + event_stream_frame("contentBlockDelta", delta)
        )
    return [*frames, _bedrock_end(finish)]


BEDROCK = Protocol(
    "bedrock:anthropic.claude-3-5-sonnet-20240620-v1:0",
    "",
    "application/vnd.amazon.eventstream",
    _bedrock_says,
    _bedrock_calls,
    lambda: event_stream_frame("serviceUnavailableException", {"message": "Overloaded"}, "exception"),
    lambda message: {"message": message},
    lambda text: {
        "output": {"message": {"role": "assistant", "content": [{"text": text}]}},
        "stopReason": "end_turn",
        "usage": {"inputTokens": 5, "outputTokens": 7},
    },
    {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "guardrail_intervened"},
)

PROTOCOLS = (CHAT, RESPONSES, ANTHROPIC, GOOGLE, OLLAMA, BEDROCK)
