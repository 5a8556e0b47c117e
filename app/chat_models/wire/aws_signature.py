"""AWS Signature Version 4 (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote, urlsplit

from app.domain.secrets import SecretStr

_ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class AwsCredentials:
    """A key pair, and the token that comes with a temporary one."""

    access_key: str
    secret_key: SecretStr
    session_token: SecretStr | None = None


@dataclass(frozen=True, slots=True)
class AwsScope:
    """What a signature is good for."""

    region: str
    service: str


def signed_headers(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    credentials: AwsCredentials,
    scope: AwsScope,
    now: datetime,
) -> dict[str, str]:
    """The headers to add to a request so that it is signed. ``url`` is as it goes over the wire, already quoted.

    Signs ``host``, ``x-amz-*`` and all of ``headers``. ``now`` is an aware time.
    """
    stamp = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    added = {"x-amz-date": stamp}
    if credentials.session_token is not None:
        added["x-amz-security-token"] = credentials.session_token.get_secret_value()
    to_sign = {"host": urlsplit(url).netloc, **{name.lower(): value for name, value in headers.items()}, **added}
    names = ";".join(sorted(to_sign))
    request = _canonical_request(method, url, to_sign, names, body)
    scope_text = f"{stamp[:8]}/{scope.region}/{scope.service}/aws4_request"
    text = "\n".join([_ALGORITHM, stamp, scope_text, hashlib.sha256(request.encode()).hexdigest()])
    signature = hmac.new(_signing_key(credentials, stamp[:8], scope), text.encode(), hashlib.sha256).hexdigest()
    added["authorization"] = (
        f"{_ALGORITHM} Credential={credentials.access_key}/{scope_text}, SignedHeaders={names}, Signature={signature}"
    )
    return added


def _canonical_request(method: str, url: str, headers: Mapping[str, str], names: str, body: bytes) -> str:
    parts = urlsplit(url)
    # The path is quoted a second time: every service but S3 wants "%3A" to be signed as "%253A".
    path = quote(parts.path or "/", safe="/-_.~")
    query = "&".join(
        f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}"
        for name, value in sorted(parse_qsl(parts.query, keep_blank_values=True))
    )
    header_lines = "".join(f"{name}:{' '.join(headers[name].split())}\n" for name in sorted(headers))
    return "\n".join([method, path, query, header_lines, names, hashlib.sha256(body).hexdigest()])


def _signing_key(credentials: AwsCredentials, date: str, scope: AwsScope) -> bytes:
    key = f"AWS4{credentials.secret_key.get_secret_value()}".encode()
    for part in (date, scope.region, scope.service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key
