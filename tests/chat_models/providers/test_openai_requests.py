"""What is sent in the OpenAI chat protocol and its dialects."""

from __future__ import annotations

from typing import Any

import pytest

from app.chat_models.call import Call, PrefillStyle, ResponseFormat, ToolSpec
from app.chat_models.providers.openai_chat import OpenAIChatCodec
from app.chat_models.providers.openai_dialects import (
    AZURE,
    DEEPSEEK,
    DIALECTS,
    GENERIC,
    GROQ,
    HUGGING_FACE,
    LLAMA_CPP,
    LM_STUDIO,
    MISTRAL,
    OPENAI,
    OPENROUTER,
    TOGETHER,
    VLLM,
    XAI,
    Dialect,
)
from app.domain.chat_errors import UnsupportedFeatureError
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
)

each_dialect = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
CITY = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
WEATHER = ToolSpec("get_weather", "Weather of a city.", CITY)
TIME = ToolSpec("get_time")
CHAT = "/chat/completions"
PNG = ImagePart(data=b"\x89PNG", media_type="image/png")


def body(dialect: Dialect, messages: list[Message] | str = "Hi", **call: Any) -> dict[str, Any]:
    if isinstance(messages, str):
        messages = [HumanMessage(messages)]
    request = OpenAIChatCodec(dialect).request(messages, Call(model="m", **call))
    assert request.json is not None
    assert not [name for name, value in request.json.items() if value is None]
    return dict(request.json)


def test_a_plain_question() -> None:
    assert body(OPENAI) == {
        "model": "m",
        "messages": [{"role": "user", "content": "Hi"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


@pytest.mark.requirement("A1", "A5")
@each_dialect
def test_every_kind_of_message_has_its_role(dialect: Dialect) -> None:
    call = ToolCallPart("abcdefghi", "get_time", "")
    messages = [
        SystemMessage("Be brief."),
        HumanMessage("Time?"),
        AIMessage(parts=(TextPart("Let me see."), call)),
        ToolMessage("12:00", tool_call_id="abcdefghi"),
        AIMessage("Noon."),
        HumanMessage("Thanks"),
    ]
    sent = body(dialect, messages)["messages"]
    assert [message["role"] for message in sent] == ["system", "user", "assistant", "tool", "assistant", "user"]
    assert sent[2]["content"] == "Let me see."
    assert sent[2]["tool_calls"] == [
        {"id": "abcdefghi", "type": "function", "function": {"name": "get_time", "arguments": "{}"}}
    ]
    assert sent[3] == {"role": "tool", "tool_call_id": "abcdefghi", "content": "12:00"}
    assert [sent[index]["content"] for index in (0, 1, 4, 5)] == ["Be brief.", "Time?", "Noon.", "Thanks"]


@pytest.mark.requirement("B4")
@each_dialect
def test_parameters_have_their_names_and_zero_is_sent(dialect: Dialect) -> None:
    sent = body(dialect, temperature=0.0, top_p=0.5, frequency_penalty=0.0, presence_penalty=-1.0, max_tokens=9, seed=0)
    assert (sent["temperature"], sent["top_p"]) == (0.0, 0.5)
    assert (sent["frequency_penalty"], sent["presence_penalty"]) == (0.0, -1.0)
    limit = "max_completion_tokens" if dialect in (OPENAI, AZURE, GROQ, XAI) else "max_tokens"
    assert sent[limit] == 9
    assert not {"max_tokens", "max_completion_tokens"} - {limit} & sent.keys()
    assert sent["random_seed" if dialect is MISTRAL else "seed"] == 0


@pytest.mark.requirement("B5")
def test_options_go_into_the_body_and_headers_into_the_request() -> None:
    codec = OpenAIChatCodec(OPENAI)
    call = Call(model="m", options={"logit_bias": {"50256": -100}, "user": "u1"}, headers={"x-tag": "a"})
    request = codec.request([HumanMessage("Hi")], call)
    assert request.json is not None
    assert (request.json["logit_bias"], request.json["user"]) == ({"50256": -100}, "u1")
    assert request.headers == {"x-tag": "a"}


@pytest.mark.requirement("A14", "A15", "A16")
def test_text_and_images_keep_their_order() -> None:
    parts = (
        TextPart("Compare "),
        ImagePart(url="https://example.org/a.png", detail="low"),
        TextPart(" and "),
        PNG,
    )
    content = body(OPENAI, [HumanMessage(parts=parts)])["messages"][0]["content"]
    assert content == [
        {"type": "text", "text": "Compare "},
        {"type": "image_url", "image_url": {"url": "https://example.org/a.png", "detail": "low"}},
        {"type": "text", "text": " and "},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw=="}},
    ]


@pytest.mark.requirement("A14")
@pytest.mark.parametrize("dialect", [LM_STUDIO, DEEPSEEK])
def test_servers_that_fetch_nothing_get_no_address(dialect: Dialect) -> None:
    with pytest.raises(UnsupportedFeatureError, match="bytes"):
        body(dialect, [HumanMessage(parts=(ImagePart(url="https://example.org/a.png"),))])
    assert body(dialect, [HumanMessage(parts=(PNG,))])["messages"][0]["content"][0]["type"] == "image_url"


def test_files() -> None:
    pdf = FilePart(data=b"%PDF", media_type="application/pdf", name="a.pdf")
    sound = FilePart(data=b"RIFF", media_type="audio/wav")
    content = body(OPENAI, [HumanMessage(parts=(pdf, sound))])["messages"][0]["content"]
    assert content == [
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERg=="}},
        {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
    ]
    with pytest.raises(UnsupportedFeatureError):
        body(OPENAI, [HumanMessage(parts=(FilePart(url="https://example.org/a.pdf"),))])


def test_several_text_parts_are_one_text() -> None:
    parts = (TextPart("[p1] Passage.\n", extras={"passage_id": "p1"}), TextPart("Question?"))
    assert body(LLAMA_CPP, [HumanMessage(parts=parts)])["messages"][0]["content"] == "[p1] Passage.\nQuestion?"


@pytest.mark.requirement("C1", "C4")
def test_tools() -> None:
    sent = body(OPENAI, tools=(WEATHER, ToolSpec("strict_one", strict=True)))
    assert sent["tools"] == [
        {
            "type": "function",
            "function": {"name": "get_weather", "description": "Weather of a city.", "parameters": CITY},
        },
        {
            "type": "function",
            "function": {"name": "strict_one", "parameters": {"type": "object", "properties": {}}, "strict": True},
        },
    ]
    assert "tool_choice" not in sent
    assert "parallel_tool_calls" not in sent
    assert "parallel_tool_calls" not in body(OPENAI, parallel_tool_calls=False)


@pytest.mark.requirement("C4", "C5", "C7")
@each_dialect
@pytest.mark.parametrize("choice", ["auto", "required", "none"])
def test_tool_choice_in_words(dialect: Dialect, choice: str) -> None:
    sent = body(dialect, tools=(WEATHER, TIME), tool_choice=choice)
    assert sent["tool_choice"] == ("any" if choice == "required" and dialect is MISTRAL else choice)
    assert len(sent["tools"]) == 2


@pytest.mark.requirement("C6")
@each_dialect
def test_one_forced_tool(dialect: Dialect) -> None:
    sent = body(dialect, tools=(WEATHER, TIME), tool_choice="get_time")
    if dialect in (LLAMA_CPP, LM_STUDIO):  # which understand words only
        assert (sent["tool_choice"], len(sent["tools"])) == ("required", 1)
        assert sent["tools"][0]["function"]["name"] == "get_time"
    else:
        assert sent["tool_choice"] == {"type": "function", "function": {"name": "get_time"}}


@pytest.mark.requirement("C10")
def test_parallel_calls_can_be_forbidden() -> None:
    assert body(OPENAI, tools=(WEATHER,), parallel_tool_calls=False)["parallel_tool_calls"] is False
    assert "parallel_tool_calls" in OpenAIChatCodec(DEEPSEEK).unsupported


def test_mistral_gets_ids_of_its_own_length_that_still_match() -> None:
    call = ToolCallPart("call_0123456789", "get_time", "{}")
    sent = body(MISTRAL, [HumanMessage("?"), AIMessage(parts=(call,)), ToolMessage("1", tool_call_id=call.id)])
    id = sent["messages"][1]["tool_calls"][0]["id"]
    assert len(id) == 9
    assert id.isalnum()
    assert sent["messages"][2]["tool_call_id"] == id


def test_damaged_calls_of_the_past_are_sent_as_valid_json() -> None:
    call = ToolCallPart("c", "get_weather", '{"city": "Pa')
    sent = body(OPENAI, [HumanMessage("?"), AIMessage(parts=(call,)), ToolMessage("no", tool_call_id="c")])
    assert sent["messages"][1]["tool_calls"][0]["function"]["arguments"] == "{}"


@pytest.mark.requirement("D12")
def test_json_by_schema() -> None:
    strict = body(OPENAI, response_format=ResponseFormat("city", CITY))
    assert strict["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "city", "schema": CITY, "strict": True},
    }
    loose = {"type": "object", "properties": {"a": {"type": "object", "properties": {"b": {}}}}}
    sent = body(OPENAI, response_format=ResponseFormat("x", loose))
    assert sent["response_format"]["json_schema"]["strict"] is False
    nested = {**CITY, "properties": {"city": {"type": "array", "items": {"type": "object"}}}}
    sent = body(OPENAI, response_format=ResponseFormat("x", nested))
    assert sent["response_format"]["json_schema"]["strict"] is False


@pytest.mark.requirement("D12")
def test_json_without_schema() -> None:
    assert body(OPENAI, response_format=ResponseFormat())["response_format"] == {"type": "json_object"}
    assert body(DEEPSEEK, response_format=ResponseFormat("c", CITY))["response_format"] == {"type": "json_object"}


@pytest.mark.requirement("B29")
@each_dialect
def test_stop_strings_are_only_sent_where_the_match_comes_back(dialect: Dialect) -> None:
    sent = body(dialect, stop=("END",))
    if dialect is VLLM:
        assert (sent["stop"], sent["include_stop_str_in_output"]) == (["END"], True)
    else:
        assert "stop" not in sent
    assert OpenAIChatCodec(dialect).reports_stop is (dialect is VLLM)


PREFILLED: list[Message] = [HumanMessage("Q"), AIMessage('{"a', additional_kwargs={"prefill": True})]


@pytest.mark.requirement("E1", "E3")
@pytest.mark.parametrize(
    ("dialect", "style", "path", "message", "fields"),
    [
        (LLAMA_CPP, PrefillStyle.ECHO, CHAT, {}, {"chat_template_kwargs": {"enable_thinking": False}}),
        (VLLM, PrefillStyle.NATIVE, CHAT, {}, {"continue_final_message": True, "add_generation_prompt": False}),
        (MISTRAL, PrefillStyle.ECHO, CHAT, {"prefix": True}, {}),
        (DEEPSEEK, PrefillStyle.NATIVE, "/beta/chat/completions", {"prefix": True}, {}),
    ],
)  # fmt: skip
def test_a_prefill_is_the_last_message(
    dialect: Dialect, style: PrefillStyle, path: str, message: dict[str, Any], fields: dict[str, Any]
) -> None:
    codec = OpenAIChatCodec(dialect)
    assert codec.prefill_style(Call(model="m")) is style
    request = codec.request(PREFILLED, Call(model="m"))
    assert request.json is not None
    assert request.path == path
    assert request.json["messages"][-1] == {"role": "assistant", "content": '{"a', **message}
    assert {name: request.json.get(name) for name in fields} == fields


@pytest.mark.requirement("E3")
@pytest.mark.parametrize("dialect", [OPENAI, AZURE, GROQ, OPENROUTER, XAI, TOGETHER, HUGGING_FACE, LM_STUDIO, GENERIC])
def test_others_take_no_prefill(dialect: Dialect) -> None:
    assert OpenAIChatCodec(dialect).prefill_style(Call(model="m")) is PrefillStyle.EMULATED


def test_how_much_to_think() -> None:
    assert body(OPENAI, reasoning_effort="max")["reasoning_effort"] == "high"
    assert body(OPENROUTER, reasoning_effort="low")["reasoning"] == {"effort": "low"}
    assert body(OPENROUTER, reasoning_effort="none")["reasoning"] == {"enabled": False}
    assert body(LLAMA_CPP, reasoning_effort="none")["chat_template_kwargs"]["enable_thinking"] is False
    assert "reasoning_effort" in OpenAIChatCodec(MISTRAL).unsupported
    assert "reasoning_effort" not in OpenAIChatCodec(OPENAI).unsupported


def test_thoughts_go_back_only_where_they_are_wanted() -> None:
    details = [{"type": "reasoning.encrypted", "data": "x"}]
    thought = ReasoningPart("hm", extras={"reasoning_details": details})
    old = [
        HumanMessage("1"),
        AIMessage(parts=(thought, ToolCallPart("a", "t", ""))),
        ToolMessage("r", tool_call_id="a"),
    ]
    turn: list[Message] = [*old]
    past: list[Message] = [*old, AIMessage("done"), HumanMessage("2")]
    assert body(OPENROUTER, turn)["messages"][1]["reasoning_details"] == details
    assert body(DEEPSEEK, turn)["messages"][1]["reasoning_content"] == "hm"
    assert "reasoning_content" not in body(DEEPSEEK, past)["messages"][1]
    assert "hm" not in str(body(OPENAI, turn))


def test_names_are_sent_where_they_are_known() -> None:
    message = HumanMessage("Hi", name="Ann Lee")
    assert body(OPENAI, [message])["messages"][0] == {"role": "user", "name": "Ann_Lee", "content": "Hi"}
    assert "name" not in body(GROQ, [message])["messages"][0]


def test_mistral_gets_no_field_that_it_refuses() -> None:
    assert "stream_options" not in body(MISTRAL)


@pytest.mark.requirement("B2")
def test_azure_names_the_deployment_in_the_path_of_its_older_addresses() -> None:
    request = OpenAIChatCodec(AZURE, "2024-10-21").request([HumanMessage("Hi")], Call(model="my dep"))
    assert request.path == "/deployments/my%20dep/chat/completions?api-version=2024-10-21"
    assert OpenAIChatCodec(AZURE).request([HumanMessage("Hi")], Call(model="d")).path == "/chat/completions"
