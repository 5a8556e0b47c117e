"""Resilience against llmock, a server that other people wrote, and its verdict on this client."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from app.chat_models.call import Timeouts
from app.chat_models.keys import KeySource
from app.chat_models.loop_thread import LoopThread
from app.chat_models.model import ChatModel
from app.chat_models.registry import ModelRegistry
from app.chat_models.wrappers.retry import Retry, RetryPolicy
from app.domain.chat_errors import (
    APIConnectionError,
    APITimeoutError,
    AuthenticationError,
    ChatError,
    InvalidRequestError,
    ModelNotFoundError,
    OverloadedError,
    ProtocolError,
    RateLimitError,
    ServerError,
    StreamInterruptedError,
)
from app.domain.messages import HumanMessage, ToolMessage
from tests.chat_models.independent.conftest import Llmock

WEATHER = {
    "name": "get_weather",
    "description": "Weather of a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
PROVIDERS = {
    "openai:gpt-4o-mini": "/v1",
    "openai-responses:gpt-4o-mini": "/v1",
    "anthropic:claude-sonnet-4-5": "/anthropic",
    "google:gemini-2.5-flash": "/gemini",
    "mistral:mistral-large-latest": "/mistral/v1",
    "groq:llama-3.3-70b-versatile": "/groq/openai/v1",
    "together:meta-llama/Llama-3.3-70B-Instruct-Turbo": "/together/v1",
    "xai:grok-4": "/xai/v1",
}
each_provider = pytest.mark.parametrize("spec", PROVIDERS, ids=lambda spec: spec.split(":")[0])
each_protocol = pytest.mark.parametrize("spec", list(PROVIDERS)[:4], ids=lambda spec: spec.split(":")[0])


class City(BaseModel):
    """A city."""

    name: str
    inhabitants: int


def model_of(spec: str, llmock: Llmock, loop: LoopThread, **settings: Any) -> ChatModel:
    registry = ModelRegistry(loop=loop, keys=KeySource(environ={}, stored=lambda name: None))
    return registry.model(spec, api_key="test-key", base_url=llmock.url + PROVIDERS[spec], **settings)


def patient(model: ChatModel) -> ChatModel:
    return model.wrap(Retry.around(policy=RetryPolicy(base_delay=0.06, max_delay=0.3), chance=lambda: 0.5))


@pytest.mark.requirement("B2", "B7", "B8", "B9", "B36")
@each_provider
def test_an_answer_whole_and_streamed(llmock: Llmock, loop: LoopThread, spec: str) -> None:
    model = model_of(spec, llmock, loop)
    message = model.invoke("What is the capital of France?", temperature=0)
    assert message.text
    assert message.finish == "stop"
    assert message.usage is not None
    assert message.usage.input > 0
    assert message.usage.output > 0
    assert not message.usage.estimated or spec.startswith("mistral")  # which needn't be asked for it, but is here
    chunks = list(model.stream("What is the capital of France?", temperature=0))
    assert "".join(chunk.text for chunk in chunks) == message.text
    assert sum(1 for chunk in chunks if chunk.text) > 1
    assert llmock.findings() == []


@pytest.mark.requirement("C3", "C8")
@each_provider
def test_a_call_and_its_result(llmock: Llmock, loop: LoopThread, spec: str) -> None:
    model = model_of(spec, llmock, loop).bind_tools([WEATHER])
    question = HumanMessage("What is the weather in Paris?")
    asked = model.invoke([question])
    assert [call.name for call in asked.tool_calls] == ["get_weather"]
    assert isinstance(asked.tool_calls[0].args["city"], str)
    results = [ToolMessage("sunny", tool_call_id=call.id) for call in asked.tool_calls]
    answer = model.invoke([question, asked, *results])
    assert answer.text
    assert answer.tool_calls == ()


@pytest.mark.requirement("D1", "D12")
@pytest.mark.parametrize("spec", [spec for spec in PROVIDERS if not spec.startswith("anthropic")])
def test_an_answer_in_a_form(llmock: Llmock, loop: LoopThread, spec: str) -> None:
    city = model_of(spec, llmock, loop).with_structured_output(City).invoke("Tell me about a city.")
    assert isinstance(city, City)


@pytest.mark.requirement("H1", "H2", "H8")
@each_protocol
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidRequestError),
        (401, AuthenticationError),
        (403, AuthenticationError),
        (404, ModelNotFoundError),
        (422, InvalidRequestError),
    ],
)
def test_errors_that_stay_are_not_asked_again(
    llmock: Llmock, loop: LoopThread, spec: str, status: int, kind: type[ChatError]
) -> None:
    llmock.script({"type": "fail", "status": status, "times": None})
    with pytest.raises(kind) as caught:
        patient(model_of(spec, llmock, loop)).invoke("Hi")
    assert caught.value.status == status
    assert len(llmock.requests()) == 1
    assert llmock.findings() == []


@pytest.mark.requirement("H8", "H9")
@each_protocol
@pytest.mark.parametrize(("status", "kind"), [(500, ServerError), (503, OverloadedError), (529, OverloadedError)])
def test_errors_that_pass_are_asked_again(
    llmock: Llmock, loop: LoopThread, spec: str, status: int, kind: type[ChatError]
) -> None:
    llmock.script({"type": "fail", "status": status, "times": 2, "retry_after": 0.1})
    assert patient(model_of(spec, llmock, loop)).invoke("Hi").text
    assert len(llmock.requests()) == 3
    assert llmock.findings() == []
    llmock.reset()
    llmock.script({"type": "fail", "status": status})
    with pytest.raises(kind):
        model_of(spec, llmock, loop).invoke("Hi")


@pytest.mark.requirement("H2", "H10")
@each_protocol
def test_the_delay_that_the_server_names_is_obeyed(llmock: Llmock, loop: LoopThread, spec: str) -> None:
    llmock.script({"type": "fail", "status": 429, "retry_after": 0.6, "times": 1})
    assert patient(model_of(spec, llmock, loop)).invoke("Hi").text
    assert len(llmock.requests()) == 2
    assert llmock.findings() == []


@pytest.mark.requirement("H2")
@each_protocol
def test_a_rate_limit_tells_how_long_to_wait(llmock: Llmock, loop: LoopThread, spec: str) -> None:
    llmock.script({"type": "fail", "status": 429, "retry_after": 7})
    with pytest.raises(RateLimitError) as caught:
        model_of(spec, llmock, loop).invoke("Hi")
    assert caught.value.retry_after == 7


@pytest.mark.requirement("H3", "H11")
@each_protocol
@pytest.mark.parametrize("kind", ["truncate", "disconnect"])
def test_half_an_answer_is_an_error_with_that_half(llmock: Llmock, loop: LoopThread, spec: str, kind: str) -> None:
    llmock.script(
        {"type": "reply", "text": "One two three four five six seven eight nine ten."},
        {"type": "stream_fault", "kind": kind, "after_chunks": 8},
    )
    with pytest.raises(StreamInterruptedError) as caught:
        patient(model_of(spec, llmock, loop)).invoke("Hi")
    assert isinstance(caught.value, APIConnectionError)
    if caught.value.partial is not None:
        assert "One two three four".startswith(caught.value.partial.text[:8])
    assert len(llmock.requests()) == 1  # text had been handed on: asking again would say it twice


@each_protocol
def test_a_damaged_frame_is_an_error(llmock: Llmock, loop: LoopThread, spec: str) -> None:
    llmock.script({"type": "stream_fault", "kind": "malformed", "after_chunks": 1})
    with pytest.raises((ProtocolError, StreamInterruptedError)):
        model_of(spec, llmock, loop).invoke("Tell me a story")


@pytest.mark.requirement("B37", "H4")
@each_protocol
def test_a_stalled_stream_is_given_up(llmock: Llmock, loop: LoopThread, spec: str) -> None:
    llmock.script({"type": "stream_fault", "kind": "stall", "after_chunks": 1, "stall_seconds": 2})
    with pytest.raises(APITimeoutError):
        model_of(spec, llmock, loop, timeouts=Timeouts(first_token=2.0, idle=0.3)).invoke("Tell me a story")
    assert "no_read_timeout" not in llmock.findings()


@pytest.mark.requirement("B37")
def test_a_slow_first_token_is_given_up(llmock: Llmock, loop: LoopThread) -> None:
    llmock.script({"type": "slow_first_token", "seconds": 2})
    with pytest.raises(APITimeoutError):
        model_of("openai:gpt-4o-mini", llmock, loop, timeouts=Timeouts(first_token=0.3)).invoke("Hi")


@pytest.mark.requirement("C12", "C13")
@pytest.mark.parametrize("spec", ["openai:gpt-4o-mini", "anthropic:claude-sonnet-4-5", "openai-responses:gpt-4o-mini"])
def test_arguments_that_are_no_json_are_no_call(llmock: Llmock, loop: LoopThread, spec: str) -> None:
    llmock.script({"type": "tool_fault", "kind": "malformed_arguments"})
    message = model_of(spec, llmock, loop).bind_tools([WEATHER]).invoke("What is the weather in Paris?")
    assert message.tool_calls == ()
    assert len(message.invalid_tool_calls) == 1


def test_what_it_does_not_know_is_refused(llmock: Llmock) -> None:
    with pytest.raises(Exception, match="400"):
        llmock.script({"type": "stream_fault", "kind": "stall", "no_such_field": 1})
