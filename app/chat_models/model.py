"""The chat model: one hook that yields chunks, and every way of calling it."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, Self, Unpack, dataclass_transform

from app.chat_models.batching import run_all
from app.chat_models.call import NO_OVERRIDES, Call, CallOverrides, PrefillStyle, call_from
from app.chat_models.callbacks import CallbackHandler
from app.chat_models.inputs import ModelInput, messages_from
from app.chat_models.leaf import finish_stream, fit
from app.chat_models.loop_thread import LoopThread, closing, shared_loop_thread
from app.chat_models.run import ChatEvent, ConfigInput, RunConfig, run_config
from app.chat_models.threads import iterate_in_thread
from app.domain.cancellation import CancelToken
from app.domain.chat_errors import ChatError
from app.domain.errors import WorkCancelledError
from app.domain.messages import Accumulator, AIMessage, AIMessageChunk, Message

if TYPE_CHECKING:
    from app.chat_models.profiles import ModelProfile
    from app.chat_models.structured import Structured

OutputMethod = Literal["json_schema", "tool", "json_mode", "xml"]


@dataclass_transform(kw_only_default=True)
@dataclass(kw_only=True, eq=False, repr=False)
class ChatModel:
    """Base of all chat models. A model keeps nothing between calls and may be used from any thread and loop.

    Subclasses declare their settings as annotated fields (they become keyword arguments of the constructor) and
    implement ONE of these hooks, all of which take the checked messages and the complete call:

    - ``async def _astream(messages, call)``, an async generator of chunks: the native one;
    - ``def _stream(messages, call)``, a generator of chunks, run in a thread;
    - ``async def _agenerate(messages, call)`` or ``def _generate(messages, call)`` (run in a thread), which return
      one message; streaming such a model yields exactly one chunk.

    With several of them a stream takes the first in this order; a caller who wants the whole message and watches no
    tokens gets ``_agenerate`` or ``_generate`` where there is one and no ``_astream``.
    """

    model: str = ""
    """Name of the model as its provider knows it."""
    defaults: Call = NO_OVERRIDES
    """Parameters of every call, unless the call sets them itself."""
    profile: ModelProfile | None = None
    """What the model can do, where that is known."""
    callbacks: tuple[CallbackHandler, ...] = ()
    """Handlers that hear of every call."""
    streaming: bool = False
    """Whether ``invoke`` takes the model's stream too, so that callbacks see tokens as they come."""
    strict_prefill: bool = False
    """Whether a prefill that the model can't do natively is an error instead of being imitated."""
    loop: LoopThread | None = None
    """The loop of synchronous calls; without one the process's shared loop is used."""
    origin: Mapping[str, Any] | None = None
    """What else the model was made with (address, options of its provider), without secrets; kept by ``serialize``."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        dataclass(kw_only=True, eq=False, repr=False)(cls)

    # --- hooks -----------------------------------------------------------------------------------------------------

    async def _astream(self, messages: Sequence[Message], call: Call) -> AsyncIterator[AIMessageChunk]:
        """The native hook. This default bridges to the simple ones."""
        for_message = call.whole and self._has("_agenerate", "_generate")
        if self._has("_stream") and not for_message:
            async with closing(iterate_in_thread(lambda: self._stream(messages, call))) as chunks:
                async for chunk in chunks:
                    yield chunk
        elif self._has("_agenerate"):
            yield _as_chunk(await self._agenerate(messages, call))
        else:
            yield _as_chunk(await asyncio.to_thread(self._generate, messages, call))

    def _stream(self, messages: Sequence[Message], call: Call) -> Iterator[AIMessageChunk]:
        raise NotImplementedError

    async def _agenerate(self, messages: Sequence[Message], call: Call) -> AIMessage:
        raise NotImplementedError

    def _generate(self, messages: Sequence[Message], call: Call) -> AIMessage:
        raise NotImplementedError(f"{type(self).__name__} must implement _astream, _stream, _agenerate or _generate.")

    @property
    def _llm_type(self) -> str:
        """Unique name of this kind of model, for logs."""
        return f"{type(self).__module__}.{type(self).__qualname__}"

    @property
    def _identifying_params(self) -> Mapping[str, Any]:
        """What tells this model from others of its kind. Never secrets: it goes into logs and cache keys."""
        return {"model_name": self.model}

    @property
    def provider(self) -> str:
        """The provider's name."""
        return self._llm_type

    def unsupported(self, call: Call) -> frozenset[str]:
        """Names of the call's parameters that the model can't take; they are dropped with one warning."""
        profile = self.profile_of(call)
        return profile.unsupported_parameters if profile else frozenset()

    def prefill_style(self, call: Call) -> PrefillStyle:
        """What the model does with the beginning of an answer."""
        return PrefillStyle.EMULATED

    def profile_of(self, call: Call) -> ModelProfile | None:
        """The profile of the model that ``call`` names."""
        return self.profile if call.model in ("", self.model) else None

    def output_methods(self) -> tuple[OutputMethod, ...]:
        """The ways in which this model can be made to give structured output, best first; never none."""
        return ("xml",)

    # --- calling ---------------------------------------------------------------------------------------------------

    def astream(
        self,
        input: ModelInput,
        *,
        system_prompt: str | None = None,
        config: ConfigInput = None,
        **overrides: Unpack[CallOverrides],
    ) -> AsyncIterator[AIMessageChunk]:
        """Chunks of the answer as they come. Closing the iterator or cancelling the task closes the connection.

        ``input`` is text, a message, or a list of messages or ChatML dicts; ``overrides`` are fields of ``Call``.
        Raises ``ChatInputError`` (a ``ValueError``) at once for bad input, other ``ChatError``s while iterating; these
        carry what had arrived as ``partial``. Nothing is sent before iteration starts.
        """
        messages = messages_from(input, system_prompt)
        return self._run(messages, self._checked(call_from(overrides)), run_config(config).fresh(), Accumulator())

    async def ainvoke(
        self,
        input: ModelInput,
        *,
        system_prompt: str | None = None,
        config: ConfigInput = None,
        **overrides: Unpack[CallOverrides],
    ) -> AIMessage:
        """The whole answer. Arguments and errors as of ``astream``."""
        messages = messages_from(input, system_prompt)
        call = replace(self._checked(call_from(overrides)), whole=not self.streaming)
        total = Accumulator()
        async with closing(self._run(messages, call, run_config(config).fresh(), total)) as chunks:
            async for _ in chunks:
                pass
        return total.message()

    async def abatch(
        self,
        inputs: Sequence[ModelInput],
        *,
        system_prompt: str | None = None,
        config: ConfigInput = None,
        return_exceptions: bool = False,
        **overrides: Unpack[CallOverrides],
    ) -> list[AIMessage | Exception]:
        """Answers to ``inputs``, in their order, at most ``config["max_concurrency"]`` requests open at a time.

        The first error cancels the rest and is raised; with ``return_exceptions`` it stands in place of its answer.
        """
        settings = run_config(config)

        async def one(input: ModelInput) -> AIMessage:
            return await self.ainvoke(input, system_prompt=system_prompt, config=settings, **overrides)

        return await run_all(one, inputs, limit=settings.max_concurrency, return_exceptions=return_exceptions)

    def invoke(
        self,
        input: ModelInput,
        *,
        system_prompt: str | None = None,
        config: ConfigInput = None,
        cancel: CancelToken | None = None,
        **overrides: Unpack[CallOverrides],
    ) -> AIMessage:
        """``ainvoke`` for synchronous code. ``cancel`` ends it with ``WorkCancelledError``."""
        work = self.ainvoke(input, system_prompt=system_prompt, config=config, **overrides)
        return self.sync_loop.run(work, cancel)

    def stream(
        self,
        input: ModelInput,
        *,
        system_prompt: str | None = None,
        config: ConfigInput = None,
        cancel: CancelToken | None = None,
        **overrides: Unpack[CallOverrides],
    ) -> Iterator[AIMessageChunk]:
        """``astream`` for synchronous code. Closing the iterator closes the connection before it returns."""
        chunks = self.astream(input, system_prompt=system_prompt, config=config, **overrides)
        return self.sync_loop.iterate(chunks, cancel)

    def batch(
        self,
        inputs: Sequence[ModelInput],
        *,
        system_prompt: str | None = None,
        config: ConfigInput = None,
        cancel: CancelToken | None = None,
        return_exceptions: bool = False,
        **overrides: Unpack[CallOverrides],
    ) -> list[AIMessage | Exception]:
        """``abatch`` for synchronous code."""
        work = self.abatch(
            inputs, system_prompt=system_prompt, config=config, return_exceptions=return_exceptions, **overrides
        )
        return self.sync_loop.run(work, cancel)

    async def astream_events(
        self,
        input: ModelInput,
        *,
        system_prompt: str | None = None,
        config: ConfigInput = None,
        version: str = "v1",
        **overrides: Unpack[CallOverrides],
    ) -> AsyncIterator[ChatEvent]:
        """The run as events: start with the input, one per chunk, and the end with the sum (or the error)."""
        run = run_config(config).fresh()
        total = Accumulator()

        def event(kind: str, **data: Any) -> ChatEvent:
            name = run.run_name or self.run_name
            return ChatEvent(kind, run.run_id or "", name, list(run.tags), dict(run.metadata), data)

        chunks = self._run(messages_from(input, system_prompt), self._checked(call_from(overrides)), run, total)
        yield event("on_chat_model_start", input=input)
        try:
            async with closing(chunks):
                async for chunk in chunks:
                    yield event("on_chat_model_stream", chunk=chunk)
        except ChatError as error:
            yield event("on_chat_model_error", error=error)
            raise
        yield event("on_chat_model_end", output=total.chunk())

    # --- variants --------------------------------------------------------------------------------------------------

    def bind(self, **overrides: Unpack[CallOverrides]) -> Self:
        """A model with other parameters; this one is unchanged. Both use the same connections."""
        self.__dict__.setdefault("_warned", set())  # shared with the copy, so that it doesn't repeat warnings
        bound = copy.copy(self)
        bound.defaults = self.defaults.override(call_from(overrides))
        return bound

    def bind_tools(
        self, tools: Sequence[Any], *, tool_choice: str | None = None, parallel_tool_calls: bool | None = None
    ) -> Self:
        """A model that may call ``tools``: functions, pydantic models, JSON-schema dicts or ``ToolSpec``s."""
        return self.bind(tools=tools, tool_choice=tool_choice, parallel_tool_calls=parallel_tool_calls)

    def with_structured_output(self, schema: Any, **settings: Any) -> Structured[Any]:
        """A model whose answers are objects of ``schema``; ``Structured`` explains the settings."""
        from app.chat_models.structured import Structured

        return Structured(self, schema, **settings)

    def wrap(self, *wrappers: Callable[[ChatModel], ChatModel]) -> ChatModel:
        """This model inside ``wrappers``, the last of them outermost."""
        model: ChatModel = self
        for wrapper in wrappers:
            model = wrapper(model)
        return model

    # --- facts -----------------------------------------------------------------------------------------------------

    @property
    def run_name(self) -> str:
        """The name of this model's runs in events."""
        return type(self).__name__

    def get_model_info(self) -> dict[str, str]:
        """The model and who provides it."""
        return {"model_id": self.model, "provider": self.provider}

    def instance_type(self) -> dict[str, str]:
        """The kind of model this is."""
        return {"model_type": "chat_completion"}

    def serialize(self) -> dict[str, Any]:
        """All that is needed to make the model again (``ModelRegistry.restore``): no secrets, no connections."""
        from app.chat_models.serialization import serialize_model

        return serialize_model(self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(model={self.model!r})"

    def resolve(self, call: Call) -> Call:
        """The complete call that ``call`` leads to."""
        return Call(model=self.model).override(self.defaults).override(call)

    def identity(self, call: Call) -> Mapping[str, Any]:
        """All that decides about the answer to given messages, without secrets: the key of caches."""
        return {"type": self._llm_type, "params": dict(self._identifying_params), "call": self.resolve(call)}

    # --- inside ----------------------------------------------------------------------------------------------------

    def chunks(self, messages: Sequence[Message], call: Call) -> AsyncIterator[AIMessageChunk]:
        """What wrappers read: the answer to checked messages, without callbacks and run id.

        Here parameters are checked and fitted to what the model can, a prefill is arranged, and stop strings end the
        text. Raises ``ChatError``s of bad parameters at once.
        """
        fitted = fit(self, messages, self.resolve(call))
        return finish_stream(self._astream(fitted.messages, fitted.call), fitted)

    async def _run(
        self, messages: Sequence[Message], call: Call, run: RunConfig, total: Accumulator
    ) -> AsyncIterator[AIMessageChunk]:
        """One run: chunks get its id, handlers hear of it, ``total`` gets everything."""
        handlers = (*self.callbacks, *run.callbacks)
        message_id, run_id = run.message_id, run.run_id or ""
        for handler in handlers:
            handler.on_llm_start(messages, run_id=run_id)
        try:
            async with closing(self.chunks(messages, call)) as chunks:
                async for raw in chunks:
                    chunk = raw.with_id(message_id)
                    total.add(chunk)
                    for handler in handlers:
                        handler.on_llm_new_token(chunk.text, chunk=chunk, run_id=run_id)
                    yield chunk
        except BaseException as error:
            if isinstance(error, ChatError) and error.partial is None and total.started:
                error.partial = total.message()
            cancelled = isinstance(error, (asyncio.CancelledError, GeneratorExit))
            for handler in handlers:
                handler.on_llm_error(WorkCancelledError() if cancelled else error, run_id=run_id)
            raise
        for handler in handlers:
            handler.on_llm_end(total.message(), run_id=run_id)

    def _checked(self, call: Call) -> Call:
        """``call``, after a look at what it amounts to with the defaults: bad values are told at once."""
        self.resolve(call).check()
        return call

    @property
    def sync_loop(self) -> LoopThread:
        """The loop that synchronous calls run on."""
        return self.loop or shared_loop_thread()

    def _has(self, *hooks: str) -> bool:
        return any(getattr(type(self), hook) is not getattr(ChatModel, hook) for hook in hooks)


def _as_chunk(message: AIMessage) -> AIMessageChunk:
    names = ("parts", "name", "additional_kwargs", "usage", "finish", "model", "response_metadata")
    return AIMessageChunk(**{name: getattr(message, name) for name in names})
