"""The faces that tutorials know: what is remembered reaches every prompt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field

import pytest

from app.chat_models.call import Call
from app.chat_models.model import ChatModel
from app.chat_models.prompts.templates import ChatPromptTemplate, MessagesPlaceholder, PromptTemplate
from app.domain.chat_errors import APIConnectionError
from app.domain.messages import AIMessage, HumanMessage, Message
from app.services.memory.choosing import WindowMemory
from app.services.memory.conversation_chain import ConversationBufferMemory, ConversationChain
from app.storage.conversation_store import InMemoryConversationStore


class Parrot(ChatModel):
    """Answers ``Answer 1``, ``Answer 2`` …, or fails."""

    asked: list[Sequence[Message]] = field(default_factory=list)
    fails: bool = False

    def _generate(self, messages: Sequence[Message], call: Call) -> AIMessage:
        self.asked.append(messages)
        if self.fails:
            raise APIConnectionError("down")
        return AIMessage(f"Answer {len(self.asked)}")


@pytest.mark.requirement("I1")
def test_a_memory_gives_messages_or_text_under_its_key() -> None:
    objects = ConversationBufferMemory(return_messages=True, memory_key="talk")
    text = ConversationBufferMemory()
    for memory in (objects, text):
        memory.save_context({"input": "Hello."}, {"output": "Hi there."})
        memory.save_context({"input": "Bye."}, {"response": "See you."})
    assert objects.memory_variables == ["talk"]
    said = [HumanMessage("Hello."), AIMessage("Hi there."), HumanMessage("Bye."), AIMessage("See you.")]
    assert objects.load_memory_variables({}) == {"talk": said}
    assert text.load_memory_variables() == {"history": "Human: Hello.\nAI: Hi there.\nHuman: Bye.\nAI: See you."}
    objects.clear()
    assert objects.load_memory_variables({}) == {"talk": []}
    assert text.messages == said


@pytest.mark.requirement("I1")
def test_any_kind_of_memory_and_any_store_may_stand_behind_it() -> None:
    store = InMemoryConversationStore()
    memory = ConversationBufferMemory(memory=WindowMemory(1, 1_000), store=store, session_id="mine", memory_tokens=0)
    for number in range(3):
        memory.save_context({"input": f"Q{number}"}, {"output": f"A{number}"})
    assert memory.load_memory_variables() == {"history": "Human: Q2\nAI: A2"}
    assert len(store.load_messages("mine")) == 6


@pytest.mark.requirement("I2")
def test_each_prompt_of_a_chain_holds_all_earlier_turns() -> None:
    model = Parrot()
    prompt = PromptTemplate("You help.\n\nPrevious conversation:\n{history}\n\nCurrent question: {input}\n\nAnswer:")
    chain = ConversationChain(model, ConversationBufferMemory(return_messages=True, memory_key="history"), prompt)
    assert [chain.predict(input=each) for each in ("One?", "Two?", "Three?")] == ["Answer 1", "Answer 2", "Answer 3"]
    third = model.asked[2][0].text
    assert third == (
        "You help.\n\nPrevious conversation:\nHuman: One?\nAI: Answer 1\nHuman: Two?\nAI: Answer 2\n\n"
        "Current question: Three?\n\nAnswer:"
    )
    assert "Answer 1" in model.asked[1][0].text
    assert "Answer" not in model.asked[0][0].text.removesuffix("Answer:")


@pytest.mark.requirement("I2")
def test_a_verbose_chain_shows_each_prompt() -> None:
    shown: list[str] = []
    chain = ConversationChain(Parrot(), verbose=True, show=shown.append)
    chain.predict(input="One?")
    chain.predict(input="Two?")
    assert "Human: One?\nAI: Answer 1" in shown[1]
    assert "Two?" in shown[1]
    quiet: list[str] = []
    ConversationChain(Parrot(), show=quiet.append).predict(input="One?")
    assert quiet == []


@pytest.mark.requirement("I2")
def test_a_chain_with_a_template_of_messages_sends_messages() -> None:
    model = Parrot()
    prompt = ChatPromptTemplate.from_messages(
        [("system", "Be kind."), MessagesPlaceholder("talk"), ("human", "{input}")]
    )
    chain = ConversationChain(model, ConversationBufferMemory(memory_key="talk"), prompt)
    chain.predict(input="One?")
    chain.predict(input="Two {braces}?")
    assert [(each.role, each.text) for each in model.asked[1]] == [
        ("system", "Be kind."),
        ("user", "One?"),
        ("assistant", "Answer 1"),
        ("user", "Two {braces}?"),
    ]


def test_a_turn_that_failed_is_not_remembered() -> None:
    model = Parrot()
    chain = ConversationChain(model)
    chain.predict(input="One?")
    model.fails = True
    with pytest.raises(APIConnectionError):
        chain.predict(input="Two?")
    assert [each.text for each in chain.memory.messages] == ["One?", "Answer 1"]
