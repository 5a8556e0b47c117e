"""Calling tools: executing what a model asked for, and the loop that lets it go on with the results."""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from app.chat_models.call import ToolSpec
from app.chat_models.inputs import ModelInput, messages_from
from app.chat_models.json_schemas import schema_problems
from app.chat_models.loop_thread import closing
from app.chat_models.model import ChatModel
from app.chat_models.run import ChatEvent, ConfigInput, RunConfig, run_config
from app.chat_models.tool_schemas import arguments_model, is_model_class, tool_spec
from app.domain.chat_errors import ChatInputError, ToolLoopError
from app.domain.messages import AIMessage, InvalidToolCall, Message, ToolCall, ToolMessage

_LOGGER = logging.getLogger(__name__)
DEFAULT_MAX_ROUNDS = 8


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool that can be executed: what models see of it, and the function behind it (synchronous or not).

    ``arguments`` is the pydantic model that arguments are checked and converted with; without one the JSON schema of
    ``spec`` checks them.
    """

    spec: ToolSpec
    function: Callable[..., Any]
    arguments: Any = None

    async def run(self, args: Mapping[str, Any]) -> str:
        """Call the function and return its result as text. Raises what the function raises, ``ValueError`` for bad
        arguments. A synchronous function runs in a thread."""
        checked = self._checked(args)
        if inspect.iscoroutinefunction(self.function):
            return as_text(await self.function(**checked))
        result = await asyncio.to_thread(self.function, **checked)
        return as_text(await result if inspect.isawaitable(result) else result)

    def _checked(self, args: Mapping[str, Any]) -> dict[str, Any]:
        if self.arguments is None:
            if problems := schema_problems(dict(args), self.spec.parameters):
                raise ValueError("; ".join(problems).replace("the answer", "the arguments"))
            return dict(args)
        values = self.arguments.model_validate(dict(args))
        return {name: getattr(values, name) for name in type(values).model_fields}


def as_tool(tool: Any, functions: Mapping[str, Callable[..., Any]] | None = None) -> Tool:
    """``tool`` ready to be executed: a ``Tool``, a function, or a schema whose function stands in ``functions``.

    Raises ``ChatInputError`` for a schema without function.
    """
    if isinstance(tool, Tool):
        return tool
    if inspect.isroutine(tool) or (callable(tool) and not is_model_class(tool) and not isinstance(tool, Mapping)):
        return Tool(tool_spec(tool), tool, arguments_model(tool))
    spec = tool_spec(tool)
    function = (functions or {}).get(spec.name)
    if function is None:
        raise ChatInputError(f"There is no function for the tool {spec.name!r}. Pass functions={{{spec.name!r}: …}}.")
    return Tool(spec, function, tool if is_model_class(tool) else None)


def as_text(result: object) -> str:
    """A tool's result as the text that is sent back: text as it is, anything else as JSON."""
    if isinstance(result, str):
        return result
    return json.dumps(result, ensure_ascii=False, default=_jsonable)


def _jsonable(value: Any) -> Any:
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    return str(value)


class ToolCalls:
    """The calls of one answer and their results, for callers who execute tools themselves::

    calls = ToolCalls(answer)
    for call in calls.get_calls():
        calls.insert_results(call["id"], functions[call["function"]["name"]](**call["function"]["arguments"]))
    messages += calls.get_messages()
    """

    def __init__(self, answer: AIMessage) -> None:
        self._answer = answer
        self._results: dict[str, ToolMessage] = {}

    def get_calls(self) -> list[dict[str, Any]]:
        """The complete calls as ``{"id", "type", "function": {"name", "arguments"}}`` with arguments as a dict."""
        return [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.args}}
            for call in self._answer.tool_calls
        ]

    def insert_results(self, call_id: str, result: object, *, is_error: bool = False) -> None:
        """Note the result of a call. Raises ``ChatInputError`` for an id that no call has."""
        names = {call.id: call.name for call in self._answer.tool_calls}
        if call_id not in names:
            raise ChatInputError(f"No tool call has the id {call_id!r}. The ids are: {', '.join(names) or 'none'}.")
        status = "error" if is_error else "success"
        self._results[call_id] = ToolMessage(as_text(result), tool_call_id=call_id, name=names[call_id], status=status)

    def get_messages(self) -> list[Message]:
        """The answer and the results in the order of its calls; invalid and unanswered calls get an error result."""
        return [self._answer, *(self._result(call) for call in _calls(self._answer))]

    def _result(self, call: ToolCall | InvalidToolCall) -> ToolMessage:
        if call.id in self._results:
            return self._results[call.id]
        text = call.error if isinstance(call, InvalidToolCall) else "The tool was not run."
        return ToolMessage(text, tool_call_id=call.id, name=call.name, status="error")


class ToolLoop:
    """Asks a model, executes the tools it calls, and asks again with the results until it answers in words.

    A tool that is unknown, gets bad arguments or raises doesn't end the loop: the model is told and may try again.
    """

    def __init__(
        self,
        model: ChatModel,
        tools: Sequence[Any],
        *,
        functions: Mapping[str, Callable[..., Any]] | None = None,
        max_rounds: int = DEFAULT_MAX_ROUNDS,
    ) -> None:
        if max_rounds < 1:
            raise ChatInputError(f"max_rounds must be at least 1, not {max_rounds}.")
        self._tools = {tool.spec.name: tool for tool in (as_tool(each, functions) for each in tools)}
        self._model = model.bind_tools([tool.spec for tool in self._tools.values()])
        self._source = model
        self._max_rounds = max_rounds

    async def arun(
        self, input: ModelInput, *, system_prompt: str | None = None, config: ConfigInput = None
    ) -> list[Message]:
        """The whole conversation; the last message is the answer. Raises ``ToolLoopError`` after too many rounds."""
        messages = messages_from(input, system_prompt)
        async with closing(self.astream_events(messages, config=config)) as events:
            async for event in events:
                messages = event.data.get("messages", messages)
        return messages

    def run(self, input: ModelInput, *, system_prompt: str | None = None, config: ConfigInput = None) -> list[Message]:
        """``arun`` for synchronous code."""
        return self._source.sync_loop.run(self.arun(input, system_prompt=system_prompt, config=config))

    async def astream_events(
        self, input: ModelInput, *, system_prompt: str | None = None, config: ConfigInput = None
    ) -> AsyncIterator[ChatEvent]:
        """The loop as events: those of the model, ``on_tool_start`` and ``on_tool_end`` of each call, and
        ``on_tool_loop_end`` with the conversation as ``messages``. All have one run id."""
        messages = messages_from(input, system_prompt)
        run = run_config(config).fresh()
        for number in range(self._max_rounds):
            answer = AIMessage()
            async with closing(self._model.astream_events(messages, config=replace(run, number=number))) as events:
                async for event in events:
                    if event.event == "on_chat_model_end":
                        answer = event.data["output"].message()
                    yield event
            if not answer.tool_calls and not answer.invalid_tool_calls:
                yield _event(run, "on_tool_loop_end", "tool_loop", messages=[*messages, answer])
                return
            messages = [*messages, answer]
            async with closing(self._execute(answer, run)) as results:
                async for event in results:
                    if event.event == "on_tool_end":
                        messages = [*messages, event.data["output"]]
                    yield event
        raise ToolLoopError(
            f"The model was still calling tools after {self._max_rounds} rounds. Ask for less at a time, or allow more "
            "rounds.",
            provider=self._model.provider,
            model=self._model.model,
        )

    async def _execute(self, answer: AIMessage, run: RunConfig) -> AsyncIterator[ChatEvent]:
        """Run the calls of an answer side by side; events in the order of the calls."""
        calls = _calls(answer)
        tasks = [asyncio.ensure_future(self._result(call)) for call in calls]
        try:
            for call in calls:
                yield _event(run, "on_tool_start", call.name, input=call)
            for call, task in zip(calls, tasks, strict=True):
                yield _event(run, "on_tool_end", call.name, output=await task)
        finally:
            for task in tasks:
                task.cancel()

    async def _result(self, call: ToolCall | InvalidToolCall) -> ToolMessage:
        if isinstance(call, InvalidToolCall):
            return _failure(call, call.error)
        tool = self._tools.get(call.name)
        if tool is None:
            return _failure(call, f"There is no tool {call.name!r}. The tools are: {', '.join(self._tools)}.")
        try:
            text = await tool.run(call.args)
        except Exception as error:  # edge of a plugin: the model is told what went wrong
            _LOGGER.info("the tool %s failed", call.name, exc_info=True)
            return _failure(call, f"{type(error).__name__}: {error}")
        return ToolMessage(text, tool_call_id=call.id, name=call.name)


def _calls(answer: AIMessage) -> list[ToolCall | InvalidToolCall]:
    return [*answer.tool_calls, *answer.invalid_tool_calls]


def _failure(call: ToolCall | InvalidToolCall, text: str) -> ToolMessage:
    return ToolMessage(text, tool_call_id=call.id, name=call.name, status="error")


def _event(run: RunConfig, kind: str, name: str, **data: Any) -> ChatEvent:
    return ChatEvent(kind, run.run_id or "", name, list(run.tags), dict(run.metadata), data)
