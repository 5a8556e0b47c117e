"""From a provider's error to its class: by status, by its codes, and by its words where nothing else tells.

An error inside a stream has no status of its own: it gets the one it would have had before the stream.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from app.chat_models.wire.error_report import ErrorReport
from app.domain.chat_errors import (
    APIStatusError,
    AuthenticationError,
    ChatError,
    ContentFilterError,
    ContextWindowExceededError,
    InvalidRequestError,
    ModelNotFoundError,
    OverloadedError,
    ProtocolError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
    StreamInterruptedError,
    UnsupportedFeatureError,
)
from app.domain.messages import AIMessage

# The status that goes with a code: Anthropic's types, OpenAI's, Google's, AWS's, llama.cpp's. Lower case.
STATUS_OF_CODE = {
    "invalid_request_error": 400, "invalid_argument": 400, "failed_precondition": 400, "invalid_request": 400,
    "validationexception": 400, "servicequotaexceededexception": 400, "exceed_context_size_error": 400,
    "context_length_exceeded": 400, "tool_use_failed": 400, "not_supported_error": 501,
    "content_filter": 400, "content_policy_violation": 400, "unsupported_parameter": 400, "unsupported_value": 400,
    "authentication_error": 401, "unauthenticated": 401, "invalid_api_key": 401, "unrecognizedclientexception": 401,
    "expiredtokenexception": 401, "billing_error": 402,
    "permission_error": 403, "permission_denied": 403, "accessdeniedexception": 403,
    "not_found_error": 404, "not_found": 404, "model_not_found": 404, "resourcenotfoundexception": 404,
    "modeltimeoutexception": 408, "request_too_large": 413, "modelerrorexception": 424,
    "rate_limit_error": 429, "rate_limit_exceeded": 429, "insufficient_quota": 429, "resource_exhausted": 429,
    "throttlingexception": 429, "modelnotreadyexception": 429, "too_many_requests": 429,
    "api_error": 500, "server_error": 500, "internal": 500, "internal_server_error": 500, "internalservererror": 500,
    "internalserverexception": 500, "modelstreamerrorexception": 500,
    "unavailable": 503, "unavailable_error": 503, "serviceunavailableexception": 503,
    "timeout_error": 504, "deadline_exceeded": 504, "overloaded_error": 529,
}  # fmt: skip

_CONTEXT_CODES = {"context_length_exceeded", "exceed_context_size_error", "model_context_window_exceeded"}
_CONTEXT_WORDS = re.compile(
    r"maximum context length|reduce the length|context window|context[ _]length|context size|input is too long"
    r"|prompt is too long|input token count .*exceeds|too many (?:input )?tokens"
    r"|exceeds? the (?:model'?s? )?(?:maximum|max)[\w ]* tokens?",
    re.IGNORECASE,
)
_FILTER_CODES = {"content_filter", "content_policy_violation", "responsibleaipolicyviolation", "moderation"}
_FILTER_WORDS = re.compile(r"content (?:management )?policy|content filter|usage polic|safety system", re.IGNORECASE)
_QUOTA_CODES = {"insufficient_quota", "billing_error", "quota_per_day", "billing_hard_limit_reached"}
# Not "exceeded your current quota": Google says so for the limit of a minute, too.
_QUOTA_WORDS = re.compile(r"credit balance|insufficient (?:credit|balance|funds)|out of credits", re.IGNORECASE)
_KEY_CODES = {"api_key_invalid", "invalid_api_key", "unrecognizedclientexception", "expiredtokenexception"}
_KEY_WORDS = re.compile(
    r"api[ _-]?key (?:is )?(?:not valid|invalid|expired)|(?:invalid|incorrect) api[ _-]?key", re.IGNORECASE
)
_MODEL_CODES = {"model_not_found", "model_not_available"}
_MODEL_WORDS = re.compile(
    r"\bmodels?\b.{0,120}(?:not found|does not exist|doesn't exist|not exist|is invalid|unknown|not available)"
    r"|(?:no such|unknown|invalid) model|model identifier is invalid|is not a valid model",
    re.IGNORECASE,
)
_FEATURE_CODES = {"unsupported_parameter", "unsupported_value", "unsupported_feature", "not_supported_error"}
_FEATURE_WORDS = re.compile(
    r"does not support|doesn't support|(?:is|are) not supported|not support (?:image|tool|the)|unsupported"
    r"|mmproj|requires --jinja|is incompatible with",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Origin:
    """Who failed, in words for the user.

    ``key_hint`` names where its key comes from, e.g. ``OPENAI_API_KEY``; ``model_hint`` says how to get a model.
    """

    provider: str
    label: str
    model: str = ""
    key_hint: str = ""
    model_hint: str = ""


def chat_error(report: ErrorReport, origin: Origin, partial: AIMessage | None = None) -> ChatError:
    """The error to raise for ``report``. Its text says what to do in plain words and quotes the provider's."""
    if report.status is None:
        report = replace(report, status=_status_by_code(report))
    kind = classify(report)
    return kind(
        _explain(kind, report, origin),
        provider=origin.provider,
        model=origin.model,
        status=report.status,
        code=report.codes[0] if report.codes else None,
        request_id=report.request_id,
        retry_after=report.retry_after,
        body=report.body or None,
        partial=partial,
        should_retry=report.should_retry,
    )


def interrupted(origin: Origin) -> StreamInterruptedError:
    """The error of a stream that ended without being finished."""
    return StreamInterruptedError(
        f"{origin.label} broke off in the middle of the answer. Try again.",
        provider=origin.provider,
        model=origin.model,
    )


def malformed(origin: Origin) -> ProtocolError:
    """The error of an event that is no object."""
    return ProtocolError(
        f"{origin.label} sent an event that can't be understood. Is the address that of a chat model?",
        provider=origin.provider,
        model=origin.model,
    )


def _status_by_code(report: ErrorReport) -> int:
    return next((STATUS_OF_CODE[code] for code in report.codes if code in STATUS_OF_CODE), 500)


def classify(report: ErrorReport) -> type[ChatError]:
    """The class of an error whose status is known."""
    status = report.status or 500
    for kind, statuses, codes, words in _SPECIAL:
        if statuses(status) and (codes.intersection(report.codes) or words.search(report.message)):
            return kind
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status >= 500:
        return ServerError
    return APIStatusError


def _rejected(status: int) -> bool:
    return status in (400, 404, 413, 422)


def _not_busy(status: int) -> bool:
    return status < 500 and status != 429


_SPECIAL: tuple[tuple[type[ChatError], Callable[[int], bool], set[str], re.Pattern[str]], ...] = (
    (QuotaExceededError, lambda status: status in (400, 402, 403, 429), _QUOTA_CODES, _QUOTA_WORDS),
    (ContextWindowExceededError, lambda status: status in (400, 413, 422, 500), _CONTEXT_CODES, _CONTEXT_WORDS),
    (ContentFilterError, lambda status: status in (400, 403), _FILTER_CODES, _FILTER_WORDS),
    (AuthenticationError, _not_busy, _KEY_CODES, _KEY_WORDS),
    (ModelNotFoundError, _rejected, _MODEL_CODES, _MODEL_WORDS),
    (UnsupportedFeatureError, lambda status: status in (400, 404, 422, 500, 501), _FEATURE_CODES, _FEATURE_WORDS),
)

_BY_STATUS: dict[int, type[ChatError]] = {
    400: InvalidRequestError, 401: AuthenticationError, 402: QuotaExceededError, 403: AuthenticationError,
    404: ModelNotFoundError, 413: InvalidRequestError, 422: InvalidRequestError, 424: ServerError,
    429: RateLimitError, 503: OverloadedError, 529: OverloadedError,
}  # fmt: skip


def _explain(kind: type[ChatError], report: ErrorReport, origin: Origin) -> str:
    said = f" It said: {report.message}" if report.message else ""
    return f"{_headline(kind, report, origin)}{said}"


def _headline(kind: type[ChatError], report: ErrorReport, origin: Origin) -> str:
    who, model = origin.label, origin.model or "the model"
    if kind is RateLimitError:
        wait = f" Wait {report.retry_after:.0f} s." if report.retry_after else " Wait a little and try again."
        return f"{who} gets too many requests from this account.{wait}"
    if kind is AuthenticationError and report.status == 403:
        return f"{who} doesn't let this key use {model} (403). Check what the key may do.{_key_hint(origin)}"
    headlines = {
        AuthenticationError: f"{who} doesn't accept the key ({report.status}).{_key_hint(origin) or ' Check the key.'}",
        QuotaExceededError: f"The account at {who} is empty or its quota is used up. Check its plan and billing.",
        ContextWindowExceededError: f"Question, passages and history are too long for {model}. Ask with fewer "
        "passages, start a new chat, or choose a model with a larger context.",
        ContentFilterError: f"{who} refused this question or its answer by its content rules. Put it differently.",
        ModelNotFoundError: f"{who} doesn't know {model}. "
        f"{origin.model_hint or 'Check the name of the model, and the address if it is not the usual one.'}",
        UnsupportedFeatureError: f"{model} can't do what was asked for.",
        InvalidRequestError: f"{who} says that the request is wrong ({report.status}).",
        OverloadedError: f"{who} has too much to do or is still loading the model ({report.status}). Try again soon.",
    }
    if kind in headlines:
        return headlines[kind]
    return f"{who} failed ({report.status}). Try again; if it stays, look at the provider's status page."


def _key_hint(origin: Origin) -> str:
    return f" Check the key in the settings or in {origin.key_hint}." if origin.key_hint else ""
