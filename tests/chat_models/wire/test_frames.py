"""Framing: the same frames for every way of cutting the bytes, and what real servers send beside the specification."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.chat_models.wire.event_stream import EventStreamReader
from app.chat_models.wire.frames import Frame, FrameReader, FramingError
from app.chat_models.wire.json_body import JsonBodyReader
from app.chat_models.wire.lines import LineSplitter
from app.chat_models.wire.sse import NdjsonReader, SseReader
from tests.chat_models.stub_replies import byte_by_byte, event_stream_frame, ndjson, pieces, sse

json_texts = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=12)
documents = st.lists(
    st.dictionaries(json_texts, st.one_of(json_texts, st.integers(-5, 5), st.none()), max_size=3), max_size=6
)


def read(reader: FrameReader, cut: list[bytes]) -> list[Frame]:
    frames = [frame for piece in cut for frame in reader.feed(piece)]
    return frames + reader.finish()


def data_of(body: str | bytes) -> list[object]:
    body = body.encode() if isinstance(body, str) else body
    return [frame.data for frame in read(SseReader(), [body])]


PACKINGS: list[tuple[Callable[[], FrameReader], Callable[[list[dict[str, object]]], bytes]]] = [
    (SseReader, lambda items: sse(*items)),
    (SseReader, lambda items: sse(*items).replace(b"\n", b"\r\n")),
    (NdjsonReader, lambda items: ndjson(*items)),
    (EventStreamReader, lambda items: b"".join(event_stream_frame("e", item) for item in items)),
]


@pytest.mark.parametrize(("reader", "pack"), PACKINGS)
@given(items=documents, cuts=st.lists(st.integers(0, 600), max_size=12))
def test_every_cut_gives_the_same_frames(
    reader: Callable[[], FrameReader],
    pack: Callable[[list[dict[str, object]]], bytes],
    items: list[dict[str, object]],
    cuts: list[int],
) -> None:
    body = pack(items)
    assert [frame.data for frame in read(reader(), pieces(body, cuts))] == items
    assert [frame.data for frame in read(reader(), list(byte_by_byte(body)))] == items


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=8))
def test_line_splitter_cuts_at_newlines_only(data: bytes, cuts: list[int]) -> None:
    splitter = LineSplitter()
    lines = [line for piece in pieces(data, cuts) for line in splitter.feed(piece)] + [splitter.finish()]
    assert lines == [line.removesuffix(b"\r") for line in data.split(b"\n")]


def test_separators_that_str_splitlines_knows_are_part_of_the_text() -> None:
    text = "a\u2028b\u0085c\x0bd\x0ce\u2029f\tg"
    assert data_of(f'data: {{"t": "{text}"}}\n\n') == [{"t": text}]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (": OPENROUTER PROCESSING\n\n: ping\n\ndata: {}\n\n", [{}]),
        ("data:{}\n\n", [{}]),
        ("\ufeffdata: {}\n\n", [{}]),
        ("data:\n\ndata: \n\ndata: {}\n\n", [{}]),
        ("id: 7\nretry: 10\nevent: x\ndata: {}\n\n", [{}]),
        ('data: {"a": 1}\ndata: {"a": 2}\n\n', [{"a": 1}, {"a": 2}]),
        ('data: {"a": 1}\n\ndata: {"a": 2}', [{"a": 1}, {"a": 2}]),
        ('data: {\ndata:   "a": 1\ndata: }\n\n', [{"a": 1}]),
        ('data: {"a": 1}\n\ndata: {"a": ', [{"a": 1}]),
        ('{\n  "error": {\n    "code": 503\n  }\n}\n', [{"error": {"code": 503}}]),
        ('[{\n  "error": {"code": 503}\n}\n]\n', [[{"error": {"code": 503}}]]),
        ('{"error": {"code": 503}}', [{"error": {"code": 503}}]),
    ],
)
def test_what_servers_send_beside_the_specification(body: str, expected: list[object]) -> None:
    assert data_of(body) == expected
    assert [frame.data for frame in read(SseReader(), list(byte_by_byte(body.encode())))] == expected


def test_terminator_and_names() -> None:
    frames = read(SseReader(), [b"event: ping\ndata: {}\n\ndata: {}\n\ndata: [DONE]\n\n"])
    assert frames == [Frame({}, "ping"), Frame({}), Frame(None, terminator=True)]
    assert read(SseReader(), [b"data:[DONE]"]) == [Frame(None, terminator=True)]


@pytest.mark.parametrize(
    ("body", "data"),
    [
        ('event: error\ndata: {"message": "no"}\n\n', {"message": "no"}),
        ("event: error\ndata: out of memory\n\n", "out of memory"),
        ('error: {"code": 500}\n\n', {"code": 500}),
        ("error: out of memory\n", "out of memory"),
    ],
)
def test_errors_need_not_be_json(body: str, data: object) -> None:
    assert read(SseReader(), [body.encode()]) == [Frame(data, "error")]


@pytest.mark.parametrize("body", ["data: {oops}\n\n", "data: {oops}\n\ndata: {}\n\n", "data: {oops}\ndata: [DONE]\n\n"])
def test_an_event_that_is_no_json_is_an_error_that_shows_it(body: str) -> None:
    with pytest.raises(FramingError, match="oops"):
        read(SseReader(), [body.encode()])


def test_invalid_utf8_is_replaced() -> None:
    assert data_of(b'data: {"t": "a\xff\xe2\x82"}\n\n') == [{"t": "a\ufffd\ufffd"}]


def test_deep_nesting_is_an_error_not_a_crash() -> None:
    with pytest.raises(FramingError):
        read(NdjsonReader(), [b"[" * 200_000 + b"\n"])


def test_an_endless_line_is_refused() -> None:
    splitter = LineSplitter(max_line_bytes=100)
    splitter.feed(b"x" * 100)
    with pytest.raises(FramingError, match="100 bytes"):
        splitter.feed(b"y")


def test_ndjson_keeps_a_last_line_without_its_end_and_drops_half_a_line() -> None:
    assert [frame.data for frame in read(NdjsonReader(), [b'{"a": 1}\n\n{"a": 2}'])] == [{"a": 1}, {"a": 2}]
    assert [frame.data for frame in read(NdjsonReader(), [b'{"a": 1}\n{"a"'])] == [{"a": 1}]
    with pytest.raises(FramingError):
        read(NdjsonReader(), [b"<html>\n"])


def test_a_json_body_is_one_frame_or_one_per_element() -> None:
    assert [frame.data for frame in read(JsonBodyReader(), [b'{"a"', b": 1}"])] == [{"a": 1}]
    assert [frame.data for frame in read(JsonBodyReader(), [b'[{"a": 1}\n,', b'\r\n{"a": 2}]'])] == [{"a": 1}, {"a": 2}]
    assert read(JsonBodyReader(), [b" "]) == []
    with pytest.raises(FramingError):
        read(JsonBodyReader(), [b"<html>"])


def test_event_stream_names_exceptions_and_errors() -> None:
    body = (
        event_stream_frame("messageStart", {"role": "assistant"})
        + event_stream_frame("throttlingException", {"message": "slow down"}, "exception")
        + event_stream_frame("500", {}, "error")
    )
    assert [frame.event for frame in read(EventStreamReader(), [body])] == [
        "messageStart",
        "exception:throttlingException",
        "error:500",
    ]


@pytest.mark.parametrize("position", [2, 9, 20, 70, -2])
def test_a_flipped_bit_in_an_event_stream_is_noticed(position: int) -> None:
    damaged = bytearray(event_stream_frame("messageStart", {"role": "assistant"}))
    damaged[position] ^= 1
    with pytest.raises(FramingError):
        read(EventStreamReader(), [bytes(damaged) + event_stream_frame("x", {}) * 9])


def test_half_a_frame_of_an_event_stream_is_dropped() -> None:
    frame = event_stream_frame("a", {"n": 1})
    assert [f.data for f in read(EventStreamReader(), [frame + frame[:-1]])] == [{"n": 1}]
