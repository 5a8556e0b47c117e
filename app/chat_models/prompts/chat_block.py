"""ChatBlock: short ways to write messages with media, as ChatML dicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Media = Mapping[str, Any]


class ChatBlock:
    """Builds ChatML dicts::

    ChatBlock.user("Compare these", media=[ChatBlock.image(first), ChatBlock.image(second)])
    """

    @staticmethod
    def user(text: str, media: Media | Sequence[Media] | None = None) -> dict[str, Any]:
        """A user's message: plain text, or the text followed by the media."""
        if media is None:
            return {"role": "user", "content": text}
        items = [media] if isinstance(media, Mapping) else list(media)
        return {"role": "user", "content": [{"type": "text", "text": text}, *items]}

    @staticmethod
    def system(text: str) -> dict[str, Any]:
        """A system message."""
        return {"role": "system", "content": text}

    @staticmethod
    def assistant(text: str) -> dict[str, Any]:
        """An answer of the model."""
        return {"role": "assistant", "content": text}

    @staticmethod
    def image(url: str, detail: str | None = None) -> dict[str, Any]:
        """An image by http(s) address or ``data:`` URL."""
        image = {"url": url} if detail is None else {"url": url, "detail": detail}
        return {"type": "image_url", "image_url": image}
