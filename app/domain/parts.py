"""Parts: what a chat message is made of.

Every part has ``extras``: opaque data of its provider (signatures, passage ids) that travels with it and is sent back
where the provider asks for it. ``index`` is the number of the content block a streamed fragment belongs to; it is only
set on the parts of chunks.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.domain.chat_errors import ChatInputError

Extras = dict[str, Any]


@dataclass(frozen=True, slots=True)
class TextPart:
    """Text."""

    text: str
    index: int | None = None
    extras: Extras = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReasoningPart:
    """Text in which a model thinks before it answers. Signatures and redacted blocks stand in ``extras``."""

    text: str
    index: int | None = None
    extras: Extras = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ImagePart:
    """An image, either by address (``url``) or as bytes (``data`` with its ``media_type``)."""

    url: str | None = None
    data: bytes | None = None
    media_type: str | None = None
    detail: str | None = None
    index: int | None = None
    extras: Extras = field(default_factory=dict)

    @property
    def base64(self) -> str:
        """The bytes in base64, "" for an image by address."""
        return base64.b64encode(self.data or b"").decode("ascii")

    @property
    def data_url(self) -> str:
        """One address for either kind: ``url`` itself, or the bytes as a ``data:`` URL."""
        return self.url or f"data:{self.media_type};base64,{self.base64}"


@dataclass(frozen=True, slots=True)
class FilePart:
    """A file such as a PDF or a sound, by address or as bytes."""

    url: str | None = None
    data: bytes | None = None
    media_type: str | None = None
    name: str | None = None
    index: int | None = None
    extras: Extras = field(default_factory=dict)

    @property
    def base64(self) -> str:
        """The bytes in base64, "" for a file by address."""
        return base64.b64encode(self.data or b"").decode("ascii")


@dataclass(frozen=True, slots=True)
class ToolCallPart:
    """A model's request to call a tool. ``arguments`` is the raw JSON text, as far as it has arrived."""

    id: str = ""
    name: str = ""
    arguments: str = ""
    index: int | None = None
    extras: Extras = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ToolResultPart:
    """What a tool returned for the call ``call_id``; ``name`` is the tool's name where it is known."""

    call_id: str
    text: str
    name: str = ""
    is_error: bool = False
    index: int | None = None
    extras: Extras = field(default_factory=dict)


Part = TextPart | ReasoningPart | ImagePart | FilePart | ToolCallPart | ToolResultPart
Content = str | Part | Sequence[str | Part | Mapping[str, Any]]


def as_parts(content: Content) -> tuple[Part, ...]:
    """The parts of what a caller passed as content: text, one part, or a list of texts, parts and ChatML dicts.

    Raises ``ChatInputError`` for anything else.
    """
    if isinstance(content, str):
        return (TextPart(content),) if content else ()
    if isinstance(content, Part):
        return (content,)
    if not isinstance(content, Sequence) or isinstance(content, (bytes, bytearray)):
        raise ChatInputError(
            f"A message's content must be text or a list of parts, not {type(content).__name__}. Pass a string."
        )
    return tuple(_as_part(each) for each in content)


def _as_part(item: str | Part | Mapping[str, Any]) -> Part:
    if isinstance(item, str):
        return TextPart(item)
    if isinstance(item, Part):
        return item
    if isinstance(item, Mapping):
        return part_from_chatml(item)
    raise ChatInputError(f"A part of a message can't be a {type(item).__name__}. Pass text, a part or a ChatML dict.")


def part_from_chatml(item: Mapping[str, Any]) -> Part:
    """The part that a ChatML content dict stands for: ``{"type": "text"|"image_url"|"file", ...}``.

    Raises ``ChatInputError`` for a type that isn't known and for a damaged ``data:`` URL.
    """
    kind = item.get("type")
    if kind in ("text", "input_text", "output_text"):
        return TextPart(str(item.get("text", "")))
    if kind in ("image_url", "input_image"):
        image = item.get("image_url")
        if isinstance(image, Mapping):
            return image_from_url(str(image.get("url", "")), detail=image.get("detail"))
        return image_from_url(str(image or ""), detail=item.get("detail"))
    if kind == "file":
        return _file_from_chatml(item.get("file"))
    raise ChatInputError(f"Content of type {kind!r} is not known. Use 'text', 'image_url' or 'file'.")


def _file_from_chatml(file: object) -> FilePart:
    if not isinstance(file, Mapping) or not file.get("file_data"):
        raise ChatInputError("A 'file' part needs 'file_data' with a data: URL.")
    media_type, data = split_data_url(str(file["file_data"]))
    return FilePart(data=data, media_type=media_type, name=file.get("filename"))


def image_from_url(url: str, *, detail: str | None = None) -> ImagePart:
    """An image by address; a ``data:`` URL is taken apart into its bytes and media type."""
    if url.startswith("data:"):
        media_type, data = split_data_url(url)
        return ImagePart(data=data, media_type=media_type, detail=detail)
    if not url.startswith(("http://", "https://")):
        raise ChatInputError(f"{url[:80]!r} is no address of an image. Use http(s):// or data:image/…;base64,….")
    return ImagePart(url=url, detail=detail)


def split_data_url(url: str) -> tuple[str, bytes]:
    """Media type and bytes of ``data:TYPE;base64,DATA`` (RFC 2397). Raises ``ChatInputError`` if damaged."""
    head, comma, body = url.partition(",")
    if not comma or not head.startswith("data:") or not head.endswith(";base64"):
        raise ChatInputError("The data: URL is damaged. It must look like data:image/png;base64,….")
    media_type = head.removeprefix("data:").split(";", 1)[0] or "text/plain"
    try:
        return media_type, base64.b64decode(body, validate=True)
    except binascii.Error as error:
        raise ChatInputError(f"The data: URL does not hold valid base64: {error}.") from error
