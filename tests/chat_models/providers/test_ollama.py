"""Ollama's own protocol: what is sent, oddities of what comes, and its library of models."""

from __future__ import annotations

from typing import Any

import pytest

from app.chat_models.call import Call, PrefillStyle, ReasoningEffort, ResponseFormat, ToolSpec
from app.chat_models.codec import Framing
from app.chat_models.keys import KeySource
from app.chat_models.loop_thread import LoopThread
from app.chat_models.provider import ModelRequest
from app.chat_models.providers.ollama import OllamaCodec, ollama_address
from app.chat_models.providers.ollama_library import OllamaLibrary, OllamaModel, PullProgress
from app.chat_models.registry import ModelRegistry
from app.domain.chat_errors import (
    APIConnectionError,
    ChatInputError,
    ModelNotFoundError,
    ServerError,
    StreamInterruptedError,
    UnsupportedFeatureError,
)
from app.domain.errors import UserFacingError
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
from app.network.http import HttpFactory
from tests.chat_models.providers.protocols import OLLAMA, model_at
from tests.chat_models.providers.replaying import Outcome, replay
from tests.chat_models.stub_replies import closed_port, ndjson
from tests.chat_models.stub_server import StubServer

CITY = {"type": "object", "properties": {"city": {"type": "string"}}}
WEATHER, TIME = ToolSpec("get_weather", "Weather.", CITY), ToolSpec("get_time")
CODEC = OllamaCodec(context_tokens=8192)


def body(messages: list[Message] | str = "Hi", codec: OllamaCodec = CODEC, **call: Any) -> dict[str, Any]:
    if isinstance(messages, str):
        messages = [HumanMessage(messages)]
    request = codec.request(messages, Call(**{"model": "llama3.2", **call}))
    assert (request.path, request.framing) == ("/api/chat", Framing.NDJSON)
    assert request.json is not None
    return dict(request.json)


def test_a_plain_question_sets_the_context_and_forbids_cutting() -> None:
    assert body() == {
        "model": "llama3.2",
        "messages": [{"role": "user", "content": "Hi"}],
        "stream": True,
        "truncate": False,
        "shift": False,
        "options": {"num_ctx": 8192},
    }
    assert "options" not in body(codec=OllamaCodec())
    assert body(codec=OllamaCodec(keep_alive="10m"))["keep_alive"] == "10m"


@pytest.mark.requirement("B4", "B5")
def test_parameters_and_options() -> None:
    sent = body(
        temperature=0.0, top_p=0.5, max_tokens=9, seed=0, frequency_penalty=0.0, presence_penalty=1.0, stop=("END",),
        options={"options": {"mirostat": 1}, "keep_alive": "1h"},
    )  # fmt: skip
    assert sent["options"] == {
        "num_ctx": 8192, "temperature": 0.0, "top_p": 0.5, "num_predict": 9, "seed": 0, "frequency_penalty": 0.0,
        "presence_penalty": 1.0, "mirostat": 1,
    }  # fmt: skip
    assert sent["keep_alive"] == "1h"
    assert CODEC.reports_stop is False


@pytest.mark.requirement("B3", "B5")
def test_the_size_of_the_context_is_an_option_of_the_model(stub: StubServer, loop: LoopThread) -> None:
    stub.reply(*OLLAMA.text("ok"), content_type=OLLAMA.content_type)
    model_at(stub, OLLAMA, loop, api_key=None, context_tokens=32768).invoke("Hi")
    assert stub.requests[0].json["options"]["num_ctx"] == 32768
    assert "authorization" not in stub.requests[0].headers
    with pytest.raises(UserFacingError, match="Context"):
        model_at(stub, OLLAMA, loop, context_tokens=-1)
    with pytest.raises(ChatInputError, match="keep_alive"):
        model_at(stub, OLLAMA, loop, num_gpu=1)


@pytest.mark.requirement("A1", "C8", "C10", "A16")
def test_messages() -> None:
    call = ToolCallPart("c1", "get_weather", '{"city": "Rom"}')
    messages = [
        SystemMessage("Brief."),
        HumanMessage(parts=(TextPart("?"), ImagePart(data=b"\x89PNG", media_type="image/png"))),
        AIMessage(parts=(ReasoningPart("hm"), call)),
        ToolMessage("25", tool_call_id="c1"),
    ]
    assert body(messages)["messages"] == [
        {"role": "system", "content": "Brief."},
        {"role": "user", "content": "?", "images": ["iVBORw=="]},
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"id": "c1", "function": {"name": "get_weather", "arguments": {"city": "Rom"}}}],
            "thinking": "hm",
        },
        {"role": "tool", "content": "25", "tool_name": "get_weather", "tool_call_id": "c1"},
    ]


@pytest.mark.requirement("A14")
def test_what_it_can_not_take() -> None:
    for part in (ImagePart(url="https://example.org/a.png"), FilePart(data=b"x", media_type="application/pdf")):
        with pytest.raises(UnsupportedFeatureError, match="bytes of an image"):
            body([HumanMessage(parts=(part,))])


@pytest.mark.requirement("C1", "C4", "C5", "C6", "C7")
def test_tools_and_words_instead_of_a_tool_choice() -> None:
    sent = body(tools=(WEATHER, TIME))
    assert sent["tools"][0] == {
        "type": "function",
        "function": {"name": "get_weather", "description": "Weather.", "parameters": CITY},
    }
    assert (len(sent["tools"]), sent["messages"][0]["role"]) == (2, "user")
    assert "tools" not in body(tools=(WEATHER,), tool_choice="none")
    required = body(tools=(WEATHER, TIME), tool_choice="required")
    assert required["messages"][0]["role"] == "system"
    assert "at least one of the tools" in required["messages"][0]["content"]
    forced = body([SystemMessage("Brief."), HumanMessage("?")], tools=(WEATHER, TIME), tool_choice="get_time")
    assert [tool["function"]["name"] for tool in forced["tools"]] == ["get_time"]
    assert forced["messages"][0]["content"].startswith("Brief.")
    assert "get_time" in forced["messages"][0]["content"]
    assert "tool_choice" not in forced


@pytest.mark.requirement("D12", "E1")
def test_form_and_prefill() -> None:
    assert body(response_format=ResponseFormat("city", CITY))["format"] == CITY
    assert body(response_format=ResponseFormat())["format"] == "json"
    assert CODEC.prefill_style(Call(model="m")) is PrefillStyle.NATIVE
    prefill = AIMessage("{", additional_kwargs={"prefill": True})
    assert body([HumanMessage("?"), prefill])["messages"][-1] == {"role": "assistant", "content": "{"}


@pytest.mark.parametrize(
    ("model", "effort", "think"),
    [
        ("qwen3", "none", False),
        ("qwen3", "high", True),
        ("gpt-oss:20b", "high", "high"),
        ("gpt-oss:20b", "none", "low"),
    ],
)
def test_thinking(model: str, effort: ReasoningEffort, think: object) -> None:
    assert body(model=model, reasoning_effort=effort)["think"] == think
    assert "think" not in body(model=model)


# What comes


def outcome(*lines: Any) -> Outcome:
    return replay(CODEC, Framing.NDJSON, [ndjson(*lines)])


def said(**message: Any) -> dict[str, Any]:
    return {"model": "m", "message": {"role": "assistant", **message}, "done": False}


DONE = {"model": "m", "done": True, "done_reason": "stop"}


@pytest.mark.requirement("B36", "C3")
def test_thoughts_calls_and_counts() -> None:
    call = {"function": {"index": 0, "name": "f", "arguments": {"x": 1}}}
    end = {**DONE, "prompt_eval_count": 9, "eval_count": 4, "total_duration": 2_500_000_000}
    message = outcome(said(thinking="hm"), said(content="Yes"), said(tool_calls=[call, call]), end).message
    assert (message.reasoning, message.text, message.finish) == ("hm", "Yes", "tool_calls")
    assert [(each.name, each.args) for each in message.tool_calls] == [("f", {"x": 1})] * 2
    assert len({each.id for each in message.tool_calls}) == 2
    assert message.usage == Usage(9, 4)
    assert message.response_metadata["total_duration_seconds"] == 2.5


@pytest.mark.requirement("B36")
def test_counts_may_be_missing() -> None:
    assert outcome(said(content="x"), {**DONE, "eval_count": 4}).message.usage == Usage(0, 4)
    assert outcome(said(content="x"), DONE).message.usage is None


@pytest.mark.parametrize(
    ("reason", "finish"), [("stop", "stop"), ("length", "length"), ("load", "unknown"), ("unload", "unknown")]
)
def test_done_reasons(reason: str, finish: str) -> None:
    assert outcome({**DONE, "done_reason": reason}).message.finish == finish


@pytest.mark.requirement("H3", "H5")
def test_a_dead_runner_an_error_line_and_an_early_end() -> None:
    died = outcome(said(content="x"), {**DONE, "done_reason": ""})
    failed = outcome(said(content="x"), {"error": "llama runner process has terminated"})
    early = outcome(said(content="x"))
    assert [type(each.error) for each in (died, failed, early)] == [
        StreamInterruptedError,
        ServerError,
        StreamInterruptedError,
    ]
    assert [each.message.text for each in (died, failed, early)] == ["x", "x", "x"]


@pytest.mark.requirement("H1")
def test_a_model_that_was_not_fetched(stub: StubServer, loop: LoopThread) -> None:
    stub.json_reply({"error": "model 'llama3.2' not found"}, 404)
    with pytest.raises(ModelNotFoundError, match="ollama pull"):
        model_at(stub, OLLAMA, loop).invoke("Hi")


@pytest.mark.requirement("H3")
def test_no_server_says_how_to_start_it(loop: LoopThread) -> None:
    with closed_port() as url, pytest.raises(APIConnectionError, match="ollama serve") as caught:
        model_at(url, OLLAMA, loop).invoke("Hi")
    assert url in str(caught.value)


@pytest.mark.requirement("B5")
@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1:11434", "http://127.0.0.1:11434"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("http://0.0.0.0:9999", "http://127.0.0.1:9999"),
        ("box.lan", "http://box.lan:11434"),
        ("https://ollama.com", "https://ollama.com"),
        ("http://[::1]:11434/v1/", "http://[::1]:11434"),
        ("http://host/ollama/api", "http://host/ollama"),
    ],
)
def test_addresses(host: str, address: str) -> None:
    assert ollama_address(host) == address


def test_the_address_comes_from_the_environment(stub: StubServer, loop: LoopThread) -> None:
    stub.reply(*OLLAMA.text("ok"), content_type=OLLAMA.content_type)
    host = stub.url.removeprefix("http://")
    keys = KeySource(environ={"OLLAMA_HOST": host}, stored=lambda name: None)
    assert ModelRegistry(loop=loop, keys=keys).model("ollama:llama3.2").invoke("Hi").text == "ok"


# The library


def library(stub: StubServer | str) -> tuple[OllamaLibrary, HttpFactory]:
    http = HttpFactory()
    url = stub if isinstance(stub, str) else stub.url
    request = ModelRequest("ollama", "", base_url=url, http=http, keys=KeySource({}, stored=lambda name: None))
    return OllamaLibrary(request), http


@pytest.mark.requirement("B3")
def test_list_and_show(stub: StubServer, loop: LoopThread) -> None:
    details = {"family": "llama", "parameter_size": "3.2B", "quantization_level": "Q4_K_M"}
    stub.json_reply({"models": [{"name": "b:latest", "size": 5, "details": details}, {"name": "a:1b"}]})
    stub.json_reply(
        {
            "details": details,
            "model_info": {"general.architecture": "llama", "llama.context_length": 131072},
            "capabilities": ["completion", "tools"],
            "license": "MIT",
        }
    )
    ollama, http = library(stub)
    assert loop.run(ollama.list()) == [OllamaModel("a:1b"), OllamaModel("b:latest", 5, "llama", "3.2B", "Q4_K_M")]
    shown = loop.run(ollama.show("b:latest"))
    assert (shown.context_tokens, shown.capabilities) == (131072, frozenset({"completion", "tools"}))
    assert [(each.method, each.path) for each in stub.requests] == [("GET", "/api/tags"), ("POST", "/api/show")]
    assert stub.requests[1].json == {"model": "b:latest"}
    loop.run(http.aclose())


@pytest.mark.requirement("B3")
def test_pull_tells_its_progress_as_it_goes(stub: StubServer, loop: LoopThread) -> None:
    gate = stub.gate()
    layer = {"status": "pulling abc", "digest": "sha256:abc", "total": 10}
    stub.reply(
        ndjson({"status": "pulling manifest"}, {**layer, "completed": 4}),
        gate,
        ndjson({**layer, "completed": 10}, {"status": "success"}),
        content_type="application/x-ndjson",
    )
    ollama, http = library(stub)
    steps = loop.iterate(ollama.pull("a"))
    assert next(steps) == PullProgress("pulling manifest")
    assert next(steps) == PullProgress("pulling abc", "sha256:abc", 4, 10)
    gate.open()
    assert [step.done for step in steps] == [False, True]
    assert stub.requests[0].json == {"model": "a", "stream": True}
    loop.run(http.aclose())


@pytest.mark.requirement("B40")
def test_a_pull_can_be_stopped(stub: StubServer, loop: LoopThread) -> None:
    stub.reply(ndjson({"status": "pulling manifest"}), stub.gate(), content_type="application/x-ndjson")
    ollama, http = library(stub)
    steps = loop.iterate(ollama.pull("a"))
    next(steps)
    steps.close()  # type: ignore[attr-defined]  # it is a generator
    stub.requests[0].wait_disconnected()
    loop.run(http.aclose())


def test_pulls_that_fail(stub: StubServer, loop: LoopThread) -> None:
    stub.reply(ndjson({"status": "pulling manifest"}, {"error": "pull model manifest: file does not exist"}))
    stub.reply(ndjson({"status": "pulling manifest"}))
    ollama, http = library(stub)
    with pytest.raises(ModelNotFoundError):
        list(loop.iterate(ollama.pull("nope")))
    with pytest.raises(StreamInterruptedError):
        list(loop.iterate(ollama.pull("a")))
    loop.run(http.aclose())


def test_delete(stub: StubServer, loop: LoopThread) -> None:
    stub.reply(content_type="text/plain", framing="length")
    stub.json_reply({"error": "model 'a' not found"}, 404)
    ollama, http = library(stub)
    loop.run(ollama.delete("a"))
    assert (stub.requests[0].method, stub.requests[0].json) == ("DELETE", {"model": "a"})
    with pytest.raises(ModelNotFoundError):
        loop.run(ollama.delete("a"))
    loop.run(http.aclose())
