"""Structured output."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any, NotRequired, TypedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from app.chat_models.json_schemas import schema_problems, strict_schema
from app.chat_models.loop_thread import LoopThread
from app.chat_models.output_schemas import OutputSchema
from app.chat_models.planning import ChainOfThoughts, ReAct, ReActLoop, SelfConsistency
from app.chat_models.profiles import Capabilities, ModelProfile
from app.chat_models.structured import Structured, StructuredResult
from app.domain.chat_errors import ChatInputError, OutputParserError, ToolLoopError
from app.domain.messages import AIMessage, ToolMessage
from tests.chat_models.models import calls_tool, says, scripted, stub_model
from tests.chat_models.stub_replies import Reply, chat_chunk, chat_stream, json_reply, sse
from tests.chat_models.stub_server import RecordedRequest, StubServer


class CalendarEvent(BaseModel):
    """An event in a calendar."""

    name: str
    date: str
    participants: list[str]


class Address(BaseModel):
    street: str
    city: str
    country: str


class Person(BaseModel):
    name: str
    age: int
    address: Address
    nickname: str | None = None


class PlaceDict(TypedDict):
    city: str


class EventDict(TypedDict):
    name: str
    participants: list[str]
    places: NotRequired[list[PlaceDict]]


@dataclass
class EventData:
    name: str
    participants: list[str]


EVENT = {"name": "science fair", "date": "Friday", "participants": ["Alice", "Bob"]}
SCHEMA = {
    "title": "Event",
    "type": "object",
    "properties": {"name": {"type": "string"}, "count": {"type": "integer"}},
    "required": ["name"],
}


def _example(schema: dict[str, Any], root: dict[str, Any]) -> Any:
    """A value that fits ``schema``, as a server that enforces it would make one."""
    if "$ref" in schema:
        return _example(root["$defs"][schema["$ref"].rsplit("/", 1)[-1]], root)
    if "anyOf" in schema:
        return _example(schema["anyOf"][0], root)
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        return {name: _example(each, root) for name, each in schema["properties"].items()}
    return {"string": "text", "integer": 3, "array": ["text"], "number": 1.5, "boolean": True, "null": None}[str(kind)]


def _generate(request: RecordedRequest) -> Reply:
    schema = request.json["response_format"]["json_schema"]["schema"]
    return Reply(steps=(chat_stream(json.dumps(_example(schema, schema))),))


@pytest.mark.requirement("D1")
def test_an_object_comes_back_typed(stub: StubServer, loop: LoopThread) -> None:
    stub.script(_generate)
    event = stub_model(stub, loop).with_structured_output(CalendarEvent).invoke("Alice and Bob go to a fair.")
    assert event == CalendarEvent(name="text", date="text", participants=["text"])
    wanted = stub.bodies[0]["response_format"]
    assert wanted["type"] == "json_schema"
    assert wanted["json_schema"]["name"] == "CalendarEvent"
    assert wanted["json_schema"]["strict"] is True
    assert wanted["json_schema"]["schema"]["additionalProperties"] is False


@pytest.mark.requirement("D2")
def test_nested_objects(stub: StubServer, loop: LoopThread) -> None:
    stub.script(_generate)
    person = stub_model(stub, loop).with_structured_output(Person).invoke("John lives in New York.")
    assert person == Person(
        name="text", age=3, address=Address(street="text", city="text", country="text"), nickname="text"
    )
    sent = stub.bodies[0]["response_format"]["json_schema"]
    assert sent["strict"] is True
    assert set(sent["schema"]["required"]) == {"name", "age", "address", "nickname"}


@pytest.mark.requirement("D3")
@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (EventDict, {"name": "fair", "participants": ["A"]}),
        (
            {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]},
            {"name": "fair", "participants": ["A"]},
        ),
        (EventData, EventData("fair", ["A"])),
    ],
)
def test_other_kinds_of_schema(schema: Any, expected: Any, loop: LoopThread) -> None:
    model = scripted(says('{"name": "fair", "participants": ["A"]}'), loop=loop)
    assert Structured(model, schema, method="json_schema").invoke("x") == expected


@pytest.mark.requirement("D3")
def test_typed_dicts_are_checked_all_the_way_down(loop: LoopThread) -> None:
    model = scripted(says('{"name": "f", "participants": [], "places": [{"city": 3}]}'), loop=loop)
    with pytest.raises(OutputParserError, match=r"places\.0\.city"):
        Structured(model, EventDict, method="json_schema").invoke("x")


@pytest.mark.requirement("D3")
@pytest.mark.parametrize("schema", [int, "schema", {"type": "array"}, 3])
def test_what_is_no_schema_is_refused(schema: Any, loop: LoopThread) -> None:
    with pytest.raises(ChatInputError):
        scripted(says("x"), loop=loop).with_structured_output(schema)


@pytest.mark.requirement("D4")
@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ('{"name": "fair", "date": "Friday"}', "participants"),
        ('{"name": 3, "date": "Friday", "participants": []}', "name"),
        ('{"name": "fair", "date": "Fri', "not valid JSON"),
        ("I can't do that.", "not valid JSON"),
        ("", "not valid JSON"),
        ("[1]", "form"),
    ],
)
@pytest.mark.parametrize("method", ["json_schema", "json_mode"])
def test_a_wrong_answer_is_an_error_with_the_raw_text(answer: str, words: str, method: Any, loop: LoopThread) -> None:
    model = scripted(says(answer), loop=loop)
    with pytest.raises(OutputParserError, match=words) as caught:
        Structured(model, CalendarEvent, method=method).invoke("x")
    assert caught.value.raw == answer


@pytest.mark.requirement("D4")
@pytest.mark.parametrize(
    ("answer", "words"), [('{"count": 1}', "name is missing"), ('{"name": "x", "count": "1"}', "count must be integer")]
)
def test_a_wrong_answer_to_a_plain_schema(answer: str, words: str, loop: LoopThread) -> None:
    with pytest.raises(OutputParserError, match=words):
        Structured(scripted(says(answer), loop=loop), SCHEMA, method="json_schema").invoke("x")


@pytest.mark.requirement("D4")
def test_an_answer_that_was_cut_off_says_so(loop: LoopThread) -> None:
    model = scripted(says('{"name": "fa', finish="length"), loop=loop)
    with pytest.raises(OutputParserError, match="max_tokens"):
        Structured(model, CalendarEvent, method="json_schema").invoke("x")


@pytest.mark.requirement("D4")
@pytest.mark.parametrize("frame", ["```json\n{}\n```", "Here it is:\n{}\nAnything else?", "  {}  "])
def test_words_and_fences_around_the_object_are_forgiven(frame: str, loop: LoopThread) -> None:
    model = scripted(says(frame.replace("{}", json.dumps(EVENT))), loop=loop)
    assert Structured(model, CalendarEvent, method="json_mode").invoke("x") == CalendarEvent(**EVENT)


@pytest.mark.requirement("D5")
def test_a_repair_round_tells_the_model_what_was_wrong(stub: StubServer, loop: LoopThread) -> None:
    stub.reply(chat_stream('{"name": "fair"}'))
    stub.reply(chat_stream(json.dumps(EVENT)))
    structured = stub_model(stub, loop).with_structured_output(CalendarEvent, retries=1)
    assert structured.invoke("x") == CalendarEvent(**EVENT)
    repair = stub.bodies[1]["messages"]
    assert [each["role"] for each in repair] == ["user", "assistant", "user"]
    assert repair[1]["content"] == '{"name": "fair"}'
    assert "participants" in repair[2]["content"]


@pytest.mark.requirement("D5")
def test_repairs_end_after_so_many_rounds(loop: LoopThread) -> None:
    model = scripted(says("no"), loop=loop)
    with pytest.raises(OutputParserError):
        Structured(model, CalendarEvent, method="json_schema", retries=2).invoke("x")
    assert len(model.calls) == 3
    with pytest.raises(OutputParserError):
        Structured(model, CalendarEvent, method="json_schema").invoke("x")
    assert len(model.calls) == 4


@pytest.mark.requirement("D5")
def test_a_repair_of_a_tool_call_answers_the_call(loop: LoopThread) -> None:
    model = scripted(
        calls_tool("CalendarEvent", '{"name": "x"}'), calls_tool("CalendarEvent", json.dumps(EVENT)), loop=loop
    )
    assert Structured(model, CalendarEvent, method="tool", retries=1).invoke("x") == CalendarEvent(**EVENT)
    asked, told = model.calls[1][0][-2:]
    assert isinstance(asked, AIMessage)
    assert isinstance(told, ToolMessage)
    assert told.tool_call_id == "call_1"


def test_the_message_can_be_had_too(loop: LoopThread) -> None:
    good = scripted(says(json.dumps(EVENT)), loop=loop)
    result = Structured(good, CalendarEvent, method="json_schema", include_raw=True).invoke("x")
    assert isinstance(result, StructuredResult)
    assert (result.parsed, result.raw.text, result.error) == (CalendarEvent(**EVENT), json.dumps(EVENT), None)
    bad = Structured(scripted(says("no"), loop=loop), CalendarEvent, method="json_schema", include_raw=True).invoke("x")
    assert (bad.parsed, bad.raw.text, type(bad.error)) == (None, "no", OutputParserError)


@pytest.mark.requirement("D6")
def test_a_parser_of_the_callers(loop: LoopThread) -> None:
    model = scripted(says("a, b"), says("!"), loop=loop)

    def split(message: AIMessage) -> list[str]:
        if "," not in message.text:
            raise ValueError("no comma")
        return [word.strip() for word in message.text.split(",")]

    structured: Structured[list[str]] = Structured(model, parser=split)
    assert structured.invoke("x") == ["a", "b"]
    with pytest.raises(OutputParserError, match="no comma") as caught:
        structured.invoke("x")
    assert caught.value.raw == "!"


@pytest.mark.requirement("D7", "D9")
@pytest.mark.parametrize(
    ("schema", "answer"),
    [
        (ChainOfThoughts, {"steps": [{"explanation": "25*4", "output": "100"}], "final_answer": "117"}),
        (SelfConsistency, {"paths": [{"reasoning": "a", "answer": "117"}] * 2, "final_answer": "117"}),
    ],
)
def test_plans_come_back_as_objects(schema: Any, answer: dict[str, Any], stub: StubServer, loop: LoopThread) -> None:
    stub.reply(chat_stream(json.dumps(answer)))
    result = stub_model(stub, loop).with_structured_output(schema).invoke("What is 25 * 4 + 17?")
    assert result.model_dump() == answer
    sent = stub.bodies[0]["response_format"]["json_schema"]["schema"]
    assert set(sent["required"]) == set(answer)


@pytest.mark.requirement("D8")
def test_react_executes_actions_until_the_answer(stub: StubServer, loop: LoopThread) -> None:
    def multiply(a: int, b: int) -> int:
        """Multiply two numbers."""
        return a * b

    first = {"thought": "multiply", "actions": [{"name": "multiply", "arguments": {"a": 6, "b": 7}}]}
    stub.reply(chat_stream(json.dumps({**first, "final_answer": None})))
    stub.reply(chat_stream(json.dumps({"thought": "done", "actions": [], "final_answer": "42"})))
    result = ReActLoop(stub_model(stub, loop), [multiply]).run("What is 6 * 7?")
    assert (result.thought, result.final_answer) == ("done", "42")
    assert "multiply returned: 42" in stub.bodies[1]["messages"][-1]["content"]
    assert "Multiply two numbers." in stub.bodies[0]["messages"][0]["content"]


@pytest.mark.requirement("D8")
def test_react_tells_of_failures_and_has_a_limit(loop: LoopThread) -> None:
    def fail() -> None:
        raise OSError("disk gone")

    acts = {"thought": "t", "actions": [{"name": "fail", "arguments": {}}, {"name": "ghost", "arguments": {}}]}
    model = scripted(says(json.dumps(acts)), loop=loop)
    with pytest.raises(ToolLoopError, match="2 rounds"):
        ReActLoop(model, [fail], max_rounds=2, method="json_schema").run("x")
    seen = model.calls[1][0][-1].text
    assert "fail failed: OSError: disk gone" in seen
    assert "ghost: there is no such action" in seen
    assert ReAct(thought="x").actions == []


@pytest.mark.requirement("D11")
def test_objects_grow_while_they_stream(stub: StubServer, loop: LoopThread) -> None:
    text = json.dumps(EVENT)
    stub.reply(chat_stream(*(text[at : at + 10] for at in range(0, len(text), 10))))
    *partial, final = stub_model(stub, loop).with_structured_output(CalendarEvent).stream("x")
    assert final == CalendarEvent(**EVENT)
    assert partial[-1] == EVENT
    assert len(partial) > 3
    assert partial[0] != EVENT
    for each in partial:
        assert set(each) <= set(EVENT)


@pytest.mark.requirement("D11")
@pytest.mark.parametrize("method", ["json_schema", "tool", "xml"])
def test_a_stream_that_ends_wrong_is_an_error(method: Any, loop: LoopThread) -> None:
    model = scripted(says('{"name": "fa'), loop=loop)
    with pytest.raises(OutputParserError):
        list(Structured(model, CalendarEvent, method=method).stream("x"))


def test_a_batch_of_objects(loop: LoopThread) -> None:
    model = scripted(says(json.dumps(EVENT)), loop=loop)
    structured: Structured[CalendarEvent] = Structured(model, CalendarEvent, method="json_schema")
    assert structured.batch(["a", "b"]) == [CalendarEvent(**EVENT)] * 2


def _profile(*, structured: bool, tools: bool) -> ModelProfile:
    return ModelProfile(
        "stub-model", "openai", capabilities=Capabilities(structured_output=structured, tool_call=tools)
    )


@pytest.mark.requirement("D12")
@pytest.mark.parametrize(
    ("profile", "forms", "method"),
    [
        (_profile(structured=True, tools=True), None, "json_schema"),
        (_profile(structured=False, tools=True), None, "tool"),
        (_profile(structured=False, tools=False), None, "json_mode"),
        (_profile(structured=False, tools=False), ("json_schema", "tool", "xml"), "xml"),
        (None, None, "json_schema"),
    ],
)
def test_the_method_follows_the_profile(
    stub: StubServer, loop: LoopThread, profile: ModelProfile | None, forms: Any, method: str
) -> None:
    def answer(request: RecordedRequest) -> Reply:
        body = request.json
        if "tools" in body:
            call = {"index": 0, "id": "c", "type": "function"}
            function = {"name": body["tool_choice"]["function"]["name"], "arguments": json.dumps(EVENT)}
            chunk = chat_chunk(tool_calls=[{**call, "function": function}])
            return Reply(steps=(sse(chunk, chat_chunk(finish_reason="stop"), done=True),))
        if "response_format" in body:
            return Reply(steps=(chat_stream(json.dumps(EVENT)),))
        return Reply(steps=(chat_stream(_XML_EVENT),))

    stub.script(answer)
    settings = {"output_forms": forms} if forms else {}
    model = stub_model(stub, loop, profile=profile, **settings)
    assert model.with_structured_output(CalendarEvent).invoke("x") == CalendarEvent(**EVENT)
    body = stub.bodies[0]
    used = {
        "json_schema": body.get("response_format", {}).get("type") == "json_schema",
        "tool": "tools" in body,
        "json_mode": body.get("response_format", {}).get("type") == "json_object",
        "xml": "dtype" in str(body["messages"]),
    }
    assert [name for name, yes in used.items() if yes] == [method]


_XML_EVENT = (
    '<name dtype="str">science fair</name><date dtype="str">Friday</date>'
    '<participants dtype="list"><item dtype="str">Alice</item><item dtype="str">Bob</item></participants>'
)


@pytest.mark.requirement("D12")
def test_a_method_that_the_server_refuses_is_followed_by_the_next(stub: StubServer, loop: LoopThread) -> None:
    refused = {"error": {"message": "response_format is not supported by this model", "code": "unsupported_parameter"}}
    stub.script(json_reply(refused, 400))
    call = {
        "index": 0,
        "id": "c",
        "type": "function",
        "function": {"name": "CalendarEvent", "arguments": json.dumps(EVENT)},
    }
    stub.reply(sse(chat_chunk(tool_calls=[call]), chat_chunk(finish_reason="stop"), done=True))
    event = stub_model(stub, loop).with_structured_output(CalendarEvent).invoke("x")
    assert event == CalendarEvent(**EVENT)
    assert "tools" in stub.bodies[1]
    assert "response_format" not in stub.bodies[1]


@pytest.mark.requirement("D12")
def test_a_custom_model_is_asked_for_xml(loop: LoopThread) -> None:
    model = scripted(says(_XML_EVENT), loop=loop)
    assert model.with_structured_output(CalendarEvent).invoke("x", system_prompt="Extract.") == CalendarEvent(**EVENT)
    system = model.calls[0][0][0].text
    assert system.startswith("Extract.")
    assert "participants: list[str]" in system


def test_exactly_one_kind_of_form_is_given(loop: LoopThread) -> None:
    model = scripted(says("x"), loop=loop)
    with pytest.raises(ChatInputError, match="exactly one"):
        Structured(model)
    with pytest.raises(ChatInputError, match="exactly one"):
        Structured(model, CalendarEvent, typed_parser="typed_xml")
    with pytest.raises(ChatInputError, match="no typed parser"):
        Structured(model, typed_parser="yaml")


@pytest.mark.requirement("D12")
def test_the_strict_form_of_a_schema() -> None:
    class Inner(BaseModel):
        n: int = 3
        tags: list[str] = Field(default_factory=list)

    class Outer(BaseModel):
        inner: Inner
        note: str | None = None

    strict = strict_schema(OutputSchema(Outer).schema)
    assert strict["required"] == ["inner", "note"]
    inner = strict["$defs"]["Inner"]
    assert inner["required"] == ["n", "tags"]
    assert inner["additionalProperties"] is False
    assert inner["properties"]["n"]["type"] == ["integer", "null"]
    assert "default" not in json.dumps(strict)
    value = OutputSchema(Outer).value({"inner": {"n": None, "tags": None}, "note": None}, "")
    assert value == Outer(inner=Inner())


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=3),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "count", "x"]), inner, max_size=3)
        ),
        max_leaves=6,
    )
)
def test_schema_check_agrees_with_the_types(value: Any) -> None:
    fits = (
        isinstance(value, dict)
        and isinstance(value.get("name"), str)
        and ("count" not in value or (isinstance(value["count"], int) and not isinstance(value["count"], bool)))
    )
    assert (schema_problems(value, SCHEMA) == []) == fits


@pytest.mark.parametrize(
    ("value", "schema", "words"),
    [
        (3, {"minimum": 4}, "at least 4"),
        (3, {"exclusiveMaximum": 3}, "less than 3"),
        ("ab", {"minLength": 3}, "at least 3 characters"),
        ("ab", {"pattern": "^b"}, "must match"),
        ([1], {"minItems": 2}, "at least 2 items"),
        ([1, "x"], {"items": {"type": "integer"}}, r"\[1\] must be integer"),
        ("c", {"enum": ["a", "b"]}, "one of 'a', 'b'"),
        ({"a": 1}, {"additionalProperties": False}, "a is not expected"),
        ({"a": "x"}, {"additionalProperties": {"type": "integer"}}, "a must be integer"),
        (True, {"type": "integer"}, "not boolean"),
        (1.5, {"anyOf": [{"type": "integer"}, {"type": "string"}]}, "must be integer"),
        (1, {"oneOf": [{"type": "integer"}, {"minimum": 0}]}, "exactly one"),
        (
            {"a": {}},
            {"$defs": {"A": {"required": ["b"]}}, "properties": {"a": {"$ref": "#/$defs/A"}}},
            "a.b is missing",
        ),
        ({}, {"allOf": [{"required": ["z"]}]}, "z is missing"),
        (2, {"const": 1}, "must be 1"),
    ],
)
def test_what_a_schema_forbids_is_named(value: Any, schema: dict[str, Any], words: str) -> None:
    import re

    problems = schema_problems(value, schema)
    assert problems
    assert re.search(words, problems[0])


def test_the_async_face(loop: LoopThread) -> None:
    model = scripted(says(json.dumps(EVENT)), loop=loop)
    structured: Structured[CalendarEvent] = Structured(model, CalendarEvent, method="json_schema")

    async def both() -> tuple[Any, list[Any]]:
        return await structured.ainvoke("x"), [each async for each in structured.astream("x")]

    value, streamed = asyncio.run(both())
    assert value == streamed[-1] == CalendarEvent(**EVENT)
