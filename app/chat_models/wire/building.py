"""Building models of wire protocols: what all providers' files share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.chat_models.call import DEFAULT_TIMEOUTS, LOCAL_TIMEOUTS, Call, Timeouts
from app.chat_models.codec import Codec, Framing, WireRequest
from app.chat_models.loop_thread import closing
from app.chat_models.model import OutputMethod
from app.chat_models.provider import ModelRequest
from app.chat_models.provider_model import ProviderModel
from app.chat_models.wire.auth import Auth, KeyAuth
from app.chat_models.wire.connection_errors import Server
from app.chat_models.wire.image_fetching import with_image_bytes
from app.chat_models.wire.transport import HttpTransport
from app.domain.chat_errors import ChatInputError, ProtocolError
from app.domain.messages import AIMessageChunk, Message
from app.network.http import HttpFactory, is_loopback


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where and how a provider is reached."""

    server: Server
    auth: Auth
    codec: Codec

    def transport(self, http: HttpFactory) -> HttpTransport:
        """The transport to it."""
        return HttpTransport(self.server, self.auth, http)


class FetchingModel(ProviderModel):
    """A model whose server takes images as bytes only: those given by address are fetched first."""

    http: HttpFactory
    """Makes the clients that fetch."""

    async def _astream(self, messages: Sequence[Message], call: Call) -> AsyncIterator[AIMessageChunk]:
        inlined = await with_image_bytes(messages, self.http, call.timeouts or self.timeouts)
        async with closing(super()._astream(inlined, call)) as chunks:
            async for chunk in chunks:
                yield chunk


def build_model(
    request: ModelRequest,
    endpoint: Endpoint,
    *,
    fetches_images: bool = False,
    output_forms: Sequence[OutputMethod] | None = None,
) -> ProviderModel:
    """The model that ``request`` asks for at ``endpoint``.

    ``fetches_images`` fetches images by address for a server that can't; ``output_forms`` are the ways to structured
    output that the protocol has, all of them where None.
    """
    address = endpoint.server.address
    kept = {"base_url": request.base_url} if request.base_url else {}
    fields: dict[str, Any] = {
        "model": request.model,
        "defaults": request.defaults,
        "codec": endpoint.codec,
        "transport": endpoint.transport(request.http),
        "timeouts": request.timeouts or default_timeouts(address),
        "profiles": request.profile_of,
        "loop": request.loop,
        "origin": {**kept, **request.options},
    }
    if output_forms is not None:
        fields["output_forms"] = tuple(output_forms)
    return FetchingModel(http=request.http, **fields) if fetches_images else ProviderModel(**fields)


def default_timeouts(address: str) -> Timeouts:
    """Limits for a server: one on this machine may be silent for minutes while it reads a long prompt."""
    return LOCAL_TIMEOUTS if is_loopback(address) else DEFAULT_TIMEOUTS


def option(request: ModelRequest, name: str, variables: Sequence[str] = (), default: str = "") -> str:
    """An option of the provider as text: as the caller gave it, from the environment, or its default."""
    if name in request.options:
        return str(request.options[name])
    for variable in variables:
        if value := request.keys.variable(variable):
            return value
    return default


def check_options(request: ModelRequest, label: str, known: Sequence[str] = ()) -> None:
    """Raise ``ChatInputError`` for an option that the provider doesn't know."""
    for name in request.options:
        if name not in known:
            names = f"Its options are {', '.join(known)}. " if known else ""
            raise ChatInputError(
                f"{label} has no option {name!r}. {names}Pass fields of the request itself in options={{…}}.",
                provider=request.provider,
            )


def address_of(request: ModelRequest, variables: Sequence[str], default: str, label: str) -> str:
    """The base URL: the caller's, the environment's, or the provider's own. ``ChatInputError`` if there is none."""
    for value in (request.base_url, *(request.keys.variable(name) for name in variables), default):
        if value:
            return value.rstrip("/")
    where = f" or set {variables[0]}" if variables else ""
    raise ChatInputError(f"{label} has no address of its own. Pass base_url=…{where}.", provider=request.provider)


def key_auth(
    request: ModelRequest, label: str, variables: Sequence[str], address: str, *, header: str = "authorization",
    needed: bool = True,
) -> KeyAuth:  # fmt: skip
    """The key of the provider. Raises ``AuthenticationError`` without one, unless the server is on this machine."""
    if request.api_key is not None:
        return KeyAuth(request.api_key, header)
    if needed and not is_loopback(address):
        return KeyAuth(request.keys.require(request.provider, label, variables).key, header)
    found = request.keys.find(request.provider, variables)
    return KeyAuth(found.key if found else None, header)


async def ask_json(
    request: ModelRequest, endpoint: Endpoint, path: str, headers: Mapping[str, str] | None = None
) -> Mapping[str, Any]:
    """What the server answers to a plain request. Raises ``ChatError``s, ``ProtocolError`` if it is no object."""
    transport = endpoint.transport(request.http)
    timeouts = request.timeouts or DEFAULT_TIMEOUTS
    wire = WireRequest(path, method="GET", headers=headers or {}, framing=Framing.JSON)
    async with closing(transport.frames(wire, timeouts, endpoint.codec)) as frames:
        documents = [frame.data async for frame in frames]
    if len(documents) == 1 and isinstance(documents[0], dict):
        return documents[0]
    raise ProtocolError(
        f"{endpoint.server.label} at {endpoint.server.address} answered something else than was asked. Check the "
        "address.",
        provider=request.provider,
    )


def names_in(document: Mapping[str, Any], group: str, field: str) -> list[str]:
    """The texts of ``field`` in the list ``group``, sorted."""
    items = document.get(group)
    return sorted(
        str(item[field])
        for item in (items if isinstance(items, list) else ())
        if isinstance(item, dict) and item.get(field)
    )
