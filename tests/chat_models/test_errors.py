"""The family of chat errors, and errors of a server over real HTTP."""

from __future__ import annotations

import pytest

from app.chat_models.loop_thread import LoopThread
from app.chat_models.model import ChatModel
from app.chat_models.provider import ModelRequest, Provider
from app.chat_models.registry import ModelRegistry
from app.domain import chat_errors
from app.domain.chat_errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    ChatError,
    ContextWindowExceededError,
    InvalidRequestError,
    MissingDependencyError,
    ModelNotFoundError,
    OverloadedError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
    StreamInterruptedError,
    Timeout,
    UnsupportedFeatureError,
)
from app.domain.errors import UserFacingError
from app.domain.messages import AIMessage
from tests.chat_models.models import says, scripted, stub_model
from tests.chat_models.stub_replies import chat_chunk, json_reply, sse
from tests.chat_models.stub_server import StubServer


@pytest.mark.requirement("H1", "H2", "H4", "H5", "H8")
@pytest.mark.parametrize(
    ("kind", "parent", "retryable"),
    [
        (APIConnectionError, ChatError, True),
        (APITimeoutError, APIConnectionError, True),
        (StreamInterruptedError, APIConnectionError, True),
        (AuthenticationError, APIStatusError, False),
        (InvalidRequestError, APIStatusError, False),
        (ContextWindowExceededError, InvalidRequestError, False),
        (UnsupportedFeatureError, InvalidRequestError, False),
        (ModelNotFoundError, APIStatusError, False),
        (RateLimitError, APIStatusError, True),
        (QuotaExceededError, APIStatusError, False),
        (ServerError, APIStatusError, True),
        (OverloadedError, ServerError, True),
        (chat_errors.ContentFilterError, ChatError, False),
        (chat_errors.ProtocolError, ChatError, False),
        (chat_errors.OutputParserError, ChatError, False),
        (chat_errors.ChatInputError, ValueError, False),
        (MissingDependencyError, ImportError, False),
    ],
)
def test_the_family(kind: type[ChatError], parent: type[Exception], retryable: bool) -> None:
    error = kind("What happened. What to do.")
    assert isinstance(error, parent)
    assert isinstance(error, UserFacingError)
    assert error.retryable is retryable
    assert str(error) == "What happened. What to do."


@pytest.mark.requirement("H8")
@pytest.mark.parametrize(("status", "retryable"), [(400, False), (404, False), (408, True), (409, True), (501, True)])
def test_the_status_decides_for_plain_errors(status: int, retryable: bool) -> None:
    assert APIStatusError("x", status=status).retryable is retryable
    assert APIStatusError("x", status=status, should_retry=not retryable).retryable is not retryable
    assert InvalidRequestError("x", status=500).retryable is False
    assert QuotaExceededError("x", status=429).retryable is False


@pytest.mark.requirement("H4")
def test_a_timeout_has_the_name_of_the_documentation() -> None:
    assert Timeout is APITimeoutError
    assert issubclass(Timeout, APIConnectionError)


@pytest.mark.requirement("H5")
def test_an_error_shows_everything_it_knows() -> None:
    error = RateLimitError(
        "OpenAI allows no more requests for now. Wait 12 s.",
        provider="openai",
        model="gpt-4o",
        status=429,
        code="rate_limit_exceeded",
        request_id="req_1",
        retry_after=12.0,
        body="Rate limit reached",
        partial=AIMessage("half"),
    )
    assert type(error).__name__ == "RateLimitError"
    assert str(error) == error.message == "OpenAI allows no more requests for now. Wait 12 s."
    assert error.details() == (
        "RateLimitError: OpenAI allows no more requests for now. Wait 12 s.\n"
        "  provider: openai\n"
        "  model: gpt-4o\n"
        "  status: 429\n"
        "  code: rate_limit_exceeded\n"
        "  request id: req_1\n"
        "  retry after: 12 s\n"
        "  body: Rate limit reached"
    )
    assert ChatError("short").details() == "ChatError: short"


@pytest.mark.requirement("H1", "H2", "H5")
@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, {"message": "Incorrect API key provided", "code": "invalid_api_key"}, AuthenticationError),
        (403, {"message": "Not allowed", "code": "forbidden"}, AuthenticationError),
        (404, {"message": "The model does not exist", "code": "model_not_found"}, ModelNotFoundError),
        (429, {"message": "Rate limit reached", "code": "rate_limit_exceeded"}, RateLimitError),
        (429, {"message": "You exceeded your current quota", "code": "insufficient_quota"}, QuotaExceededError),
        (400, {"message": "maximum context length", "code": "context_length_exceeded"}, ContextWindowExceededError),
        (400, {"message": "bad", "code": "invalid_value"}, InvalidRequestError),
        (500, {"message": "oops"}, ServerError),
        (503, {"message": "overloaded"}, OverloadedError),
    ],
)
def test_an_error_status_becomes_its_error(
    stub: StubServer, loop: LoopThread, status: int, body: dict[str, str], kind: type[ChatError]
) -> None:
    stub.script(json_reply({"error": body}, status, x_request_id="req_9", retry_after="7"))
    with pytest.raises(kind) as caught:
        stub_model(stub, loop).invoke("x")
    error = caught.value
    assert type(error) is kind
    assert (error.status, error.provider, error.model, error.request_id) == (status, "openai", "stub-model", "req_9")
    assert body["message"] in str(error.body)
    if kind is RateLimitError:
        assert error.retry_after == 7


@pytest.mark.requirement("H2", "H11")
def test_an_error_inside_a_stream_is_the_same_error(stub: StubServer, loop: LoopThread) -> None:
    stub.reply(sse(chat_chunk("half"), {"error": {"message": "Rate limit reached", "code": 429}}))
    with pytest.raises(RateLimitError) as caught:
        stub_model(stub, loop).invoke("x")
    assert caught.value.partial is not None
    assert caught.value.partial.text == "half"


@pytest.mark.requirement("H6")
def test_a_missing_package_is_an_import_error_that_says_what_to_install() -> None:
    def build(request: ModelRequest) -> ChatModel:
        raise ModuleNotFoundError("No module named 'acme_sdk'", name="acme_sdk")

    registry = ModelRegistry(extra=[Provider("acme", "Acme", build, package="acme-sdk")], plugins=list)
    with pytest.raises(ImportError, match="pip install acme-sdk") as caught:
        registry.model("acme:m")
    assert isinstance(caught.value, MissingDependencyError)


@pytest.mark.requirement("H6")
def test_a_bad_parameter_is_a_value_error(loop: LoopThread) -> None:
    with pytest.raises(ValueError, match="temperature"):
        scripted(says("x"), loop=loop).invoke("x", temperature=9)
    with pytest.raises(ValueError, match="max_tokens"):
        ModelRegistry(plugins=list).model("openai:gpt-4o", api_key="k", max_tokens=0)
