"""What all decoders share."""

from __future__ import annotations

from collections.abc import Iterable

from app.chat_models.wire.error_map import Origin, malformed
from app.chat_models.wire.frames import Frame
from app.domain.chat_errors import ChatError
from app.domain.messages import AIMessageChunk


class FrameDecoder:
    """Base of the decoders: a document of another shape than the protocol's becomes a ``ProtocolError``.

    Decoders read what comes from outside as if it had the right shape; what it lacks shows as one of the errors that
    are caught here.
    """

    def __init__(self, origin: Origin) -> None:
        self._origin = origin

    def feed(self, frame: Frame) -> list[AIMessageChunk]:
        """The chunks that ``frame`` brings. Raises the ``ChatError`` of an error frame, or ``ProtocolError``."""
        try:
            return list(self._take_frame(frame))
        except ChatError:
            raise
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            raise malformed(self._origin) from error

    def _take_frame(self, frame: Frame) -> Iterable[AIMessageChunk]:
        raise NotImplementedError
