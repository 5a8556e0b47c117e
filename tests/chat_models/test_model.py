"""The ways of calling a model, against models in the process."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any

import pytest

from app.chat_models.call import Call
from app.chat_models.loop_thread import LoopThread
from app.chat_models.model import ChatModel
from app.domain.cancellation import CancelToken
from app.domain.chat_errors import ChatError, ServerError
from app.domain.errors import WorkCancelledError
from app.domain.messages import AIMessage, AIMessageChunk, HumanMessage, Message, TextPart, Usage, add_chunks
from tests.chat_models.models import says, scripted


class Echo(ChatModel):
    """Says the first ``n`` characters of the last message."""

    model_name: str
    """Name of the model."""
    n: int
    """How many characters."""

    def _generate(self, messages: Sequence[Message], call: Call) -> AIMessage:
        return AIMessage(messages[-1].content[: self.n], response_metadata={"time_in_seconds": 3})

    def _stream(self, messages: Sequence[Message], call: Call) -> Iterator[AIMessageChunk]:
        for token in messages[-1].content[: self.n]:
            yield AIMessageChunk(token)
        yield AIMessageChunk("", response_metadata={"time_in_sec": 3})

    @property
    def _llm_type(self) -> str:
        return "echo"


class OnlyGenerate(ChatModel):
    """Implements nothing but ``_generate``."""

    n: int = 3
    """How many characters."""

    def _generate(self, messages: Sequence[Message], call: Call) -> AIMessage:
        return AIMessage(messages[-1].content[: self.n], usage=Usage(1, 2), finish="stop")


@pytest.mark.requirement("B21", "B22", "B7")
def test_the_echo_model_of_the_documentation(loop: LoopThread) -> None:
    model = Echo(n=3, model_name="my_custom_model", loop=loop)
    answer = model.invoke([HumanMessage("hello!"), AIMessage("Hi there human!"), HumanMessage("Meow!")])
    assert answer.content == "Meo"
    assert answer.response_metadata == {"time_in_seconds": 3}
    assert model.invoke("hello").content == "hel"
    assert [each.content for each in _answers(model.batch(["hello", "goodbye"]))] == ["hel", "goo"]
    assert [chunk.content for chunk in model.stream("cat")] == ["c", "a", "t", ""]
    total = add_chunks(list(model.stream("cat")))
    assert (total.content, total.response_metadata) == ("cat", {"time_in_sec": 3})


def _answers(results: list[AIMessage | Exception]) -> list[AIMessage]:
    assert all(isinstance(each, AIMessage) for each in results)
    return [each for each in results if isinstance(each, AIMessage)]


async def _async_faces(model: ChatModel) -> tuple[Any, ...]:
    events = [event async for event in model.astream_events("hello")]
    return (
        (await model.ainvoke("hello")).content,
        [chunk.content async for chunk in model.astream("hello")],
        [each.content for each in _answers(await model.abatch(["hello", "world"]))],
        [event.event for event in events],
    )


@pytest.mark.requirement("B10", "B19", "B15")
def test_a_model_with_generate_alone_gets_every_face(loop: LoopThread) -> None:
    model = OnlyGenerate(loop=loop)
    assert model.invoke("hello").content == "hel"
    chunks = list(model.stream("hello"))
    assert [chunk.content for chunk in chunks] == ["hel"]
    assert (chunks[0].usage, chunks[0].finish) == (Usage(1, 2), "stop")
    content, streamed, batch, events = asyncio.run(_async_faces(model))
    assert (content, streamed, batch) == ("hel", ["hel"], ["hel", "wor"])
    assert events == ["on_chat_model_start", "on_chat_model_stream", "on_chat_model_end"]


def _hooked(*names: str) -> type[ChatModel]:
    """A model class with the hooks of these names; each answers with its name and notes its thread."""

    async def _astream(self: Any, messages: Any, call: Call) -> AsyncIterator[AIMessageChunk]:
        self.used.append(("_astream", threading.current_thread().name))
        yield AIMessageChunk("_astream")

    def _stream(self: Any, messages: Any, call: Call) -> Iterator[AIMessageChunk]:
        self.used.append(("_stream", threading.current_thread().name))
        yield AIMessageChunk("_stream")

    async def _agenerate(self: Any, messages: Any, call: Call) -> AIMessage:
        self.used.append(("_agenerate", threading.current_thread().name))
        return AIMessage("_agenerate")

    def _generate(self: Any, messages: Any, call: Call) -> AIMessage:
        self.used.append(("_generate", threading.current_thread().name))
        return AIMessage("_generate")

    hooks: dict[str, Any] = {
        "_astream": _astream,
        "_stream": _stream,
        "_agenerate": _agenerate,
        "_generate": _generate,
    }

    def prepare(self: Any) -> None:
        self.used = []

    return type("Hooked", (ChatModel,), {"__post_init__": prepare, **{name: hooks[name] for name in names}})


@pytest.mark.requirement("B20")
@pytest.mark.parametrize(
    ("hooks", "streamed", "invoked"),
    [
        (("_astream", "_stream", "_agenerate", "_generate"), "_astream", "_astream"),
        (("_stream", "_agenerate", "_generate"), "_stream", "_agenerate"),
        (("_stream", "_generate"), "_stream", "_generate"),
        (("_agenerate", "_generate"), "_agenerate", "_agenerate"),
        (("_stream",), "_stream", "_stream"),
        (("_generate",), "_generate", "_generate"),
    ],
)
def test_the_best_hook_is_used(hooks: tuple[str, ...], streamed: str, invoked: str, loop: LoopThread) -> None:
    model: Any = _hooked(*hooks)(loop=loop)
    assert "".join(chunk.content for chunk in model.stream("x")) == streamed
    assert model.invoke("x").content == invoked
    assert [name for name, _ in model.used] == [streamed, invoked]
    for name, thread in model.used:
        assert (thread == "test-loop") == (name in ("_astream", "_agenerate")), "synchronous hooks run in a thread"


def test_a_model_without_hooks_says_what_to_implement(loop: LoopThread) -> None:
    with pytest.raises(NotImplementedError, match="must implement _astream"):
        ChatModel(loop=loop).invoke("x")


@pytest.mark.requirement("B8")
def test_nothing_happens_before_iteration_starts(loop: LoopThread) -> None:
    model = scripted(says("a"), loop=loop)
    stream = model.stream("x")
    assert model.calls == []
    assert next(stream).content == "a"
    assert len(model.calls) == 1
    stream.close()  # type: ignore[attr-defined]  # a generator


@pytest.mark.requirement("B6")
def test_a_call_beats_the_constructor(loop: LoopThread) -> None:
    model = scripted(says("a"), loop=loop, model="base", defaults=Call(temperature=0.2, stop=("X",), max_tokens=5))
    model.invoke("x", temperature=1, model="other", stop=["Y"], options={"a": 1})
    model.invoke("x")
    model.bind(temperature=0, options={"b": 2}).invoke("x", options={"c": 3})
    first, second, third = (call for _, call in model.calls)
    assert (first.temperature, first.model, first.stop, first.max_tokens) == (1, "other", ("Y",), 5)
    assert (second.temperature, second.model, second.stop) == (0.2, "base", ("X",))
    assert third.temperature == 0
    assert third.options == {"b": 2, "c": 3}


@pytest.mark.requirement("B4")
def test_zero_and_false_are_values(loop: LoopThread) -> None:
    model = scripted(says("a"), loop=loop, defaults=Call(temperature=1.0, parallel_tool_calls=True, seed=5))
    model.invoke("x", temperature=0, parallel_tool_calls=False, seed=0)
    call = model.calls[0][1]
    assert (call.temperature, call.parallel_tool_calls, call.seed) == (0, False, 0)


@pytest.mark.requirement("C2")
def test_binding_returns_a_new_model(loop: LoopThread) -> None:
    model = scripted(says("a"), loop=loop)
    bound = model.bind_tools([{"name": "f"}], tool_choice="required")
    assert bound is not model
    bound.invoke("x")
    model.invoke("x")
    assert [[tool.name for tool in call.tools] for _, call in model.calls] == [["f"], []]
    assert [call.tool_choice for _, call in model.calls] == ["required", None]


@pytest.mark.requirement("A10")
def test_the_chunks_of_a_run_share_its_id(loop: LoopThread) -> None:
    model = scripted(says("a", "b"), loop=loop)
    ids = {chunk.id for chunk in model.stream("x")}
    answer = model.invoke("x")
    assert len(ids) == 1
    assert answer.id not in ids
    for name in (*ids, answer.id):
        assert name is not None
        prefix, *uuid, number = name.split("-")
        assert (prefix, len(uuid), number) == ("run", 5, "0")


@pytest.mark.requirement("B28")
def test_events_of_the_documentation(loop: LoopThread) -> None:
    model = Echo(n=3, model_name="m", loop=loop)

    async def events() -> list[Any]:
        return [event async for event in model.astream_events("cat", version="v1", config={"tags": ["t"]})]

    seen = asyncio.run(events())
    run_id = seen[0].run_id
    chunk_id = f"run-{run_id}-0"
    chunks = [AIMessageChunk(text, id=chunk_id) for text in "cat"]
    last = AIMessageChunk("", id=chunk_id, response_metadata={"time_in_sec": 3})
    total = AIMessageChunk("cat", id=chunk_id, response_metadata={"time_in_sec": 3})
    assert [(event.event, event.data) for event in seen] == [
        ("on_chat_model_start", {"input": "cat"}),
        *(("on_chat_model_stream", {"chunk": chunk}) for chunk in (*chunks, last)),
        ("on_chat_model_end", {"output": total}),
    ]
    assert {event.run_id for event in seen} == {run_id}
    assert {event.name for event in seen} == {"Echo"}
    assert all(event.tags == ["t"] and event.metadata == {} for event in seen)


@pytest.mark.requirement("B28")
def test_an_error_is_an_event_and_is_raised(loop: LoopThread) -> None:
    model = scripted((AIMessageChunk("a"), ServerError("broken", status=500)), loop=loop)
    seen: list[str] = []

    async def watch() -> None:
        async for event in model.astream_events("x"):
            seen.append(event.event)  # noqa: PERF401 - a comprehension would lose them with the error

    with pytest.raises(ServerError):
        asyncio.run(watch())
    assert seen == ["on_chat_model_start", "on_chat_model_stream", "on_chat_model_error"]


@pytest.mark.requirement("B11", "B12", "B13")
def test_a_batch_keeps_order_and_limit(loop: LoopThread) -> None:
    class Slow(ChatModel):
        """Answers later to earlier questions."""

        def __post_init__(self) -> None:
            self.open = self.peak = 0

        async def _astream(self, messages: Sequence[Message], call: Call) -> AsyncIterator[AIMessageChunk]:
            self.open += 1
            self.peak = max(self.peak, self.open)
            await asyncio.sleep(0.05 - 0.004 * int(messages[-1].text))
            self.open -= 1
            yield AIMessageChunk(messages[-1].text)

    model = Slow(loop=loop)
    inputs: list[Any] = [str(number) for number in range(9)] + [[HumanMessage("9")]]
    assert [each.content for each in _answers(model.batch(inputs))] == [str(number) for number in range(10)]
    assert model.peak == 10
    model.peak = 0
    model.batch(inputs, config={"max_concurrency": 3})
    assert model.peak == 3
    with pytest.raises(ValueError, match="max_concurrency"):
        model.batch(inputs, config={"max_concurrency": 0})


@pytest.mark.requirement("B14")
def test_the_first_error_of_a_batch_is_raised_and_cancels_the_rest(loop: LoopThread) -> None:
    model = scripted((ServerError("no", status=500),), (30.0, *says("late")), loop=loop)
    begin = time.perf_counter()
    with pytest.raises(ServerError):
        model.batch(["a", "b"])
    assert time.perf_counter() - begin < 5
    assert model.closed == 2


@pytest.mark.requirement("B14")
def test_errors_of_a_batch_can_stand_in_place(loop: LoopThread) -> None:
    model = scripted((0.01, *says("one")), (0.01, ServerError("no", status=500)), says("three"), loop=loop)
    results = model.batch(["a", "b", "c"], return_exceptions=True, config={"max_concurrency": 1})
    assert isinstance(results[1], ServerError)
    assert [each.content for each in (results[0], results[2]) if isinstance(each, AIMessage)] == ["one", "three"]


@pytest.mark.requirement("B15")
def test_the_loop_is_not_blocked_by_a_synchronous_model() -> None:
    class Blocking(ChatModel):
        """Sleeps on its thread."""

        def _generate(self, messages: Sequence[Message], call: Call) -> AIMessage:
            time.sleep(0.2)
            return AIMessage("done")

    async def watch() -> tuple[AIMessage, int]:
        task = asyncio.ensure_future(Blocking().ainvoke("x"))
        ticks = 0
        while not task.done():
            await asyncio.sleep(0.01)
            ticks += 1
        return task.result(), ticks

    answer, ticks = asyncio.run(watch())
    assert answer.content == "done"
    assert ticks >= 5


@pytest.mark.requirement("B16")
def test_calls_run_side_by_side() -> None:
    model = scripted((0.2, *says("a")))

    async def three() -> None:
        await asyncio.gather(*(model.ainvoke("x") for _ in range(3)))

    def seconds() -> float:
        begin = time.perf_counter()
        asyncio.run(three())
        return time.perf_counter() - begin

    assert min(seconds() for _ in range(3)) < 0.4


@pytest.mark.requirement("B17")
def test_a_synchronous_call_inside_a_running_loop_works(loop: LoopThread) -> None:
    model = scripted(says("a"), loop=loop)

    async def inside() -> str:
        return model.invoke("x").content + "".join(chunk.content for chunk in model.stream("x"))

    assert asyncio.run(inside()) == "aa"


@pytest.mark.requirement("B17")
def test_a_synchronous_call_on_the_loop_of_the_model_is_refused(loop: LoopThread) -> None:
    model = scripted(says("a"), loop=loop)

    async def inside() -> None:
        model.invoke("x")

    with pytest.raises(RuntimeError, match="async twin"):
        loop.run(inside())


@pytest.mark.requirement("B17")
def test_models_without_a_loop_share_one() -> None:
    assert scripted(says("a")).sync_loop is scripted(says("b")).sync_loop
    assert scripted(says("a")).invoke("x").content == "a"


@pytest.mark.requirement("B40")
def test_closing_a_stream_closes_the_model_and_keeps_what_came(loop: LoopThread) -> None:
    model = scripted((AIMessageChunk("part"), 30.0, AIMessageChunk("late")), loop=loop)
    stream = model.stream("x")
    assert next(stream).content == "part"
    begin = time.perf_counter()
    stream.close()  # type: ignore[attr-defined]  # a generator
    assert time.perf_counter() - begin < 0.5
    assert model.closed == 1


@pytest.mark.requirement("B40")
@pytest.mark.parametrize("face", ["invoke", "stream", "batch"])
def test_a_token_cancels_a_synchronous_call(face: str, loop: LoopThread) -> None:
    model = scripted((30.0,), loop=loop)
    token = CancelToken()
    timer = threading.Timer(0.05, token.cancel)
    timer.start()
    calls: dict[str, Callable[[], object]] = {
        "invoke": lambda: model.invoke("x", cancel=token),
        "batch": lambda: model.batch(["x", "y"], cancel=token),
        "stream": lambda: list(model.stream("x", cancel=token)),
    }
    with pytest.raises(WorkCancelledError):
        calls[face]()
    timer.join()
    loop.run(asyncio.sleep(0))
    assert model.closed == len(model.calls)


@pytest.mark.requirement("B40")
def test_a_token_that_is_cancelled_before_the_call_prevents_it(loop: LoopThread) -> None:
    model = scripted(says("a"), loop=loop)
    token = CancelToken()
    token.cancel()
    with pytest.raises(WorkCancelledError):
        list(model.stream("x", cancel=token))
    with pytest.raises(WorkCancelledError):
        model.invoke("x", cancel=token)


@pytest.mark.requirement("B40")
def test_an_error_carries_what_had_arrived(loop: LoopThread) -> None:
    model = scripted((AIMessageChunk(parts=(TextPart("half an ans", 0),)), ServerError("x", status=500)), loop=loop)
    with pytest.raises(ChatError) as caught:
        model.invoke("x")
    assert caught.value.partial is not None
    assert caught.value.partial.text == "half an ans"
    fresh = scripted((ServerError("x", status=500),), loop=loop)
    with pytest.raises(ChatError) as caught:
        fresh.invoke("x")
    assert caught.value.partial is None


@pytest.mark.requirement("B23", "B24", "B34")
def test_a_model_says_what_it_is() -> None:
    model = Echo(n=1, model_name="m", model="echo-1")
    assert model._llm_type == "echo"
    assert OnlyGenerate()._llm_type != model._llm_type
    assert model._identifying_params["model_name"] == "echo-1"
    assert model.get_model_info() == {"model_id": "echo-1", "provider": "echo"}
    assert model.instance_type() == {"model_type": "chat_completion"}


@pytest.mark.requirement("B39")
@pytest.mark.parametrize("prompt", ["Translate: Guten Tag", "Summarise: …", "What is 2+2?", "List the names in: …"])
def test_common_uses_run_as_prompts(prompt: str, loop: LoopThread) -> None:
    model = scripted(says("fine"), loop=loop)
    assert model.invoke(prompt, system_prompt="You are helpful.").content == "fine"
    assert [message.text for message in model.calls[0][0]] == ["You are helpful.", prompt]


def test_a_thread_of_a_cancelled_synchronous_stream_ends(loop: LoopThread) -> None:
    released, ended = threading.Event(), threading.Event()

    class Endless(ChatModel):
        """Streams without end."""

        def _stream(self, messages: Sequence[Message], call: Call) -> Iterator[AIMessageChunk]:
            try:
                yield AIMessageChunk("a")
                released.wait(5)
                while True:
                    yield AIMessageChunk("b")
            finally:
                ended.set()

    stream = Endless(loop=loop).stream("x")
    assert next(stream).content == "a"
    stream.close()  # type: ignore[attr-defined]  # a generator
    released.set()
    assert ended.wait(5)


def test_an_error_of_a_synchronous_stream_reaches_the_reader(loop: LoopThread) -> None:
    class Failing(ChatModel):
        """Fails after one chunk."""

        def _stream(self, messages: Sequence[Message], call: Call) -> Iterator[AIMessageChunk]:
            yield AIMessageChunk("a")
            raise ServerError("broken", status=500)

    with pytest.raises(ServerError):
        list(Failing(loop=loop).stream("x"))
