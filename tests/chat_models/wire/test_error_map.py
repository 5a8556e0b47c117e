"""Errors of every provider, as they come over the wire, and the class and the words they become."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from app.chat_models.wire.error_map import Origin, chat_error
from app.chat_models.wire.error_report import report_of_document, report_of_response
from app.domain.chat_errors import (
    APIStatusError,
    AuthenticationError,
    ChatError,
    ContentFilterError,
    ContextWindowExceededError,
    InvalidRequestError,
    ModelNotFoundError,
    OverloadedError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
    UnsupportedFeatureError,
)
from app.domain.messages import AIMessage

ORIGIN = Origin("acme", "Acme", "acme-1", "ACME_API_KEY")


def openai(message: str, kind: str = "invalid_request_error", code: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def anthropic(kind: str, message: str = "Something.") -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}


def google(code: int, status: str, message: str = "Something.", *details: dict[str, Any]) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "status": status, "details": list(details)}}


Case = tuple[int, Any, type[ChatError], bool]

CASES: list[Case] = [
    # OpenAI and those who speak like it
    (401, openai("Incorrect API key provided: sk-x.", code="invalid_api_key"), AuthenticationError, False),
    (403, openai("Country not supported", "permission_error"), AuthenticationError, False),
    (404, openai("The model `x` does not exist", code="model_not_found"), ModelNotFoundError, False),
    (400, openai("The requested model 'x' does not exist.", code="model_not_found"), ModelNotFoundError, False),
    (400, openai("invalid model ID"), ModelNotFoundError, False),
    (429, openai("Rate limit reached. Try again in 20s.", "requests", "rate_limit_exceeded"), RateLimitError, True),
    (429, openai("You exceeded your quota", code="insufficient_quota"), QuotaExceededError, False),
    (400, openai("too long", code="context_length_exceeded"), ContextWindowExceededError, False),
    (400, openai("This model's maximum context length is 4096 tokens."), ContextWindowExceededError, False),
    (400, openai("Please reduce the length of the messages or completion."), ContextWindowExceededError, False),
    (400, openai("bad", code="content_filter"), ContentFilterError, False),
    (400, openai("Unsupported parameter: 'temperature'", code="unsupported_parameter"), UnsupportedFeatureError, False),
    (400, openai("'messages' must not be empty"), InvalidRequestError, False),
    (408, openai("Request timeout", "timeout"), APIStatusError, True),
    (409, openai("conflict"), APIStatusError, True),
    (500, openai("The server had an error", "server_error"), ServerError, True),
    (502, "<html><body><h1>Bad Gateway</h1></body></html>", ServerError, True),
    (503, openai("overloaded", "server_error"), OverloadedError, True),
    (402, openai("Insufficient Balance"), QuotaExceededError, False),
    (418, openai("teapot"), APIStatusError, False),
    # Azure
    (
        400,
        {"error": {"message": "x", "code": "400", "innererror": {"code": "ResponsibleAIPolicyViolation"}}},
        ContentFilterError,
        False,
    ),
    # Groq
    (400, openai("Tool choice is required", code="tool_use_failed"), InvalidRequestError, False),
    # OpenRouter
    (429, {"error": {"code": 429, "message": "Provider error", "metadata": {"raw": "slow"}}}, RateLimitError, True),
    (403, {"error": {"code": 403, "message": "flagged", "metadata": {"reasons": ["x"]}}}, ContentFilterError, False),
    (402, {"error": {"code": 402, "message": "Insufficient credits"}}, QuotaExceededError, False),
    # llama.cpp, LM Studio, vLLM, Ollama, Hugging Face, Mistral
    (
        400,
        {"error": {"code": 400, "message": "request (600) exceeds", "type": "exceed_context_size_error", "n_ctx": 512}},
        ContextWindowExceededError,
        False,
    ),
    (503, {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}, OverloadedError, True),
    (501, {"error": {"code": 501, "message": "no", "type": "not_supported_error"}}, UnsupportedFeatureError, False),
    (500, {"error": {"code": 500, "message": "image needs mmproj"}}, UnsupportedFeatureError, False),
    (400, {"error": "model has crashed"}, InvalidRequestError, False),
    (404, {"error": "model 'llama9' not found"}, ModelNotFoundError, False),
    (400, {"error": "\"smollm\" does not support thinking"}, UnsupportedFeatureError, False),
    (400, {"object": "error", "message": "maximum context length is 9"}, ContextWindowExceededError, False),
    (422, {"detail": [{"loc": ["body", "x"], "msg": "field required"}]}, InvalidRequestError, False),
    (401, {"detail": "Unauthorized"}, AuthenticationError, False),
    # Anthropic
    (400, anthropic("invalid_request_error"), InvalidRequestError, False),
    (400, anthropic("invalid_request_error", "prompt is too long: 9 tokens > 5"), ContextWindowExceededError, False),
    (400, anthropic("invalid_request_error", "Your credit balance is too low"), QuotaExceededError, False),
    (
        400,
        anthropic("invalid_request_error", "This model does not support assistant message prefill."),
        UnsupportedFeatureError,
        False,
    ),
    (401, anthropic("authentication_error", "invalid x-api-key"), AuthenticationError, False),
    (402, anthropic("billing_error"), QuotaExceededError, False),
    (403, anthropic("permission_error"), AuthenticationError, False),
    (404, anthropic("not_found_error", "model: claude-x"), ModelNotFoundError, False),
    (413, anthropic("request_too_large"), InvalidRequestError, False),
    (429, anthropic("rate_limit_error"), RateLimitError, True),
    (500, anthropic("api_error"), ServerError, True),
    (504, anthropic("timeout_error"), ServerError, True),
    (529, anthropic("overloaded_error"), OverloadedError, True),
    # Google
    (
        400,
        google(400, "INVALID_ARGUMENT", "API key not valid.", {"@type": "ErrorInfo", "reason": "API_KEY_INVALID"}),
        AuthenticationError,
        False,
    ),
    (
        400,
        google(400, "INVALID_ARGUMENT", "The input token count (9) exceeds the maximum number of tokens allowed (5)."),
        ContextWindowExceededError,
        False,
    ),
    (403, google(403, "PERMISSION_DENIED"), AuthenticationError, False),
    (404, google(404, "NOT_FOUND", "models/x is not found for API version v1beta"), ModelNotFoundError, False),
    (
        429,
        google(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota, check billing.", {"retryDelay": "12s"}),
        RateLimitError,
        True,
    ),
    (
        429,
        google(429, "RESOURCE_EXHAUSTED", "quota", {"violations": [{"quotaId": "RequestsPerDayPerProject"}]}),
        QuotaExceededError,
        False,
    ),
    (503, [google(503, "UNAVAILABLE")], OverloadedError, True),
]  # fmt: skip


@pytest.mark.requirement("H1", "H2", "H5")
@pytest.mark.parametrize(("status", "body", "kind", "retryable"), CASES)
def test_an_error_status(status: int, body: Any, kind: type[ChatError], retryable: bool) -> None:
    sent = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    error = chat_error(report_of_response(status, {"x-request-id": "r-7"}, sent), ORIGIN)
    assert type(error) is kind
    assert (error.status, error.retryable, error.request_id) == (status, retryable, "r-7")
    assert (error.provider, error.model) == ("acme", "acme-1")
    assert "Acme" in str(error) or "acme-1" in str(error)
    assert "<" not in str(error)


@pytest.mark.requirement("H5")
@pytest.mark.parametrize(
    ("document", "kind", "status"),
    [
        (anthropic("overloaded_error", "Overloaded"), OverloadedError, 529),
        (anthropic("rate_limit_error"), RateLimitError, 429),
        (anthropic("authentication_error"), AuthenticationError, 401),
        (anthropic("not_found_error"), ModelNotFoundError, 404),
        (openai("no", code="invalid_api_key"), AuthenticationError, 401),
        (openai("no", code="model_not_found"), ModelNotFoundError, 404),
        (openai("no", code="context_length_exceeded"), ContextWindowExceededError, 400),
        (openai("no", code="insufficient_quota"), QuotaExceededError, 429),
        (openai("no", code="content_filter"), ContentFilterError, 400),
        (openai("no", "rate_limit_exceeded"), RateLimitError, 429),
        (openai("no", "server_error"), ServerError, 500),
        (google(503, "UNAVAILABLE"), OverloadedError, 503),
        ({"error": {"message": "no", "status": "RESOURCE_EXHAUSTED"}}, RateLimitError, 429),
        ({"error": {"code": 400, "type": "exceed_context_size_error"}}, ContextWindowExceededError, 400),
        ({"error": {"code": 400, "message": "Token limit reached"}}, InvalidRequestError, 400),
        ({"error": {"message": "no", "code": "tool_use_failed", "status_code": 400}}, InvalidRequestError, 400),
        ({"error": {"message": "Something odd"}}, ServerError, 500),
        ({"error": "llama runner process has terminated"}, ServerError, 500),
        ("out of memory", ServerError, 500),
        ({"message": "Too many requests"}, ServerError, 500),
        ({}, ServerError, 500),
        (None, ServerError, 500),
    ],
)
def test_an_error_inside_a_stream_gets_the_status_it_would_have_had(
    document: Any, kind: type[ChatError], status: int
) -> None:
    error = chat_error(report_of_document(document), ORIGIN, AIMessage("so far"))
    assert (type(error), error.status, error.partial) == (kind, status, AIMessage("so far"))


@pytest.mark.requirement("H2")
@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [
        ({"retry-after": "7"}, {}, 7.0),
        ({"retry-after": "0.5"}, {}, 0.5),
        ({"retry-after-ms": "1500", "retry-after": "9"}, {}, 1.5),
        ({"retry-after": "Sun, 01 Mar 2026 12:00:30 GMT"}, {}, 30.0),
        ({"retry-after": "Sun, 01 Mar 2020 12:00:30 GMT"}, {}, None),
        ({"retry-after": "soon"}, {}, None),
        ({"retry-after": "-3"}, {}, None),
        ({}, google(429, "RESOURCE_EXHAUSTED", "x", {"retryDelay": "12.5s"}), 12.5),
        ({}, openai("Please try again in 1.2s. Visit"), 1.2),
        ({}, openai("Please try again in 250ms."), 0.25),
        ({}, openai("Please try again."), None),
    ],
)
def test_how_long_to_wait(headers: dict[str, str], body: Any, seconds: float | None) -> None:
    now = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
    report = report_of_response(429, headers, json.dumps(body).encode(), now)
    assert (report.retry_after or None) == seconds


@pytest.mark.requirement("H2")
def test_the_server_may_forbid_or_ask_for_a_retry() -> None:
    forbidden = chat_error(report_of_response(500, {"x-should-retry": "false"}, b"{}"), ORIGIN)
    asked = chat_error(report_of_response(409, {"x-should-retry": "true"}, b"{}"), ORIGIN)
    assert (forbidden.retryable, asked.retryable) == (False, True)


@pytest.mark.requirement("B31")
def test_a_key_that_the_server_repeats_is_not_shown() -> None:
    body = json.dumps(openai("Incorrect API key provided: sk-secret-1234.")).encode()
    error = chat_error(report_of_response(401, {}, body).without(["sk-secret-1234"]), ORIGIN)
    assert "sk-secret" not in str(error) + str(error.body) + error.details() + repr(error)
    assert "***" in str(error)
    assert "ACME_API_KEY" in str(error)


@pytest.mark.requirement("H5")
def test_bedrock_names_the_error_in_a_header() -> None:
    headers = {"x-amzn-errortype": "ThrottlingException:http://internal", "x-amzn-requestid": "r"}
    error = chat_error(report_of_response(429, headers, b'{"message":"Too many tokens, please wait"}'), ORIGIN)
    assert (type(error), error.code, error.request_id) == (RateLimitError, "throttlingexception", "r")
    too_long = report_of_response(
        400, {"x-amzn-errortype": "ValidationException"}, b'{"message":"Input is too long for requested model."}'
    )
    assert type(chat_error(too_long, ORIGIN)) is ContextWindowExceededError


def test_long_bodies_and_markup_are_shortened() -> None:
    page = b"<html><style>x{}</style><h1>Oops</h1>" + b"long " * 5000
    error = chat_error(report_of_response(500, {}, page), ORIGIN)
    assert len(str(error)) < 800
    assert "Oops" in str(error)
    assert "x{}" not in str(error)
    assert len(error.body or "") <= 4000
