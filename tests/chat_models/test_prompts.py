"""Prompt templates and ready-made system prompts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.chat_models.prompts.system_prompts import build_system_prompt
from app.chat_models.prompts.templates import ChatPromptTemplate, MessagesPlaceholder, PromptTemplate, text_of
from app.domain.messages import AIMessage, HumanMessage, SystemMessage


@pytest.mark.requirement("A18")
def test_a_template_is_filled() -> None:
    template = PromptTemplate(template="So far:\n{history}\n\nNow: {input}", input_variables=("history", "input"))
    assert template.format(history="A: hi", input="Why?", extra=1) == "So far:\nA: hi\n\nNow: Why?"
    assert PromptTemplate("{a} {b} {a}").input_variables == ("a", "b")
    assert PromptTemplate("{{literal}} {a}").format(a=1) == "{literal} 1"


@pytest.mark.requirement("A18")
def test_a_missing_variable_is_named() -> None:
    with pytest.raises(ValueError, match="'input'"):
        PromptTemplate("{history} {input}").format(history="x")


@pytest.mark.requirement("A19", "A20")
def test_a_chat_template_makes_messages() -> None:
    template = ChatPromptTemplate.from_messages(
        [
            ("system", "You are {persona}."),
            SystemMessage("Fixed {braces}."),
            MessagesPlaceholder("history"),
            ("ai", "Hello."),
            ("human", "{input}"),
        ]
    )
    assert template.input_variables == ["persona", "history", "input"]
    start = [SystemMessage("You are a poet."), SystemMessage("Fixed {braces}.")]
    end = [AIMessage("Hello."), HumanMessage("Why?")]
    assert template.format_messages(persona="a poet", history=[], input="Why?") == [*start, *end]
    history = [HumanMessage("a"), AIMessage("b")]
    assert template.format_messages(persona="a poet", history=history, input="Why?") == [*start, *history, *end]
    chatml = [{"role": "user", "content": "a"}, ("ai", "b")]
    assert template.format_messages(persona="a poet", history=chatml, input="Why?") == [*start, *history, *end]


@pytest.mark.requirement("A19", "A20")
def test_a_chat_template_says_what_is_wrong() -> None:
    with pytest.raises(ValueError, match="role 'robot'"):
        ChatPromptTemplate.from_messages([("robot", "x")])
    template = ChatPromptTemplate.from_messages([MessagesPlaceholder("history"), ("human", "{input}")])
    with pytest.raises(ValueError, match="'history'"):
        template.format_messages(input="x")
    with pytest.raises(ValueError, match="takes messages"):
        template.format_messages(history=[3], input="x")
    optional = ChatPromptTemplate.from_messages([MessagesPlaceholder("history", optional=True), ("human", "{input}")])
    assert optional.format_messages(input="x") == [HumanMessage("x")]


@pytest.mark.requirement("A21")
@given(st.text())
def test_values_are_data(value: str) -> None:
    assert PromptTemplate("<{x}>").format(x=value) == f"<{value}>"


@pytest.mark.requirement("A21")
def test_braces_in_values_are_not_expanded() -> None:
    template = ChatPromptTemplate.from_messages([("human", "{input}")])
    assert template.format_messages(input="{secret} {{x}}", secret="s")[0].text == "{secret} {{x}}"


@pytest.mark.requirement("A21")
@pytest.mark.parametrize(
    "template", ["{x.__class__}", "{x[0]}", "{x!r}", "{x:>{y}}", "{x:10}", "{0}", "{}", "{x", "x}"]
)
def test_templates_that_reach_into_values_are_refused_when_formatted(template: str) -> None:
    with pytest.raises(ValueError, match=r"not allowed|damaged"):
        ChatPromptTemplate.from_messages([("human", template)]).format_messages(x="value", y="1")


@pytest.mark.requirement("A22")
def test_a_system_prompt_follows_the_preferences() -> None:
    expert = build_system_prompt({"expertise_level": "expert", "topics": ["a", "b c"], "language": "Deutsch"})
    assert expert == (
        "You answer as an experienced colleague.\n"
        "Style: Full technical depth. No introductions; go straight to the fine points.\n"
        "Topics: a, b c\n"
        "Language of the answer: Deutsch\n"
        "\n"
        "Guidelines:\n"
        "- Show an example where it helps.\n"
        "- Name pitfalls and what has proved itself.\n"
        "- Say where to read on."
    )
    unknown = build_system_prompt({"expertise_level": "wizard"})
    assert unknown == build_system_prompt({"expertise_level": "intermediate"}) == build_system_prompt({})
    assert unknown != build_system_prompt({"expertise_level": "beginner"})
    assert "Topics: general" in unknown
    assert "Language of the answer: English" in unknown


def test_a_conversation_as_text() -> None:
    assert text_of([SystemMessage("s"), HumanMessage("q"), AIMessage("a")]) == "System: s\nHuman: q\nAI: a"
