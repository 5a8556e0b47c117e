"""Images by address, fetched for servers that take bytes only."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from app.chat_models.call import Timeouts
from app.domain.chat_errors import APITimeoutError, ChatInputError
from app.domain.messages import ImagePart, Message, Part
from app.network.http import HttpFactory

MAX_IMAGE_BYTES = 20 * 1024 * 1024
_SECONDS = 30.0


async def with_image_bytes(messages: Sequence[Message], http: HttpFactory, timeouts: Timeouts) -> list[Message]:
    """``messages`` with the bytes of every image that was given by address.

    Raises ``ChatInputError`` for an address that can't be fetched, is no image, or is larger than 20 MiB.
    """
    return [await _with_bytes(message, http, timeouts) for message in messages]


async def _with_bytes(message: Message, http: HttpFactory, timeouts: Timeouts) -> Message:
    if not any(isinstance(part, ImagePart) and part.url for part in message.parts):
        return message
    parts = [await _inlined(part, http, timeouts) for part in message.parts]
    return replace(message, parts=tuple(parts))


async def _inlined(part: Part, http: HttpFactory, timeouts: Timeouts) -> Part:
    if not isinstance(part, ImagePart) or not part.url:
        return part
    try:
        async with asyncio.timeout(_SECONDS):
            media_type, data = await _fetch(part.url, http, timeouts)
    except TimeoutError as error:
        raise APITimeoutError(f"The image {part.url} took too long. Pass its bytes instead.") from error
    return replace(part, url=None, data=data, media_type=media_type)


async def _fetch(url: str, http: HttpFactory, timeouts: Timeouts) -> tuple[str, bytes]:
    import httpx2

    limits: Any = httpx2.Timeout(timeouts.idle, connect=timeouts.connect)
    try:
        async with http.client(url).stream("GET", url, timeout=limits, follow_redirects=True) as response:
            if response.status_code != 200:
                raise ChatInputError(f"The image {url} can't be fetched: status {response.status_code}.")
            media_type = response.headers.get("content-type", "").split(";")[0].strip().lower()
            if not media_type.startswith("image/"):
                raise ChatInputError(f"{url} is no image but {media_type or 'of unknown type'}.")
            return media_type, await _limited(response, url)
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise ChatInputError(f"The image {url} can't be fetched: {error}. Pass its bytes instead.") from error


async def _limited(response: Any, url: str) -> bytes:
    data = bytearray()
    async for piece in response.aiter_bytes():
        data += piece
        if len(data) > MAX_IMAGE_BYTES:
            raise ChatInputError(f"The image {url} is larger than {MAX_IMAGE_BYTES // 1024**2} MiB. Make it smaller.")
    return bytes(data)
