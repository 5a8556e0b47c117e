"""What every protocol must do, against a server that is well or badly behaved."""

from __future__ import annotations

import time
from typing import Any

import pytest

from app.chat_models.call import Timeouts
from app.chat_models.loop_thread import LoopThread
from app.domain.chat_errors import (
    APITimeoutError,
    AuthenticationError,
    ChatError,
    InvalidRequestError,
    ModelNotFoundError,
    OverloadedError,
    ProtocolError,
    RateLimitError,
    ServerError,
    StreamInterruptedError,
)
from app.domain.messages import HumanMessage, ToolMessage, Usage
from tests.chat_models.providers.protocols import KEY, OLLAMA, PROTOCOLS, Protocol, model_at
from tests.chat_models.stub_replies import Close, Reset, Stall, Step, byte_by_byte
from tests.chat_models.stub_server import StubServer

each_protocol = pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda protocol: protocol.name)
WEATHER = {"name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}


def serve(stub: StubServer, protocol: Protocol, *steps: Step, **fields: Any) -> None:
    stub.reply(*steps, content_type=protocol.content_type, **fields)


@pytest.mark.requirement("B2", "B3", "B7", "B9", "B36")
@each_protocol
def test_an_answer_streamed_and_whole(stub: StubServer, loop: LoopThread, protocol: Protocol) -> None:
    serve(stub, protocol, *protocol.text("Grüße ", "aus 東京 ", "😀"))
    model = model_at(stub, protocol, loop)
    chunks = list(model.stream("Hi"))
    message = model.invoke("Hi")
    assert [chunk.text for chunk in chunks if chunk.text] == ["Grüße ", "aus 東京 ", "😀"]
    assert message.text == "Grüße aus 東京 😀"
    assert (message.usage, message.finish) == (Usage(5, 7), "stop")
    total = sum(chunks[1:], chunks[0])
    assert (total.text, total.usage, total.finish) == (message.text, message.usage, message.finish)
    assert message.response_metadata["finish_reason"] in (protocol.reasons["stop"], "completed")


@pytest.mark.requirement("B7", "B36")
@each_protocol
def test_an_answer_that_was_not_streamed(stub: StubServer, loop: LoopThread, protocol: Protocol) -> None:
    stub.json_reply(protocol.whole("All at once"))
    model = model_at(stub, protocol, loop, stream_wire=False)
    message = model.invoke("Hi")
    assert (message.text, message.finish, message.usage) == ("All at once", "stop", Usage(5, 7))
    body = stub.requests[0].json
    assert body.get("stream", False) is False
    assert "stream_options" not in body


@each_protocol
def test_a_server_that_answers_at_once_although_a_stream_was_asked(
    stub: StubServer, loop: LoopThread, protocol: Protocol
) -> None:
    stub.json_reply(protocol.whole("All at once"))
    assert model_at(stub, protocol, loop).invoke("Hi").text == "All at once"


@pytest.mark.requirement("B8")
@each_protocol
def test_text_is_handed_on_before_the_answer_is_complete(
    stub: StubServer, loop: LoopThread, protocol: Protocol
) -> None:
    gate = stub.gate()
    first, *rest = protocol.text("first", "second")
    serve(stub, protocol, first, gate, *rest)
    chunks = model_at(stub, protocol, loop).stream("Hi")
    assert not stub.requests
    assert next(chunk.text for chunk in chunks if chunk.text) == "first"
    gate.open()
    assert "".join(chunk.text for chunk in chunks) == "second"


@each_protocol
def test_bytes_may_be_cut_anywhere(stub: StubServer, loop: LoopThread, protocol: Protocol) -> None:
    serve(stub, protocol, *byte_by_byte(b"".join(protocol.text("a \u2028 b", " 😀é"))))
    assert model_at(stub, protocol, loop).invoke("Hi").text == "a \u2028 b 😀é"


@pytest.mark.requirement("C3", "C10", "C11")
@each_protocol
def test_parallel_calls_of_tools(stub: StubServer, loop: LoopThread, protocol: Protocol) -> None:
    frames = protocol.tools(("a1", "get_weather", '{"city": "Paris"}'), ("b2", "get_weather", '{"city": "Rom"}'))
    serve(stub, protocol, *frames)
    message = model_at(stub, protocol, loop).bind_tools([WEATHER]).invoke("Hi")
    calls = [(call.id, call.name, call.args) for call in message.tool_calls]
    assert calls == [("a1", "get_weather", {"city": "Paris"}), ("b2", "get_weather", {"city": "Rom"})]
    assert message.finish == "tool_calls"


@pytest.mark.requirement("C8", "C10")
@each_protocol
def test_results_go_back_with_their_calls(stub: StubServer, loop: LoopThread, protocol: Protocol) -> None:
    frames = protocol.tools(("a1", "get_weather", '{"city": "Paris"}'), ("b2", "get_weather", '{"city": "Rom"}'))
    serve(stub, protocol, *frames)
    serve(stub, protocol, *protocol.text("Sunny in both."))
    model = model_at(stub, protocol, loop).bind_tools([WEATHER])
    question = HumanMessage("Weather?")
    asked = model.invoke([question])
    results = [ToolMessage("18", tool_call_id="a1"), ToolMessage("25", tool_call_id="b2")]
    assert model.invoke([question, asked, *results]).text == "Sunny in both."
    assert len(stub.requests) == 2
    sent = str(stub.requests[1].json)
    assert sent.index("Paris") < sent.index("18") < sent.index("25")
    assert sent.index("Rom") < sent.index("18")


@pytest.mark.requirement("C13")
@pytest.mark.parametrize(
    "protocol", [each for each in PROTOCOLS if each.name not in ("google", "ollama")], ids=lambda each: each.name
)
def test_arguments_that_were_cut_off_are_no_call(stub: StubServer, loop: LoopThread, protocol: Protocol) -> None:
    serve(stub, protocol, *protocol.tools(("a1", "get_weather", '{"city": "Pa'), finish="length"))
    message = model_at(stub, protocol, loop).bind_tools([WEATHER]).invoke("Hi")
    assert message.tool_calls == ()
    assert [call.name for call in message.invalid_tool_calls] == ["get_weather"]
    assert message.finish == "length"


@pytest.mark.requirement("B36")
@pytest.mark.parametrize(
    ("protocol", "finish"),
    [(each, finish) for each in PROTOCOLS for finish in ("length", "content_filter") if finish in each.reasons],
)
def test_why_an_answer_ended(stub: StubServer, loop: LoopThread, protocol: Protocol, finish: str) -> None:
    serve(stub, protocol, *protocol.text("so far", finish=finish))
    message = model_at(stub, protocol, loop).invoke("Hi")
    assert (message.text, message.finish) == ("so far", finish)


@pytest.mark.requirement("H3", "H11")
@each_protocol
@pytest.mark.parametrize("ending", [Reset(), Close()], ids=["reset", "closed"])
def test_an_answer_that_breaks_off(
    stub: StubServer, loop: LoopThread, protocol: Protocol, ending: Reset | Close
) -> None:
    serve(stub, protocol, *protocol.text("some ", "text", " lost")[:2], ending)
    with pytest.raises(StreamInterruptedError) as caught:
        model_at(stub, protocol, loop).invoke("Hi")
    assert caught.value.partial is not None
    assert caught.value.partial.text == "some text"
    assert caught.value.retryable
    assert len(stub.requests) == 1


@pytest.mark.requirement("H3")
@each_protocol
def test_an_answer_that_ends_without_being_finished(stub: StubServer, loop: LoopThread, protocol: Protocol) -> None:
    serve(stub, protocol, *protocol.text("some ", "text")[:-1])
    with pytest.raises(StreamInterruptedError) as caught:
        model_at(stub, protocol, loop).invoke("Hi")
    assert caught.value.partial is not None
    assert caught.value.partial.text == "some text"


@each_protocol
def test_a_finished_answer_survives_a_broken_connection(stub: StubServer, loop: LoopThread, protocol: Protocol) -> None:
    serve(stub, protocol, *protocol.text("complete"), Close())
    assert model_at(stub, protocol, loop).invoke("Hi").text == "complete"


@pytest.mark.requirement("H5")
@each_protocol
def test_an_error_inside_a_200(stub: StubServer, loop: LoopThread, protocol: Protocol) -> None:
    serve(stub, protocol, protocol.text("some text")[0], protocol.fails())
    with pytest.raises(ServerError) as caught:
        model_at(stub, protocol, loop).invoke("Hi")
    error = caught.value
    assert error.retryable
    assert "overloaded" in str(error).lower()
    assert error.partial is not None
    assert error.partial.text == "some text"
    assert error.provider == protocol.name
    if protocol is not OLLAMA:  # which gives no code
        assert isinstance(error, OverloadedError)


@pytest.mark.requirement("H1", "H2", "H5")
@each_protocol
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidRequestError),
        (401, AuthenticationError),
        (403, AuthenticationError),
        (404, ModelNotFoundError),
        (429, RateLimitError),
        (500, ServerError),
        (503, OverloadedError),
    ],
)
def test_an_error_status(
    stub: StubServer, loop: LoopThread, protocol: Protocol, status: int, kind: type[ChatError]
) -> None:
    stub.json_reply(protocol.error_body("Those are my words."), status, retry_after="3", x_request_id="req-9")
    with pytest.raises(kind) as caught:
        model_at(stub, protocol, loop).invoke("Hi")
    error = caught.value
    assert (error.status, error.request_id, error.retry_after) == (status, "req-9", 3.0)
    assert "Those are my words." in str(error)
    assert "Those are my words." in (error.body or "")
    assert error.provider == protocol.name
    assert len(stub.requests) == 1


@pytest.mark.requirement("B31")
@each_protocol
def test_a_key_that_comes_back_in_an_error_is_hidden(stub: StubServer, loop: LoopThread, protocol: Protocol) -> None:
    stub.json_reply(protocol.error_body(f"Wrong key: {KEY}"), 401)
    with pytest.raises(AuthenticationError) as caught:
        model_at(stub, protocol, loop).invoke("Hi")
    assert KEY not in f"{caught.value} {caught.value!r} {caught.value.details()} {caught.value.__dict__}"


@pytest.mark.requirement("B37", "H4")
@each_protocol
def test_a_server_that_stalls(stub: StubServer, loop: LoopThread, protocol: Protocol) -> None:
    serve(stub, protocol, protocol.text("some text")[0], Stall())
    model = model_at(stub, protocol, loop, timeouts=Timeouts(first_token=20.0, idle=0.2))
    with pytest.raises(APITimeoutError) as caught:
        model.invoke("Hi")
    assert caught.value.partial is not None
    assert caught.value.partial.text == "some text"
    stub.requests[0].wait_disconnected()


@pytest.mark.requirement("B37", "H4")
@each_protocol
@pytest.mark.parametrize("headers", ["with headers", "without headers"])
def test_a_server_that_never_begins(stub: StubServer, loop: LoopThread, protocol: Protocol, headers: str) -> None:
    stall = {"steps": (Stall(),)} if headers == "with headers" else {"before_headers": (Stall(),)}
    serve(stub, protocol, *stall.pop("steps", ()), **stall)
    model = model_at(stub, protocol, loop, timeouts=Timeouts(first_token=0.2, idle=20.0))
    with pytest.raises(APITimeoutError):
        model.invoke("Hi")
    stub.requests[0].wait_disconnected()


def seconds_until_disconnect(loop: LoopThread, protocol: Protocol, moment: str) -> float:
    """Seconds from stopping until the server sees that the client has gone."""
    with StubServer() as stub:
        if moment == "before headers":
            serve(stub, protocol, before_headers=(Stall(),))
            future = loop.submit(model_at(stub, protocol, loop).ainvoke("Hi"))
            stub.wait_for_requests(1)
            stopped_at = time.monotonic()
            future.cancel()
        else:
            serve(stub, protocol, protocol.text("first")[0], Stall())
            chunks = model_at(stub, protocol, loop).stream("Hi")
            assert next(chunk.text for chunk in chunks if chunk.text) == "first"
            stopped_at = time.monotonic()
            chunks.close()  # type: ignore[attr-defined]  # it is a generator
        return stub.requests[0].wait_disconnected() - stopped_at


@pytest.mark.requirement("B40")
@each_protocol
@pytest.mark.parametrize("moment", ["before headers", "mid-stream"])
def test_stopping_closes_the_connection_at_once(loop: LoopThread, protocol: Protocol, moment: str) -> None:
    assert min(seconds_until_disconnect(loop, protocol, moment) for _ in range(3)) < 0.05  # busy machines are late once


@each_protocol
def test_what_is_no_protocol_at_all(stub: StubServer, loop: LoopThread, protocol: Protocol) -> None:
    stub.reply(b"<html><body>Welcome to nginx!</body></html>", content_type="text/html; charset=utf-8")
    with pytest.raises(ProtocolError, match="web page"):
        model_at(stub, protocol, loop).invoke("Hi")


@each_protocol
@pytest.mark.parametrize(
    "document", [[1, 2], "text", {"choices": 5, "candidates": 3, "message": "x", "type": "message"}]
)
def test_documents_of_another_shape_are_a_protocol_error(
    stub: StubServer, loop: LoopThread, protocol: Protocol, document: Any
) -> None:
    stub.json_reply(document)
    with pytest.raises((ProtocolError, StreamInterruptedError)):
        model_at(stub, protocol, loop).invoke("Hi")
