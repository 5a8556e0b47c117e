"""Replays recorded bytes into codecs."""

from __future__ import annotations

import base64
import hashlib
import json
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.chat_models.call import Call
from app.chat_models.codec import Codec, Framing
from app.chat_models.providers.anthropic import AnthropicCodec
from app.chat_models.providers.bedrock import BedrockCodec
from app.chat_models.providers.google import GoogleCodec
from app.chat_models.providers.openai_chat import OpenAIChatCodec
from app.chat_models.providers.openai_dialects import (
    DEEPSEEK,
    GENERIC,
    GROQ,
    HUGGING_FACE,
    MISTRAL,
    OPENAI,
    OPENROUTER,
    VLLM,
)
from app.chat_models.providers.openai_responses import ResponsesCodec
from app.chat_models.wire.event_stream import EventStreamReader
from app.chat_models.wire.frames import FrameReader
from app.chat_models.wire.json_body import JsonBodyReader
from app.chat_models.wire.sse import NdjsonReader, SseReader
from app.domain.chat_errors import ChatError
from app.domain.messages import Accumulator, AIMessage
from tests.chat_models.stub_replies import byte_by_byte, pieces

READERS: dict[Framing, type[FrameReader]] = {
    Framing.SSE: SseReader,
    Framing.NDJSON: NdjsonReader,
    Framing.EVENT_STREAM: EventStreamReader,
    Framing.JSON: JsonBodyReader,
}
CHAT_DIALECTS = {
    "api.openai.com": OPENAI,
    "api.deepseek.com": DEEPSEEK,
    "api.groq.com": GROQ,
    "api.mistral.ai": MISTRAL,
    "openrouter.ai": OPENROUTER,
    "router.huggingface.co": HUGGING_FACE,
    "api.inference.crusoecloud.com": VLLM,
    "api.z.ai": GENERIC,
}


@dataclass(frozen=True)
class Recording:
    """The body of a recorded answer."""

    host: str
    path: str
    source: str
    body: bytes

    @property
    def key(self) -> str:
        """Names the recording by its bytes."""
        return hashlib.sha256(self.body).hexdigest()[:16]

    def codec(self) -> Codec:
        """The codec of the provider that was recorded."""
        if self.path.endswith("/responses"):
            return ResponsesCodec()
        if self.host in CHAT_DIALECTS:
            return OpenAIChatCodec(CHAT_DIALECTS[self.host])
        if self.host.startswith("bedrock-runtime"):
            return BedrockCodec()
        return AnthropicCodec() if "anthropic" in self.host else GoogleCodec()

    @property
    def framing(self) -> Framing:
        """How the bytes are packed."""
        return Framing.EVENT_STREAM if self.host.startswith("bedrock-runtime") else Framing.SSE


def load_recordings(folder: Path) -> list[Recording]:
    """All recordings of ``recorded.jsonl``."""
    recordings = []
    with (folder / "recorded.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            item = json.loads(line)
            body = item["text"].encode() if "text" in item else base64.b64decode(item["base64"])
            recordings.append(Recording(item["host"], item["path"], item["source"], body))
    return recordings


@dataclass(frozen=True)
class Outcome:
    """What a replay gave: the message as far as it came, and the error that ended it."""

    message: AIMessage
    error: ChatError | None


def replay(codec: Codec, framing: Framing, cut: Iterable[bytes], call: Call | None = None) -> Outcome:
    """Feed ``cut`` to a fresh decoder."""
    decoder = codec.decoder(call or Call(model="recorded"))
    reader = READERS[framing]()
    total = Accumulator()
    try:
        for piece in cut:
            for frame in reader.feed(piece):
                for chunk in decoder.feed(frame):
                    total.add(chunk)
        for frame in reader.finish():
            for chunk in decoder.feed(frame):
                total.add(chunk)
        for chunk in decoder.finish():
            total.add(chunk)
    except ChatError as error:
        return Outcome(total.message(), error)
    return Outcome(total.message(), None)


def cuts_of(body: bytes, seed: int, tries: int = 3) -> Iterator[list[bytes]]:
    """Ways of cutting: whole, byte by byte, and at random."""
    yield [body]
    yield list(byte_by_byte(body))
    chance = random.Random(seed)
    for _ in range(tries):
        yield pieces(body, (chance.randrange(len(body)) for _ in range(chance.randrange(1, 200))))


def summary(outcome: Outcome) -> dict[str, Any]:
    """An outcome in a form that can be stored and compared."""
    message, error, usage = outcome.message, outcome.error, outcome.message.usage
    return {
        "text": digest(message.text),
        "reasoning": digest(message.reasoning),
        "calls": [[call.id, call.name, call.args] for call in message.tool_calls],
        "invalid_calls": len(message.invalid_tool_calls),
        "usage": None
        if usage is None
        else [usage.input, usage.output, usage.cache_read, usage.cache_write, usage.reasoning],
        "finish": message.finish,
        "model": message.model,
        "error": None if error is None else [type(error).__name__, error.status],
    }


def digest(text: str) -> list[Any]:
    """Length, beginning and hash of a text."""
    return [len(text), text[:24], hashlib.sha256(text.encode()).hexdigest()[:16]]
