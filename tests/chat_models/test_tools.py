"""Tools: their schemas, their execution, and the loop."""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from app.chat_models.call import ToolSpec
from app.chat_models.loop_thread import LoopThread
from app.chat_models.profiles import Capabilities, ModelProfile
from app.chat_models.tool_schemas import tool_spec
from app.chat_models.tools import Tool, ToolCalls, ToolLoop, as_text, as_tool
from app.domain.chat_errors import ChatInputError, ToolLoopError, UnsupportedFeatureError
from app.domain.messages import (
    AIMessage,
    AIMessageChunk,
    HumanMessage,
    TextPart,
    ToolCall,
    ToolCallPart,
    ToolMessage,
    add_chunks,
)
from tests.chat_models.models import calls_tool, says, scripted, stub_model
from tests.chat_models.stub_replies import chat_chunk, chat_stream, sse
from tests.chat_models.stub_server import StubServer

WEATHER: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Get current weather for a location.",
        "parameters": {
            "type": "object",
            "properties": {
                "location": {"type": "string", "description": "City and country, e.g. Paris, France"},
                "unit": {
                    "type": "string",
                    "enum": ["celsius", "fahrenheit"],
                    "description": "Temperature unit",
                    "default": "celsius",
                },
            },
            "required": ["location"],
            "additionalProperties": False,
        },
    },
}


def get_weather(location: str, unit: Literal["celsius", "fahrenheit"] = "celsius") -> str:
    """Get current weather for a location.

    Args:
        location: City and country, e.g. Paris, France
        unit (str): Temperature unit

    Returns:
        The weather.
    """
    return f"The weather in {location} is 22°{unit[0].upper()}"


class GetWeather(BaseModel):
    """Get current weather for a location."""

    location: str = Field(description="City and country, e.g. Paris, France")
    unit: Literal["celsius", "fahrenheit"] = Field("celsius", description="Temperature unit")


GetWeather.__name__ = "get_weather"


def annotated(
    location: Annotated[str, "City and country, e.g. Paris, France"],
    unit: Annotated[Literal["celsius", "fahrenheit"], Field(description="Temperature unit")] = "celsius",
) -> str:
    """Get current weather for a location."""
    return location + unit


annotated.__name__ = "get_weather"


def sphinx(location: str, unit: Literal["celsius", "fahrenheit"] = "celsius") -> str:
    """Get current weather for a location.

    :param location: City and country, e.g. Paris, France
    :param str unit: Temperature unit
    """
    return location + unit


sphinx.__name__ = "get_weather"


@pytest.mark.requirement("C1")
@pytest.mark.parametrize("tool", [WEATHER["function"], get_weather, GetWeather, annotated, sphinx])
def test_every_form_of_a_tool_gives_the_same_schema(tool: Any) -> None:
    spec, expected = tool_spec(tool), tool_spec(WEATHER)
    assert json.loads(json.dumps(spec.parameters)) == expected.parameters == WEATHER["function"]["parameters"]
    assert (spec.name, spec.description) == (expected.name, expected.description)


@pytest.mark.requirement("C1")
def test_the_schema_reaches_the_wire(stub: StubServer, loop: LoopThread) -> None:
    stub.reply(chat_stream("x"))
    stub_model(stub, loop).bind_tools([get_weather]).invoke("x")
    assert stub.bodies[0]["tools"] == [WEATHER]


@pytest.mark.requirement("C1")
def test_fields_named_like_keywords_are_kept() -> None:
    def search(title: str, properties: list[str]) -> str:
        return title

    schema = tool_spec(search).parameters
    assert schema["properties"] == {
        "title": {"type": "string"},
        "properties": {"type": "array", "items": {"type": "string"}},
    }


@pytest.mark.requirement("C1", "B38")
def test_what_cannot_be_a_tool_is_refused() -> None:
    def takes_anything(*values: int) -> int:
        return sum(values)

    def takes_a_thread(thread: threading.Thread) -> None:
        pass

    for tool in (takes_anything, takes_a_thread, 3, {"description": "no name"}, lambda x: x):
        with pytest.raises(ValueError, match=r"can't|needs a 'name'"):
            tool_spec(tool)
    with pytest.raises(ValueError, match="type 'object'"):
        tool_spec({"name": "f", "parameters": {"type": "string"}})


@pytest.mark.requirement("C2")
def test_binding_leaves_the_model_as_it_was(stub: StubServer, loop: LoopThread) -> None:
    stub.reply(chat_stream("x"))
    model = stub_model(stub, loop)
    model.bind_tools([get_weather]).invoke("x")
    model.invoke("x")
    assert "tools" in stub.bodies[0]
    assert "tools" not in stub.bodies[1]


def _call_chunk(index: int, arguments: str, call_id: str | None = None, name: str | None = None) -> dict[str, Any]:
    call: dict[str, Any] = {"index": index, "function": {"arguments": arguments}}
    if call_id:
        call = {**call, "id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}
    return chat_chunk(tool_calls=[call])


@pytest.mark.requirement("C3", "C10")
def test_parallel_calls_come_parsed(stub: StubServer, loop: LoopThread) -> None:
    stub.reply(
        sse(
            _call_chunk(0, "", "c1", "get_weather"),
            _call_chunk(0, '{"location": '),
            _call_chunk(1, '{"location": "Rome"}', "c2", "get_weather"),
            _call_chunk(0, '"Paris"}'),
            chat_chunk(finish_reason="tool_calls"),
            done=True,
        )
    )
    answer = stub_model(stub, loop).bind_tools([get_weather]).invoke("x")
    assert answer.tool_calls == (
        ToolCall("c1", "get_weather", {"location": "Paris"}),
        ToolCall("c2", "get_weather", {"location": "Rome"}),
    )
    assert answer.finish == "tool_calls"


@pytest.mark.requirement("C11")
@given(st.lists(st.integers(0, 40), max_size=8))
def test_wherever_fragments_are_cut_the_call_is_the_same(cuts: list[int]) -> None:
    arguments = '{"location": "Köln 🐝", "n": 12}'
    bounds = [0, *sorted(min(cut, len(arguments)) for cut in cuts), len(arguments)]
    pieces = [arguments[a:b] for a, b in itertools.pairwise(bounds)]
    chunks = [AIMessageChunk(parts=(ToolCallPart("c1", "f", pieces[0], 0),))]
    chunks += [AIMessageChunk(parts=(ToolCallPart("", "", piece, 0),)) for piece in pieces[1:]]
    assert add_chunks(chunks).message().tool_calls == (ToolCall("c1", "f", {"location": "Köln 🐝", "n": 12}),)


@pytest.mark.requirement("C11")
def test_calls_are_complete_after_a_stream(stub: StubServer, loop: LoopThread) -> None:
    stub.reply(
        sse(
            _call_chunk(0, "", "c1", "get_weather"),
            *(_call_chunk(0, character) for character in '{"location": "Tokyo"}'),
            chat_chunk(finish_reason="tool_calls"),
            done=True,
        )
    )
    model = stub_model(stub, loop).bind_tools([get_weather])
    total = add_chunks(list(model.stream("x"))).message()
    assert ToolCalls(total).get_calls() == [
        {"id": "c1", "type": "function", "function": {"name": "get_weather", "arguments": {"location": "Tokyo"}}}
    ]
    assert total.tool_calls == model.invoke("x").tool_calls


@pytest.mark.requirement("C8")
def test_the_call_flow_by_hand(stub: StubServer, loop: LoopThread) -> None:
    stub.reply(
        sse(
            _call_chunk(0, '{"location": "Paris"}', "c1", "get_weather"),
            chat_chunk(finish_reason="tool_calls"),
            done=True,
        )
    )
    stub.reply(chat_stream("It is 22°C in Paris."))
    model = stub_model(stub, loop)
    messages: list[Any] = [HumanMessage("Weather in Paris?")]
    calls = ToolCalls(model.invoke(messages, tools=[WEATHER]))
    for call in calls.get_calls():
        calls.insert_results(call["id"], get_weather(**call["function"]["arguments"]))
    messages += calls.get_messages()
    assert model.invoke(messages).text == "It is 22°C in Paris."
    sent = stub.bodies[1]["messages"]
    assert [each["role"] for each in sent] == ["user", "assistant", "tool"]
    assert sent[1]["tool_calls"][0]["id"] == sent[2]["tool_call_id"] == "c1"
    assert sent[2]["content"] == "The weather in Paris is 22°C"


@pytest.mark.requirement("C8")
def test_results_belong_to_calls() -> None:
    calls = ToolCalls(AIMessage(parts=(ToolCallPart("a", "f", "{}"), ToolCallPart("b", "g", '{"x'))))
    with pytest.raises(ChatInputError, match="'z'"):
        calls.insert_results("z", "x")
    assert [(m.tool_call_id, m.status) for m in calls.get_messages() if isinstance(m, ToolMessage)] == [
        ("a", "error"),
        ("b", "error"),
    ]


@pytest.mark.requirement("C9")
@pytest.mark.parametrize(
    ("result", "text"),
    [
        ("plain", "plain"),
        ({"t": 22, "ü": [1, None]}, '{"t": 22, "ü": [1, null]}'),
        ([1, 2], "[1, 2]"),
        (None, "null"),
        (True, "true"),
        (GetWeather(location="x"), '{"location": "x", "unit": "celsius"}'),
        ({3}, "[3]"),
    ],
)
def test_results_that_are_no_text_are_json(result: object, text: str) -> None:
    assert as_text(result) == text


@pytest.mark.requirement("C8", "C10")
def test_the_loop_executes_calls_and_asks_again(loop: LoopThread) -> None:
    two = (
        AIMessageChunk(parts=(ToolCallPart("c1", "get_weather", '{"location":"Paris"}', 0),)),
        AIMessageChunk(parts=(ToolCallPart("c2", "add", '{"a":1,"b":2}', 1),), finish="tool_calls"),
    )
    model = scripted(two, says("Done."), loop=loop)

    async def add(a: int, b: int) -> dict[str, int]:
        return {"sum": a + b}

    messages = ToolLoop(model, [get_weather, add]).run("x")
    assert messages[-1].text == "Done."
    results = [message for message in messages if isinstance(message, ToolMessage)]
    assert [(each.tool_call_id, each.text) for each in results] == [
        ("c1", "The weather in Paris is 22°C"),
        ("c2", '{"sum": 3}'),
    ]
    assert model.calls[1][0] == messages[:-1]
    assert {each.id for each in messages if isinstance(each, AIMessage) and each.id and each.id.endswith("-1")}


@pytest.mark.requirement("C12")
@pytest.mark.parametrize(
    ("call", "words"),
    [
        (calls_tool("unknown", "{}"), "no tool 'unknown'"),
        (calls_tool("get_weather", '{"location": '), "not valid JSON"),
        (calls_tool("get_weather", '{"place": "x"}'), "location"),
        (calls_tool("get_weather", '{"location": "x", "unit": "kelvin"}'), "unit"),
        (calls_tool("fail", "{}"), "ZeroDivisionError: division by zero"),
    ],
)
def test_errors_of_tools_are_told_to_the_model(call: Any, words: str, loop: LoopThread) -> None:
    def fail() -> float:
        return 1 / 0

    model = scripted(call, says("Sorry."), loop=loop)
    messages = ToolLoop(model, [get_weather, fail]).run("x")
    result = messages[-2]
    assert isinstance(result, ToolMessage)
    assert result.status == "error"
    assert words in result.text
    assert messages[-1].text == "Sorry."


@pytest.mark.requirement("C13")
def test_a_call_that_was_cut_off_is_never_executed(stub: StubServer, loop: LoopThread) -> None:
    ran: list[str] = []

    def delete(path: str) -> str:
        ran.append(path)
        return "deleted"

    stub.reply(sse(_call_chunk(0, '{"path": "/home', "c1", "delete"), chat_chunk(finish_reason="length"), done=True))
    answer = stub_model(stub, loop).bind_tools([delete]).invoke("x")
    assert answer.tool_calls == ()
    assert answer.invalid_tool_calls[0].name == "delete"
    assert answer.finish == "length"
    stub.reply(chat_stream("Stopped."))
    ToolLoop(scripted(calls_tool("delete", '{"path": "/home', finish="length"), says("ok"), loop=loop), [delete]).run(
        "x"
    )
    assert ran == []


@pytest.mark.requirement("C14")
def test_the_loop_has_a_limit(loop: LoopThread) -> None:
    model = scripted(calls_tool("get_weather", '{"location":"x"}'), loop=loop)
    with pytest.raises(ToolLoopError, match="after 3 rounds"):
        ToolLoop(model, [get_weather], max_rounds=3).run("x")
    assert len(model.calls) == 3
    with pytest.raises(ChatInputError, match="max_rounds"):
        ToolLoop(model, [get_weather], max_rounds=0)


@pytest.mark.requirement("C8", "B28")
def test_the_loop_reports_events_under_one_run(loop: LoopThread) -> None:
    model = scripted(calls_tool("get_weather", '{"location":"x"}'), says("Done."), loop=loop)

    async def collect() -> list[Any]:
        return [event async for event in ToolLoop(model, [get_weather]).astream_events("x")]

    events = asyncio.run(collect())
    kinds = [event.event for event in events if event.event != "on_chat_model_stream"]
    assert kinds == [
        "on_chat_model_start",
        "on_chat_model_end",
        "on_tool_start",
        "on_tool_end",
        "on_chat_model_start",
        "on_chat_model_end",
        "on_tool_loop_end",
    ]
    assert len({event.run_id for event in events}) == 1


def test_schemas_can_bring_their_functions(loop: LoopThread) -> None:
    model = scripted(calls_tool("get_weather", '{"location":"Oslo"}'), says("Done."), loop=loop)
    messages = ToolLoop(model, [WEATHER], functions={"get_weather": get_weather}).run("x")
    assert messages[-2].text == "The weather in Oslo is 22°C"
    with pytest.raises(ChatInputError, match="no function"):
        ToolLoop(model, [WEATHER])
    bad = scripted(calls_tool("get_weather", '{"location": 3}'), says("Done."), loop=loop)
    assert "must be string" in ToolLoop(bad, [WEATHER], functions={"get_weather": get_weather}).run("x")[-2].text
    tool = as_tool(Tool(ToolSpec("f"), lambda: "x"))
    assert asyncio.run(tool.run({})) == "x"


def test_tools_for_a_model_that_has_none_are_refused(loop: LoopThread) -> None:
    profile = ModelProfile("m", "p", capabilities=Capabilities(tool_call=False))
    model = scripted(says("x"), loop=loop, model="m", profile=profile)
    with pytest.raises(UnsupportedFeatureError, match="can't call tools"):
        model.bind_tools([get_weather]).invoke("x")
    assert model.calls == []


def test_text_beside_a_call_is_kept(loop: LoopThread) -> None:
    call = (
        AIMessageChunk(parts=(TextPart("Let me see. ", 0),)),
        AIMessageChunk(parts=(ToolCallPart("c1", "f", "{}", 0),), finish="tool_calls"),
    )
    answer = scripted(call, loop=loop).invoke("x")
    assert answer.text == "Let me see. "
    assert answer.tool_calls == (ToolCall("c1", "f", {}),)
