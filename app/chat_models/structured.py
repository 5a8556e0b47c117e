"""Structured output: answers that are objects of a schema.

There are four ways to get one, best first: the provider enforces a JSON schema (``json_schema``), the model is made to
call one tool whose arguments are the object (``tool``), the provider enforces any JSON (``json_mode``), or the model is
asked for typed XML (``xml``). "auto" takes the first that the model's profile allows, and the next where the server
refuses it.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from app.chat_models.batching import run_all
from app.chat_models.call import ResponseFormat, ToolSpec
from app.chat_models.inputs import ModelInput, messages_from
from app.chat_models.json_schemas import strict_schema
from app.chat_models.loop_thread import closing
from app.chat_models.model import ChatModel, OutputMethod
from app.chat_models.output_schemas import OutputSchema, json_document, partial_document
from app.chat_models.run import ConfigInput, run_config
from app.chat_models.xml_parser import typed_parser_registry, xml_instructions
from app.domain.chat_errors import (
    ChatInputError,
    ContextWindowExceededError,
    InvalidRequestError,
    OutputParserError,
)
from app.domain.messages import (
    Accumulator,
    AIMessage,
    AIMessageChunk,
    HumanMessage,
    Message,
    SystemMessage,
    ToolCallPart,
    ToolMessage,
)

T = TypeVar("T")
_REPAIR = "That can't be used. {error}\nAnswer again, in the right form and with nothing else."


@dataclass(frozen=True, slots=True)
class StructuredResult(Generic[T]):
    """The answer with its message, for ``include_raw``: either ``parsed`` or ``error`` is set."""

    raw: AIMessage
    parsed: T | None = None
    error: OutputParserError | None = None


class Structured(Generic[T]):
    """A model whose answers are objects.

    - ``schema``: a pydantic model, a dataclass, a ``TypedDict`` or a JSON schema; ``OutputSchema`` says what comes out.
    - ``method``: "auto", or one of the four ways.
    - ``include_raw``: return ``StructuredResult``s instead of raising ``OutputParserError``.
    - ``retries``: how often the model is told what was wrong and asked again.
    - ``typed_parser``: name of a typed parser instead of a schema; the result is a dict.
    - ``parser``: a function of the message instead of a schema; a ``ValueError`` of it counts as a wrong answer.
    """

    def __init__(
        self,
        model: ChatModel,
        schema: Any = None,
        *,
        method: OutputMethod | Literal["auto"] = "auto",
        include_raw: bool = False,
        retries: int = 0,
        typed_parser: str | None = None,
        parser: Callable[[AIMessage], T] | None = None,
    ) -> None:
        if sum(each is not None for each in (schema, typed_parser, parser)) != 1:
            raise ChatInputError("Pass exactly one of: a schema, typed_parser or parser.")
        if typed_parser is not None and typed_parser not in typed_parser_registry:
            raise ChatInputError(
                f"There is no typed parser {typed_parser!r}. There are: {', '.join(typed_parser_registry)}."
            )
        self._model = model
        self._schema = None if schema is None else OutputSchema(schema)
        self._method = method
        self._include_raw = include_raw
        self._retries = retries
        self._typed_parser = typed_parser
        self._parser = parser

    async def ainvoke(self, input: ModelInput, *, config: ConfigInput = None, **overrides: Any) -> Any:
        """The object (with ``include_raw`` a ``StructuredResult``).

        Raises ``OutputParserError`` with the raw text when the answer has the wrong form after all retries.
        """
        messages = messages_from(input, overrides.pop("system_prompt", None))
        methods = self._methods()
        for number, method in enumerate(methods):
            try:
                return await self._attempts(method, messages, config, overrides)
            except InvalidRequestError as error:
                if isinstance(error, ContextWindowExceededError) or number + 1 == len(methods):
                    raise
        raise AssertionError("there is always a method")

    async def astream(self, input: ModelInput, *, config: ConfigInput = None, **overrides: Any) -> AsyncIterator[Any]:
        """What is known of the object so far, as dicts that grow, and the checked object at the end."""
        messages = messages_from(input, overrides.pop("system_prompt", None))
        method = self._methods()[0]
        prepared, extra = self._ask(method, messages)
        total, seen = Accumulator(), None
        async with closing(self._model.astream(prepared, config=config, **{**overrides, **extra})) as chunks:
            async for chunk in chunks:
                total.add(chunk)
                known = _partial(total.chunk(), method) if method not in ("xml", "text") else None
                if known is not None and known != seen:
                    seen = known
                    yield known
        yield self._result(total.message(), method)

    async def abatch(
        self, inputs: Sequence[ModelInput], *, config: ConfigInput = None, return_exceptions: bool = False, **kw: Any
    ) -> list[Any]:
        """The objects of ``inputs``, in their order."""
        settings = run_config(config)

        async def one(input: ModelInput) -> Any:
            return await self.ainvoke(input, config=settings, **kw)

        return await run_all(one, inputs, limit=settings.max_concurrency, return_exceptions=return_exceptions)

    def invoke(self, input: ModelInput, **settings: Any) -> Any:
        """``ainvoke`` for synchronous code."""
        return self._model.sync_loop.run(self.ainvoke(input, **settings))

    def stream(self, input: ModelInput, **settings: Any) -> Iterator[Any]:
        """``astream`` for synchronous code."""
        return self._model.sync_loop.iterate(self.astream(input, **settings))

    def batch(self, inputs: Sequence[ModelInput], **settings: Any) -> list[Any]:
        """``abatch`` for synchronous code."""
        return self._model.sync_loop.run(self.abatch(inputs, **settings))

    # --- inside ----------------------------------------------------------------------------------------------------

    def _methods(self) -> tuple[str, ...]:
        if self._schema is None:
            return ("xml",) if self._typed_parser else ("text",)
        return self._model.output_methods() if self._method == "auto" else (self._method,)

    async def _attempts(
        self, method: str, messages: Sequence[Message], config: ConfigInput, overrides: dict[str, Any]
    ) -> Any:
        prepared, extra = self._ask(method, messages)
        for attempt in range(self._retries + 1):
            answer = await self._model.ainvoke(prepared, config=config, **{**overrides, **extra})
            try:
                value = self._value(answer, method)
            except OutputParserError as error:
                if attempt == self._retries:
                    return self._failed(answer, error)
                prepared = [*prepared, *_repair(answer, error)]
            else:
                return StructuredResult(answer, value) if self._include_raw else value
        raise AssertionError("the last attempt returns or raises")

    def _result(self, answer: AIMessage, method: str) -> Any:
        try:
            value = self._value(answer, method)
        except OutputParserError as error:
            return self._failed(answer, error)
        return StructuredResult(answer, value) if self._include_raw else value

    def _failed(self, answer: AIMessage, error: OutputParserError) -> Any:
        error.partial = answer
        if answer.finish == "length":
            error.args = (f"{error} The answer was cut off at the limit of tokens: allow more (max_tokens).",)
        if self._include_raw:
            return StructuredResult(answer, None, error)
        raise error

    def _ask(self, method: str, messages: Sequence[Message]) -> tuple[list[Message], dict[str, Any]]:
        """The messages and parameters that make the model answer in this way."""
        schema = self._schema
        if schema is None:  # a parser of the caller's, or a typed parser whose instructions the caller has rendered
            return list(messages), {}
        if method == "json_schema":
            return list(messages), {"response_format": ResponseFormat(schema.name, strict_schema(schema.schema))}
        if method == "tool":
            description = schema.description or "Give the answer in this form."
            tool = ToolSpec(schema.name, description, schema.schema)
            return list(messages), {"tools": [tool], "tool_choice": schema.name}
        if method == "json_mode":
            text = "Answer with one JSON object and nothing else. It must fit this JSON schema:\n"
            instruction = text + json.dumps(schema.schema, ensure_ascii=False)
            return _with_system(messages, instruction), {"response_format": ResponseFormat(schema.name)}
        instruction = typed_parser_registry["typed_xml"].render(xml_instructions(schema.schema))
        return _with_system(messages, instruction), {}

    def _value(self, answer: AIMessage, method: str) -> Any:
        if self._parser is not None:
            return self._parsed_by_caller(answer)
        if self._schema is None:
            return typed_parser_registry[self._typed_parser or ""].parse(answer.text)
        if method == "tool":
            return self._schema.value(_arguments(answer), answer.text or _raw_arguments(answer))
        if method == "xml":
            return self._schema.value(typed_parser_registry["typed_xml"].parse(answer.text), answer.text)
        return self._schema.parse(answer.text)

    def _parsed_by_caller(self, answer: AIMessage) -> Any:
        assert self._parser is not None  # noqa: S101  # asked before
        try:
            return self._parser(answer)
        except OutputParserError:
            raise
        except ValueError as error:
            raise OutputParserError(f"The model's answer could not be read: {error}.", raw=answer.text) from error


def _with_system(messages: Sequence[Message], instruction: str) -> list[Message]:
    first = messages[0]
    if isinstance(first, SystemMessage):
        return [SystemMessage(f"{first.text}\n\n{instruction}", id=first.id), *messages[1:]]
    return [SystemMessage(instruction), *messages]


def _repair(answer: AIMessage, error: OutputParserError) -> list[Message]:
    """The wrong answer and what was wrong with it."""
    text = _REPAIR.format(error=error)
    calls = [part for part in answer.parts if isinstance(part, ToolCallPart)]
    if calls:
        return [answer, *(ToolMessage(text, tool_call_id=call.id, name=call.name, status="error") for call in calls)]
    return [answer, HumanMessage(text)] if answer.parts else [HumanMessage(text)]


def _arguments(answer: AIMessage) -> Any:
    if answer.tool_calls:
        return answer.tool_calls[0].args
    if answer.invalid_tool_calls:
        invalid = answer.invalid_tool_calls[0]
        raise OutputParserError(invalid.error, raw=invalid.arguments)
    if answer.text:
        return json_document(answer.text)  # some models write the object instead of calling the tool
    raise OutputParserError("The model gave no answer in the form that was asked for.", raw=answer.text)


def _raw_arguments(answer: AIMessage) -> str:
    return next((part.arguments for part in answer.parts if isinstance(part, ToolCallPart)), "")


def _partial(so_far: AIMessageChunk, method: str) -> Any:
    return partial_document(_raw_arguments(so_far) if method == "tool" else so_far.text)
