"""The OpenAI Responses protocol: what is sent, and oddities of what comes."""

from __future__ import annotations

from typing import Any

import pytest

from app.chat_models.call import Call, PrefillStyle, ResponseFormat, ToolSpec
from app.chat_models.codec import Framing
from app.chat_models.providers.openai_responses import ResponsesCodec
from app.domain.chat_errors import RateLimitError, ServerError, StreamInterruptedError
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
from tests.chat_models.providers.replaying import Outcome, replay
from tests.chat_models.stub_replies import sse

CITY = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
WEATHER = ToolSpec("get_weather", "Weather.", CITY)
CODEC = ResponsesCodec()


def body(messages: list[Message] | str = "Hi", **call: Any) -> dict[str, Any]:
    if isinstance(messages, str):
        messages = [HumanMessage(messages)]
    request = CODEC.request(messages, Call(model="m", **call))
    assert request.path == "/responses"
    assert request.json is not None
    assert not [name for name, value in request.json.items() if value is None]
    return dict(request.json)


def outcome(*events: Any) -> Outcome:
    return replay(CODEC, Framing.SSE, [sse(*events, event_key="type")])


@pytest.mark.requirement("B4")
def test_a_plain_question_is_not_stored() -> None:
    assert body(temperature=0.0, top_p=0.0, max_tokens=20, stop=("END",)) == {
        "model": "m",
        "input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]}],
        "stream": True,
        "store": False,
        "temperature": 0.0,
        "top_p": 0.0,
        "max_output_tokens": 20,
    }
    assert {"frequency_penalty", "presence_penalty", "seed"} <= CODEC.unsupported
    assert CODEC.reports_stop is False


@pytest.mark.requirement("A1", "C10")
def test_a_turn_with_tools() -> None:
    kept = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"}
    parts = (
        ReasoningPart("hm", extras={"openai_item": kept}),
        ReasoningPart("foreign"),
        TextPart("Let me see."),
        ToolCallPart("c1", "get_weather", '{"city": "Rom"}'),
    )
    messages = [
        SystemMessage("Brief."),
        HumanMessage("?"),
        AIMessage(parts=parts),
        ToolMessage("25", tool_call_id="c1"),
    ]
    assert body(messages)["input"] == [
        {"type": "message", "role": "system", "content": [{"type": "input_text", "text": "Brief."}]},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "?"}]},
        kept,
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Let me see."}]},
        {"type": "function_call", "call_id": "c1", "name": "get_weather", "arguments": '{"city": "Rom"}'},
        {"type": "function_call_output", "call_id": "c1", "output": "25"},
    ]


@pytest.mark.requirement("A14", "A15", "A16")
def test_images_and_files() -> None:
    parts = (
        ImagePart(url="https://example.org/a.png"),
        ImagePart(data=b"\x89PNG", media_type="image/png", detail="high"),
        FilePart(data=b"%PDF", media_type="application/pdf", name="a.pdf"),
        TextPart("?"),
    )
    assert body([HumanMessage(parts=parts)])["input"][0]["content"] == [
        {"type": "input_image", "image_url": "https://example.org/a.png", "detail": "auto"},
        {"type": "input_image", "image_url": "data:image/png;base64,iVBORw==", "detail": "high"},
        {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERg=="},
        {"type": "input_text", "text": "?"},
    ]


@pytest.mark.requirement("C4", "C5", "C6", "C7")
@pytest.mark.parametrize(
    ("choice", "wire"),
    [(None, None), ("auto", "auto"), ("required", "required"), ("none", "none"),
     ("get_weather", {"type": "function", "name": "get_weather"})],
)  # fmt: skip
def test_tools(choice: str | None, wire: Any) -> None:
    sent = body(tools=(WEATHER,), tool_choice=choice, parallel_tool_calls=False)
    assert sent["tools"] == [
        {"type": "function", "name": "get_weather", "description": "Weather.", "parameters": CITY, "strict": False}
    ]
    assert sent.get("tool_choice") == wire
    assert sent["parallel_tool_calls"] is False


@pytest.mark.requirement("D12", "E3")
def test_form_thinking_and_prefill() -> None:
    assert body(response_format=ResponseFormat("city", CITY))["text"] == {
        "format": {"type": "json_schema", "name": "city", "schema": CITY, "strict": True}
    }
    assert body(response_format=ResponseFormat())["text"] == {"format": {"type": "json_object"}}
    thinking = body(reasoning_effort="low")
    assert (thinking["reasoning"], thinking["include"]) == ({"effort": "low"}, ["reasoning.encrypted_content"])
    assert "include" not in body(reasoning_effort="none")
    assert CODEC.prefill_style(Call(model="m")) is PrefillStyle.EMULATED


CREATED: dict[str, Any] = {"type": "response.created", "response": {"id": "r", "status": "in_progress", "model": "m"}}
DONE: dict[str, Any] = {
    "type": "response.completed",
    "response": {"status": "completed", "usage": {"input_tokens": 3, "output_tokens": 2}},
}


@pytest.mark.requirement("C11")
def test_arguments_without_deltas_are_taken_from_the_finished_item() -> None:
    item = {"type": "function_call", "call_id": "c", "name": "f", "arguments": ""}
    done = {**item, "arguments": '{"x": 1}'}
    events = [
        {"type": "response.output_item.added", "output_index": 0, "item": item},
        {"type": "response.output_item.done", "output_index": 0, "item": done},
    ]
    assert [call.args for call in outcome(CREATED, *events, DONE).message.tool_calls] == [{"x": 1}]
    assert [call.args for call in outcome(CREATED, events[1], DONE).message.tool_calls] == [{"x": 1}]


def test_text_without_deltas_is_taken_from_the_item_or_the_response() -> None:
    item = {"type": "message", "content": [{"type": "output_text", "text": "Hello"}]}
    done = {"type": "response.output_item.done", "output_index": 0, "item": item}
    assert outcome(CREATED, done, DONE).message.text == "Hello"
    end = {**DONE, "response": {**DONE["response"], "output": [item]}}
    assert outcome(CREATED, end).message.text == "Hello"
    assert outcome(CREATED, done, end).message.text == "Hello"


def test_summaries_are_paragraphs_and_refusals_text() -> None:
    message = outcome(
        CREATED,
        {"type": "response.reasoning_summary_text.delta", "output_index": 0, "summary_index": 0, "delta": "a"},
        {"type": "response.reasoning_summary_part.added", "output_index": 0, "summary_index": 1},
        {"type": "response.reasoning_summary_text.delta", "output_index": 0, "summary_index": 1, "delta": "b"},
        {"type": "response.refusal.delta", "output_index": 1, "delta": "No."},
        DONE,
    ).message
    assert (message.reasoning, message.text, message.usage) == ("a\n\nb", "No.", Usage(3, 2))
    assert message.parts[1].extras == {"refusal": True}


@pytest.mark.requirement("H5")
def test_failures() -> None:
    failed = {
        "type": "response.failed",
        "response": {"status": "failed", "error": {"code": "server_error", "message": "x"}},
    }
    limited = {"type": "error", "code": "rate_limit_exceeded", "message": "slow down"}
    cancelled = {"type": "response.cancelled", "response": {"status": "cancelled"}}
    assert type(outcome(CREATED, failed).error) is ServerError
    assert type(outcome(CREATED, limited).error) is RateLimitError
    assert type(outcome(CREATED, cancelled).error) is StreamInterruptedError
    assert type(outcome(CREATED).error) is StreamInterruptedError
    assert replay(CODEC, Framing.SSE, [sse(CREATED, done=True)]).message.finish == "unknown"
