"""The stub server itself: what other tests rest on."""

from __future__ import annotations

import socket
import time

import httpx2
import pytest

from tests.chat_models.stub_replies import Close, Reset, Stall, byte_by_byte, chat_stream, pieces, sse
from tests.chat_models.stub_server import StubServer


def test_it_records_the_request_and_sends_the_script(stub: StubServer) -> None:
    stub.reply(*byte_by_byte('data: {"é": 1}\n\n'.encode()))
    stub.json_reply({"error": "no"}, 429, retry_after="3")
    with httpx2.Client(trust_env=False) as client:
        first = client.post(f"{stub.url}/v1/x?key=value", json={"a": "ü"}, headers={"x-mine": "yes"})
        second = client.post(f"{stub.url}/v1/x", content=iter([b"ab", b"c"]))
    assert first.text == 'data: {"é": 1}\n\n'
    assert (second.status_code, second.headers["retry-after"]) == (429, "3")
    recorded = stub.requests[0]
    assert (recorded.path, recorded.query, recorded.json) == ("/v1/x", {"key": "value"}, {"a": "ü"})
    assert recorded.headers["x-mine"] == "yes"
    assert stub.requests[1].body == b"abc"
    assert stub.connections == 1


def test_a_gate_holds_back_the_rest(stub: StubServer) -> None:
    gate = stub.gate()
    stub.reply(b"first\n", gate, b"second\n")
    with httpx2.Client(trust_env=False) as client, client.stream("GET", stub.url) as response:
        lines = response.iter_lines()
        assert next(lines) == "first"
        gate.wait_reached()
        gate.open()
        assert next(lines) == "second"


def test_it_notices_a_client_that_leaves(stub: StubServer) -> None:
    stub.reply(Stall())
    host, port = stub.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as client:
        client.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        stub.wait_for_requests(1)
        left_at = time.monotonic()
    assert stub.requests[0].wait_disconnected() >= left_at


@pytest.mark.parametrize("ending", [Reset(), Close()])
def test_it_breaks_off(stub: StubServer, ending: Reset | Close) -> None:
    stub.reply(b"some", ending)
    with httpx2.Client(trust_env=False) as client, pytest.raises((httpx2.ReadError, httpx2.RemoteProtocolError)):
        client.get(stub.url)


def test_pieces_are_the_whole() -> None:
    body = chat_stream("grün") + sse({"a": 1})
    assert b"".join(pieces(body, [5, 1, 5, 9999, 60])) == body
    assert len(pieces(body, [5, 1])) == 3
