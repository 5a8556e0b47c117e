"""Models for tests: scripted ones in the process, and a real one against the stub server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

from app.chat_models.call import Call
from app.chat_models.loop_thread import LoopThread
from app.chat_models.model import ChatModel
from app.chat_models.provider_model import ProviderModel
from app.chat_models.providers.openai_chat import OpenAIChatCodec
from app.chat_models.providers.openai_dialects import OPENAI, Dialect
from app.chat_models.wire.auth import KeyAuth
from app.chat_models.wire.connection_errors import Server
from app.chat_models.wire.transport import HttpTransport
from app.domain.messages import AIMessage, AIMessageChunk, Message, TextPart, ToolCallPart
from app.domain.secrets import SecretStr
from app.network.http import HttpFactory
from tests.chat_models.stub_server import StubServer

KEY = "sk-test-0123456789abcdef"
Step = AIMessageChunk | AIMessage | BaseException | float


def stub_model(
    stub: StubServer | str,
    loop: LoopThread | None = None,
    *,
    dialect: Dialect = OPENAI,
    http: HttpFactory | None = None,
    **fields: Any,
) -> ProviderModel:
    """A model that speaks to ``stub`` (or a base URL) over real HTTP."""
    address = stub if isinstance(stub, str) else f"{stub.url}/v1"
    server = Server(dialect.name, dialect.label, address)
    transport = HttpTransport(server, KeyAuth(SecretStr(KEY)), http or HttpFactory())
    fields.setdefault("model", "stub-model")
    return ProviderModel(codec=OpenAIChatCodec(dialect), transport=transport, loop=loop, **fields)


class ScriptedModel(ChatModel):
    """Plays one script per call: chunks, errors, and seconds to wait. The last script is repeated."""

    scripts: tuple[tuple[Step, ...], ...]
    """What each call does."""

    def __post_init__(self) -> None:
        self.calls: list[tuple[list[Message], Call]] = []
        self.closed = 0

    async def _astream(self, messages: Sequence[Message], call: Call) -> AsyncIterator[AIMessageChunk]:
        script = self.scripts[min(len(self.calls), len(self.scripts) - 1)]
        self.calls.append((list(messages), call))
        try:
            for step in script:
                if isinstance(step, BaseException):
                    raise step
                if isinstance(step, float):
                    await asyncio.sleep(step)
                elif isinstance(step, AIMessageChunk):
                    yield step
                else:
                    yield AIMessageChunk(parts=step.parts, usage=step.usage, finish=step.finish)
        finally:
            self.closed += 1


def says(*texts: str, **fields: Any) -> tuple[AIMessageChunk, ...]:
    """The chunks of an answer: one per text, and one that finishes."""
    fields.setdefault("finish", "stop")
    return (*(AIMessageChunk(parts=(TextPart(text, 0),)) for text in texts), AIMessageChunk(**fields))


def calls_tool(name: str, arguments: str, call_id: str = "call_1", **fields: Any) -> tuple[AIMessageChunk, ...]:
    """The chunks of an answer that calls a tool."""
    fields.setdefault("finish", "tool_calls")
    return (AIMessageChunk(parts=(ToolCallPart(call_id, name, arguments, 0),)), AIMessageChunk(**fields))


def scripted(*scripts: tuple[Step, ...], **fields: Any) -> ScriptedModel:
    """A scripted model."""
    return ScriptedModel(scripts=scripts, **fields)
