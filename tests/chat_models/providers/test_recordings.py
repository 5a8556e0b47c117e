"""Recorded streams of live providers, cut in every way.

``recorded_answers.json`` holds what comes out. For the chat, Responses and Anthropic recordings the same text, calls
and counts come out of the official packages openai 3.52 and anthropic 2.11.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from app.domain.chat_errors import InvalidRequestError, StreamInterruptedError
from app.domain.messages import AIMessage
from tests.chat_models.providers.replaying import Recording, cuts_of, load_recordings, replay, summary

EXPECTED: dict[str, Any] = json.loads((Path(__file__).parent / "recorded_answers.json").read_text(encoding="utf-8"))
GROUPS = ("anthropic.com", "deepseek", "groq", "crusoe", "mistral", "api.openai.com", "z.ai", "mantle", "googleapis",
          "openrouter", "huggingface", "bedrock-runtime")  # fmt: skip


@pytest.fixture(scope="module")
def recordings(test_data: Path) -> list[Recording]:
    return load_recordings(test_data / "streams")


def of_group(recordings: list[Recording], group: str) -> list[Recording]:
    found = [recording for recording in recordings if group in recording.host]
    assert found
    return found


def test_every_recording_belongs_to_a_group(recordings: list[Recording]) -> None:
    assert {recording.key for recording in recordings} == EXPECTED.keys()
    assert all(any(group in recording.host for group in GROUPS) for recording in recordings)


@pytest.mark.requirement("B2", "B3", "B9", "B36", "C3", "C10", "C11", "H5")
@pytest.mark.parametrize("group", GROUPS)
def test_the_same_answer_for_every_way_of_cutting(recordings: list[Recording], group: str) -> None:
    for recording in of_group(recordings, group):
        codec, framing = recording.codec(), recording.framing
        for number, cut in enumerate(cuts_of(recording.body, seed=len(recording.body))):
            outcome = replay(codec, framing, cut)
            assert summary(outcome) == EXPECTED[recording.key], (recording.source, number)


@pytest.mark.requirement("H3")
@pytest.mark.parametrize("group", GROUPS)
def test_a_recording_that_breaks_off_is_an_error_with_what_had_come(recordings: list[Recording], group: str) -> None:
    for recording in of_group(recordings, group):
        whole = replay(recording.codec(), recording.framing, [recording.body])
        if whole.error is not None:
            continue
        part = replay(recording.codec(), recording.framing, [recording.body[: len(recording.body) // 6]])
        assert isinstance(part.error, StreamInterruptedError), recording.source
        assert whole.message.text.startswith(part.message.text)


@pytest.mark.requirement("H5")
def test_errors_inside_a_200_surface(recordings: list[Recording]) -> None:
    failed = [
        (recording.host, outcome.error, outcome.message)
        for recording in recordings
        if (outcome := replay(recording.codec(), recording.framing, [recording.body])).error is not None
    ]
    assert Counter(host for host, _, _ in failed) == {"api.groq.com": 1, "openrouter.ai": 1}
    for _, error, message in failed:
        assert isinstance(error, InvalidRequestError)
        assert (error.status, error.retryable) == (400, False)
        assert message.text + message.reasoning  # what had come before is not lost


@pytest.mark.requirement("C10")
def test_parallel_calls_of_a_recording_keep_their_ids_and_arguments(recordings: list[Recording]) -> None:
    messages: list[AIMessage] = [replay(r.codec(), r.framing, [r.body]).message for r in recordings]
    parallel = [message for message in messages if len(message.tool_calls) > 1]
    assert len(parallel) >= 5
    for message in parallel:
        assert len({call.id for call in message.tool_calls}) == len(message.tool_calls)
        assert {call.name for call in message.tool_calls} <= {"get_country", "get_product_name", "get_weather"}
