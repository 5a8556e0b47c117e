"""Tools in a turn, over HTTP in two dialects: found passages are cited, scopes kept, refusals and errors told."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.domain.passages import Scope
from app.domain.turn_options import TurnOptions
from app.domain.turns import NoteAdded, ToolCalled, ToolReturned, TurnEvent, TurnFinished
from app.services.library_passages import LibraryPassages
from app.services.library_tools import TOOL_LIST, TOOL_SEARCH, LibraryTools, ToolRule
from app.services.tool_approvals import ToolApprovals
from app.services.turn_seams import TurnSeams
from app.storage.session_store import open_chats
from app.storage.settings_store import SettingsStore
from tests.chat_models.providers.protocols import ANTHROPIC, CHAT, OLLAMA, Protocol
from tests.chat_models.stub_replies import Reply
from tests.services.http_chat import HttpRoom, open_http_room
from tests.services.small_shelf import Shelf, open_shelf

WITH_TOOLS = TurnOptions(tools=True)
LEDGER = ["The boiler was bought in 1974 for 900 crowns.", "The boiler was scrapped in 1999.", "Coal came by barge."]


class World:
    """A room whose model has the tools of a small library."""

    def __init__(self, room: HttpRoom, shelf: Shelf, settings: SettingsStore, approvals: ToolApprovals) -> None:
        self.room, self.shelf, self.settings, self.approvals = room, shelf, settings, approvals
        self.ledger = shelf.library.put("ledger.txt", LEDGER, title="Ledger")
        self.diary = shelf.library.put("diary.txt", ["The garden was flooded in spring."], title="Diary")

    def plays(self, protocol: Protocol, *frames: list[bytes]) -> None:
        self.room.server.script(*(Reply(tuple(each), content_type=protocol.content_type) for each in frames))

    def ask(self, protocol: Protocol = CHAT, **options: Any) -> list[TurnEvent]:
        options.setdefault("options", WITH_TOOLS)
        return self.room.ask("When was the boiler scrapped?", model=protocol.spec, **options)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with contextlib.closing(open_chats(tmp_path / "settings.db")) as database:
        settings = SettingsStore(database)
        approvals = ToolApprovals(seconds=20)
        with open_shelf(tmp_path / "library", settings) as shelf:
            tools = LibraryTools(LibraryPassages(shelf.library.store, lambda: shelf.retriever), settings)
            seams = TurnSeams(tools=tools.tools, needs_approval=tools.needs_approval, approve=approvals.approve)
            with open_http_room(tmp_path / "chats", seams) as room:
                yield World(room, shelf, settings, approvals)


def call(name: str, **arguments: Any) -> tuple[str, str, str]:
    return ("call_1", name, json.dumps(arguments))


def returned(events: list[TurnEvent]) -> list[ToolReturned]:
    return [each for each in events if isinstance(each, ToolReturned)]


@pytest.mark.parametrize("protocol", [CHAT, ANTHROPIC], ids=lambda each: each.name)
def test_what_a_tool_finds_is_cited_with_a_footnote(world: World, protocol: Protocol) -> None:
    world.plays(
        protocol,
        protocol.tools(call("search_documents", query="boiler scrapped", count=1)),
        protocol.text("It was scrapped in 1999 [p", "3]."),
    )

    events = world.ask(protocol)

    kinds = [type(each) for each in events]
    assert kinds.index(ToolCalled) < kinds.index(ToolReturned)
    assert "[p3] Ledger" in returned(events)[0].text
    assert isinstance(events[-1], TurnFinished)
    message = events[-1].message
    assert message.text == "It was scrapped in 1999 [1]."
    assert [each.quote for each in message.citations] == ["The boiler was scrapped in 1999."]
    assert message.citations[0].document_id == world.ledger
    first, second = world.room.server.bodies
    assert {"search_documents", "read_pages", "list_documents"} <= set(_names(first["tools"]))
    assert "1999" in json.dumps(second["messages"])


def _names(tools: list[dict[str, Any]]) -> list[str]:
    return [each.get("name") or each["function"]["name"] for each in tools]


def test_arguments_are_described_to_the_model(world: World) -> None:
    world.plays(CHAT, CHAT.text("Hourly [p2]."))
    world.ask()

    (search,) = [each["function"] for each in world.room.server.bodies[0]["tools"] if "search" in str(each)][:1]
    assert search["parameters"]["required"] == ["query"]
    assert search["parameters"]["properties"]["query"]["description"]


def test_no_tool_sees_what_the_scope_leaves_out(world: World) -> None:
    world.plays(
        CHAT,
        CHAT.tools(call("search_documents", query="boiler scrapped")),
        CHAT.tools(call("list_documents")),
        CHAT.tools(call("read_pages", document="ledger.txt")),
        CHAT.text("I can't tell."),
    )

    events = world.ask(scope=Scope(document_ids=frozenset({world.diary})))

    told = returned(events)
    assert len(told) == 3
    assert all("1999" not in each.text and "1974" not in each.text for each in told)
    assert "diary.txt" in told[1].text
    assert "ledger" not in told[1].text
    assert told[2].failed


def test_pages_are_read_in_order_and_cited(world: World) -> None:
    world.plays(
        CHAT, CHAT.tools(call("read_pages", document="Ledger")), CHAT.text("The boiler was bought in 1974 [p3].")
    )

    events = world.ask()

    assert returned(events)[0].text.index("1974") < returned(events)[0].text.index("barge")
    assert isinstance(events[-1], TurnFinished)
    (citation,) = events[-1].message.citations
    assert "bought in 1974" in citation.quote
    text = world.shelf.library.store.document_text(world.ledger)
    assert text[citation.start : citation.end] == citation.quote


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (call("read_pages", document="nowhere.pdf"), "ledger.txt"),
        (call("read_pages", document="ledger.txt", first=9), "pages 1 to 1"),
        (call("search_documents", query="  "), "empty"),
        (call("search_documents", wrong="x"), "query"),
        (call("fetch_page", url="x"), "search_documents"),
        (("call_1", "search_documents", '{"query": "boi'), ""),
    ],
)
def test_mistakes_are_told_to_the_model_which_goes_on(world: World, arguments: tuple[str, str, str], hint: str) -> None:
    world.plays(CHAT, CHAT.tools(arguments), CHAT.text("The pier fell in 1903 [p1]."))

    events = world.ask()

    (told,) = returned(events)
    assert told.failed
    assert hint in told.text
    assert hint in json.dumps(world.room.server.bodies[1]["messages"])
    assert isinstance(events[-1], TurnFinished)


def test_rounds_are_bounded_and_the_last_must_answer(world: World) -> None:
    world.plays(CHAT, *[CHAT.tools(call("list_documents"))] * 6, CHAT.text("The pier fell in 1903 [p1]."))

    events = world.ask()

    assert isinstance(events[-1], TurnFinished)
    assert len(returned(events)) == 6
    assert world.room.server.bodies[-1]["tool_choice"] == "none"


def test_a_model_without_tools_is_offered_none(world: World) -> None:
    profile_free = "ollama:llama3.2"
    assert profile_free == OLLAMA.spec
    world.plays(OLLAMA, OLLAMA.text("In 1903 [p1]."))
    world.ask(OLLAMA)
    world.plays(CHAT, CHAT.text("In 1903 [p1]."))
    world.ask(options=TurnOptions())

    assert all("tools" not in body for body in world.room.server.bodies)


def test_a_tool_whose_rule_is_never_is_not_offered(world: World) -> None:
    world.settings.set(TOOL_LIST, ToolRule.NEVER)
    world.plays(CHAT, CHAT.tools(call("list_documents")), CHAT.text("In 1903 [p1]."))

    events = world.ask()

    assert _names(world.room.server.bodies[0]["tools"]) == ["search_documents", "read_pages"]
    assert returned(events)[0].failed


@pytest.mark.parametrize("allowed", [True, False])
def test_the_turn_waits_for_the_user(world: World, allowed: bool) -> None:
    world.settings.set(TOOL_SEARCH, ToolRule.ASK)
    world.plays(CHAT, CHAT.tools(call("search_documents", query="boiler scrapped")), CHAT.text("In 1903 [p1]."))
    events: list[TurnEvent] = []

    for event in world.room.service.stream_answer(
        world.room.session_id, "When was the boiler scrapped?", model=CHAT.spec, options=WITH_TOOLS
    ):
        events.append(event)
        if isinstance(event, ToolCalled):
            assert event.needs_approval
            assert not returned(events)
            assert world.approvals.answer(world.room.session_id, event.call_id, allowed)

    assert returned(events)[0].failed is not allowed
    assert ("1999" in returned(events)[0].text) is allowed
    if not allowed:
        assert "did not allow" in json.dumps(world.room.server.bodies[1]["messages"])
    assert isinstance(events[-1], TurnFinished)


def test_allowing_always_asks_once(world: World) -> None:
    world.settings.set(TOOL_SEARCH, ToolRule.ASK)
    twice = [CHAT.tools(call("search_documents", query="boiler"))] * 2
    world.plays(CHAT, *twice, CHAT.text("In 1903 [p1]."))
    asked = 0
    for event in world.room.service.stream_answer(world.room.session_id, "When?", model=CHAT.spec, options=WITH_TOOLS):
        if isinstance(event, ToolCalled):
            asked += 1
            if asked == 1:
                assert world.approvals.answer(world.room.session_id, event.call_id, True, always=True)
    assert asked == 2
    assert isinstance(event, TurnFinished)


def test_an_unanswered_question_is_a_refusal_and_is_told(tmp_path: Path) -> None:
    approvals = ToolApprovals(seconds=0.05)
    with contextlib.closing(open_chats(tmp_path / "settings.db")) as database:
        settings = SettingsStore(database)
        settings.set(TOOL_SEARCH, ToolRule.ASK)
        with open_shelf(tmp_path / "library", settings) as shelf:
            tools = LibraryTools(LibraryPassages(shelf.library.store, lambda: shelf.retriever), settings)
            seams = TurnSeams(tools=tools.tools, needs_approval=tools.needs_approval, approve=approvals.approve)
            with open_http_room(tmp_path / "chats", seams) as room:
                world = World(room, shelf, settings, approvals)
                world.plays(CHAT, CHAT.tools(call("search_documents", query="boiler")), CHAT.text("In 1903 [p1]."))

                events = world.ask()

    assert returned(events)[0].failed
    assert any("search_documents" in each.text for each in events if isinstance(each, NoteAdded))
    assert approvals.waiting == ()
    assert not approvals.answer(room.session_id, "call_1", True)
