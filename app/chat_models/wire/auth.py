"""How requests prove who sends them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from app.chat_models.wire.aws_signature import AwsCredentials, AwsScope, signed_headers
from app.domain.secrets import SecretStr

CONTENT_TYPE = "application/json"


class Auth(Protocol):
    """Makes the headers that authenticate a request, and names the secrets that must never be shown."""

    @property
    def secrets(self) -> tuple[SecretStr, ...]:
        """What must not stand in errors and logs."""

    def headers(self, method: str, url: str, body: bytes) -> Mapping[str, str]:
        """The headers to add to a request."""


@dataclass(frozen=True, slots=True)
class KeyAuth:
    """A key in a header: ``Authorization: Bearer KEY``, or the key alone in another header. No key, no header."""

    key: SecretStr | None = None
    header: str = "authorization"

    @property
    def secrets(self) -> tuple[SecretStr, ...]:
        """The key."""
        return (self.key,) if self.key else ()

    def headers(self, method: str, url: str, body: bytes) -> Mapping[str, str]:
        """The header with the key."""
        if not self.key:
            return {}
        value = self.key.get_secret_value()
        return {self.header: f"Bearer {value}" if self.header == "authorization" else value}


@dataclass(frozen=True, slots=True)
class AwsAuth:
    """A signature of AWS. ``clock`` tells the time as an aware datetime."""

    credentials: AwsCredentials
    scope: AwsScope
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    @property
    def secrets(self) -> tuple[SecretStr, ...]:
        """The secret key, and the token of temporary credentials."""
        token = self.credentials.session_token
        return (self.credentials.secret_key, token) if token else (self.credentials.secret_key,)

    def headers(self, method: str, url: str, body: bytes) -> Mapping[str, str]:
        """The signature's headers."""
        signed = {"content-type": CONTENT_TYPE} if body else {}
        return signed_headers(method, url, signed, body, self.credentials, self.scope, self.clock())
