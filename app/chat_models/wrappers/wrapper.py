"""The base of wrappers, and the only way in which models compose."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from app.chat_models.call import Call, PrefillStyle
from app.chat_models.loop_thread import closing
from app.chat_models.model import ChatModel, OutputMethod
from app.domain.messages import AIMessageChunk, Message

if TYPE_CHECKING:
    from app.chat_models.profiles import ModelProfile


class Wrapper(ChatModel):
    """A model around another one. Subclasses override ``_astream`` and read ``self.inner.chunks(messages, call)``.

    Because a wrapper is one async generator over another, it works for every way of calling, and wrappers nest in any
    order. The inner model checks and fits the call, so a wrapper sees it as the caller wrote it.
    """

    inner: ChatModel
    """The model inside."""

    def __post_init__(self) -> None:
        self.model = self.model or self.inner.model
        self.profile = self.profile or self.inner.profile
        self.loop = self.loop or self.inner.loop

    @classmethod
    def around(cls, **settings: Any) -> Callable[[ChatModel], ChatModel]:
        """What ``ChatModel.wrap`` takes: puts this wrapper with ``settings`` around a model."""
        return lambda inner: cls(inner=inner, **settings)

    async def _astream(self, messages: Sequence[Message], call: Call) -> AsyncIterator[AIMessageChunk]:
        async with closing(self.inner.chunks(messages, call)) as chunks:
            async for chunk in chunks:
                yield chunk

    def chunks(self, messages: Sequence[Message], call: Call) -> AsyncIterator[AIMessageChunk]:
        """The wrapped answer."""
        return self._astream(messages, self.defaults.override(call))

    def resolve(self, call: Call) -> Call:
        """The complete call, the inner model's defaults included."""
        return self.inner.resolve(self.defaults.override(call))

    def identity(self, call: Call) -> Mapping[str, Any]:
        """The inner model's identity under this wrapper's defaults."""
        return self.inner.identity(self.defaults.override(call))

    @property
    def provider(self) -> str:
        """The inner model's provider."""
        return self.inner.provider

    @property
    def run_name(self) -> str:
        """The inner model's name."""
        return self.inner.run_name

    def unsupported(self, call: Call) -> frozenset[str]:
        """As of the inner model."""
        return self.inner.unsupported(call)

    def prefill_style(self, call: Call) -> PrefillStyle:
        """As of the inner model."""
        return self.inner.prefill_style(call)

    def output_methods(self) -> tuple[OutputMethod, ...]:
        """As of the inner model."""
        return self.inner.output_methods()

    def profile_of(self, call: Call) -> ModelProfile | None:
        """As of the inner model."""
        return self.inner.profile_of(call)
