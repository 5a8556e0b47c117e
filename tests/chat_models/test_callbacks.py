"""Callback handlers."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from app.chat_models.call import Call
from app.chat_models.callbacks import CallbackHandler, QueueHandler, StdoutHandler
from app.chat_models.loop_thread import LoopThread
from app.chat_models.model import ChatModel
from app.domain.chat_errors import ServerError
from app.domain.errors import WorkCancelledError
from app.domain.messages import AIMessage, AIMessageChunk, Message
from tests.chat_models.models import says, scripted


class Recorder(CallbackHandler):
    """Notes what it hears."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, Any]] = []
        self.run_ids: set[str] = set()

    def on_llm_start(self, messages: Sequence[Message], *, run_id: str) -> None:
        self._note("start", [message.text for message in messages], run_id)

    def on_llm_new_token(self, token: str, *, chunk: AIMessageChunk, run_id: str) -> None:
        assert chunk.text == token
        self._note("token", token, run_id)

    def on_llm_end(self, response: AIMessage, *, run_id: str) -> None:
        self._note("end", response.text, run_id)

    def on_llm_error(self, error: BaseException, *, run_id: str) -> None:
        self._note("error", type(error).__name__, run_id)

    def _note(self, kind: str, what: Any, run_id: str) -> None:
        self.heard.append((kind, what))
        self.run_ids.add(run_id)


@pytest.mark.requirement("B25")
@pytest.mark.parametrize("face", ["invoke", "stream"])
def test_handlers_hear_of_start_tokens_and_end(face: str, loop: LoopThread) -> None:
    recorder, second = Recorder(), Recorder()
    model = scripted(says("a", "b"), loop=loop, callbacks=(recorder,))
    if face == "invoke":
        model.invoke("x", config={"callbacks": [second]})
    else:
        list(model.stream("x", config={"callbacks": [second]}))
    expected = [("start", ["x"]), ("token", "a"), ("token", "b"), ("token", ""), ("end", "ab")]
    assert recorder.heard == second.heard == expected
    assert len(recorder.run_ids) == 1


@pytest.mark.requirement("B25")
def test_handlers_hear_of_errors_and_not_of_an_end(loop: LoopThread) -> None:
    recorder = Recorder()
    model = scripted((AIMessageChunk("a"), ServerError("x", status=500)), loop=loop, callbacks=(recorder,))
    with pytest.raises(ServerError):
        model.invoke("x")
    assert recorder.heard[-1] == ("error", "ServerError")
    assert "end" not in dict(recorder.heard)


@pytest.mark.requirement("B18")
def test_streaming_makes_invoke_take_the_stream(loop: LoopThread) -> None:
    class Both(ChatModel):
        """Can answer at once and in pieces."""

        def _generate(self, messages: Sequence[Message], call: Call) -> AIMessage:
            return AIMessage("whole")

        def _stream(self, messages: Sequence[Message], call: Call) -> Iterator[AIMessageChunk]:
            yield AIMessageChunk("who")
            yield AIMessageChunk("le")

    for streaming, tokens in ((True, ["who", "le"]), (False, ["whole"])):
        recorder = Recorder()
        answer = Both(loop=loop, streaming=streaming, callbacks=(recorder,)).invoke("x")
        assert answer.content == "whole"
        assert [what for kind, what in recorder.heard if kind == "token"] == tokens


@pytest.mark.requirement("B26")
def test_tokens_are_printed_as_they_come(loop: LoopThread, capsys: pytest.CaptureFixture[str]) -> None:
    seen: list[str] = []

    class Watcher(CallbackHandler):
        def on_llm_new_token(self, token: str, *, chunk: AIMessageChunk, run_id: str) -> None:
            seen.append(capsys.readouterr().out)

    model = scripted(says("one ", "two"), loop=loop, callbacks=(StdoutHandler(), Watcher()))
    model.invoke("x")
    assert seen == ["one ", "two", ""]


@pytest.mark.requirement("B27")
def test_a_queue_hands_tokens_to_another_thread(loop: LoopThread) -> None:
    handler = QueueHandler()
    model = scripted(says("a", "b", "c"), loop=loop, callbacks=(handler,))
    thread = threading.Thread(target=lambda: model.invoke("x"))
    thread.start()
    assert list(handler.get_tokens()) == ["a", "b", "c"]
    thread.join()


@pytest.mark.requirement("B27")
def test_a_queue_raises_the_error_at_the_reader(loop: LoopThread) -> None:
    handler = QueueHandler()
    model = scripted((AIMessageChunk("a"), ServerError("broken", status=500)), loop=loop, callbacks=(handler,))

    def ask() -> None:
        with pytest.raises(ServerError):
            model.invoke("x")

    thread = threading.Thread(target=ask)
    thread.start()
    tokens = handler.get_tokens()
    assert next(tokens) == "a"
    with pytest.raises(ServerError, match="broken"):
        next(tokens)
    thread.join()


@pytest.mark.requirement("B27", "B40")
def test_a_cancelled_call_ends_the_reader_of_a_queue(loop: LoopThread) -> None:
    handler = QueueHandler()
    stream = scripted((AIMessageChunk("a"), 30.0, *says("b")), loop=loop, callbacks=(handler,)).stream("x")
    next(stream)
    stream.close()  # type: ignore[attr-defined]  # a generator
    tokens = handler.get_tokens()
    assert next(tokens) == "a"
    with pytest.raises(WorkCancelledError):
        next(tokens)
