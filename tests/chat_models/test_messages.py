"""Messages, chunks and their addition."""

from __future__ import annotations

import itertools
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.chat_errors import ChatInputError
from app.domain.message_json import message_from_json, message_to_json
from app.domain.messages import (
    Accumulator,
    AIMessage,
    AIMessageChunk,
    FunctionMessage,
    FunctionMessageChunk,
    HumanMessage,
    HumanMessageChunk,
    ImagePart,
    Message,
    ReasoningPart,
    SystemMessage,
    SystemMessageChunk,
    TextPart,
    ToolCall,
    ToolCallPart,
    ToolMessage,
    ToolMessageChunk,
    ToolResultPart,
    Usage,
    add_chunks,
)


@pytest.mark.requirement("A1")
@pytest.mark.parametrize(
    ("kind", "role"),
    [
        (SystemMessage, "system"),
        (HumanMessage, "user"),
        (AIMessage, "assistant"),
        (ToolMessage, "tool"),
        (FunctionMessage, "tool"),
    ],
)
def test_every_kind_of_message_carries_content_under_its_role(kind: type[Message], role: str) -> None:
    message = kind("Grüße 🐝")
    assert message.role == role
    assert message.content == message.text == "Grüße 🐝"


@pytest.mark.requirement("A1")
def test_a_message_takes_text_parts_and_chatml() -> None:
    image = ImagePart(url="https://example.com/a.png")
    message = HumanMessage(["one ", image, {"type": "text", "text": "two"}])
    assert message.parts == (TextPart("one "), image, TextPart("two"))
    assert message.text == "one two"
    with pytest.raises(ChatInputError, match="list of parts"):
        HumanMessage(7)  # type: ignore[arg-type]  # the wrong type is the point


@pytest.mark.requirement("A2")
@pytest.mark.parametrize(
    ("chunk", "kind"),
    [
        (SystemMessageChunk, SystemMessage),
        (HumanMessageChunk, HumanMessage),
        (AIMessageChunk, AIMessage),
        (ToolMessageChunk, ToolMessage),
        (FunctionMessageChunk, FunctionMessage),
    ],
)
def test_every_kind_of_message_has_a_chunk(chunk: type[Message], kind: type[Message]) -> None:
    assert isinstance(chunk("x"), kind)
    assert chunk("x").role == kind.role
    total = chunk("a") + chunk("b")  # type: ignore[operator]  # every chunk adds
    assert type(total) is chunk
    assert total.text == "ab"


@pytest.mark.requirement("A3")
def test_chunks_add_up() -> None:
    assert AIMessageChunk("Hello") + AIMessageChunk(" World!") == AIMessageChunk("Hello World!")
    with pytest.raises(TypeError):
        AIMessageChunk("a") + HumanMessageChunk("b")  # type: ignore[operator]  # the mistake is the point
    with pytest.raises(ValueError, match="nothing to add"):
        add_chunks(())


_PART = st.one_of(
    st.builds(TextPart, st.text(max_size=5), st.sampled_from([None, 0, 1])),
    st.builds(
        ReasoningPart, st.text(max_size=5), st.sampled_from([None, 0]), st.dictionaries(st.just("sig"), st.text())
    ),
    st.builds(
        ToolCallPart,
        st.sampled_from(["", "a", "b"]),
        st.sampled_from(["", "f", "g"]),
        st.text(alphabet='{}":1x', max_size=4),
        st.sampled_from([None, 0, 1]),
    ),
    st.just(ImagePart(url="https://example.com/x")),
)
_CHUNK = st.builds(
    AIMessageChunk,
    parts=st.lists(_PART, max_size=3).map(tuple),
    id=st.sampled_from([None, "run-1"]),
    usage=st.one_of(st.none(), st.builds(Usage, st.integers(0, 9), st.integers(0, 9), st.integers(0, 9))),
    finish=st.sampled_from([None, "stop", "length"]),
    model=st.sampled_from([None, "m1", "m2"]),
    response_metadata=st.dictionaries(st.sampled_from(["a", "b"]), st.integers(), max_size=2),
    additional_kwargs=st.dictionaries(st.sampled_from(["k"]), st.text(max_size=2), max_size=1),
)


@pytest.mark.requirement("A3")
@given(_CHUNK, _CHUNK, _CHUNK)
def test_addition_is_associative(a: AIMessageChunk, b: AIMessageChunk, c: AIMessageChunk) -> None:
    assert (a + b) + c == a + (b + c) == add_chunks((a, b, c))


@pytest.mark.requirement("A3")
@given(st.text(), st.lists(st.integers(0, 60)), st.text(max_size=20))
def test_any_split_of_a_message_sums_back(text: str, cuts: list[int], arguments: str) -> None:
    whole = AIMessageChunk(
        parts=(TextPart(text, 0), ToolCallPart("id", "f", arguments, 1)), usage=Usage(3, 4), finish="stop"
    )
    bounds = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    pieces = [AIMessageChunk(parts=(TextPart(text[start:end], 0),)) for start, end in itertools.pairwise(bounds)]
    middle = len(arguments) // 2
    pieces += [
        AIMessageChunk(parts=(ToolCallPart("id", "f", arguments[:middle], 1),), usage=Usage(3, 1)),
        AIMessageChunk(parts=(ToolCallPart("", "", arguments[middle:], 1),), usage=Usage(0, 3), finish="stop"),
    ]
    assert add_chunks(pieces) == whole


@pytest.mark.requirement("A3", "C11")
def test_names_are_set_and_not_concatenated() -> None:
    total = AIMessageChunk(parts=(ToolCallPart("a", "f", '{"x"', 0),)) + AIMessageChunk(
        parts=(ToolCallPart("a", "f", ":1}", 0),)
    )
    assert total.message().tool_calls == (ToolCall("a", "f", {"x": 1}),)


@pytest.mark.requirement("C10", "C11")
def test_a_new_id_on_a_used_index_opens_a_new_call() -> None:
    total = add_chunks(
        [
            AIMessageChunk(parts=(ToolCallPart("a", "f", '{"x":1}', 0),)),
            AIMessageChunk(parts=(ToolCallPart("b", "f", '{"x":', 0),)),
            AIMessageChunk(parts=(ToolCallPart("", "", "2}", 0),)),
        ]
    )
    assert [(call.id, call.args) for call in total.message().tool_calls] == [("a", {"x": 1}), ("b", {"x": 2})]


@pytest.mark.requirement("C11")
def test_fragments_of_interleaved_calls_find_their_call() -> None:
    total = add_chunks(
        [
            AIMessageChunk(parts=(ToolCallPart("a", "f", "", 0), ToolCallPart("b", "g", "", 1))),
            AIMessageChunk(parts=(ToolCallPart("", "", '{"n":', 1), ToolCallPart("", "", '{"m":', 0))),
            AIMessageChunk(parts=(ToolCallPart("", "", "1}", 0), ToolCallPart("", "", "2}", 1))),
        ]
    )
    assert total.message().tool_calls == (ToolCall("a", "f", {"m": 1}), ToolCall("b", "g", {"n": 2}))


@pytest.mark.requirement("C11")
def test_a_name_that_comes_late_finds_its_call() -> None:
    total = add_chunks(
        [
            AIMessageChunk(parts=(ToolCallPart("a", "", '{"x"', 0),)),
            AIMessageChunk(parts=(ToolCallPart("", "f", ":1", 0),)),
            AIMessageChunk(parts=(ToolCallPart("", "", "}", 0),)),
            AIMessageChunk(parts=(ToolCallPart("b", "g", "{}", 1),)),
        ]
    )
    assert total.message().tool_calls == (ToolCall("a", "f", {"x": 1}), ToolCall("b", "g", {}))


@pytest.mark.requirement("C11")
def test_halves_of_a_call_under_one_id_are_one_call() -> None:
    halves = [ToolCallPart("a", "f", '{"x"', 0), ToolCallPart("b", "g", "{}", 0), ToolCallPart("a", "f", ":1}", 0)]
    total = add_chunks([AIMessageChunk(parts=(half,)) for half in halves])
    assert total.message().tool_calls == (ToolCall("a", "f", {"x": 1}), ToolCall("b", "g", {}))


def test_of_facts_the_first_id_and_the_last_finish_win() -> None:
    total = add_chunks(
        [
            AIMessageChunk(id="run-1", model="m1", finish="length", response_metadata={"a": 1, "b": 1}),
            AIMessageChunk(id="run-2", model="m2", finish="stop", response_metadata={"b": 2}, usage=Usage(1, 2)),
            AIMessageChunk(usage=Usage(0, 3, reasoning=1)),
        ]
    )
    assert (total.id, total.model, total.finish) == ("run-1", "m1", "stop")
    assert total.response_metadata == {"a": 1, "b": 2}
    assert total.usage == Usage(1, 5, reasoning=1)


@pytest.mark.requirement("B36")
def test_usage_is_read_under_all_its_names() -> None:
    usage = Usage(19, 9, cache_read=4)
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (19, 9, 28)
    assert (usage.input_tokens, usage.output_tokens, usage.total) == (19, 9, 28)


@pytest.mark.requirement("A9", "C13")
@pytest.mark.parametrize("arguments", ['{"x":1', '{"x":NaN}', "[1]", '"x"', "{'x':1}", '{"x":1}}'])
def test_arguments_that_are_no_json_object_make_an_invalid_call(arguments: str) -> None:
    message = AIMessage(parts=(ToolCallPart("a", "f", arguments),))
    assert message.tool_calls == ()
    assert message.invalid_tool_calls[0].arguments == arguments
    assert message.invalid_tool_calls[0].error


@pytest.mark.requirement("A9")
def test_empty_arguments_are_an_empty_object_and_a_call_needs_a_name() -> None:
    assert AIMessage(parts=(ToolCallPart("a", "f", ""),)).tool_calls == (ToolCall("a", "f", {}),)
    assert AIMessage(parts=(ToolCallPart("a", "", "{}"),)).tool_calls == ()


_MESSAGES: list[Message] = [
    SystemMessage("Be brief.", id="s"),
    HumanMessage(["Look: ", ImagePart(data=b"\x00\xff\x89PNG", media_type="image/png", detail="low")], name="ann"),
    HumanMessage(parts=(TextPart("p", extras={"passage_id": "p1"}),)),
    AIMessage(
        parts=(ReasoningPart("hm", extras={"signature": "s=="}), TextPart("yes"), ToolCallPart("c1", "f", '{"a": 1}')),
        usage=Usage(10, 5, 3, 1, 2, estimated=True),
        finish="tool_calls",
        model="m",
        id="run-1-0",
        additional_kwargs={"function_call": {"name": "f"}},
        response_metadata={"finish_reason": "tool_use", "nested": {"x": [1, None]}},
    ),
    ToolMessage("22 °C", tool_call_id="c1", name="f", status="error"),
    FunctionMessage("22", name="f"),
]


@pytest.mark.requirement("A9")
@pytest.mark.parametrize("message", _MESSAGES, ids=lambda message: type(message).__name__)
def test_messages_survive_json(message: Message) -> None:
    import json

    restored = message_from_json(json.loads(json.dumps(message_to_json(message))))
    assert restored == message
    assert type(restored) is type(message)


@pytest.mark.requirement("A9")
def test_stored_data_cannot_name_a_class() -> None:
    with pytest.raises(ChatInputError, match="no type of message"):
        message_from_json({"type": "app.domain.secrets.SecretStr", "parts": []})
    with pytest.raises(ChatInputError, match="damaged"):
        message_from_json({"type": "human", "parts": [{"type": "Path", "text": "x"}]})
    with pytest.raises(ChatInputError, match="damaged"):
        message_from_json({"type": "human", "parts": [], "surprise": 1})


def test_a_tool_message_says_what_it_answers() -> None:
    message = ToolMessage("no", tool_call_id="c", name="f", status="error")
    assert (message.text, message.tool_call_id, message.status) == ("no", "c", "error")
    assert message.results == (ToolResultPart("c", "no", "f", is_error=True),)


def test_messages_cannot_be_changed() -> None:
    message = AIMessage("x")
    with pytest.raises(AttributeError):
        message.finish = "stop"  # type: ignore[misc]  # the attempt is the point
    assert replace(message, finish="stop").finish == "stop"


def test_a_message_is_no_chunk_and_roles_differ() -> None:
    assert AIMessage("x") != AIMessageChunk("x")
    assert SystemMessage("x") != HumanMessage("x")  # type: ignore[comparison-overlap]  # that is what is tested
    assert AIMessageChunk("x").message() == AIMessage("x")


def test_adding_many_chunks_takes_linear_time() -> None:
    def seconds(count: int) -> float:
        total = Accumulator()
        chunk = AIMessageChunk(parts=(TextPart("abcde", 0),))
        begin = time.thread_time()
        for _ in range(count):
            total.add(chunk)
        assert len(total.message().text) == 5 * count
        return time.thread_time() - begin

    small = min(seconds(10_000) for _ in range(5))
    large = min(seconds(100_000) for _ in range(5))
    assert large < small * 50, "ten times as many chunks, but a hundred times the work"


def test_importing_messages_and_models_does_not_import_pydantic_or_http() -> None:
    code = (
        "import sys, app.domain.messages, app.chat_models.model\n"
        "print([name for name in ('pydantic', 'httpx2', 'tenacity', 'keyring', 'truststore') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
