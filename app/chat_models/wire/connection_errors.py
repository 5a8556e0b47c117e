"""Failures of the connection, in words that say what to do."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.domain.chat_errors import APIConnectionError, APITimeoutError, ChatError, ChatInputError

if TYPE_CHECKING:
    import httpx2


@dataclass(frozen=True, slots=True)
class Server:
    """Whom a transport talks to. ``start_hint`` says how to start a server on this machine."""

    provider: str
    label: str
    address: str
    start_hint: str = ""


def connection_error(error: httpx2.HTTPError | httpx2.InvalidURL, server: Server) -> ChatError:
    """The error to raise for one of the HTTP library's."""
    import httpx2

    if isinstance(error, (httpx2.InvalidURL, httpx2.UnsupportedProtocol)):
        return ChatInputError(
            f"{server.address!r} is no address of a server: {error}. It must look like https://host/v1.",
            provider=server.provider,
        )
    if isinstance(error, (httpx2.ConnectTimeout, httpx2.PoolTimeout)):
        return timeout_error(f"{server.label} at {server.address} could not be reached in time.", server)
    if isinstance(error, httpx2.TimeoutException):
        return timeout_error(f"{server.label} at {server.address} took too long.", server)
    return APIConnectionError(_explain(error, server), provider=server.provider)


def timeout_error(what: str, server: Server) -> APITimeoutError:
    """The error of a limit that was exceeded."""
    return APITimeoutError(f"{what} Try again; a slow server needs a longer time limit.", provider=server.provider)


def _explain(error: Exception, server: Server) -> str:
    import httpx2

    causes = list(_causes(error))
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return f"The secure connection to {server.label} at {server.address} failed: {error}. Check the address and \
the clock of this computer; a company network may need its certificate installed."
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return f"The address {server.address} can't be found. Check it, and the connection to the internet."
    if isinstance(error, httpx2.ProxyError):
        return f"The proxy in front of {server.label} failed: {error}. Check HTTPS_PROXY."
    if isinstance(error, httpx2.ConnectError):
        hint = server.start_hint or "Check the address and the connection to the internet."
        return f"Nothing answers at {server.address}. {hint}"
    return (
        f"The connection to {server.label} at {server.address} broke: {str(error) or type(error).__name__}. Try again."
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
