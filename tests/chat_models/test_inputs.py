"""What callers may pass, and what is refused before anything is sent."""

from __future__ import annotations

from typing import Any

import pytest

from app.chat_models.inputs import messages_from
from app.chat_models.loop_thread import LoopThread
from app.chat_models.profiles import Modalities, ModelProfile
from app.chat_models.prompts.chat_block import ChatBlock
from app.chat_models.prompts.templates import cleared
from app.domain.chat_errors import ChatInputError, UnsupportedFeatureError
from app.domain.messages import (
    AIMessage,
    FunctionMessage,
    HumanMessage,
    ImagePart,
    SystemMessage,
    TextPart,
    ToolCallPart,
    ToolMessage,
)
from tests.chat_models.models import says, scripted, stub_model
from tests.chat_models.stub_replies import chat_stream
from tests.chat_models.stub_server import StubServer


@pytest.mark.requirement("A4")
def test_text_is_one_human_message(stub: StubServer, loop: LoopThread) -> None:
    stub.reply(chat_stream("hi"))
    stub_model(stub, loop).invoke("What is Python?")
    assert stub.bodies[0]["messages"] == [{"role": "user", "content": "What is Python?"}]


@pytest.mark.requirement("A5")
def test_a_list_of_messages_keeps_its_order(stub: StubServer, loop: LoopThread) -> None:
    stub.reply(chat_stream("hi"))
    stub_model(stub, loop).invoke([SystemMessage("s"), HumanMessage("a"), AIMessage("b"), HumanMessage("c")])
    sent = [(each["role"], each["content"]) for each in stub.bodies[0]["messages"]]
    assert sent == [("system", "s"), ("user", "a"), ("assistant", "b"), ("user", "c")]


@pytest.mark.requirement("A6")
def test_chatml_dicts_are_messages() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"x": 1}'}}
    assert messages_from(
        [
            {"role": "system", "content": "s"},
            {"role": "user", "content": [{"type": "text", "text": "u"}]},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "content": "22", "tool_call_id": "c1"},
            {"role": "assistant", "content": "a"},
        ]
    ) == [
        SystemMessage("s"),
        HumanMessage("u"),
        AIMessage(parts=(ToolCallPart("c1", "f", '{"x": 1}'),)),
        ToolMessage("22", tool_call_id="c1"),
        AIMessage("a"),
    ]


@pytest.mark.requirement("A6", "B38")
@pytest.mark.parametrize("role", ["robot", "", None, 3])
def test_an_unknown_role_is_refused(role: object) -> None:
    with pytest.raises(ValueError, match="role"):
        messages_from([{"role": role, "content": "x"}])


@pytest.mark.requirement("A6")
def test_a_function_result_answers_the_oldest_open_call_of_its_name() -> None:
    asked = AIMessage(
        parts=(ToolCallPart("c1", "f", "{}"), ToolCallPart("c2", "f", "{}"), ToolCallPart("c3", "g", "{}"))
    )
    results = messages_from(["q", asked, FunctionMessage("1", name="f"), FunctionMessage("2", name="f")])[2:]
    assert [(type(each), each.tool_call_id) for each in results if isinstance(each, ToolMessage)] == [
        (ToolMessage, "c1"),
        (ToolMessage, "c2"),
    ]
    with pytest.raises(ChatInputError, match="answers no call"):
        messages_from(["q", FunctionMessage("1", name="f")])


@pytest.mark.requirement("A7")
def test_the_system_prompt_comes_first_and_the_list_stays_as_it_was(stub: StubServer, loop: LoopThread) -> None:
    stub.reply(chat_stream("hi"))
    model = stub_model(stub, loop)
    messages = [{"role": "user", "content": "Hi"}]
    for _ in range(2):
        model.invoke(messages, system_prompt="Be brief.")
    assert messages == [{"role": "user", "content": "Hi"}]
    for body in stub.bodies:
        assert [each["content"] for each in body["messages"]] == ["Be brief.", "Hi"]
        assert body["messages"][0]["role"] == "system"


@pytest.mark.requirement("A8", "A15")
def test_chat_block_writes_chatml() -> None:
    one, two = "https://example.com/1.jpg", "https://example.com/2.jpg"
    assert ChatBlock.user("Hi") == {"role": "user", "content": "Hi"}
    assert ChatBlock.user("See", media=ChatBlock.image(one)) == {
        "role": "user",
        "content": [{"type": "text", "text": "See"}, {"type": "image_url", "image_url": {"url": one}}],
    }
    message = messages_from([ChatBlock.user("Compare", media=[ChatBlock.image(one), ChatBlock.image(two)])])[0]
    assert message.parts == (TextPart("Compare"), ImagePart(url=one), ImagePart(url=two))


@pytest.mark.requirement("A16")
def test_a_data_url_is_taken_apart() -> None:
    message = messages_from([ChatBlock.user("x", media=ChatBlock.image("data:image/jpeg;base64,/9j/AA=="))])[0]
    image = message.parts[1]
    assert isinstance(image, ImagePart)
    assert (image.media_type, image.data, image.url) == ("image/jpeg", b"\xff\xd8\xff\x00", None)
    assert image.data_url == "data:image/jpeg;base64,/9j/AA=="


@pytest.mark.parametrize("url", ["data:image/png;base64,%%%", "data:image/png,abc", "file:///etc/passwd", "x.png", ""])
def test_an_image_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ChatInputError):
        messages_from([ChatBlock.user("x", media=ChatBlock.image(url))])


@pytest.mark.requirement("A11", "A12", "A13")
def test_the_caller_keeps_the_history(stub: StubServer, loop: LoopThread) -> None:
    stub.reply(chat_stream("Hello Ann."))
    model = stub_model(stub, loop)
    history = [SystemMessage("Be kind."), HumanMessage("I am Ann.")]
    answer = model.invoke(history)
    model.invoke("Who am I?")
    model.invoke([*history, answer, HumanMessage("Who am I?")])
    model.invoke([*cleared([*history, answer]), HumanMessage("New topic")])
    contents = [[each["content"] for each in body["messages"]] for body in stub.bodies]
    assert contents[1] == ["Who am I?"]
    assert contents[2] == ["Be kind.", "I am Ann.", "Hello Ann.", "Who am I?"]
    assert contents[3] == ["Be kind.", "New topic"]


@pytest.mark.requirement("A17", "B38")
def test_an_image_for_a_text_only_model_is_refused_before_anything_is_sent(stub: StubServer, loop: LoopThread) -> None:
    profile = ModelProfile("stub-model", "openai", modalities=Modalities(("text",)))
    message = ChatBlock.user("See", media=ChatBlock.image("https://example.com/1.jpg"))
    with pytest.raises(UnsupportedFeatureError, match=r"can't read image"):
        stub_model(stub, loop, profile=profile).invoke([message])
    seeing = ModelProfile("stub-model", "openai", modalities=Modalities(("text", "image")))
    assert stub.requests == []
    stub.reply(chat_stream("A bee."))
    assert stub_model(stub, loop, profile=seeing).invoke([message]).text == "A bee."


@pytest.mark.requirement("B38")
@pytest.mark.parametrize(
    ("input", "settings", "words"),
    [
        ([], {}, "no message"),
        ("", {}, "no message"),
        (42, {}, "must be text"),
        ([3], {}, "can't be a int"),
        ("x", {"temperature": 9}, "temperature must be between 0 and 2"),
        ("x", {"temperature": -0.1}, "temperature"),
        ("x", {"max_tokens": 0}, "max_tokens must be at least 1"),
        ("x", {"top_p": 1.5}, "top_p"),
        ("x", {"frequency_penalty": 3}, "frequency_penalty"),
        ("x", {"presence_penalty": -3}, "presence_penalty"),
        ("x", {"stop": [""]}, "stop"),
        ("x", {"tool_choice": "required"}, "needs tools"),
        ("x", {"tools": [{"name": "f"}], "tool_choice": "g"}, "names 'g'"),
        ("x", {"tools": [{"name": "f"}, {"name": "f"}]}, "same name"),
        ("x", {"tools": [{"name": "f", "parameters": {"type": "object", "x": {1, 2}}}]}, "not JSON"),
        ("x", {"tools": [{"name": "get weather"}]}, "can't name a tool"),
        ("x", {"temprature": 1}, "'temprature' is not a parameter"),
        ("x", {"config": {"max_concurency": 1}}, "'max_concurency' is not a setting"),
    ],
)
def test_bad_input_is_a_value_error_and_nothing_is_sent(
    stub: StubServer, loop: LoopThread, input: Any, settings: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        stub_model(stub, loop).invoke(input, **settings)
    assert stub.requests == []


@pytest.mark.requirement("B38")
@pytest.mark.parametrize(("name", "value"), [("temperature", 0), ("temperature", 2), ("max_tokens", 1), ("top_p", 0)])
def test_the_bounds_themselves_are_allowed(name: str, value: float, loop: LoopThread) -> None:
    model = scripted(says("ok"), loop=loop)
    model.invoke("x", **{name: value})  # type: ignore[arg-type]  # the name is a parameter
    assert getattr(model.calls[0][1], name) == value


@pytest.mark.requirement("B38")
def test_bad_values_are_told_before_iteration(loop: LoopThread) -> None:
    model = scripted(says("ok"), loop=loop)
    with pytest.raises(ChatInputError, match="temperature"):
        model.stream("x", temperature=9)
    with pytest.raises(ChatInputError, match="no message"):
        model.stream([])
    bound = model.bind(tools=[{"name": "f"}])
    assert bound.invoke("x", tool_choice="f").text == "ok"
