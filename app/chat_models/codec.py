"""What a provider is: a codec, which turns a call into a request and frames into chunks.

A codec does no I/O, so recorded bytes replay straight into it. The transport sends the request, makes frames of the
bytes and feeds them to a decoder; ``ProviderModel`` puts the three together.

What codec and decoder may rely on, because ``ChatModel`` sees to it before they are asked:

- Messages are not empty, have known roles, and tool results carry the id of their call. ``FunctionMessage`` has been
  turned into ``ToolMessage``.
- The call has been checked (ranges, tool names). Parameters that ``Codec.unsupported`` names are None. Images are only
  there when the model's profile allows them.
- ``call.prefilling`` is empty. For a native style the text is the last message, an ``AIMessage`` with
  ``additional_kwargs["prefill"]`` true; for an emulated one it has become an instruction.
- Stop strings are matched again in the text by the caller, who cuts the stream after the match.

What they owe:

- Chunks carry *differences*: text as it arrives, usage such that adding all chunks gives the total.
- ``index`` of a part says which block it belongs to; part kinds have separate numbers. A tool call that comes without
  an id gets one from the decoder, unique within the conversation.
- The provider's own finish word goes to ``response_metadata["finish_reason"]``, its id of the answer to
  ``response_metadata["id"]``. The chunk's ``id`` stays None: it is the run's.
- An error inside the stream is raised by ``feed`` as the ``ChatError`` that it would have been before the stream.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from app.chat_models.call import Call, PrefillStyle
from app.chat_models.wire.frames import Frame
from app.domain.chat_errors import ChatError
from app.domain.messages import AIMessageChunk, Message


class Framing(StrEnum):
    """How the server packs the frames of a streamed answer."""

    SSE = "sse"
    NDJSON = "ndjson"
    EVENT_STREAM = "event_stream"  # application/vnd.amazon.eventstream
    JSON = "json"  # one document: the answer was not asked for as a stream


@dataclass(frozen=True, slots=True)
class WireRequest:
    """A request, without the secrets: the transport adds the headers that authenticate.

    ``path`` is joined to the model's base URL (``base_url`` without trailing slash + ``path``, query included);
    ``json`` is the body, None for none. Null values never stand in it.
    """

    path: str
    json: Mapping[str, Any] | None = None
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)
    framing: Framing = Framing.SSE


class Decoder(Protocol):
    """Makes chunks of the frames of one answer. Stateful; used once."""

    def feed(self, frame: Frame) -> Iterable[AIMessageChunk]:
        """The chunks that ``frame`` brings; usually none or one.

        A frame may also be the whole answer of a request that was not streamed. Unknown frames are ignored. Raises
        the ``ChatError`` of an error frame, ``ProtocolError`` for a document that can't be understood.
        """

    def finish(self) -> Iterable[AIMessageChunk]:
        """The stream has ended: the last chunks.

        Raises ``StreamInterruptedError`` when neither a finish reason nor an explicit terminator was seen. A terminator
        without a reason gives ``finish="unknown"``.
        """


class Codec(Protocol):
    """A wire protocol."""

    @property
    def provider(self) -> str:
        """The provider's name, for errors and events."""

    @property
    def unsupported(self) -> frozenset[str]:
        """Names of ``Call`` fields that the protocol has no place for. They are dropped with one warning."""

    @property
    def reports_stop(self) -> bool:
        """Whether the protocol says which stop string matched, so that the decoder can put it back into the text.

        Where it does not, stop strings are not sent: the text is cut here and the connection closed.
        """

    def prefill_style(self, call: Call) -> PrefillStyle:
        """What the called model does with a trailing assistant message."""

    def request(self, messages: Sequence[Message], call: Call) -> WireRequest:
        """The request. Raises ``UnsupportedFeatureError`` for what the protocol can't say."""

    def decoder(self, call: Call) -> Decoder:
        """A fresh decoder for one answer."""

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> ChatError:
        """The error that a response of ``status`` ≥ 400 means. Header names are lower case."""
