"""The list of chats: headings, folding, order, and that a long one is quick."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from app.domain.chat_transfer import ChatHit
from app.domain.turns import SessionRecord
from app.gui.models.chat_hit_model import ChatHitModel
from app.gui.models.session_list_model import SessionListModel
from app.gui.session_sections import ARCHIVE, sections

DAY = 86_400
NOW = time.mktime((2026, 5, 20, 15, 0, 0, 0, 0, -1))


def chat(name: str, age: float = 0.0, **more: object) -> SessionRecord:
    moment = time.time() - age
    return SessionRecord(name, name, moment, moment, **more)  # type: ignore[arg-type]  # a table of values


def shown(model: SessionListModel) -> list[str]:
    """Headings in brackets."""
    texts = []
    for row in range(model.rowCount()):
        index = model.index(row)
        texts.append(index.data() if index.data(SessionListModel.IdRole) else f"[{index.data()}]")
    return texts


def model_of(*records: SessionRecord) -> SessionListModel:
    model = SessionListModel()
    model.set_sessions(records)
    return model


def test_headings_stand_in_order(qtbot: QtBot) -> None:
    ages = {"now": 0, "late": 16 * 3600, "week": 5 * DAY, "month": 20 * DAY, "spring": 60 * DAY, "winter": 140 * DAY}
    records = [SessionRecord(name, name, 0, NOW - age) for name, age in ages.items()]
    records += [
        SessionRecord("pin", "pin", 0, NOW - 300 * DAY, pinned=True),
        SessionRecord("put away", "put away", 0, NOW, pinned=True, archived=True),
        SessionRecord("w", "w", 0, NOW, folder="Work"),
        SessionRecord("h", "h", 0, NOW - 9 * DAY, folder="home"),
    ]
    found = [(section.title, [each.id for each in chats]) for section, chats in sections(records, NOW)]
    assert found == [
        ("Pinned", ["pin"]),
        ("home", ["h"]),
        ("Work", ["w"]),
        ("Today", ["now"]),
        ("Yesterday", ["late"]),
        ("Previous 7 days", ["week"]),
        ("Previous 30 days", ["month"]),
        ("March 2026", ["spring"]),
        ("December 2025", ["winter"]),
        ("Archived", ["put away"]),
    ]


def test_times_that_no_calendar_has(qtbot: QtBot) -> None:
    model = model_of(SessionRecord("a", "a", 0, -1e300), SessionRecord("b", "b", 0, 1e300))
    assert shown(model) == ["[Today]", "b", "[Long ago]", "a"]


def test_using_a_chat_moves_it_up(qtbot: QtBot) -> None:
    model = model_of(chat("a", 1), chat("b", 2), chat("c", 3), chat("old", 400 * DAY))
    model.put_first(chat("c"))
    assert shown(model)[:4] == ["[Today]", "c", "a", "b"]
    model.put_first(chat("new", -1))
    assert [record.id for record in model.records] == ["new", "c", "a", "b", "old"]
    model.set_busy("a", True)
    row = model.row_of("a")
    assert row is not None
    assert model.index(row).data(SessionListModel.BusyRole)


def test_pinning_and_removing(qtbot: QtBot) -> None:
    a, b = chat("a", 1), chat("b", 2)
    model = model_of(a, b)
    model.put([replace(b, pinned=True)])
    assert shown(model) == ["[Pinned]", "b", "[Today]", "a"]
    assert (model.neighbour("b"), model.neighbour("a")) == ("a", "b")
    model.remove("b")
    model.remove("b")
    assert shown(model) == ["[Today]", "a"]
    assert model.neighbour("a") == ""
    model.remove("a")
    assert shown(model) == []


def test_folders_and_the_archive_fold(qtbot: QtBot) -> None:
    model = model_of(chat("a", folder="Work"), chat("b", archived=True), chat("c"))
    assert shown(model) == ["[Work]", "a", "[Today]", "c", "[Archived]"]
    told: list[list[str]] = []
    model.folded.connect(told.append)
    model.toggle(model.index(0).data(SessionListModel.SectionRole))
    assert shown(model) == ["[Work]", "[Today]", "c", "[Archived]"]
    assert model.index(0).data(Qt.ItemDataRole.AccessibleTextRole) == "Work, 1 chat, folded"
    model.toggle(model.index(1).data(SessionListModel.SectionRole))  # days don't fold
    model.reveal("b")
    assert shown(model) == ["[Work]", "[Today]", "c", "[Archived]", "b"]
    assert told == [["archive:Archived", "folder:Work"], ["folder:Work"]]
    assert [record.id for record in model.records] == ["a", "c", "b"]
    model.set_folded([ARCHIVE.key])
    assert shown(model) == ["[Work]", "a", "[Today]", "c", "[Archived]"]


@pytest.mark.parametrize("title", ["", "   ", "\n\t"])
def test_an_empty_title_is_refused(qtbot: QtBot, title: str) -> None:
    model = model_of(chat("Name"))
    wished: list[str] = []
    model.rename_wished.connect(lambda _id, name: wished.append(name))
    assert not model.setData(model.index(1), title)
    assert model.index(1).data() == "Name"
    assert model.setData(model.index(1), "  New\n name ")
    assert wished == ["New name"]
    assert not model.flags(model.index(0)) & Qt.ItemFlag.ItemIsSelectable


changes = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.sampled_from(["put", "pin", "fold", "archive", "remove", "top"])),
    max_size=25,
)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=changes)
def test_every_change_tells_views_exactly_what_moved(qtbot: QtBot, steps: list[tuple[str, str]]) -> None:
    model = SessionListModel()
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Warning)
    for number, (name, step) in enumerate(steps):
        record = model.record(name) or chat(name, ord(name) * DAY)
        if step == "put":
            model.put([replace(record, folder="Work" if number % 2 else "")])
        elif step == "pin":
            model.put([replace(record, pinned=not record.pinned)])
        elif step == "archive":
            model.put([replace(record, archived=not record.archived)])
        elif step == "top":
            model.put_first(replace(record, updated_at=time.time() + number))
        elif step == "remove":
            model.remove(name)
        elif model.rowCount():
            model.toggle(model.index(number % model.rowCount()).data(SessionListModel.SectionRole) or ARCHIVE)
        fresh = model_of(*model.records)
        fresh.set_folded(model.folded_keys)
        assert shown(model) == shown(fresh)
    assert tester.model() is model


def test_hits_name_their_chat(qtbot: QtBot) -> None:
    model = ChatHitModel()
    hit = ChatHit("s", "Pumps\u202e", 7, "user", 1.0, "the pump", ((4, 8),))
    model.show([chat("Pump list", folder="Work", tags=("wet",))], [hit])
    first, second = model.index(0), model.index(1)
    assert (first.data(), first.data(ChatHitModel.DetailRole)) == ("Pump list", "Work  #wet")
    assert (first.data(ChatHitModel.HitRole), first.data(ChatHitModel.SessionRole)) == (None, "Pump list")
    assert (second.data(), second.data(ChatHitModel.HitRole)) == ("Pumps", hit)
    assert second.data(Qt.ItemDataRole.AccessibleTextRole) == "Pumps: the pump"
    assert model.index(5).data() is None
    assert model.rowCount(QModelIndex(first)) == 0
