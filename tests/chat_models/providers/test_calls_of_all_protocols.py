"""What callers can ask of every protocol: inputs, overrides, prefills, stop strings, parameters that are dropped."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from app.chat_models.loop_thread import LoopThread
from app.chat_models.profiles import Modalities, ModelProfile
from app.domain.chat_errors import ChatInputError, UnsupportedFeatureError
from app.domain.messages import HumanMessage, ImagePart, TextPart
from tests.chat_models.providers.protocols import (
    ANTHROPIC,
    BEDROCK,
    CHAT,
    GOOGLE,
    OLLAMA,
    PROTOCOLS,
    RESPONSES,
    Protocol,
    model_at,
)
from tests.chat_models.stub_server import StubServer

each_protocol = pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda protocol: protocol.name)


def says(stub: StubServer, protocol: Protocol, *texts: str) -> None:
    stub.reply(*protocol.text(*texts), content_type=protocol.content_type)


@pytest.mark.requirement("A4", "A5", "A6")
@each_protocol
def test_text_messages_and_chatml_are_the_same_request(stub: StubServer, loop: LoopThread, protocol: Protocol) -> None:
    says(stub, protocol, "ok")
    model = model_at(stub, protocol, loop)
    model.invoke("Hi")
    model.invoke(HumanMessage("Hi"))
    model.invoke([{"role": "user", "content": [{"type": "text", "text": "Hi"}]}])
    assert stub.bodies[0] == stub.bodies[1] == stub.bodies[2]
    conversation = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "One"},
        {"role": "assistant", "content": "Two"},
        {"role": "user", "content": "Three"},
    ]
    model.invoke(conversation)
    sent = json.dumps(stub.bodies[3])
    order = [sent.index(word) for word in ("One", "Two", "Three")]
    assert order == sorted(order)
    assert "Be brief." in sent
    with pytest.raises(ValueError, match="robot"):
        model.invoke([{"role": "robot", "content": "Hi"}])
    assert len(stub.requests) == 4


@pytest.mark.requirement("A11")
@each_protocol
def test_nothing_is_remembered_between_calls(stub: StubServer, loop: LoopThread, protocol: Protocol) -> None:
    says(stub, protocol, "ok")
    model = model_at(stub, protocol, loop)
    model.invoke("the first question")
    model.invoke("the second question")
    assert "first" not in json.dumps(stub.bodies[1])


@pytest.mark.requirement("B6")
@each_protocol
def test_a_call_overrides_the_model(stub: StubServer, loop: LoopThread, protocol: Protocol) -> None:
    says(stub, protocol, "ok")
    model = model_at(stub, protocol, loop, temperature=0.25, max_tokens=111)
    model.invoke("Hi")
    model.invoke("Hi", temperature=0, max_tokens=222, model="another-model")
    first, second = (json.dumps(body) + stub.requests[0].path for body in stub.bodies)
    assert "0.25" in first
    assert "111" in first
    assert "0.25" not in second
    assert "222" in second
    assert "another-model" in json.dumps(stub.bodies[1]) + stub.requests[1].path
    assert "another-model" not in json.dumps(stub.bodies[0]) + stub.requests[0].path


@pytest.mark.requirement("B4")
@pytest.mark.parametrize(
    ("protocol", "parameter"),
    [(RESPONSES, "seed"), (ANTHROPIC, "frequency_penalty"), (BEDROCK, "presence_penalty"),
     (GOOGLE, "parallel_tool_calls"), (OLLAMA, "parallel_tool_calls")],
    ids=lambda value: value.name if isinstance(value, Protocol) else value,
)  # fmt: skip
def test_what_a_protocol_has_no_place_for_is_dropped_with_one_warning(
    stub: StubServer, loop: LoopThread, protocol: Protocol, parameter: str, caplog: pytest.LogCaptureFixture
) -> None:
    says(stub, protocol, "ok")
    model = model_at(stub, protocol, loop)
    value: Any = True if parameter == "parallel_tool_calls" else 1
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            model.invoke("Hi", **{parameter: value})
    assert [record.getMessage() for record in caplog.records if parameter in record.getMessage()] != []
    assert sum(parameter in record.getMessage() for record in caplog.records) == 1
    plain = model_at(stub, protocol, loop)
    plain.invoke("Hi")
    assert stub.bodies[0] == stub.bodies[-1]


@pytest.mark.requirement("B29", "B30")
@each_protocol
def test_a_stop_string_ends_the_text_even_if_the_server_ignores_it(
    stub: StubServer, loop: LoopThread, protocol: Protocol
) -> None:
    says(stub, protocol, "one ", "two E", "ND three", " four")
    model = model_at(stub, protocol, loop)
    message = model.invoke("Hi", stop=["END"])
    assert (message.text, message.finish) == ("one two END", "stop")
    assert "".join(chunk.text for chunk in model.stream("Hi", stop=["END"])) == "one two END"
    sent = json.dumps(stub.bodies[0])
    assert ('"END"' in sent) is (protocol in (ANTHROPIC, BEDROCK))


@pytest.mark.requirement("E1", "E2")
@each_protocol
@pytest.mark.parametrize("answer", [("{", '"a": 1}'), ('"a": ', "1}")], ids=["echoed", "continued"])
def test_a_prefill_is_there_exactly_once(
    stub: StubServer, loop: LoopThread, protocol: Protocol, answer: tuple[str, ...]
) -> None:
    native = protocol in (ANTHROPIC, BEDROCK, OLLAMA)
    if native and answer[0] == "{":
        answer = ('"a": ', "1}")  # these never repeat it
    says(stub, protocol, *answer)
    model = model_at(stub, protocol, loop)
    assert json.loads(model.invoke("Give me JSON", prefilling="{").text) == {"a": 1}
    chunks = [chunk.text for chunk in model.stream("Give me JSON", prefilling="{")]
    assert chunks[0] == "{"
    assert json.loads("".join(chunks)) == {"a": 1}
    assert ('"assistant"' in json.dumps(stub.bodies[0])) is native


@pytest.mark.requirement("E3")
@pytest.mark.parametrize("protocol", [CHAT, RESPONSES, GOOGLE], ids=lambda protocol: protocol.name)
def test_an_impossible_prefill_is_an_error_where_imitating_is_forbidden(
    stub: StubServer, loop: LoopThread, protocol: Protocol
) -> None:
    says(stub, protocol, "never")
    with pytest.raises(UnsupportedFeatureError, match="prefill"):
        model_at(stub, protocol, loop, strict_prefill=True).invoke("Hi", prefilling="{")
    assert stub.requests == []


@pytest.mark.requirement("A17", "B38")
@each_protocol
def test_images_for_a_model_that_reads_text_are_not_sent(
    stub: StubServer, loop: LoopThread, protocol: Protocol
) -> None:
    says(stub, protocol, "never")
    model = model_at(stub, protocol, loop)
    model.profile = ModelProfile("blind", protocol.name, modalities=Modalities(input=("text",)))
    picture = ImagePart(data=b"\x89PNG", media_type="image/png")
    with pytest.raises(UnsupportedFeatureError, match="image"):
        model.invoke([HumanMessage(parts=(TextPart("?"), picture))])
    assert stub.requests == []


@pytest.mark.requirement("B38")
@each_protocol
@pytest.mark.parametrize("bad", [{"temperature": 9}, {"max_tokens": 0}, {"top_p": 2}, {"stop": [""]}])
def test_bad_parameters_are_not_sent(
    stub: StubServer, loop: LoopThread, protocol: Protocol, bad: dict[str, Any]
) -> None:
    says(stub, protocol, "never")
    with pytest.raises(ChatInputError):
        model_at(stub, protocol, loop).invoke("Hi", **bad)
    assert stub.requests == []
