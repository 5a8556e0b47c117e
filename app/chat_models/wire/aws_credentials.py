"""Where the credentials of an AWS account come from: the environment, else the file that AWS's own tools keep."""

from __future__ import annotations

import configparser
from collections.abc import Callable
from pathlib import Path

from app.chat_models.wire.aws_signature import AwsCredentials
from app.domain.chat_errors import AuthenticationError
from app.domain.secrets import SecretStr, as_secret


def aws_credentials(variable: Callable[[str], str | None], profile: str = "") -> AwsCredentials | None:
    """The credentials in the environment (``variable`` reads it) or of a profile; None where there are none.

    A profile that is named beats the environment. Raises ``AuthenticationError`` for one that doesn't exist.
    """
    access, secret = variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY")
    if access and secret and not profile:
        return AwsCredentials(access, SecretStr(secret), as_secret(variable("AWS_SESSION_TOKEN")))
    path = Path(variable("AWS_SHARED_CREDENTIALS_FILE") or Path.home() / ".aws" / "credentials")
    return _from_file(path, profile or variable("AWS_PROFILE") or "")


def _from_file(path: Path, profile: str) -> AwsCredentials | None:
    parser = configparser.RawConfigParser()
    try:
        parser.read(path, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError) as error:
        raise AuthenticationError(f"The AWS credentials in {path} can't be read: the file is damaged.") from error
    section = profile or "default"
    if not parser.has_section(section):
        if profile:
            raise AuthenticationError(f"There is no AWS profile {profile!r} in {path}. Check its name.")
        return None
    values = parser[section]
    access, secret = values.get("aws_access_key_id"), values.get("aws_secret_access_key")
    if not access or not secret:
        return None
    return AwsCredentials(access, SecretStr(secret), as_secret(values.get("aws_session_token")))
