"""Schemas that make a model plan before it answers, and the loop that carries out its actions.

This file imports pydantic; import it only where a plan is asked for.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, Field

from app.chat_models.inputs import ModelInput, messages_from
from app.chat_models.model import ChatModel
from app.chat_models.structured import Structured
from app.chat_models.tools import DEFAULT_MAX_ROUNDS, Tool, as_tool
from app.domain.chat_errors import ChatInputError, ToolLoopError
from app.domain.messages import AIMessage, HumanMessage, Message


class ReasoningStep(BaseModel):
    """One step on the way to an answer."""

    explanation: str = Field(description="What is done in this step and why.")
    output: str = Field(description="What comes out of it.")


class ChainOfThoughts(BaseModel):
    """Steps of reasoning, then the answer."""

    steps: list[ReasoningStep]
    final_answer: str


class ReasoningPath(BaseModel):
    """One independent way to an answer."""

    reasoning: str
    answer: str


class SelfConsistency(BaseModel):
    """Several independent ways, and the answer most of them lead to."""

    paths: list[ReasoningPath]
    final_answer: str


class Action(BaseModel):
    """A tool to call."""

    name: str
    arguments: dict[str, Any] = Field(default_factory=dict)


class ReAct(BaseModel):
    """A thought with either actions to take or the final answer."""

    thought: str
    actions: list[Action] = Field(default_factory=list)
    final_answer: str | None = None


_RULES = (
    "Think, then either name actions to take or give the final answer, never both. You are told what the actions "
    "returned. You can take these actions:\n{tools}"
)


class ReActLoop:
    """Lets a model think and act in turns until it gives a final answer. Actions are ``Tool``s or functions."""

    def __init__(
        self,
        model: ChatModel,
        tools: Sequence[Any],
        *,
        functions: Mapping[str, Callable[..., Any]] | None = None,
        max_rounds: int = DEFAULT_MAX_ROUNDS,
        **settings: Any,
    ) -> None:
        if max_rounds < 1:
            raise ChatInputError(f"max_rounds must be at least 1, not {max_rounds}.")
        self._model = model
        self._tools = {tool.spec.name: tool for tool in (as_tool(each, functions) for each in tools)}
        self._asked: Structured[ReAct] = Structured(model, ReAct, include_raw=True, **settings)
        self._max_rounds = max_rounds

    async def arun(self, input: ModelInput) -> ReAct:
        """The last thought, which holds the final answer. Raises ``ToolLoopError`` after too many rounds and
        ``OutputParserError`` for an answer in the wrong form."""
        messages: list[Message] = messages_from(input, _RULES.format(tools=self._described()))
        for _ in range(self._max_rounds):
            result = await self._asked.ainvoke(messages)
            if result.error is not None:
                raise result.error
            thought: ReAct = result.parsed
            if thought.final_answer is not None or not thought.actions:
                return thought
            seen = [await self._observe(action) for action in thought.actions]
            messages += [AIMessage(thought.model_dump_json()), HumanMessage("\n".join(seen))]
        raise ToolLoopError(
            f"The model found no final answer in {self._max_rounds} rounds. Allow more, or ask for less."
        )

    def run(self, input: ModelInput) -> ReAct:
        """``arun`` for synchronous code."""
        return self._model.sync_loop.run(self.arun(input))

    def _described(self) -> str:
        specs = (tool.spec for tool in self._tools.values())
        return "\n".join(
            f"- {spec.name}: {spec.description} Arguments: {json.dumps(dict(spec.parameters), ensure_ascii=False)}"
            for spec in specs
        )

    async def _observe(self, action: Action) -> str:
        tool: Tool | None = self._tools.get(action.name)
        if tool is None:
            return f"{action.name}: there is no such action. The actions are: {', '.join(self._tools)}."
        try:
            return f"{action.name} returned: {await tool.run(action.arguments)}"
        except Exception as error:  # noqa: BLE001  # edge of a plugin: the model is told what went wrong
            return f"{action.name} failed: {type(error).__name__}: {error}"
