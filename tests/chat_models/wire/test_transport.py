"""The transport: connections, limits, redirects, and what is never shown."""

from __future__ import annotations

import socket
import ssl
import time
from typing import Any

import httpx2
import pytest

from app.chat_models.call import Timeouts
from app.chat_models.codec import Framing, WireRequest
from app.chat_models.loop_thread import LoopThread
from app.chat_models.providers.openai_chat import OpenAIChatCodec
from app.chat_models.providers.openai_dialects import OPENAI
from app.chat_models.wire.auth import KeyAuth
from app.chat_models.wire.connection_errors import Server, connection_error
from app.chat_models.wire.transport import HttpTransport
from app.domain.chat_errors import (
    APIConnectionError,
    APITimeoutError,
    ChatError,
    ChatInputError,
    ProtocolError,
    RateLimitError,
)
from app.domain.secrets import SecretStr
from app.network.http import HttpFactory
from tests.chat_models.models import stub_model
from tests.chat_models.stub_replies import Close, Delay, Reply, Reset, Stall, chat_chunk, chat_stream, closed_port, sse
from tests.chat_models.stub_server import StubServer

CODEC = OpenAIChatCodec(OPENAI)
KEY = "sk-test-0123456789abcdef"


def transport(url: str, http: HttpFactory | None = None) -> HttpTransport:
    return HttpTransport(Server("openai", "OpenAI", url), KeyAuth(SecretStr(KEY)), http or HttpFactory())


async def frames_of(url: str, request: WireRequest | None = None) -> list[Any]:
    http = HttpFactory()
    found = [
        frame
        async for frame in transport(url, http).frames(
            request or WireRequest("/x", {"a": "é\ud83d"}), Timeouts(), CODEC
        )
    ]
    await http.aclose()
    return found


@pytest.mark.requirement("B33")
def test_one_connection_for_many_calls_where_it_may_be_kept(stub: StubServer, loop: LoopThread) -> None:
    stub.reply(chat_stream("x"))
    http = HttpFactory(keep_alive=True)
    model = stub_model(stub, loop, http=http)
    for _ in range(5):
        model.invoke("Hi")
    assert (stub.connections, len(stub.requests)) == (1, 5)
    loop.run(http.aclose())


def test_no_connection_is_kept_to_this_machine(stub: StubServer, loop: LoopThread) -> None:
    stub.script(Reply(steps=(chat_stream("x"),), headers={"keep-alive": "timeout=5, max=100"}, close_after=True))
    model = stub_model(stub, loop)
    for _ in range(20):
        assert model.invoke("Hi").text == "x"
    assert stub.connections == 20


@pytest.mark.requirement("H3")
def test_a_kept_connection_that_has_died_is_replaced_once(stub: StubServer, loop: LoopThread) -> None:
    stub.script(Reply(steps=(chat_stream("x"),), headers={"keep-alive": "timeout=5"}, close_after=True))
    http = HttpFactory(keep_alive=True)
    model = stub_model(stub, loop, http=http)
    for _ in range(20):
        assert model.invoke("Hi").text == "x"
    loop.run(http.aclose())


@pytest.mark.requirement("H3")
@pytest.mark.parametrize("ending", [Reset(), Close()], ids=["reset", "closed"])
def test_a_new_connection_that_dies_before_the_headers_is_an_error(
    stub: StubServer, loop: LoopThread, ending: Reset | Close
) -> None:
    stub.script(Reply(before_headers=(ending,)))
    with pytest.raises(APIConnectionError, match="broke") as caught:
        stub_model(stub, loop).invoke("Hi")
    assert caught.value.retryable
    assert len(stub.requests) == 1


@pytest.mark.requirement("H3")
def test_nobody_listens(loop: LoopThread) -> None:
    with closed_port() as url, pytest.raises(APIConnectionError, match="Nothing answers") as caught:
        stub_model(f"{url}/v1", loop).invoke("Hi")
    assert url in str(caught.value)
    assert caught.value.retryable


def raised_from(error: Exception, *causes: Exception) -> Any:
    for outer, inner in zip((error, *causes), causes, strict=False):
        outer.__cause__ = inner
    return error


@pytest.mark.requirement("H3", "H4")
@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (raised_from(httpx2.ConnectError("x"), socket.gaierror(-2, "unknown")), APIConnectionError, "can't be found"),
        (
            raised_from(httpx2.ConnectError("x"), OSError(), ssl.SSLCertVerificationError("self-signed")),
            APIConnectionError,
            "secure connection",
        ),
        (httpx2.ConnectError("refused"), APIConnectionError, "Nothing answers"),
        (httpx2.ProxyError("407"), APIConnectionError, "proxy"),
        (httpx2.ConnectTimeout("x"), APITimeoutError, "reached in time"),
        (httpx2.WriteTimeout("x"), APITimeoutError, "too long"),
        (httpx2.ReadError(""), APIConnectionError, "ReadError"),
        (httpx2.UnsupportedProtocol("ftp"), ChatInputError, "no address"),
    ],
)
def test_failures_of_the_connection_in_words(error: Any, kind: type[ChatError], words: str) -> None:
    made = connection_error(error, Server("p", "Provider", "https://api.example"))
    assert type(made) is kind
    assert words in str(made)
    assert made.provider == "p"


@pytest.mark.requirement("B37")
def test_pings_are_no_answer_but_keep_it_alive(stub: StubServer, loop: LoopThread) -> None:
    stub.reply(b": ping\n\n", Delay(0.15), b": ping\n\n", Stall())
    with pytest.raises(APITimeoutError):
        stub_model(stub, loop, timeouts=Timeouts(first_token=0.25, idle=9.0)).invoke("Hi")
    with StubServer() as other:
        first = sse(chat_chunk("x"))
        other.reply(first, *[step for _ in range(4) for step in (Delay(0.1), b": ping\n\n")], chat_stream("y"))
        model = stub_model(other, loop, timeouts=Timeouts(first_token=9.0, idle=0.3))
        assert model.invoke("Hi").text == "xy"


@pytest.mark.requirement("B37")
def test_no_limit_means_no_limit(stub: StubServer, loop: LoopThread) -> None:
    stub.reply(Delay(0.2), chat_stream("x"))
    assert stub_model(stub, loop, timeouts=Timeouts(first_token=None, idle=None)).invoke("Hi").text == "x"


def test_a_redirect_is_not_followed(stub: StubServer, loop: LoopThread) -> None:
    stub.reply(status=308, headers={"location": "https://elsewhere.example/v1"}, framing="length")
    with pytest.raises(APIConnectionError, match=r"elsewhere\.example") as caught:
        stub_model(stub, loop).invoke("Hi")
    assert not caught.value.retryable
    assert len(stub.requests) == 1


def test_lone_surrogates_and_all_characters_are_sent(stub: StubServer, loop: LoopThread) -> None:
    stub.reply(sse({"ok": 1}))
    assert [frame.data for frame in loop.run(frames_of(stub.url))] == [{"ok": 1}]
    assert stub.requests[0].json == {"a": "é?"}
    headers = stub.requests[0].headers
    assert (headers["content-type"], headers["accept"]) == ("application/json", "text/event-stream")
    assert headers["accept-encoding"] == "identity"


def test_what_the_server_calls_its_answer_decides_how_it_is_read(stub: StubServer, loop: LoopThread) -> None:
    stub.reply(b'{"a": 1}\n{"b": 2}\n', content_type="application/x-ndjson; charset=utf-8")
    stub.reply(b'{"a":\n1}', content_type="application/json")
    stub.reply(sse({"c": 3}), content_type="")
    stub.reply(sse({"d": 4}), content_type="text/event-stream")
    assert [frame.data for frame in loop.run(frames_of(stub.url))] == [{"a": 1}, {"b": 2}]
    assert [frame.data for frame in loop.run(frames_of(stub.url))] == [{"a": 1}]
    assert [frame.data for frame in loop.run(frames_of(stub.url))] == [{"c": 3}]
    asked_whole = WireRequest("/x", {}, framing=Framing.JSON)
    assert [frame.data for frame in loop.run(frames_of(stub.url, asked_whole))] == [{"d": 4}]


def test_a_stream_of_nonsense_shows_the_nonsense(stub: StubServer, loop: LoopThread) -> None:
    stub.reply(b"data: {oops " + KEY.encode() + b"}\n\n")
    with pytest.raises(ProtocolError, match="oops") as caught:
        stub_model(stub, loop).invoke("Hi")
    assert KEY not in str(caught.value)


@pytest.mark.requirement("B31", "H5")
def test_keys_in_errors_inside_a_stream_are_hidden(stub: StubServer, loop: LoopThread) -> None:
    stub.reply(sse({"error": {"message": f"key {KEY} is exhausted", "code": 429}}))
    with pytest.raises(RateLimitError) as caught:
        stub_model(stub, loop).invoke("Hi")
    assert KEY not in f"{caught.value} {caught.value.details()} {caught.value.__dict__}"
    assert "is exhausted" in str(caught.value)


@pytest.mark.requirement("B31")
def test_addresses_lose_their_password(stub: StubServer, loop: LoopThread) -> None:
    made = transport("http://me:hunter2@127.0.0.1:9/v1/")
    assert made.base_url == "http://127.0.0.1:9/v1"
    with pytest.raises(APIConnectionError) as caught:
        loop.run(frames_of("http://me:hunter2@127.0.0.1:9/v1"))
    assert "hunter2" not in str(caught.value)


@pytest.mark.requirement("B38")
@pytest.mark.parametrize("url", ["", "localhost:1234", "ftp://host/v1", "http://"])
def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises(ChatInputError, match="https://host"):
        transport(url)


@pytest.mark.requirement("B40")
def test_cancelled_again_and_again_the_client_stays_usable(stub: StubServer, loop: LoopThread) -> None:
    stub.script(*[Reply(before_headers=(Stall(),)) for _ in range(5)])
    stub.reply(chat_stream("x"))
    model = stub_model(stub, loop)
    delays: list[float] = []
    for number in range(5):
        future = loop.submit(model.ainvoke("Hi"))
        stub.wait_for_requests(number + 1)
        stopped_at = time.monotonic()
        future.cancel()
        delays.append(stub.requests[number].wait_disconnected() - stopped_at)
    assert min(delays) < 0.05
    assert model.invoke("Hi").text == "x"


def test_an_error_body_that_breaks_off_is_still_an_error(stub: StubServer, loop: LoopThread) -> None:
    stub.reply(b'{"error": {"message": "slow', Reset(), status=429, content_type="application/json")
    with pytest.raises(RateLimitError):
        stub_model(stub, loop).invoke("Hi")


def test_an_error_body_that_stalls_is_still_an_error(stub: StubServer, loop: LoopThread) -> None:
    stub.reply(b'{"error"', Stall(), status=429, content_type="application/json")
    with pytest.raises(RateLimitError):
        stub_model(stub, loop, timeouts=Timeouts(first_token=0.3)).invoke("Hi")


def test_an_endless_error_body_is_cut(stub: StubServer, loop: LoopThread) -> None:
    stub.reply(*[b"x" * 100_000] * 20, Stall(), status=429, content_type="text/plain")
    with pytest.raises(RateLimitError) as caught:
        stub_model(stub, loop).invoke("Hi")
    assert len(caught.value.body or "") <= 4000
