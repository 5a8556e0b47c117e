"""Every protocol against aimock, a server that other people wrote."""

from __future__ import annotations

from typing import Any

import pytest

from app.chat_models.keys import KeySource
from app.chat_models.loop_thread import LoopThread
from app.chat_models.model import ChatModel
from app.chat_models.registry import ModelRegistry
from app.domain.chat_errors import AuthenticationError, RateLimitError, StreamInterruptedError
from app.domain.messages import HumanMessage, ToolMessage

WEATHER = {"name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}
PROVIDERS: dict[str, tuple[str, dict[str, Any]]] = {
    "openai:gpt-4o-mini": ("/v1", {}),
    "openai-responses:gpt-4o-mini": ("/v1", {}),
    "azure:gpt-4o-mini": ("/openai", {"api_version": "2024-10-21"}),
    "anthropic:claude-sonnet-4-5": ("", {}),
    "google:gemini-2.5-flash": ("/v1beta", {}),
    "vertex:gemini-2.5-flash": ("/v1/projects/p/locations/l/publishers/google", {"project": "p"}),
    "ollama:llama3.2": ("", {}),
    "bedrock:anthropic.claude-3-5-sonnet-20240620-v1:0": ("", {}),
    "openrouter:openai/gpt-4o-mini": ("/v1", {}),
}
each_provider = pytest.mark.parametrize("spec", PROVIDERS, ids=lambda spec: spec.split(":")[0])


def model_of(spec: str, url: str, loop: LoopThread) -> ChatModel:
    suffix, options = PROVIDERS[spec]
    registry = ModelRegistry(loop=loop, keys=KeySource(environ={}, stored=lambda name: None))
    return registry.model(spec, api_key="test-key", base_url=url + suffix, **options)


@pytest.mark.requirement("B2", "B3", "B7", "B8")
@each_provider
def test_an_answer_whole_and_streamed(aimock_url: str, loop: LoopThread, spec: str) -> None:
    model = model_of(spec, aimock_url, loop)
    message = model.invoke("Say hello")
    assert message.text == "Grüße aus 東京 😀 and a separator: \u2028 end."
    assert message.finish == "stop"
    chunks = list(model.stream("Say hello"))
    assert "".join(chunk.text for chunk in chunks) == message.text
    assert sum(1 for chunk in chunks if chunk.text) > 2


@pytest.mark.requirement("B7")
@pytest.mark.parametrize("spec", [spec for spec in PROVIDERS if not spec.startswith("vertex")])
def test_an_answer_that_is_not_streamed(aimock_url: str, loop: LoopThread, spec: str) -> None:
    message = model_of(spec, aimock_url, loop).invoke("Say hello", stream_wire=False)
    assert (message.text, message.finish) == ("Grüße aus 東京 😀 and a separator: \u2028 end.", "stop")


@pytest.mark.requirement("C3", "C8", "C10")
@each_provider
def test_two_calls_and_their_results(aimock_url: str, loop: LoopThread, spec: str) -> None:
    model = model_of(spec, aimock_url, loop).bind_tools([WEATHER])
    question = HumanMessage("Weather in two cities")
    asked = model.invoke([question])
    assert [(call.name, call.args) for call in asked.tool_calls] == [
        ("get_weather", {"city": "Paris"}),
        ("get_weather", {"city": "Rome"}),
    ]
    assert asked.finish == "tool_calls"
    results = [ToolMessage("sunny", tool_call_id=call.id) for call in asked.tool_calls]
    assert model.invoke([question, asked, *results]).text == "Sunny in both."


@each_provider
def test_thoughts_are_not_the_answer(aimock_url: str, loop: LoopThread, spec: str) -> None:
    message = model_of(spec, aimock_url, loop).invoke("Think first")
    assert message.text == "Four."
    assert message.reasoning in ("Two and two are four.", "")


@pytest.mark.requirement("H1", "H2")
@each_provider
def test_errors(aimock_url: str, loop: LoopThread, spec: str) -> None:
    model = model_of(spec, aimock_url, loop)
    with pytest.raises(RateLimitError, match="Slow down"):
        model.invoke("Too much")
    with pytest.raises(AuthenticationError, match="No such key"):
        model.invoke("Wrong key")


@pytest.mark.requirement("H3")
@each_provider
def test_an_answer_that_breaks_off(aimock_url: str, loop: LoopThread, spec: str) -> None:
    with pytest.raises(StreamInterruptedError) as caught:
        model_of(spec, aimock_url, loop).invoke("Break off")
    if caught.value.partial is not None:
        assert "This answer is much longer".startswith(caught.value.partial.text[:10])
