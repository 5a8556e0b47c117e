"""What a provider says about an error, read from whatever it answered into one form."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from app.chat_models.wire.frames import try_json

_BODY_CHARACTERS = 4000
_MESSAGE_CHARACTERS = 600
_REQUEST_ID_HEADERS = ("x-request-id", "request-id", "x-amzn-requestid", "x-groq-request-id", "cf-ray")
_RETRY_IN_WORDS = re.compile(
    r"(?:try again|retry) (?:in|after) (\d+(?:\.\d+)?) ?(ms|milliseconds|s\b|seconds)", re.IGNORECASE
)
_MARKUP = re.compile(r"<(?:script|style).*?</(?:script|style)>|<[^>]+>", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class ErrorReport:
    """An error in the provider's words.

    ``codes`` are all machine-readable names it gave (code, type, status name), lower case. ``retry_after`` in seconds.
    """

    message: str
    status: int | None = None
    codes: tuple[str, ...] = ()
    request_id: str | None = None
    retry_after: float | None = None
    should_retry: bool | None = None
    body: str = ""

    def without(self, secrets: Iterable[str]) -> ErrorReport:
        """The same report with every secret replaced by ``***``: some servers repeat the key they were sent."""
        message, body = self.message, self.body
        for secret in secrets:
            if len(secret) >= 4:
                message, body = message.replace(secret, "***"), body.replace(secret, "***")
        return replace(self, message=message, body=body)


def report_of_response(
    status: int, headers: Mapping[str, str], body: bytes, now: datetime | None = None
) -> ErrorReport:
    """The report of an answer with an error status. ``headers`` has lower-case names."""
    is_json, document = try_json(body)
    text = body.decode("utf-8", "replace")
    report = report_of_document(document if is_json else text)
    codes = report.codes
    if kind := headers.get("x-amzn-errortype", ""):
        codes = (kind.split(":")[0].lower(), *codes)
    retry = headers.get("x-should-retry", "").lower()
    return replace(
        report,
        status=status,
        codes=codes,
        request_id=next((headers[name] for name in _REQUEST_ID_HEADERS if name in headers), report.request_id),
        retry_after=_retry_after(headers, now or datetime.now(UTC)) or report.retry_after,
        should_retry={"true": True, "false": False}.get(retry),
        body=text[:_BODY_CHARACTERS],
    )


def report_of_document(document: object) -> ErrorReport:
    """The report in an error document, before or inside a stream. Takes every shape that providers use."""
    original = document
    request_id: str | None = None
    if isinstance(document, list) and document:
        document = document[0]
    outer = document if isinstance(document, Mapping) else {}
    if isinstance(outer.get("request_id"), str):
        request_id = outer["request_id"]
    for name in ("error", "errors", "detail"):
        if outer.get(name):
            document = outer[name]
            break
    if isinstance(document, list) and document:
        document = document[0]
    inner = document if isinstance(document, Mapping) else {}
    message = _message(document, outer)
    return ErrorReport(
        message=_shorten(message),
        status=_status(inner, outer),
        codes=tuple(_codes(inner, outer)),
        request_id=request_id,
        retry_after=_retry_delay(inner) or _delay_in_words(message),
        body=str(original)[:_BODY_CHARACTERS],
    )


def _message(document: object, outer: Mapping[str, Any]) -> str:
    if isinstance(document, str):
        return document
    inner = document if isinstance(document, Mapping) else {}
    for source in (inner, outer):
        for name in ("message", "msg", "Message", "error_message", "detail", "error"):
            if isinstance(source.get(name), str) and source[name]:
                return _with_raw(source[name], source)
    return str(document) if document else ""


def _with_raw(message: str, error: Mapping[str, Any]) -> str:
    """OpenRouter says only "Provider returned error"; what the provider said stands in the metadata."""
    metadata = error.get("metadata")
    raw = metadata.get("raw") if isinstance(metadata, Mapping) else None
    return f"{message}: {raw}" if isinstance(raw, str) and raw else message


def _shorten(message: str) -> str:
    plain = " ".join(_MARKUP.sub(" ", message).split())
    return plain if len(plain) <= _MESSAGE_CHARACTERS else plain[: _MESSAGE_CHARACTERS - 1] + "…"


def _status(inner: Mapping[str, Any], outer: Mapping[str, Any]) -> int | None:
    for source in (inner, outer):
        for name in ("status_code", "code", "status", "http_code"):
            value = source.get(name)
            if isinstance(value, str) and value.isdigit():
                value = int(value)
            if isinstance(value, int) and 400 <= value <= 599:
                return value
    return None


def _codes(inner: Mapping[str, Any], outer: Mapping[str, Any]) -> Iterable[str]:
    for source in (inner, outer):
        for name in ("code", "type", "status"):
            value = source.get(name)
            if isinstance(value, str) and value and not value.isdigit() and value != "error":
                yield value.lower()
    for detail in inner.get("details") or []:
        if isinstance(detail, Mapping):
            yield from _detail_codes(detail)
    innererror = inner.get("innererror")
    if isinstance(innererror, Mapping) and isinstance(innererror.get("code"), str):
        yield innererror["code"].lower()
    metadata = inner.get("metadata")
    if isinstance(metadata, Mapping) and metadata.get("reasons"):
        yield "moderation"


def _detail_codes(detail: Mapping[str, Any]) -> Iterable[str]:
    """Google's details: ``ErrorInfo.reason`` and, for a used-up day, ``QuotaFailure``."""
    if isinstance(detail.get("reason"), str):
        yield detail["reason"].lower()
    for violation in detail.get("violations") or []:
        if isinstance(violation, Mapping) and "PerDay" in str(violation.get("quotaId", "")):
            yield "quota_per_day"


def _retry_delay(inner: Mapping[str, Any]) -> float | None:
    """Google's ``RetryInfo``: ``"retryDelay": "12s"``."""
    for detail in inner.get("details") or []:
        delay = detail.get("retryDelay") if isinstance(detail, Mapping) else None
        if isinstance(delay, str) and delay.endswith("s"):
            return _number(delay[:-1])
    return None


def _delay_in_words(message: str) -> float | None:
    found = _RETRY_IN_WORDS.search(message)
    if not found:
        return None
    return float(found[1]) / (1000 if found[2].lower().startswith("m") else 1)


def _retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds to wait: ``retry-after-ms``, else ``retry-after`` as seconds or as a date (RFC 9110, 10.2.3)."""
    milliseconds = _number(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return milliseconds / 1000
    value = headers.get("retry-after", "")
    seconds = _number(value)
    if seconds is not None or not value:
        return seconds
    try:
        return max(0.0, (parsedate_to_datetime(value).astimezone(UTC) - now).total_seconds())
    except ValueError:
        return None


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 <= number < float("inf") else None
