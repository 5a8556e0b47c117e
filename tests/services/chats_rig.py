"""Chats with everything in them, and exports as ChatGPT writes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from app.domain.citations import AnswerSentence, Citation, Support
from app.domain.documents import Box
from app.domain.session_choices import SessionChoices
from app.domain.turn_details import TurnDetails
from app.domain.turn_options import Strictness
from app.domain.turns import MessageStatus, SessionRecord, StoredMessage
from app.storage.session_store import SessionStore

AWKWARD = 'Don\'t "quote" <b>C++</b> `x`\n\n\x1b[31m| a | b |\u202e 😀 東京 & end'


def citation(number: int, quote: str = "It runs dry in May.") -> Citation:
    return Citation(
        number, 7, Path("/docs/Größe.pdf"), "Größe", "ab" * 32, 3, 22, quote, 4, (Box(1.5, 2.25, 3.0, 4.0),), 0.75
    )


def rich_chat(store: SessionStore) -> SessionRecord:
    """A question with two answers, the first on show, gone on with once; with everything a message can have."""
    chat = store.create("Pumps & <wells>")
    question = store.add_message(chat.id, "user", AWKWARD)
    answer = store.add_message(
        chat.id,
        "assistant",
        "It runs dry. [1][2]",
        parent_id=question.id,
        model="ollama:small",
        citations=[citation(1), citation(2, AWKWARD)],
        sentences=[AnswerSentence("It runs dry. [1][2]", 0, 19, (1, 2), Support.PARTLY, "another month")],
        timings={"first_text": 0.5},
    )
    store.update_message(answer.id, details=TurnDetails(query="pumps", strictness=Strictness.OPEN))
    store.add_message(chat.id, "assistant", "Half an", parent_id=question.id, status=MessageStatus.STOPPED, error="Oh.")
    store.show_branch(answer.id)
    store.add_message(chat.id, "user", "And then?")
    store.organise(
        [chat.id],
        pinned=True,
        folder="Work",
        tags=["wet", "deep"],
        choices=SessionChoices(model="ollama:small", strictness=Strictness.OPEN, persona="Lawyer"),
    )
    return store.session(chat.id)


def told(message: StoredMessage) -> tuple[object, ...]:
    """What of a message is the same on every computer."""
    return (
        message.role,
        message.text,
        message.status,
        message.created_at,
        message.model,
        message.answered,
        message.error,
        tuple(message.citations),
        tuple(message.sentences),
        message.timings,
    )


def node(ident: str, parent: str | None, role: str = "user", *parts: Any, **content: Any) -> dict[str, Any]:
    """A node of ChatGPT's mapping; ``children`` are filled in by ``conversation``."""
    return {
        "id": ident,
        "parent": parent,
        "children": [],
        "message": {
            "id": ident,
            "author": {"role": role, "name": None, "metadata": {}},
            "create_time": 1_700_000_000.25 + len(ident),
            "update_time": None,
            "content": {"content_type": "text", "parts": list(parts)} | content,
            "status": "finished_successfully",
            "metadata": {"model_slug": "gpt-4o"} if role == "assistant" else {},
            "recipient": "all",
        },
    }


def conversation(title: str, *nodes: dict[str, Any], current: str = "", **more: Any) -> dict[str, Any]:
    """A conversation of ChatGPT's export."""
    mapping = {each["id"]: each for each in nodes}
    for each in nodes:
        if each["parent"] in mapping and each["id"] not in mapping[each["parent"]]["children"]:
            mapping[each["parent"]]["children"].append(each["id"])
    return {
        "title": title,
        "create_time": 1_700_000_000.0,
        "update_time": 1_700_000_500.0,
        "mapping": mapping,
        "current_node": current or nodes[-1]["id"],
        "conversation_id": f"id of {title}",
    } | more


def branched() -> dict[str, Any]:
    """A conversation with an edited question and an answer made twice: q(a(q2) | a') and q-edited."""
    root: dict[str, Any] = {"id": "root", "parent": None, "children": [], "message": None}
    hidden = node("hidden", "root", "system", "")
    return conversation(
        "Trip",
        root,
        hidden,
        node("q", "hidden", "user", "Where to?"),
        node("q-edited", "hidden", "user", "Where to in May?"),
        node("a", "q", "assistant", "To Rome."),
        node("a'", "q", "assistant", "To Oslo."),
        node("q2", "a", "user", "Why?"),
        node("a-edited", "q-edited", "assistant", "To Crete."),
        current="q2",
    )
