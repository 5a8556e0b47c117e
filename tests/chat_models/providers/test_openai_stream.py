"""Oddities of servers that speak the OpenAI chat protocol, each as it was seen."""

from __future__ import annotations

from typing import Any

import pytest

from app.chat_models.codec import Framing
from app.chat_models.providers.openai_chat import OpenAIChatCodec
from app.chat_models.providers.openai_dialects import (
    AZURE,
    DEEPSEEK,
    GENERIC,
    MISTRAL,
    OPENAI,
    OPENROUTER,
    VLLM,
    Dialect,
)
from app.domain.chat_errors import ChatError, InvalidRequestError, ServerError, StreamInterruptedError
from app.domain.messages import AIMessage, ImagePart, Usage
from tests.chat_models.providers.replaying import Outcome, replay
from tests.chat_models.stub_replies import chat_chunk, sse


def outcome(*documents: Any, dialect: Dialect = OPENAI, done: bool = True) -> Outcome:
    return replay(OpenAIChatCodec(dialect), Framing.SSE, [sse(*documents, done=done)])


def answer(*documents: Any, dialect: Dialect = OPENAI, done: bool = True) -> AIMessage:
    result = outcome(*documents, dialect=dialect, done=done)
    assert result.error is None
    return result.message


def call(index: int | None, id: str | None, name: str | None, arguments: str | None) -> dict[str, Any]:
    fragment: dict[str, Any] = {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}
    return fragment if index is None else {**fragment, "index": index}


def calls_of(*fragments: dict[str, Any], finish: str = "tool_calls") -> list[tuple[str, dict[str, Any]]]:
    chunks = [chat_chunk(tool_calls=[fragment]) for fragment in fragments]
    return [(each.name, each.args) for each in answer(*chunks, chat_chunk(finish_reason=finish)).tool_calls]


@pytest.mark.requirement("C11", "C10")
@pytest.mark.parametrize(
    ("fragments", "expected"),
    [
        (
            [call(0, "a", "f", '{"x":'), call(1, "b", "g", ""), call(0, None, None, "1}"), call(1, None, None, "{}")],
            [("f", {"x": 1}), ("g", {})],
        ),
        ([call(0, "a", "f", '{"x":1}'), call(0, "b", "f", '{"x":2}')], [("f", {"x": 1}), ("f", {"x": 2})]),
        ([call(0, None, "f", '{"x":1}'), call(0, None, "f", '{"x":2}')], [("f", {"x": 1}), ("f", {"x": 2})]),
        ([call(0, None, "f", '{"x":1}'), call(0, None, "g", "{}")], [("f", {"x": 1}), ("g", {})]),
        ([call(0, "a", "f", '{"x"'), call(0, "a", "f", ":1}")], [("f", {"x": 1})]),
        ([call(0, "a", "f", '{"x"'), call(0, "", "f", ":1}")], [("f", {"x": 1})]),
        ([call(0, "a", "f", '{"x"'), call(0, "", "", ":1}"), call(0, "", "", "")], [("f", {"x": 1})]),
        ([call(None, "a", "f", "{}"), call(None, "b", "g", "{}")], [("f", {}), ("g", {})]),
        ([call(None, "a", "f", '{"x"'), call(None, None, None, ":1}")], [("f", {"x": 1})]),
        ([call(0, "a", "f", None)], [("f", {})]),
        ([call(3, "a", "f", "{}"), call(7, "b", "g", "{}")], [("f", {}), ("g", {})]),
    ],
    ids=["interleaved", "index 0 with new ids", "no ids", "no ids, other name", "id repeated", "name repeated",
         "empty id and name", "no index", "no index, fragments", "no arguments", "index with gaps"],
)  # fmt: skip
def test_fragments_of_calls(fragments: list[dict[str, Any]], expected: list[tuple[str, dict[str, Any]]]) -> None:
    assert calls_of(*fragments) == expected
    assert calls_of(*fragments, finish="stop") == expected  # a forced call ends with "stop"


def test_several_calls_in_one_delta_and_ids_that_are_missing() -> None:
    chunk = chat_chunk(tool_calls=[call(0, None, "f", "{}"), call(1, "", "g", "{}")])
    message = answer(chunk, chat_chunk(finish_reason="tool_calls"))
    ids = [each.id for each in message.tool_calls]
    assert len(set(ids)) == 2
    assert all(ids)


def test_arguments_that_are_an_object_and_the_older_function_call() -> None:
    chunk = chat_chunk(tool_calls=[{"index": 0, "id": "a", "function": {"name": "f", "arguments": {"x": "é"}}}])
    assert answer(chunk, chat_chunk(finish_reason="stop")).tool_calls[0].args == {"x": "é"}
    older = chat_chunk(function_call={"name": "f", "arguments": '{"x": 1}'})
    assert answer(older, chat_chunk(finish_reason="function_call")).tool_calls[0].args == {"x": 1}


@pytest.mark.requirement("C13")
def test_a_call_that_was_cut_is_invalid_whatever_the_finish_reason_says() -> None:
    message = answer(chat_chunk(tool_calls=[call(0, "a", "f", '{"x": 1')]), chat_chunk(finish_reason="tool_calls"))
    assert message.tool_calls == ()
    assert message.invalid_tool_calls[0].arguments == '{"x": 1'


def test_a_finish_reason_of_calls_without_a_call_is_a_stop() -> None:
    assert answer(chat_chunk("text"), chat_chunk(finish_reason="tool_calls")).finish == "stop"


@pytest.mark.parametrize(
    ("reason", "finish"),
    [("stop", "stop"), ("eos_token", "stop"), ("length", "length"), ("model_length", "length"),
     ("content_filter", "content_filter"), ("error", "error"), ("something_new", "unknown")],
)  # fmt: skip
def test_finish_reasons(reason: str, finish: str) -> None:
    message = answer(chat_chunk("x"), chat_chunk(finish_reason=reason))
    assert (message.finish, message.response_metadata["finish_reason"]) == (finish, reason)


def test_only_a_terminator_is_an_unknown_finish_and_none_at_all_an_error() -> None:
    assert answer(chat_chunk("x")).finish == "unknown"
    result = outcome(chat_chunk("x"), done=False)
    assert isinstance(result.error, StreamInterruptedError)
    assert answer(chat_chunk("x", finish_reason="stop"), done=False).finish == "stop"


@pytest.mark.requirement("B36")
@pytest.mark.parametrize(
    ("counts", "usage"),
    [
        ({"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}, Usage(9, 4)),
        (
            {
                "prompt_tokens": 9,
                "completion_tokens": 4,
                "prompt_tokens_details": {"cached_tokens": 5},
                "completion_tokens_details": {"reasoning_tokens": 3},
            },
            Usage(9, 4, cache_read=5, reasoning=3),
        ),
        ({"prompt_tokens": 9, "completion_tokens": 4, "prompt_cache_hit_tokens": 6}, Usage(9, 4, cache_read=6)),
        ({"prompt_tokens": 9, "completion_tokens": None, "prompt_tokens_details": None}, Usage(9, 0)),
    ],
)
def test_usage(counts: dict[str, Any], usage: Usage) -> None:
    assert answer(chat_chunk("x", finish_reason="stop"), {"choices": [], "usage": counts}).usage == usage
    assert answer(chat_chunk("x", finish_reason="stop", usage=counts)).usage == usage
    assert answer(chat_chunk("x", finish_reason="stop"), {"choices": None, "usage": counts}).usage == usage


def test_usage_that_grows_with_every_chunk_is_counted_once() -> None:
    counts = [{"prompt_tokens": 9, "completion_tokens": number} for number in (1, 2, 3)]
    chunks = [chat_chunk("x", usage=each) for each in counts]
    final = {"choices": [], "usage": counts[-1]}
    assert answer(*chunks, chat_chunk(finish_reason="stop", usage=counts[-1]), final, dialect=VLLM).usage == Usage(9, 3)


def test_groq_counts_in_a_field_of_its_own() -> None:
    chunk = {**chat_chunk(finish_reason="stop"), "x_groq": {"usage": {"prompt_tokens": 2, "completion_tokens": 1}}}
    assert answer(chat_chunk("x"), chunk).usage == Usage(2, 1)


def test_azure_sends_chunks_without_delta_and_empty_ids() -> None:
    first = {"id": "", "model": "", "choices": [], "prompt_filter_results": [{"prompt_index": 0}]}
    filtered = {"id": "", "model": "", "choices": [{"index": 0, "finish_reason": None, "content_filter_results": {}}]}
    no_delta = {"id": "z", "model": "", "choices": [{"index": 0, "delta": None, "finish_reason": None}]}
    message = answer(first, chat_chunk("Hi"), filtered, no_delta, chat_chunk(finish_reason="stop"), dialect=AZURE)
    assert (message.text, message.model, message.response_metadata["id"]) == ("Hi", "stub-model", "chatcmpl-stub")


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_thoughts_in_a_field(field: str) -> None:
    chunks = [chat_chunk(**{field: "h"}), chat_chunk(**{field: "m"}), chat_chunk("Yes", **{field: None})]
    message = answer(*chunks, chat_chunk(finish_reason="stop"), dialect=DEEPSEEK)
    assert (message.reasoning, message.text) == ("hm", "Yes")


def test_thoughts_between_tags_only_where_a_server_leaves_them_there() -> None:
    texts = ("<th", "ink>h", "m</thi", "nk>\n", "\nYes")
    chunks = [*(chat_chunk(text) for text in texts), chat_chunk(finish_reason="stop")]
    message = answer(*chunks, dialect=GENERIC)
    assert (message.reasoning, message.text) == ("hm", "Yes")
    assert answer(*chunks, dialect=OPENAI).text == "".join(texts)
    assert answer(chat_chunk("<t"), chat_chunk(finish_reason="stop"), dialect=GENERIC).text == "<t"


def test_mistral_sends_lists_of_thoughts_and_texts() -> None:
    thinking = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}
    chunks = [chat_chunk(content=None, role="assistant"), chat_chunk("")]
    texts = {"type": "text", "text": "Yes"}
    lists = [{**chat_chunk(), "choices": [{"index": 0, "delta": {"content": [item]}}]} for item in (thinking, texts)]
    message = answer(*chunks, *lists, chat_chunk(finish_reason="stop"), dialect=MISTRAL)
    assert (message.reasoning, message.text) == ("hm", "Yes")


def test_openrouter_details_are_joined_to_be_sent_back() -> None:
    def detail(**fields: Any) -> dict[str, Any]:
        return chat_chunk(
            reasoning=fields.get("text"), reasoning_details=[{"index": 0, "type": "reasoning.text", **fields}]
        )

    message = answer(
        detail(text="h"), detail(text="m"), detail(signature="s1"), chat_chunk("Yes"), chat_chunk(finish_reason="stop"),
        dialect=OPENROUTER,
    )  # fmt: skip
    details = [part.extras["reasoning_details"] for part in message.parts if "reasoning_details" in part.extras]
    assert details == [[{"index": 0, "type": "reasoning.text", "text": "hm", "signature": "s1"}]]
    assert message.reasoning == "hm"


def test_a_refusal_is_text_that_says_so() -> None:
    message = answer(chat_chunk(refusal="I can't."), chat_chunk(finish_reason="stop"))
    assert message.text == "I can't."
    assert message.parts[0].extras == {"refusal": True}


def test_emoji_cut_into_two_deltas_are_one() -> None:
    deltas = (r'"a\ud83d"}', r'"\ude00b"}', r'"c\ud83d"},"finish_reason":"stop"')
    body = "".join(f'data: {{"choices":[{{"delta":{{"content":{delta}}}]}}\n\n' for delta in deltas)
    message = replay(OpenAIChatCodec(OPENAI), Framing.SSE, [body.encode()]).message
    assert message.text == "a😀bc\ufffd"


def test_only_the_first_choice_counts() -> None:
    second = {**chat_chunk(), "choices": [{"index": 1, "delta": {"content": "other"}, "finish_reason": "stop"}]}
    result = outcome(chat_chunk("mine"), second, done=False)
    assert result.message.text == "mine"
    assert isinstance(result.error, StreamInterruptedError)


@pytest.mark.requirement("H5")
@pytest.mark.parametrize(
    ("frames", "kind"),
    [
        (sse({"error": {"message": "no", "code": 400}}), InvalidRequestError),
        (sse({"error": "The model has crashed"}), ServerError),
        (b'event: error\ndata: {"error":{"message":"no"},"message":"no"}\n\n', ServerError),
        (b"event: error\ndata: Internal\n\n", ServerError),
        (b'error: {"code":400,"message":"no","type":"invalid_request_error"}\n\n', InvalidRequestError),
        (sse({"object": "error", "message": "no", "code": 400}), InvalidRequestError),
        (sse({**chat_chunk("x"), "error": {"code": 400, "message": "no"}}), InvalidRequestError),
    ],
)
def test_errors_inside_a_stream(frames: bytes, kind: type[ChatError]) -> None:
    result = replay(OpenAIChatCodec(GENERIC), Framing.SSE, [sse(chat_chunk("so far")), frames])
    assert type(result.error) is kind
    assert result.message.text == "so far"


def test_a_drawn_picture_stands_between_the_words_around_it() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw=="}}
    broken = {"type": "image_url", "image_url": {"url": "data:image/png;base64,%"}}
    drawn = answer(chat_chunk("Look. "), chat_chunk(images=[image, broken]), chat_chunk(finish_reason="stop"))
    assert drawn.text == "Look. "
    pictures = [(part.data, part.media_type) for part in drawn.parts if isinstance(part, ImagePart)]
    assert pictures == [(b"\x89PNG", "image/png"), (None, None)]
