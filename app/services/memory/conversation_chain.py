"""Faces that chat tutorials know, over the same memories and stores: a memory with a key, and a chain that predicts."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from app.chat_models.loop_thread import shared_loop_thread
from app.chat_models.prompts.templates import ChatPromptTemplate, PromptTemplate
from app.domain.messages import AIMessage, HumanMessage, Message
from app.services.memory.choosing import BufferMemory, Memory
from app.services.memory.conversation_memory import remembered_messages
from app.services.memory.exchanges import message_exchanges
from app.storage.conversation_store import ConversationStore, InMemoryConversationStore

if TYPE_CHECKING:
    from app.chat_models.model import ChatModel

EVERYTHING = sys.maxsize
PREFIXES = {"user": "Human", "assistant": "AI", "tool": "Tool", "system": "System"}
DEFAULT_PROMPT = PromptTemplate("What was said so far:\n{history}\n\nHuman: {input}\nAI:")


class ConversationBufferMemory:
    """What was said in one session, under the name ``memory_key``, for the variables of a prompt.

    ``return_messages`` gives messages, else it is one text with a line for each. ``memory`` chooses what is given
    (everything by default); ``store`` and ``session_id`` say where it is kept (in memory by default).
    """

    def __init__(
        self,
        *,
        memory_key: str = "history",
        return_messages: bool = False,
        memory: Memory | None = None,
        memory_tokens: int = EVERYTHING,
        store: ConversationStore | None = None,
        session_id: str = "default",
    ) -> None:
        self.memory_key = memory_key
        self.return_messages = return_messages
        self._memory = memory or BufferMemory(memory_tokens)
        self._memory_tokens = memory_tokens
        self._store = store or InMemoryConversationStore(session_seconds=None)
        self._session_id = session_id

    @property
    def memory_variables(self) -> list[str]:
        """The names of what ``load_memory_variables`` gives."""
        return [self.memory_key]

    @property
    def messages(self) -> list[Message]:
        """Everything that was said."""
        return self._store.load_messages(self._session_id)

    def load_memory_variables(self, inputs: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """What a prompt is given: messages or their text, by ``memory_key``."""
        recalled = self.recall(str((inputs or {}).get("input", "")))
        return {self.memory_key: recalled if self.return_messages else as_text(recalled)}

    def recall(self, question: str) -> list[Message]:
        """The messages that are remembered for a question."""
        choosing = self._memory.recall(message_exchanges(self.messages), question, self._memory_tokens)
        return list(remembered_messages(shared_loop_thread().run(choosing)))

    def save_context(self, inputs: Mapping[str, str], outputs: Mapping[str, str]) -> None:
        """Keep a turn: the one value of ``inputs`` was said by the user, that of ``outputs`` by the model."""
        turn = [HumanMessage(_only(inputs, "input")), AIMessage(_only(outputs, "response"))]
        if self._store.session(self._session_id) is None:
            self._store.save_messages(self._session_id, [])
        self._store.add_messages(self._session_id, turn)

    def clear(self) -> None:
        """Forget everything."""
        self._store.clear_session(self._session_id)


class ConversationChain:
    """A chat model, a memory and a prompt: each ``predict`` asks with all that is remembered, and remembers the turn.

    ``prompt`` has the variables ``input`` and the memory's key. ``verbose`` hands each prompt to ``show``.
    """

    def __init__(
        self,
        llm: ChatModel,
        memory: ConversationBufferMemory | None = None,
        prompt: PromptTemplate | ChatPromptTemplate = DEFAULT_PROMPT,
        *,
        verbose: bool = False,
        show: Callable[[str], object] = sys.stdout.write,
    ) -> None:
        self.memory = memory or ConversationBufferMemory()
        self._llm = llm
        self._prompt = prompt
        self._verbose = verbose
        self._show = show

    def predict(self, *, input: str) -> str:
        """The model's answer. Raises ``ChatError`` where it fails; then nothing is remembered of the turn."""
        prompt = self._filled(input)
        if self._verbose:
            self._show(f"{prompt if isinstance(prompt, str) else as_text(prompt)}\n")
        answer = self._llm.invoke(prompt).text
        self.memory.save_context({"input": input}, {"response": answer})
        return answer

    def _filled(self, question: str) -> str | list[Message]:
        key, recalled = self.memory.memory_key, self.memory.recall(question)
        if isinstance(self._prompt, ChatPromptTemplate):
            return self._prompt.format_messages(**{key: recalled, "input": question})
        return self._prompt.format(**{key: as_text(recalled), "input": question})


def as_text(messages: list[Message]) -> str:
    """Messages as one text, a line for each."""
    return "\n".join(f"{PREFIXES[each.role]}: {each.text}" for each in messages)


def _only(values: Mapping[str, str], name: str) -> str:
    """The value of ``name``, or the only one there is."""
    return values[name] if name in values or len(values) != 1 else next(iter(values.values()))
