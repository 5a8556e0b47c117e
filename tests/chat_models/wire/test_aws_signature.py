"""AWS signatures against values that botocore 1.44 computes for the same requests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from app.chat_models.wire.aws_signature import AwsCredentials, AwsScope, signed_headers
from app.domain.secrets import SecretStr

SECRET = SecretStr("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
NOW = datetime(2026, 3, 1, 12, 30, 5, tzinfo=UTC)
SCOPE = AwsScope("us-east-1", "bedrock")
HOST = "https://bedrock-runtime.us-east-1.amazonaws.com"


@pytest.mark.requirement("B2")
def test_signature_of_a_quoted_model_id() -> None:
    url = f"{HOST}/model/anthropic.claude-3-5-sonnet-20240620-v1%3A0/converse-stream"
    headers = signed_headers(
        "POST",
        url,
        {"Content-Type": "application/json"},
        b'{"messages":[]}',
        AwsCredentials("AKIDEXAMPLE", SECRET),
        SCOPE,
        NOW.astimezone(timezone(timedelta(hours=5))),
    )
    assert headers == {
        "x-amz-date": "20260301T123005Z",
        "authorization": "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260301/us-east-1/bedrock/aws4_request, "
        "SignedHeaders=content-type;host;x-amz-date, "
        "Signature=ea660a24f72a5e417600c1b1b5996c3ac5898a9c83abf365716726816f52c55d",
    }


def test_signature_with_a_session_token_a_query_and_spaces() -> None:
    model = "arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Ainference-profile%2Fx"
    headers = signed_headers(
        "POST",
        f"{HOST}/model/{model}/converse-stream?b=2&a=1%20x",
        {"Content-Type": "application/json", "X-Custom": "  two   words "},
        '{"t":"é"}'.encode(),
        AwsCredentials("AKIDEXAMPLE", SECRET, SecretStr("TOKEN/abc==")),
        SCOPE,
        NOW,
    )
    assert headers["x-amz-security-token"] == "TOKEN/abc=="
    assert headers["authorization"].endswith(
        "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-custom, "
        "Signature=c64d970e1df8594999425c30412cbe55c8381c2672398f7bd9b0e19966bbea29"
    )


@pytest.mark.requirement("B31")
def test_credentials_do_not_show_their_secrets() -> None:
    credentials = AwsCredentials("AKIDEXAMPLE", SECRET, SecretStr("TOKEN/abc=="))
    assert "wJalr" not in repr(credentials)
    assert "TOKEN" not in repr(credentials)
