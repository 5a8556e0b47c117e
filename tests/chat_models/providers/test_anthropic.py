"""The Anthropic protocol: what is sent, and oddities of what comes."""

from __future__ import annotations

from typing import Any

import pytest

from app.chat_models.call import Call, PrefillStyle, ReasoningEffort, ResponseFormat, ToolSpec
from app.chat_models.codec import Framing
from app.chat_models.loop_thread import LoopThread
from app.chat_models.providers.anthropic import AnthropicCodec
from app.chat_models.wire.claude import claude_version
from app.domain.chat_errors import OverloadedError, UnsupportedFeatureError
from app.domain.messages import (
    AIMessage,
    FilePart,
    HumanMessage,
    ImagePart,
    Message,
    ReasoningPart,
    SystemMessage,
    TextPart,
    ToolCallPart,
    ToolMessage,
    Usage,
)
from tests.chat_models.providers.protocols import ANTHROPIC, model_at
from tests.chat_models.providers.replaying import Outcome, replay
from tests.chat_models.stub_replies import sse
from tests.chat_models.stub_server import StubServer

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
CLOSED_CITY = {**CITY, "additionalProperties": False}
WEATHER = ToolSpec("get_weather", "Weather.", CITY)
CODEC = AnthropicCodec()
OLD, NEW = "claude-3-5-sonnet-20241022", "claude-opus-4-7"


def body(messages: list[Message] | str = "Hi", model: str = "claude-sonnet-4-5", **call: Any) -> dict[str, Any]:
    if isinstance(messages, str):
        messages = [HumanMessage(messages)]
    request = CODEC.request(messages, Call(model=model, **call))
    assert (request.path, request.headers["anthropic-version"]) == ("/v1/messages", "2023-06-01")
    assert request.json is not None
    assert not [name for name, value in request.json.items() if value is None]
    return dict(request.json)


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def test_a_plain_question_has_a_limit_of_tokens() -> None:
    assert body() == {
        "model": "claude-sonnet-4-5",
        "messages": [{"role": "user", "content": [text("Hi")]}],
        "stream": True,
        "max_tokens": 16384,
    }
    assert body(model="claude-3-haiku-20240307")["max_tokens"] == 4096
    assert body(model=OLD)["max_tokens"] == 8192
    assert body(max_tokens=5)["max_tokens"] == 5


@pytest.mark.requirement("B4")
def test_parameters() -> None:
    sent = body(temperature=0.0, stop=("END", "\n"), model=OLD, top_p=0.0)
    assert (sent["temperature"], sent["top_p"], sent["stop_sequences"]) == (0.0, 0.0, ["END"])
    assert body(temperature=2.0)["temperature"] == 1.0
    both = body(temperature=0.5, top_p=0.5)  # newer models refuse both at once
    assert (both["temperature"], "top_p" in both) == (0.5, False)
    assert {"frequency_penalty", "presence_penalty", "seed"} <= CODEC.unsupported


@pytest.mark.requirement("B5", "A1")
def test_key_and_version_are_headers_and_options_the_body(stub: StubServer, loop: LoopThread) -> None:
    stub.reply(*ANTHROPIC.text("ok"), content_type=ANTHROPIC.content_type)
    model = model_at(stub, ANTHROPIC, loop, options={"metadata": {"user_id": "u"}}, headers={"anthropic-beta": "x"})
    model.invoke([SystemMessage("Be brief."), HumanMessage("Hi")])
    headers, sent = stub.requests[0].headers, stub.requests[0].json
    assert headers["x-api-key"].startswith("sk-test")
    assert "authorization" not in headers
    assert (headers["anthropic-version"], headers["anthropic-beta"]) == ("2023-06-01", "x")
    assert (sent["system"], sent["metadata"]) == ("Be brief.", {"user_id": "u"})
    assert [message["role"] for message in sent["messages"]] == ["user"]


@pytest.mark.requirement("A1", "C8", "C10")
def test_turns_alternate_and_results_come_first() -> None:
    calls = (ToolCallPart("a", "get_weather", '{"city": "Rom"}'), ToolCallPart("b", "get_weather", "{broken"))
    messages = [
        HumanMessage("1"),
        HumanMessage("2"),
        AIMessage(parts=(TextPart("Let me see."), TextPart(" "), *calls)),
        ToolMessage("25", tool_call_id="a"),
        ToolMessage("no", tool_call_id="b", status="error"),
        HumanMessage("Go on."),
    ]
    assert body(messages)["messages"] == [
        {"role": "user", "content": [text("1"), text("2")]},
        {
            "role": "assistant",
            "content": [
                text("Let me see."),
                {"type": "tool_use", "id": "a", "name": "get_weather", "input": {"city": "Rom"}},
                {"type": "tool_use", "id": "b", "name": "get_weather", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "a", "content": "25"},
                {"type": "tool_result", "tool_use_id": "b", "content": "no", "is_error": True},
                text("Go on."),
            ],
        },
    ]


def test_the_user_always_begins() -> None:
    assert body([AIMessage("Hello"), HumanMessage("Hi")])["messages"][0]["role"] == "user"
    alone = body([SystemMessage("Say hi.")])
    assert alone["messages"] == [{"role": "user", "content": [text("Say hi.")]}]
    assert "system" not in alone


@pytest.mark.requirement("A14", "A15", "A16")
def test_images_and_documents() -> None:
    parts = (
        ImagePart(url="https://example.org/a.png"),
        ImagePart(data=b"\x89PNG", media_type="image/png"),
        FilePart(data=b"%PDF", media_type="application/pdf", name="a.pdf"),
        FilePart(data="é".encode(), media_type="text/markdown"),
        TextPart("?"),
    )
    assert body([HumanMessage(parts=parts)])["messages"][0]["content"] == [
        {"type": "image", "source": {"type": "url", "url": "https://example.org/a.png"}},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw=="}},
        {
            "type": "document",
            "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERg=="},
            "title": "a.pdf",
        },
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "é"}},
        text("?"),
    ]
    with pytest.raises(UnsupportedFeatureError, match="audio/wav"):
        body([HumanMessage(parts=(FilePart(data=b"x", media_type="audio/wav"),))])


@pytest.mark.requirement("C1", "C4", "C5", "C6", "C7", "C10")
@pytest.mark.parametrize(
    ("choice", "parallel", "wire"),
    [
        (None, None, None),
        ("auto", None, {"type": "auto"}),
        ("required", None, {"type": "any"}),
        ("get_weather", None, {"type": "tool", "name": "get_weather"}),
        ("none", False, {"type": "none"}),
        (None, False, {"type": "auto", "disable_parallel_tool_use": True}),
        ("required", False, {"type": "any", "disable_parallel_tool_use": True}),
    ],
)
def test_tools(choice: str | None, parallel: bool | None, wire: Any) -> None:
    sent = body(tools=(WEATHER,), tool_choice=choice, parallel_tool_calls=parallel)
    assert sent["tools"] == [{"name": "get_weather", "description": "Weather.", "input_schema": CITY}]
    assert sent.get("tool_choice") == wire


@pytest.mark.parametrize(
    ("model", "version"),
    [
        ("claude-3-opus-20240229", (3, 0)), ("claude-3-5-sonnet-20241022", (3, 5)),
        ("claude-3-7-sonnet-latest", (3, 7)),
        ("claude-sonnet-4-20250514", (4, 0)), ("claude-opus-4-1-20250805", (4, 1)), ("claude-sonnet-4-5", (4, 5)),
        ("claude-opus-4.6", (4, 6)), ("claude-sonnet-5", (5, 0)),
        ("us.anthropic.claude-haiku-4-5-20251001-v1:0", (4, 5)),
        ("anthropic.claude-3-5-sonnet-20240620-v1:0", (3, 5)), ("claude-something", (99, 0)),
    ],
)  # fmt: skip
def test_version_in_a_name(model: str, version: tuple[int, int]) -> None:
    assert claude_version(model) == version


@pytest.mark.requirement("E1", "E3")
@pytest.mark.parametrize(
    ("model", "effort", "style"),
    [
        (OLD, None, PrefillStyle.NATIVE),
        ("claude-sonnet-4-5", None, PrefillStyle.NATIVE),
        ("claude-sonnet-4-5", "low", PrefillStyle.EMULATED),
        ("claude-sonnet-4-6", None, PrefillStyle.EMULATED),
        ("claude-sonnet-5", None, PrefillStyle.EMULATED),
    ],
)
def test_who_takes_a_prefill(model: str, effort: ReasoningEffort | None, style: PrefillStyle) -> None:
    assert CODEC.prefill_style(Call(model=model, reasoning_effort=effort)) is style


@pytest.mark.requirement("E1")
def test_a_prefill_ends_without_white_space() -> None:
    prefill = AIMessage('{"a":  ', additional_kwargs={"prefill": True})
    assert body([HumanMessage("Q"), prefill])["messages"][-1] == {"role": "assistant", "content": [text('{"a":')]}


@pytest.mark.requirement("D12")
def test_json_by_schema_or_by_a_tool_for_older_models() -> None:
    wanted = ResponseFormat("city", CITY)
    new = body(response_format=wanted)
    assert new["output_config"] == {"format": {"type": "json_schema", "schema": CLOSED_CITY}}
    assert "tools" not in new
    old = body(response_format=wanted, model=OLD)
    assert old["tools"] == [{"name": "city", "input_schema": CITY}]
    assert old["tool_choice"] == {"type": "tool", "name": "city"}
    both = body(response_format=wanted, model=OLD, tools=(WEATHER,))
    assert (both["tool_choice"], len(both["tools"])) == ({"type": "any"}, 2)
    assert "JSON" in body([SystemMessage("Brief."), HumanMessage("?")], response_format=ResponseFormat())["system"]


@pytest.mark.requirement("D12")
def test_the_input_of_the_answer_tool_is_the_answer() -> None:
    frames = ANTHROPIC.tools(("t1", "city", '{"city": "Rom"}'))
    call = Call(model=OLD, response_format=ResponseFormat("city", CITY))
    message = replay(CODEC, Framing.SSE, frames, call).message
    assert (message.text, message.tool_calls, message.finish) == ('{"city": "Rom"}', (), "stop")


def test_thinking() -> None:
    old = body(model="claude-sonnet-4-5", reasoning_effort="medium", max_tokens=100, temperature=0.5)
    assert old["thinking"] == {"type": "enabled", "budget_tokens": 8192}
    assert old["max_tokens"] == 8292  # the budget counts against the limit
    assert "temperature" not in old
    new = body(model=NEW, reasoning_effort="max", max_tokens=100, response_format=ResponseFormat("c", CITY))
    assert new["thinking"] == {"type": "adaptive"}
    assert (new["output_config"]["effort"], new["max_tokens"]) == ("max", 100)
    assert "format" in new["output_config"]
    assert "thinking" not in body(reasoning_effort="none")
    assert "thinking" not in body(reasoning_effort="high", tools=(WEATHER,), tool_choice="required")


def test_thoughts_go_back_as_they_came_within_their_turn() -> None:
    thoughts = (
        ReasoningPart("hm", extras={"signature": "s1"}),
        ReasoningPart("", extras={"redacted_thinking": "xx"}),
        ReasoningPart("foreign"),
    )
    calling = AIMessage(parts=(*thoughts, ToolCallPart("a", "get_weather", "{}")))
    turn = [HumanMessage("?"), calling, ToolMessage("25", tool_call_id="a")]
    assert body([*turn])["messages"][1]["content"][:2] == [
        {"type": "thinking", "thinking": "hm", "signature": "s1"},
        {"type": "redacted_thinking", "data": "xx"},
    ]
    past = body([*turn, AIMessage("25."), HumanMessage("And?")])["messages"]
    assert [block["type"] for block in past[1]["content"]] == ["tool_use"]


# What comes


def outcome(*events: Any) -> Outcome:
    return replay(CODEC, Framing.SSE, [sse(*events, event_key="type")])


def start(**usage: Any) -> dict[str, Any]:
    return {"type": "message_start", "message": {"id": "m1", "model": "m", "usage": usage}}


def delta(index: int, **fields: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": fields}


def block(index: int, **fields: Any) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": fields}


def end(reason: str, stop: str | None = None, **usage: Any) -> dict[str, Any]:
    return {"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": stop}, "usage": usage}


@pytest.mark.requirement("B36")
def test_counts_replace_each_other_and_include_the_cache() -> None:
    first = start(input_tokens=700, cache_read_input_tokens=100, cache_creation_input_tokens=50, output_tokens=1)
    message = outcome(first, end("end_turn", output_tokens=20)).message
    assert message.usage == Usage(850, 20, cache_read=100, cache_write=50)
    raised = outcome(start(input_tokens=702, output_tokens=1), end("end_turn", input_tokens=1591, output_tokens=20))
    assert raised.message.usage == Usage(1591, 20)


@pytest.mark.requirement("B30")
def test_a_stop_sequence_is_put_back(stub: StubServer, loop: LoopThread) -> None:
    events = [start(), block(0, type="text", text=""), delta(0, type="text_delta", text="one "),
              end("stop_sequence", "END"), {"type": "message_stop"}]  # fmt: skip
    message = outcome(*events).message
    assert (message.text, message.finish, message.response_metadata["stop_sequence"]) == ("one END", "stop", "END")
    stub.reply(sse(*events, event_key="type"))
    assert model_at(stub, ANTHROPIC, loop).invoke("Hi", stop=["END"]).text == "one END"
    assert stub.requests[0].json["stop_sequences"] == ["END"]


def test_thoughts_their_signatures_and_redacted_ones() -> None:
    message = outcome(
        start(),
        block(0, type="thinking", thinking="", signature=""),
        delta(0, type="thinking_delta", thinking="h"),
        delta(0, type="thinking_delta", thinking="m"),
        delta(0, type="signature_delta", signature="s1"),
        block(1, type="redacted_thinking", data="xx"),
        block(2, type="thinking", thinking="", signature=""),
        delta(2, type="signature_delta", signature="s2"),
        block(3, type="text", text="Yes"),
        end("end_turn"),
    ).message
    assert message.parts == (
        ReasoningPart("hm", extras={"signature": "s1"}),
        ReasoningPart("", extras={"redacted_thinking": "xx"}),
        ReasoningPart("", extras={"signature": "s2"}),
        TextPart("Yes"),
    )


@pytest.mark.requirement("C11")
def test_calls_without_arguments_and_calls_of_the_servers_own_tools() -> None:
    message = outcome(
        start(),
        block(0, type="server_tool_use", id="s", name="web_search", input={}),
        delta(0, type="input_json_delta", partial_json='{"q": 1}'),
        block(1, type="tool_use", id="t1", name="f", input={}),
        block(2, type="tool_use", id="t2", name="g", input={"x": 1}),
        {"type": "content_block_new", "index": 3},
        end("tool_use"),
    ).message
    assert [(call.id, call.args) for call in message.tool_calls] == [("t1", {}), ("t2", {"x": 1})]


@pytest.mark.parametrize(
    ("reason", "finish"),
    [("end_turn", "stop"), ("max_tokens", "length"), ("refusal", "content_filter"), ("pause_turn", "unknown"),
     ("model_context_window_exceeded", "length"), ("tool_use", "stop")],
)  # fmt: skip
def test_stop_reasons(reason: str, finish: str) -> None:
    message = outcome(start(), end(reason)).message
    assert (message.finish, message.response_metadata["finish_reason"]) == (finish, reason)


@pytest.mark.requirement("H5")
def test_an_overload_after_the_200_has_its_status() -> None:
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    named = outcome(start(), error).error
    unnamed = replay(CODEC, Framing.SSE, [sse(start(), error)]).error
    for each in (named, unnamed):
        assert isinstance(each, OverloadedError)
        assert (each.status, each.retryable) == (529, True)


def test_only_the_end_of_the_message_is_an_unknown_finish() -> None:
    assert outcome(start(), {"type": "message_stop"}).message.finish == "unknown"
