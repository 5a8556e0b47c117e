"""``footnote chats`` as a user runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.storage.session_store import SessionStore, open_chats
from tests.cli.conftest import Footnote
from tests.services.chats_rig import branched, rich_chat


@pytest.fixture
def home(tmp_path: Path) -> Footnote:
    """A Footnote with two chats and no library."""
    footnote = Footnote(tmp_path / "home")
    (footnote.home / "data").mkdir(parents=True)
    database = open_chats(footnote.home / "data" / "chats.db")
    store = SessionStore(database)
    rich_chat(store)
    store.add_message(store.create("Other").id, "user", "Which wells are dry?")
    database.close()
    return footnote


def test_listing_and_searching(home: Footnote) -> None:
    listed = home("chats", "--json")
    assert [(row["title"], row["messages"], row["folder"]) for row in listed.rows] == [
        ("Other", 1, ""),
        ("Pumps & <wells>", 4, "Work"),
    ]
    assert "in Work #wet #deep  pinned" in home("chats", "list").out
    found = home("chats", "search", "dry", "--json")
    assert [row["title"] for row in found.rows] == ["Other", "Pumps & <wells>"]
    nothing = home("chats", "search", "nosuchword")
    assert (nothing.status, nothing.out) == (0, "")
    assert "No message" in nothing.err


def test_export_and_import(home: Footnote, tmp_path: Path) -> None:
    exported = home("chats", "export", tmp_path / "all.json")
    assert exported.status == 0, exported.err
    assert len(json.loads((tmp_path / "all.json").read_text(encoding="utf-8"))["chats"]) == 2
    again = home("chats", "import", tmp_path / "all.json")
    assert again.out == "2 chats: 2 were here already. Added 0 messages.\n"
    other = Footnote(tmp_path / "elsewhere")
    assert other("chats", "import", tmp_path / "all.json", "--json").rows[0]["new"] == 2
    (tmp_path / "conversations.json").write_text(json.dumps([branched()]), encoding="utf-8")
    assert other("chats", "import", tmp_path / "conversations.json").out.startswith("1 chat: 1 new. Added 6 messages.")
    page = other("chats", "export", tmp_path / "trip.html", "--chat", "trip")
    assert page.status == 0, page.err
    assert "To Rome." in (tmp_path / "trip.html").read_text(encoding="utf-8")
    assert other("chats", "export", tmp_path / "pages", "--format", "md").status == 0
    assert len(list((tmp_path / "pages").iterdir())) == 3


def test_what_cant_be_done_is_said(home: Footnote, tmp_path: Path) -> None:
    (tmp_path / "photo.json").write_bytes(b"\xff")
    for arguments, words in (
        (("export", tmp_path / "folder"), "--format"),
        (("export", tmp_path / "a.md", "--chat", "nosuch"), "No chat is called"),
        (("import", tmp_path / "photo.json"), "Nothing was imported"),
    ):
        result = home("chats", *arguments)
        assert (result.status, words in result.err) == (2, True), result.err
