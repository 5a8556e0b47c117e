"""The tools that a model calls in a turn: asked about, run, and told to the user."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence

from app.chat_models.call import NO_OVERRIDES
from app.chat_models.model import ChatModel
from app.chat_models.tools import Tool
from app.domain.messages import AIMessage, InvalidToolCall, ToolCall, ToolMessage
from app.domain.turn_details import ToolUse
from app.domain.turn_options import BUILT_IN_MODEL
from app.domain.turns import ToolCalled, ToolReturned, TurnEvent
from app.services.turn_notes import LONGEST_TOOL_RESULT
from app.services.turn_seams import Turn, TurnSeams

TOOL_ROUNDS = 6
"""How often a model may call tools before it must answer with what it has."""

NO_TOOLS = "{model} is not known to use tools, so it did not search by itself."
REFUSED = "The user did not allow this tool. Answer without it."
_LOGGER = logging.getLogger(__name__)


class TurnTools:
    """Runs tool calls one after another, in the order the model made them."""

    def __init__(
        self, turn: Turn, seams: TurnSeams, emit: Callable[[TurnEvent], None], note: Callable[[ToolUse], None]
    ) -> None:
        self._turn = turn
        self._seams = seams
        self._emit = emit
        self._note = note
        self._tools: dict[str, Tool] = {}

    def bound(self, model: ChatModel) -> ChatModel:
        """``model`` with the tools of this turn; as it is where the turn has none or the model takes none.

        A model of which nothing is known gets none: some servers refuse a request that offers tools.
        """
        profile = model.profile_of(NO_OVERRIDES)
        if not self._turn.options.tools:
            return model
        if profile is None or not profile.capabilities.tool_call:
            if self._turn.model != BUILT_IN_MODEL:  # nobody expects it of the built-in answerer
                self._turn.note(NO_TOOLS.format(model=self._turn.model))
            return model
        self._tools = {tool.spec.name: tool for tool in self._seams.tools(self._turn)}
        return model.bind_tools([tool.spec for tool in self._tools.values()]) if self._tools else model

    @property
    def rounds(self) -> int:
        """How many rounds of calls there may be."""
        return TOOL_ROUNDS if self._tools else 0

    async def results(self, answer: AIMessage) -> list[ToolMessage]:
        """What the calls in ``answer`` gave back, in their order; empty if there are none."""
        calls: Sequence[ToolCall | InvalidToolCall] = [*answer.tool_calls, *answer.invalid_tool_calls]
        return [await self._result(call) for call in calls]

    async def _result(self, call: ToolCall | InvalidToolCall) -> ToolMessage:
        arguments = call.arguments if isinstance(call, InvalidToolCall) else json.dumps(call.args, ensure_ascii=False)
        called = ToolCalled(call.id, call.name, arguments, self._seams.needs_approval(call.name))
        self._emit(called)
        text, failed = await self._run(call, called)
        self._emit(ToolReturned(call.id, call.name, text, failed))
        self._note(ToolUse(call.name, arguments, text[:LONGEST_TOOL_RESULT], failed))
        return ToolMessage(text, tool_call_id=call.id, name=call.name, status="error" if failed else "success")

    async def _run(self, call: ToolCall | InvalidToolCall, called: ToolCalled) -> tuple[str, bool]:
        """The text that the model is given, and whether it says that the tool failed."""
        if isinstance(call, InvalidToolCall):
            return call.error, True
        tool = self._tools.get(call.name)
        if tool is None:
            return f"There is no tool {call.name!r}. The tools are: {', '.join(self._tools)}.", True
        approve = self._seams.approve
        if called.needs_approval and (approve is None or not await approve(self._turn, called)):
            return REFUSED, True
        try:
            return await tool.run(call.args), False
        except Exception as error:  # edge of a plugin: the model is told what went wrong
            _LOGGER.info("the tool %s failed", call.name, exc_info=True)
            return f"{type(error).__name__}: {error}", True
