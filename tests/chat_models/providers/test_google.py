"""Google's protocol: what is sent, and oddities of what comes."""

from __future__ import annotations

from typing import Any

import pytest

from app.chat_models.call import Call, PrefillStyle, ReasoningEffort, ResponseFormat, ToolSpec
from app.chat_models.codec import Framing
from app.chat_models.keys import KeySource
from app.chat_models.loop_thread import LoopThread
from app.chat_models.providers.google import GoogleCodec, vertex_address
from app.chat_models.registry import ModelRegistry
from app.domain.chat_errors import ContentFilterError, OverloadedError, StreamInterruptedError, UnsupportedFeatureError
from app.domain.messages import (
    AIMessage,
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
from tests.chat_models.providers.protocols import GOOGLE, model_at
from tests.chat_models.providers.replaying import Outcome, replay
from tests.chat_models.stub_replies import sse
from tests.chat_models.stub_server import StubServer

CITY = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
WEATHER = ToolSpec("get_weather", "Weather.", CITY)
CODEC = GoogleCodec()
SIGNED = {"google_signature": "sig"}


def body(messages: list[Message] | str = "Hi", model: str = "gemini-2.5-flash", **call: Any) -> dict[str, Any]:
    if isinstance(messages, str):
        messages = [HumanMessage(messages)]
    request = CODEC.request(messages, Call(model=model, **call))
    assert request.json is not None
    return dict(request.json)


def test_a_plain_question_and_its_addresses() -> None:
    assert body() == {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}
    asked = [HumanMessage("Hi")]
    streamed = CODEC.request(asked, Call(model="gemini-2.5-flash"))
    assert streamed.path == "/models/gemini-2.5-flash:streamGenerateContent?alt=sse"
    whole = CODEC.request(asked, Call(model="models/gemini-2.5-flash", stream_wire=False))
    assert (whole.path, whole.framing) == ("/models/gemini-2.5-flash:generateContent", Framing.JSON)


@pytest.mark.requirement("B4", "B5")
def test_parameters_key_and_options(stub: StubServer, loop: LoopThread) -> None:
    stub.reply(*GOOGLE.text("ok"))
    model = model_at(stub, GOOGLE, loop, options={"safetySettings": []}, stop=["END"])
    model.invoke("Hi", temperature=0, top_p=0.5, max_tokens=9, frequency_penalty=0.0, presence_penalty=1.0, seed=7)
    request = stub.requests[0]
    assert request.headers["x-goog-api-key"].startswith("sk-test")
    assert request.query == {"alt": "sse"}
    assert request.path == "/v1beta/models/gemini-2.5-flash:streamGenerateContent"
    assert request.json["safetySettings"] == []
    assert request.json["generationConfig"] == {
        "temperature": 0,
        "topP": 0.5,
        "maxOutputTokens": 9,
        "frequencyPenalty": 0.0,
        "presencePenalty": 1.0,
        "seed": 7,
    }


@pytest.mark.requirement("A1", "C8", "C10")
def test_roles_calls_and_results() -> None:
    calls = (
        ToolCallPart("x1", "get_weather", '{"city": "Rom"}', extras={**SIGNED, "google_call_id": "x1"}),
        ToolCallPart("call_g_1", "get_time", ""),
    )
    messages = [
        SystemMessage("Brief."),
        HumanMessage("?"),
        AIMessage(parts=(ReasoningPart("hm"), *calls)),
        ToolMessage('{"degrees": 25}', tool_call_id="x1"),
        ToolMessage("[1]", tool_call_id="call_g_1"),
        ToolMessage("broken", tool_call_id="call_g_1", name="get_time", status="error"),
    ]
    sent = body(messages)
    assert sent["systemInstruction"] == {"parts": [{"text": "Brief."}]}
    assert sent["contents"] == [
        {"role": "user", "parts": [{"text": "?"}]},
        {
            "role": "model",
            "parts": [
                {
                    "functionCall": {"name": "get_weather", "args": {"city": "Rom"}, "id": "x1"},
                    "thoughtSignature": "sig",
                },
                {"functionCall": {"name": "get_time", "args": {}}},
            ],
        },
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"name": "get_weather", "response": {"degrees": 25}}},
                {"functionResponse": {"name": "get_time", "response": {"result": [1]}}},
                {"functionResponse": {"name": "get_time", "response": {"error": "broken"}}},
            ],
        },
    ]
    assert body([SystemMessage("Say hi.")])["contents"] == [{"role": "user", "parts": [{"text": "Say hi."}]}]


def test_calls_that_lack_a_signature_get_the_stand_in_where_one_is_demanded() -> None:
    foreign = AIMessage(parts=(ToolCallPart("a", "f", "{}"), ToolCallPart("b", "f", "{}")))
    turn = [HumanMessage("?"), foreign, ToolMessage("1", tool_call_id="a")]
    parts = body([*turn], model="gemini-3-pro-preview")["contents"][1]["parts"]
    assert [part.get("thoughtSignature") for part in parts] == ["skip_thought_signature_validator", None]
    assert "skip" not in str(body([*turn]))
    assert "skip" not in str(body([*turn, AIMessage("ok"), HumanMessage("?")], model="gemini-3-pro-preview"))


def test_signed_texts_go_back_as_parts_of_their_own() -> None:
    parts = (TextPart("Hello"), TextPart("", extras=SIGNED))
    sent = body([HumanMessage("?"), AIMessage(parts=parts), HumanMessage("!")])["contents"][1]["parts"]
    assert sent == [{"text": "Hello"}, {"text": "", "thoughtSignature": "sig"}]


@pytest.mark.requirement("A14", "A15", "A16")
def test_images() -> None:
    png = ImagePart(data=b"\x89PNG", media_type="image/png")
    far = ImagePart(url="https://example.org/a.png", media_type="image/png")
    assert body([HumanMessage(parts=(TextPart("?"), png))])["contents"][0]["parts"] == [
        {"text": "?"},
        {"inlineData": {"mimeType": "image/png", "data": "iVBORw=="}},
    ]
    with pytest.raises(UnsupportedFeatureError, match="bytes"):
        body([HumanMessage(parts=(far,))])
    vertex = GoogleCodec("vertex", "Vertex AI", vertex=True).request([HumanMessage(parts=(far,))], Call(model="m"))
    assert vertex.json is not None
    assert vertex.json["contents"][0]["parts"] == [
        {"fileData": {"fileUri": "https://example.org/a.png", "mimeType": "image/png"}}
    ]


@pytest.mark.requirement("C1", "C4", "C5", "C6", "C7")
@pytest.mark.parametrize(
    ("choice", "wire"),
    [(None, None), ("auto", {"mode": "AUTO"}), ("required", {"mode": "ANY"}), ("none", {"mode": "NONE"}),
     ("get_weather", {"mode": "ANY", "allowedFunctionNames": ["get_weather"]})],
)  # fmt: skip
def test_tools(choice: str | None, wire: Any) -> None:
    sent = body(tools=(WEATHER, ToolSpec("get_time")), tool_choice=choice)
    assert sent["tools"][0]["functionDeclarations"][0] == {
        "name": "get_weather",
        "description": "Weather.",
        "parametersJsonSchema": CITY,
    }
    assert len(sent["tools"][0]["functionDeclarations"]) == 2
    assert sent.get("toolConfig", {}).get("functionCallingConfig") == wire


@pytest.mark.requirement("D12", "E3")
def test_form_and_prefill() -> None:
    config = body(response_format=ResponseFormat("city", CITY))["generationConfig"]
    assert config == {"responseMimeType": "application/json", "responseJsonSchema": CITY}
    assert body(response_format=ResponseFormat())["generationConfig"] == {"responseMimeType": "application/json"}
    assert CODEC.prefill_style(Call(model="m")) is PrefillStyle.EMULATED


@pytest.mark.parametrize(
    ("model", "effort", "thinking"),
    [
        ("gemini-2.5-flash", "none", {"includeThoughts": False, "thinkingBudget": 0}),
        ("gemini-2.5-pro", "none", {"includeThoughts": False, "thinkingBudget": 128}),
        ("gemini-2.5-pro", "max", {"includeThoughts": True, "thinkingBudget": -1}),
        ("gemini-3-flash-preview", "none", {"includeThoughts": False, "thinkingLevel": "minimal"}),
        ("gemini-3-flash-preview", "medium", {"includeThoughts": True, "thinkingLevel": "medium"}),
        ("gemini-3-pro-preview", "minimal", {"includeThoughts": True, "thinkingLevel": "low"}),
        ("gemini-3-pro-preview", "medium", {"includeThoughts": True, "thinkingLevel": "high"}),
        ("gemini-3-pro-preview", "max", {"includeThoughts": True, "thinkingLevel": "high"}),
    ],
)
def test_thinking(model: str, effort: ReasoningEffort, thinking: dict[str, Any]) -> None:
    assert body(model=model, reasoning_effort=effort)["generationConfig"]["thinkingConfig"] == thinking


# Vertex


@pytest.mark.requirement("B2")
@pytest.mark.parametrize(
    ("project", "location", "address"),
    [
        ("", "global", "https://aiplatform.googleapis.com/v1/publishers/google"),
        ("p1", "global", "https://aiplatform.googleapis.com/v1/projects/p1/locations/global/publishers/google"),
        (
            "p1",
            "europe-west4",
            "https://europe-west4-aiplatform.googleapis.com/v1/projects/p1/locations/europe-west4/publishers/google",
        ),
    ],
)
def test_addresses_of_vertex(project: str, location: str, address: str) -> None:
    assert vertex_address(project, location) == address


@pytest.mark.requirement("B2", "B5")
@pytest.mark.parametrize(
    ("environ", "header"),
    [
        ({"VERTEX_API_KEY": "k1"}, ("x-goog-api-key", "k1")),
        (
            {"GOOGLE_OAUTH_ACCESS_TOKEN": "t1", "GOOGLE_CLOUD_PROJECT": "p1", "VERTEX_API_KEY": "k1"},
            ("authorization", "Bearer t1"),
        ),
    ],
)
def test_vertex_takes_a_key_or_a_token(
    stub: StubServer, loop: LoopThread, environ: dict[str, str], header: tuple[str, str]
) -> None:
    stub.reply(*GOOGLE.text("ok"))
    registry = ModelRegistry(loop=loop, keys=KeySource(environ=environ, stored=lambda name: None))
    assert registry.model("vertex:gemini-2.5-flash", base_url=f"{stub.url}/v1").invoke("Hi").text == "ok"
    name, value = header
    assert stub.requests[0].headers[name] == value
    assert stub.requests[0].path == "/v1/models/gemini-2.5-flash:streamGenerateContent"


# What comes


def outcome(*documents: Any) -> Outcome:
    return replay(CODEC, Framing.SSE, [sse(*documents)])


def parts(*items: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"candidates": [{"content": {"role": "model", "parts": list(items)}, **fields}], "responseId": "g"}


STOP = parts(finishReason="STOP")


@pytest.mark.requirement("C3", "C10")
def test_calls_without_ids_get_some() -> None:
    call = {"functionCall": {"name": "f", "args": {"x": 1}}}
    message = outcome(parts(call, call), parts({"functionCall": {"name": "g"}}), STOP).message
    assert [(each.name, each.args) for each in message.tool_calls] == [("f", {"x": 1}), ("f", {"x": 1}), ("g", {})]
    assert len({each.id for each in message.tool_calls}) == 3
    assert message.finish == "tool_calls"


@pytest.mark.requirement("B36")
def test_counts_replace_each_other() -> None:
    def counted(**counts: int) -> dict[str, Any]:
        return {**parts({"text": "x"}), "usageMetadata": counts}

    message = outcome(
        counted(promptTokenCount=15),
        counted(promptTokenCount=13, candidatesTokenCount=4, thoughtsTokenCount=6),
        {
            **STOP,
            "usageMetadata": {
                "promptTokenCount": 13,
                "candidatesTokenCount": 8,
                "thoughtsTokenCount": 6,
                "cachedContentTokenCount": 5,
                "toolUsePromptTokenCount": 100,
            },
        },
    ).message
    assert message.usage == Usage(113, 14, cache_read=5, reasoning=6)


def test_thoughts_and_signatures_stay_apart() -> None:
    message = outcome(
        parts({"text": "h", "thought": True}),
        parts({"text": "m", "thought": True}),
        parts({"text": "Yes"}),
        parts({"text": "."}),
        parts({"text": "", "thoughtSignature": "s"}, finishReason="STOP"),
    ).message
    assert message.parts == (
        ReasoningPart("hm"),
        TextPart("Yes."),
        TextPart("", extras={"google_signature": "s"}),
    )
    call = {"functionCall": {"name": "f", "id": "x"}, "thoughtSignature": "s2"}
    signed = outcome(parts(call), STOP).message.parts[0]
    assert signed.extras == {"google_signature": "s2", "google_call_id": "x"}


def test_images_that_come() -> None:
    image = {"inlineData": {"mimeType": "image/png", "data": "iVBORw=="}}
    assert outcome(parts(image), STOP).message.parts == (ImagePart(data=b"\x89PNG", media_type="image/png"),)


@pytest.mark.requirement("H5")
def test_a_refused_question_is_an_error() -> None:
    result = outcome({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": {}})
    assert isinstance(result.error, ContentFilterError)
    assert "PROHIBITED_CONTENT" in str(result.error)


@pytest.mark.parametrize(
    ("reason", "finish"),
    [("STOP", "stop"), ("MAX_TOKENS", "length"), ("SAFETY", "content_filter"), ("RECITATION", "content_filter"),
     ("MALFORMED_FUNCTION_CALL", "error"), ("BRAND_NEW", "unknown")],
)  # fmt: skip
def test_finish_reasons(reason: str, finish: str) -> None:
    message = outcome({"candidates": [{"finishReason": reason, "finishMessage": "why"}]}).message
    assert (message.finish, message.response_metadata["finish_reason"]) == (finish, reason)
    assert message.response_metadata["finish_message"] == "why"


@pytest.mark.requirement("H5")
def test_errors_in_lines_without_data_and_answers_in_a_list() -> None:
    error = b'[{\r\n  "error": {\r\n    "code": 503,\r\n    "status": "UNAVAILABLE"\r\n  }\r\n}]\r\n'
    result = replay(CODEC, Framing.SSE, [sse(parts({"text": "so far"})), error])
    assert isinstance(result.error, OverloadedError)
    assert result.message.text == "so far"
    body = b'[{"candidates":[{"content":{"parts":[{"text":"a"}]}}]}\n,\r\n{"candidates":[{"finishReason":"STOP"}]}]'
    assert replay(CODEC, Framing.JSON, [body]).message.text == "a"
    assert replay(CODEC, Framing.SSE, [body]).message.text == "a"


def test_no_finish_reason_is_no_end() -> None:
    assert isinstance(outcome(parts({"text": "x"})).error, StreamInterruptedError)
