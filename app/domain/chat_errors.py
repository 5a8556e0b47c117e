"""The family of chat errors.

ChatError (a UserFacingError)
├─ ChatInputError                what the caller passed can't be used; no request was sent (also a ValueError)
├─ APIConnectionError            no answer: refused, DNS, TLS, reset                                   retryable
│  ├─ APITimeoutError (Timeout)  connecting, the first token or the next bytes took too long           retryable
│  └─ StreamInterruptedError     the stream ended without being finished                               retryable
├─ APIStatusError                the server answered with an error
│  ├─ AuthenticationError        401, 403, or no key at all
│  ├─ InvalidRequestError        400, 413, 422
│  │  ├─ ContextWindowExceededError
│  │  └─ UnsupportedFeatureError also raised before a request, where the profile says so
│  ├─ ModelNotFoundError         404, or a 400 that says so
│  ├─ RateLimitError             429                                                                   retryable
│  ├─ QuotaExceededError         402, or a 429 for an empty account
│  └─ ServerError                5xx                                                                   retryable
│     └─ OverloadedError         503, 529                                                              retryable
├─ ContentFilterError            the provider refused prompt or answer
├─ ProtocolError                 the server sent what can't be understood
├─ OutputParserError             the answer isn't in the form that was asked for (``raw`` holds it)
├─ ToolLoopError                 the model kept calling tools
└─ MissingDependencyError        a package is not installed (also an ImportError)

Errors inside a stream have the class and status that they would have had before it. An error is retried only while
nothing of the answer has been handed on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.domain.errors import UserFacingError

if TYPE_CHECKING:
    from app.domain.messages import AIMessage

# Statuses that a second try can change: request timeout, conflict, too many requests and every 5xx.
_RETRYABLE_STATUSES = frozenset({408, 409, 429})


class ChatError(UserFacingError):
    """A chat model could not answer. ``str(error)`` says what happened and what to do, in plain words.

    ``provider`` and ``model`` name who failed, ``status`` is the HTTP status (or the one an in-stream error would have
    had), ``code`` the provider's own code, ``request_id`` its id of the request, ``retry_after`` seconds to wait,
    ``body`` the provider's words (never with keys), ``partial`` what had arrived of the answer. ``should_retry`` is
    the server's own verdict (``x-should-retry``) where it gave one.
    """

    default_retryable = False

    def __init__(
        self,
        message: str,
        *,
        provider: str = "",
        model: str = "",
        status: int | None = None,
        code: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        body: str | None = None,
        partial: AIMessage | None = None,
        should_retry: bool | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.provider = provider
        self.model = model
        self.status = status
        self.code = code
        self.request_id = request_id
        self.retry_after = retry_after
        self.body = body
        self.partial = partial
        self.should_retry = should_retry

    @property
    def retryable(self) -> bool:
        """Whether the same request may succeed later."""
        if self.should_retry is not None:
            return self.should_retry
        return self.default_retryable

    def details(self) -> str:
        """Everything known, several lines, for a report: class, message, provider, status, code, request id, body."""
        facts: list[tuple[str, Any]] = [
            ("provider", self.provider),
            ("model", self.model),
            ("status", self.status),
            ("code", self.code),
            ("request id", self.request_id),
            ("retry after", None if self.retry_after is None else f"{self.retry_after:g} s"),
            ("body", self.body),
        ]
        lines = [f"{type(self).__name__}: {self.message}"]
        return "\n".join(lines + [f"  {name}: {value}" for name, value in facts if value not in (None, "")])


class ChatInputError(ChatError, ValueError):
    """What the caller passed can't be used. Nothing was sent."""


class APIConnectionError(ChatError):
    """The server gave no (whole) answer."""

    default_retryable = True


class APITimeoutError(APIConnectionError):
    """Connecting, the first token or the next bytes took too long."""


Timeout = APITimeoutError


class StreamInterruptedError(APIConnectionError):
    """The stream ended without finish reason or terminator. ``partial`` holds what had arrived."""


class APIStatusError(ChatError):
    """The server answered with an error status, or with an error inside a 200."""

    @property
    def retryable(self) -> bool:
        """Whether the same request may succeed later."""
        if self.should_retry is not None:
            return self.should_retry
        return self.default_retryable or self.status in _RETRYABLE_STATUSES or (self.status or 0) >= 500


class AuthenticationError(APIStatusError):
    """There is no key, or the provider refuses it."""


class InvalidRequestError(APIStatusError):
    """The provider says that the request is wrong."""

    @property
    def retryable(self) -> bool:
        """Never: the same request stays wrong, whatever status it came with."""
        return False


class ContextWindowExceededError(InvalidRequestError):
    """Question, passages and history together are longer than the model can take."""


class UnsupportedFeatureError(InvalidRequestError):
    """The model can't do what was asked for (images, tools, prefill …)."""


class ModelNotFoundError(APIStatusError):
    """The provider doesn't know the model, or it has not been pulled."""

    @property
    def retryable(self) -> bool:
        """Never: a model doesn't appear by asking again."""
        return False


class RateLimitError(APIStatusError):
    """Too many requests or tokens in a short time. ``retry_after`` says how long to wait where known."""

    default_retryable = True


class QuotaExceededError(APIStatusError):
    """The account is empty or its quota used up; waiting does not help."""

    @property
    def retryable(self) -> bool:
        """Never: only the account's owner can change this."""
        return False


class ServerError(APIStatusError):
    """The provider failed."""

    default_retryable = True


class OverloadedError(ServerError):
    """The provider has too much to do, or is still loading the model."""


class ContentFilterError(ChatError):
    """The provider refused the question or the answer."""


class ProtocolError(ChatError):
    """The server sent something that can't be understood."""


class OutputParserError(ChatError):
    """The answer isn't in the form that was asked for. ``raw`` is the text as the model gave it."""

    def __init__(self, message: str, *, raw: str = "", **facts: Any) -> None:
        super().__init__(message, **facts)
        self.raw = raw


class ToolLoopError(ChatError):
    """The model called tools again and again until the limit of rounds."""


class MissingDependencyError(ChatError, ImportError):
    """A package that this provider needs is not installed."""
