"""A model behind a wire protocol: codec and transport put together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, Protocol

from app.chat_models.call import DEFAULT_TIMEOUTS, NO_OVERRIDES, Call, PrefillStyle, Timeouts
from app.chat_models.codec import Codec, WireRequest
from app.chat_models.loop_thread import closing
from app.chat_models.model import ChatModel, OutputMethod
from app.chat_models.profiles import ModelProfile
from app.chat_models.token_estimate import estimate_prompt, estimate_tokens
from app.chat_models.wire.frames import Frame
from app.domain.chat_errors import ChatError
from app.domain.messages import Accumulator, AIMessageChunk, Message, Usage


class Transport(Protocol):
    """Sends requests to one server and hands back the frames of the answers. Owns base URL and secrets."""

    @property
    def base_url(self) -> str:
        """Where requests go, without trailing slash and without secrets."""

    def frames(self, request: WireRequest, timeouts: Timeouts, errors: Codec) -> AsyncIterator[Frame]:
        """Send ``request`` and yield frames as they arrive; closing the iterator closes the connection.

        Raises ``APIConnectionError``, ``APITimeoutError``, ``ProtocolError``, and ``errors.error(…)`` for an error
        status. Nothing of a message is ever free of redaction: secrets never stand in errors.
        """


class ProviderModel(ChatModel):
    """A chat model that speaks a wire protocol over HTTP."""

    codec: Codec
    """Turns calls into requests and frames into chunks."""
    transport: Transport
    """Carries them."""
    timeouts: Timeouts = DEFAULT_TIMEOUTS
    """Limits of the transport, unless the call sets them itself."""
    profiles: Callable[[str], ModelProfile | None] | None = None
    """Finds the profile of a model of this provider."""
    output_forms: tuple[OutputMethod, ...] = ("json_schema", "tool", "json_mode", "xml")
    """The ways in which the protocol can ask for structured output, best first."""

    async def _astream(self, messages: Sequence[Message], call: Call) -> AsyncIterator[AIMessageChunk]:
        decoder = self.codec.decoder(call)
        request = self.codec.request(messages, call)
        total = Accumulator()
        try:
            frames = self.transport.frames(request, call.timeouts or self.timeouts, self.codec)
            async with closing(frames):
                async for frame in frames:
                    for chunk in decoder.feed(frame):
                        total.add(chunk)
                        yield chunk
            for chunk in decoder.finish():
                total.add(chunk)
                yield chunk
        except ChatError as error:
            error.provider = error.provider or self.provider
            error.model = error.model or call.model
            raise
        if total.usage is None:
            output = total.message()
            counted = Usage(estimate_prompt(messages), estimate_tokens(output.text + output.reasoning), estimated=True)
            yield AIMessageChunk(usage=counted)

    @property
    def provider(self) -> str:
        """The provider's name."""
        return self.codec.provider

    @property
    def _llm_type(self) -> str:
        return f"{self.codec.provider}-chat"

    @property
    def _identifying_params(self) -> Mapping[str, Any]:
        return {"model_name": self.model, "provider": self.provider, "base_url": self.transport.base_url}

    def unsupported(self, call: Call) -> frozenset[str]:
        """What profile or protocol have no place for."""
        return super().unsupported(call) | self.codec.unsupported

    def prefill_style(self, call: Call) -> PrefillStyle:
        """As the codec knows it."""
        return self.codec.prefill_style(call)

    def output_methods(self) -> tuple[OutputMethod, ...]:
        """The protocol's ways that the model's profile allows; all of them for a model that isn't known."""
        profile = self.profile_of(self.resolve(NO_OVERRIDES))
        if profile is None:
            return self.output_forms
        refused = set()
        if not profile.capabilities.structured_output:
            refused.add("json_schema")
        if not profile.capabilities.tool_call:
            refused.add("tool")
        return tuple(form for form in self.output_forms if form not in refused) or ("xml",)

    def profile_of(self, call: Call) -> ModelProfile | None:
        """The profile of the called model."""
        if self.profile is not None and call.model in ("", self.model):
            return self.profile
        return self.profiles(call.model or self.model) if self.profiles else None
