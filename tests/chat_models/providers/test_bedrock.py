"""The Converse protocol: what is sent, oddities of what comes, and how requests are signed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.chat_models.call import Call, PrefillStyle, ReasoningEffort, ResponseFormat, ToolSpec
from app.chat_models.codec import Framing
from app.chat_models.keys import KeySource
from app.chat_models.loop_thread import LoopThread
from app.chat_models.providers.bedrock import BedrockCodec
from app.chat_models.registry import ModelRegistry
from app.domain.chat_errors import (
    AuthenticationError,
    ContextWindowExceededError,
    ProtocolError,
    RateLimitError,
    ServerError,
    StreamInterruptedError,
    UnsupportedFeatureError,
)
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
from tests.chat_models.providers.protocols import BEDROCK, model_at
from tests.chat_models.providers.replaying import Outcome, replay
from tests.chat_models.stub_replies import event_stream_frame
from tests.chat_models.stub_server import StubServer

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = ToolSpec("get_weather", "Weather.", CITY)
CODEC = BedrockCodec()
CLAUDE, NEW, NOVA = "anthropic.claude-3-5-sonnet-20240620-v1:0", "us.anthropic.claude-opus-4-7", "amazon.nova-lite-v1:0"


def body(messages: list[Message] | str = "Hi", model: str = CLAUDE, **call: Any) -> dict[str, Any]:
    if isinstance(messages, str):
        messages = [HumanMessage(messages)]
    request = CODEC.request(messages, Call(model=model, **call))
    assert request.json is not None
    return dict(request.json)


def test_a_plain_question_and_its_addresses() -> None:
    assert body() == {"messages": [{"role": "user", "content": [{"text": "Hi"}]}]}
    asked = [HumanMessage("Hi")]
    streamed = CODEC.request(asked, Call(model=CLAUDE))
    assert streamed.path == "/model/anthropic.claude-3-5-sonnet-20240620-v1%3A0/converse-stream"
    assert streamed.framing is Framing.EVENT_STREAM
    whole = CODEC.request(asked, Call(model="arn:aws:bedrock:eu-west-1:1:inference-profile/x", stream_wire=False))
    assert whole.path == "/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A1%3Ainference-profile%2Fx/converse"


@pytest.mark.requirement("B4", "B29")
def test_parameters() -> None:
    sent = body(temperature=0.0, top_p=0.0, max_tokens=9, stop=("END", " "))
    assert sent["inferenceConfig"] == {"temperature": 0.0, "topP": 0.0, "maxTokens": 9, "stopSequences": ["END"]}
    assert sent["additionalModelResponseFieldPaths"] == ["/stop_sequence"]
    assert "stopSequences" not in body(model=NOVA, stop=("END",), max_tokens=9)["inferenceConfig"]
    assert "topP" not in body(model=NEW, temperature=0.5, top_p=0.5)["inferenceConfig"]
    assert {"frequency_penalty", "presence_penalty", "seed", "parallel_tool_calls"} <= CODEC.unsupported
    assert body(options={"guardrailConfig": {"guardrailIdentifier": "g"}})["guardrailConfig"]


@pytest.mark.requirement("A1", "C8", "C10")
def test_turns_alternate_and_results_come_first() -> None:
    call = ToolCallPart("call/1", "get_weather", '{"city": "Rom"}')
    messages = [
        SystemMessage("Brief."),
        HumanMessage("?"),
        AIMessage(parts=(TextPart("  "), call)),
        ToolMessage("", tool_call_id="call/1", status="error"),
        HumanMessage("Go on."),
    ]
    sent = body(messages, tools=(WEATHER,))
    assert sent["system"] == [{"text": "Brief."}]
    assert sent["messages"] == [
        {"role": "user", "content": [{"text": "?"}]},
        {
            "role": "assistant",
            "content": [{"toolUse": {"toolUseId": "call_1", "name": "get_weather", "input": {"city": "Rom"}}}],
        },
        {
            "role": "user",
            "content": [
                {"toolResult": {"toolUseId": "call_1", "content": [{"text": "(empty)"}], "status": "error"}},
                {"text": "Go on."},
            ],
        },
    ]
    assert body([SystemMessage("Say hi.")]) == {"messages": [{"role": "user", "content": [{"text": "Say hi."}]}]}
    assert body([AIMessage("Hello"), HumanMessage("Hi")])["messages"][0]["role"] == "user"


@pytest.mark.requirement("A14", "A15", "A16")
def test_images_and_documents() -> None:
    parts = (
        ImagePart(data=b"\x89PNG", media_type="image/png"),
        FilePart(data=b"%PDF", media_type="application/pdf", name="my_report.v2.pdf"),
        TextPart("?"),
    )
    assert body([HumanMessage(parts=parts)])["messages"][0]["content"] == [
        {"image": {"format": "png", "source": {"bytes": "iVBORw=="}}},
        {"document": {"format": "pdf", "name": "my report v2 pdf", "source": {"bytes": "JVBERg=="}}},
        {"text": "?"},
    ]
    with pytest.raises(UnsupportedFeatureError, match="bytes"):
        body([HumanMessage(parts=(ImagePart(url="https://example.org/a.png"),))])
    with pytest.raises(UnsupportedFeatureError, match="image/tiff"):
        body([HumanMessage(parts=(ImagePart(data=b"x", media_type="image/tiff"),))])


@pytest.mark.requirement("C1", "C4", "C5", "C6", "C7")
@pytest.mark.parametrize(
    ("choice", "wire"),
    [(None, None), ("auto", {"auto": {}}), ("required", {"any": {}}),
     ("get_weather", {"tool": {"name": "get_weather"}})],
)  # fmt: skip
def test_tools(choice: str | None, wire: Any) -> None:
    config = body(tools=(WEATHER,), tool_choice=choice)["toolConfig"]
    spec = {"name": "get_weather", "description": "Weather.", "inputSchema": {"json": CITY}}
    assert config["tools"] == [{"toolSpec": spec}]
    assert config.get("toolChoice") == wire


@pytest.mark.requirement("C7")
def test_no_calls_for_a_protocol_without_a_word_for_it() -> None:
    assert "toolConfig" not in body(tools=(WEATHER,), tool_choice="none")
    past = [
        HumanMessage("?"),
        AIMessage(parts=(ToolCallPart("a", "get_weather", "{}"),)),
        ToolMessage("1", tool_call_id="a"),
    ]
    sent = body(past, tools=(WEATHER,), tool_choice="none")
    assert "toolChoice" not in sent["toolConfig"]
    assert "without calling" in sent["system"][0]["text"]


@pytest.mark.requirement("D12")
def test_json_by_schema_or_by_a_tool() -> None:
    wanted = ResponseFormat("city", CITY)
    new = body(model=NEW, response_format=wanted)["outputConfig"]["textFormat"]
    assert new["type"] == "json_schema"
    assert new["structure"]["jsonSchema"]["name"] == "city"
    assert json.loads(new["structure"]["jsonSchema"]["schema"]) == {**CITY, "additionalProperties": False}
    tool = body(model=NOVA, response_format=wanted)["toolConfig"]
    assert tool["tools"] == [{"toolSpec": {"name": "city", "inputSchema": {"json": CITY}}}]
    assert tool["toolChoice"] == {"tool": {"name": "city"}}
    assert "JSON" in body(response_format=ResponseFormat())["system"][0]["text"]
    call = Call(model=NOVA, response_format=wanted)
    message = replay(CODEC, Framing.EVENT_STREAM, BEDROCK.tools(("t", "city", '{"city": "Rom"}')), call).message
    assert (message.text, message.tool_calls, message.finish) == ('{"city": "Rom"}', (), "stop")


@pytest.mark.requirement("E1", "E3")
@pytest.mark.parametrize(
    ("model", "effort", "style"),
    [(CLAUDE, None, PrefillStyle.NATIVE), (NEW, None, PrefillStyle.EMULATED), (NOVA, None, PrefillStyle.EMULATED),
     ("anthropic.claude-sonnet-4-5-20250929-v1:0", "low", PrefillStyle.EMULATED)],
)  # fmt: skip
def test_who_takes_a_prefill(model: str, effort: ReasoningEffort | None, style: PrefillStyle) -> None:
    assert CODEC.prefill_style(Call(model=model, reasoning_effort=effort)) is style
    prefill = AIMessage("{ ", additional_kwargs={"prefill": True})
    assert body([HumanMessage("?"), prefill])["messages"][-1] == {"role": "assistant", "content": [{"text": "{"}]}


def test_thinking_and_thoughts() -> None:
    old = body(
        model="anthropic.claude-sonnet-4-5-20250929-v1:0", reasoning_effort="low", max_tokens=10, temperature=1.0
    )
    assert old["additionalModelRequestFields"] == {"thinking": {"type": "enabled", "budget_tokens": 2048}}
    assert old["inferenceConfig"] == {"maxTokens": 2058}
    new = body(model=NEW, reasoning_effort="high")["additionalModelRequestFields"]
    assert new == {"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}}
    assert "additionalModelRequestFields" not in body(model=NOVA, reasoning_effort="high")
    thoughts = (
        ReasoningPart("hm", extras={"signature": "s"}),
        ReasoningPart("", extras={"redacted_content": "eHg="}),
        ReasoningPart("foreign"),
    )
    calling = AIMessage(parts=(*thoughts, ToolCallPart("a", "get_weather", "{}")))
    turn = [HumanMessage("?"), calling, ToolMessage("1", tool_call_id="a")]
    assert body([*turn])["messages"][1]["content"][:2] == [
        {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "s"}}},
        {"reasoningContent": {"redactedContent": "eHg="}},
    ]
    assert len(body([*turn, AIMessage("1."), HumanMessage("!")])["messages"][1]["content"]) == 1


# What comes


def outcome(*frames: bytes) -> Outcome:
    return replay(CODEC, Framing.EVENT_STREAM, frames)


def delta(index: int, **fields: Any) -> bytes:
    return event_stream_frame("contentBlockDelta", {"contentBlockIndex": index, "delta": fields, "p": "abc"})


def stop(reason: str, **fields: Any) -> bytes:
    return event_stream_frame("messageStop", {"stopReason": reason, **fields})


@pytest.mark.requirement("B30")
def test_a_stop_sequence_is_put_back(stub: StubServer, loop: LoopThread) -> None:
    frames = (delta(0, text="one "), stop("stop_sequence", additionalModelResponseFields={"stop_sequence": "END"}))
    assert outcome(*frames).message.text == "one END"
    stub.reply(*frames, content_type=BEDROCK.content_type)
    assert model_at(stub, BEDROCK, loop).invoke("Hi", stop=["END"]).text == "one END"


@pytest.mark.requirement("B36")
def test_thoughts_and_counts_with_the_cache() -> None:
    counts = {"inputTokens": 5, "outputTokens": 7, "cacheReadInputTokens": 100, "cacheWriteInputTokens": 10}
    message = outcome(
        delta(0, reasoningContent={"text": "h"}),
        delta(0, reasoningContent={"text": "m"}),
        delta(0, reasoningContent={"signature": "s"}),
        delta(1, reasoningContent={"redactedContent": "eHg="}),
        delta(2, text="Yes"),
        stop("end_turn"),
        event_stream_frame("metadata", {"usage": counts}),
    ).message
    assert message.parts == (
        ReasoningPart("hm", extras={"signature": "s"}),
        ReasoningPart("", extras={"redacted_content": "eHg="}),
        TextPart("Yes"),
    )
    assert message.usage == Usage(115, 7, cache_read=100, cache_write=10)


@pytest.mark.parametrize(
    ("reason", "finish"),
    [("max_tokens", "length"), ("guardrail_intervened", "content_filter"), ("content_filtered", "content_filter"),
     ("malformed_tool_use", "error"), ("model_context_window_exceeded", "length"), ("tool_use", "stop"),
     ("new", "unknown")],
)  # fmt: skip
def test_stop_reasons(reason: str, finish: str) -> None:
    assert outcome(stop(reason)).message.finish == finish


@pytest.mark.requirement("H1", "H2", "H5")
@pytest.mark.parametrize(
    ("name", "message", "kind", "status"),
    [
        ("throttlingException", "Too many requests", RateLimitError, 429),
        ("modelStreamErrorException", "The model failed", ServerError, 500),
        ("validationException", "Input is too long for requested model.", ContextWindowExceededError, 400),
    ],
)
def test_exceptions_inside_a_200(name: str, message: str, kind: type[Exception], status: int) -> None:
    result = outcome(delta(0, text="so far"), event_stream_frame(name, {"message": message}, "exception"))
    assert result.error is not None
    assert (type(result.error), result.error.status) == (kind, status)
    assert message in str(result.error)
    assert result.message.text == "so far"


def test_nothing_at_all_is_not_an_answer() -> None:
    assert isinstance(outcome().error, StreamInterruptedError)
    assert isinstance(outcome(event_stream_frame("messageStart", {"role": "assistant"})).error, StreamInterruptedError)


def test_a_damaged_frame_is_a_protocol_error(stub: StubServer, loop: LoopThread) -> None:
    frame = bytearray(delta(0, text="Hello"))
    frame[-6] ^= 1
    stub.reply(bytes(frame), content_type=BEDROCK.content_type)
    with pytest.raises(ProtocolError, match="checksum"):
        model_at(stub, BEDROCK, loop).invoke("Hi")


# Who asks


def registry(loop: LoopThread, environ: dict[str, str]) -> ModelRegistry:
    return ModelRegistry(loop=loop, keys=KeySource(environ=environ, stored=lambda name: None))


PAIR = {
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "secret-of-aws",
    "AWS_SESSION_TOKEN": "token-of-aws",
}


@pytest.mark.requirement("B2", "B5")
def test_a_bedrock_key_is_a_bearer_token(stub: StubServer, loop: LoopThread) -> None:
    stub.reply(*BEDROCK.text("ok"), content_type=BEDROCK.content_type)
    environ = {"AWS_BEARER_TOKEN_BEDROCK": "bedrock-key", **PAIR}
    assert registry(loop, environ).model(f"bedrock:{NOVA}", base_url=stub.url).invoke("Hi").text == "ok"
    assert stub.requests[0].headers["authorization"] == "Bearer bedrock-key"


@pytest.mark.requirement("B2", "B31")
def test_otherwise_requests_are_signed(stub: StubServer, loop: LoopThread) -> None:
    stub.reply(*BEDROCK.text("ok"), content_type=BEDROCK.content_type)
    stub.json_reply({"message": "secret-of-aws and token-of-aws are wrong"}, 403)
    model = registry(loop, {**PAIR, "AWS_REGION": "eu-central-1"}).model(f"bedrock:{CLAUDE}", base_url=stub.url)
    assert model.invoke("Hi").text == "ok"
    headers = stub.requests[0].headers
    assert headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
    assert "/eu-central-1/bedrock/aws4_request" in headers["authorization"]
    assert "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token," in headers["authorization"]
    assert headers["x-amz-security-token"] == "token-of-aws"
    assert stub.requests[0].target.startswith("/model/anthropic.claude-3-5-sonnet-20240620-v1%3A0/")
    with pytest.raises(AuthenticationError) as caught:
        model.invoke("Hi")
    assert "of-aws" not in f"{caught.value} {caught.value.details()}"


@pytest.mark.requirement("B2", "A23")
def test_credentials_of_a_profile(stub: StubServer, loop: LoopThread, tmp_path: Path) -> None:
    path = tmp_path / "credentials"
    path.write_text("[default]\naws_access_key_id = AKIDDEFAULT\naws_secret_access_key = a%b\n"
                    "[work]\naws_access_key_id = AKIDWORK\naws_secret_access_key = c\n")  # fmt: skip
    stub.reply(*BEDROCK.text("ok"), content_type=BEDROCK.content_type)
    models = registry(loop, {"AWS_SHARED_CREDENTIALS_FILE": str(path)})
    models.model(f"bedrock:{NOVA}", base_url=stub.url).invoke("Hi")
    models.model(f"bedrock:{NOVA}", base_url=stub.url, profile="work").invoke("Hi")
    seen = [request.headers["authorization"].split("Credential=")[1].split("/")[0] for request in stub.requests]
    assert seen == ["AKIDDEFAULT", "AKIDWORK"]
    with pytest.raises(AuthenticationError, match="play"):
        models.model(f"bedrock:{NOVA}", profile="play")
    path.write_text("no section")
    with pytest.raises(AuthenticationError, match="damaged"):
        models.model(f"bedrock:{NOVA}")


@pytest.mark.requirement("H1", "A23")
def test_without_any_credentials_nothing_is_sent(loop: LoopThread, tmp_path: Path) -> None:
    models = registry(loop, {"AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none")})
    with pytest.raises(AuthenticationError, match="AWS_BEARER_TOKEN_BEDROCK"):
        models.model(f"bedrock:{NOVA}")
