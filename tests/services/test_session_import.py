"""Chats from files: our own, ChatGPT's, zips, and files that are none of these."""

from __future__ import annotations

import json
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain.cancellation import CancelToken
from app.domain.errors import BadInputError
from app.domain.turn_options import Strictness
from app.domain.turns import MessageStatus
from app.services.session_export import SessionExport
from app.services.session_files import ExportFormat
from app.services.session_import import SessionImport
from app.storage.session_store import SessionStore, open_chats
from tests.services.chats_rig import branched, conversation, node, rich_chat, told


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SessionStore]:
    database = open_chats(tmp_path / "chats.db")
    yield SessionStore(database)
    database.close()


@pytest.fixture
def other(tmp_path: Path) -> Iterator[SessionStore]:
    """The store of another computer, whose messages have other numbers."""
    database = open_chats(tmp_path / "other.db")
    store = SessionStore(database)
    store.add_message(store.create("Elsewhere").id, "user", "hello")
    yield store
    database.close()


def write(path: Path, data: object) -> Path:
    path.write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8")
    return path


def texts(store: SessionStore, session_id: str) -> list[str]:
    return [message.text for message in store.messages(session_id)]


# -- our own ---------------------------------------------------------------------------------------------------------


def test_a_chat_arrives_on_another_computer_as_it_was(store: SessionStore, other: SessionStore, tmp_path: Path) -> None:
    chat = rich_chat(store)
    SessionExport(store).to_file(chat.id, tmp_path / "chat.json", ExportFormat.JSON)
    report = SessionImport(other).from_file(tmp_path / "chat.json")
    assert (report.new_chats, report.messages, report.left_out) == (1, 4, ())
    arrived = other.session(chat.id)
    assert arrived == chat
    assert arrived.choices.strictness is Strictness.OPEN
    assert [told(each) for each in other.all_messages(chat.id)] == [told(each) for each in store.all_messages(chat.id)]
    assert texts(other, chat.id) == texts(store, chat.id)
    shown = other.messages(chat.id)
    assert len(shown[1].siblings) == 2
    answer = store.messages(chat.id)[1].id
    assert other.turn_details(shown[1].id) == store.turn_details(answer)
    assert other.search("dry") != []
    assert other.integrity() == []


def test_importing_twice_doubles_nothing(store: SessionStore, other: SessionStore, tmp_path: Path) -> None:
    chat = rich_chat(store)
    path = tmp_path / "all.json"
    assert SessionExport(store).all_to_file(path) == 1
    for where in (store, other):
        SessionImport(where).from_file(path)
        before = [told(each) for each in where.all_messages(chat.id)]
        report = SessionImport(where).from_file(path)
        assert (report.new_chats, report.known_chats, report.messages) == (0, 1, 0)
        assert [told(each) for each in where.all_messages(chat.id)] == before
    # Also what came from there and goes back is known.
    assert SessionExport(other).all_to_file(tmp_path / "back.json") == 2
    report = SessionImport(store).from_file(tmp_path / "back.json")
    assert (report.new_chats, report.known_chats, report.messages) == (1, 1, 1)


def test_a_chat_that_went_on_elsewhere_gets_what_it_lacks(
    store: SessionStore, other: SessionStore, tmp_path: Path
) -> None:
    chat = rich_chat(store)
    export, path = SessionExport(store), tmp_path / "chat.json"
    export.to_file(chat.id, path, ExportFormat.JSON)
    SessionImport(other).from_file(path)
    store.add_message(chat.id, "assistant", "Then it rains.")
    other.rename(chat.id, "Renamed there")
    export.to_file(chat.id, path, ExportFormat.JSON)
    report = SessionImport(other).from_file(path)
    assert (report.new_chats, report.continued_chats, report.messages) == (0, 1, 1)
    assert texts(other, chat.id)[-1] == "Then it rains."
    assert other.session(chat.id).title == "Renamed there"


def test_a_message_that_differs_becomes_an_alternative(
    store: SessionStore, other: SessionStore, tmp_path: Path
) -> None:
    chat = store.create("Pumps")
    store.add_message(chat.id, "user", "q")
    answer = store.add_message(chat.id, "assistant", "Half", status=MessageStatus.INTERRUPTED)
    export, path = SessionExport(store), tmp_path / "chat.json"
    export.to_file(chat.id, path, ExportFormat.JSON)
    SessionImport(other).from_file(path)
    store.update_message(answer.id, text="Half, and the rest", status=MessageStatus.COMPLETE)
    export.to_file(chat.id, path, ExportFormat.JSON)
    for added in (1, 0):
        assert SessionImport(other).from_file(path).messages == added
        assert [each.text for each in other.all_messages(chat.id)] == ["q", "Half", "Half, and the rest"]
        assert texts(other, chat.id) == ["q", "Half, and the rest"]


def test_what_lies_in_the_trash_is_taken_out_of_it(store: SessionStore, tmp_path: Path) -> None:
    chat = rich_chat(store)
    SessionExport(store).to_file(chat.id, tmp_path / "chat.json", ExportFormat.JSON)
    store.trash([chat.id])
    report = SessionImport(store).from_file(tmp_path / "chat.json")
    assert (report.known_chats, report.restored) == (1, 1)
    assert store.session(chat.id).deleted_at is None


def test_chats_that_are_broken_are_told_and_the_others_imported(store: SessionStore, tmp_path: Path) -> None:
    good = {"id": "good", "title": "Good", "messages": [{"id": "1", "role": "user", "text": "hello"}]}
    bad = {
        "id": "bad",
        "title": "Bad",
        "created_at": "never",
        "tags": "x",
        "choices": 5,
        "messages": [
            5,
            {"id": "1", "role": "user"},
            {"id": "2", "role": "user", "text": "kept", "parent": "gone", "citations": [5, {"number": "x"}]},
            {"id": "2", "role": "user", "text": "again"},
            {"id": "3", "role": "assistant", "text": "also", "parent": "4", "status": "streaming", "details": {"a": 1}},
        ],
    }
    data = {"format": "footnote-chats", "version": 1, "chats": [5, {"title": "No id", "messages": []}, bad, good]}
    report = SessionImport(store).from_file(write(tmp_path / "chats.json", data))
    assert report.new_chats == 2
    assert texts(store, "good") == ["hello"]
    assert texts(store, "bad") == ["kept", "also"]
    assert store.messages("bad")[1].status is MessageStatus.INTERRUPTED
    assert report.left_out == (
        "A chat without an id, “No id”, was left out.",
        "Left out of “Bad”: 3 messages without an id, a text or a role.",
        "Left out of chats.json: 1 item that can't be read as a chat.",
    )


def test_a_file_that_is_cut_off_gives_what_it_holds(store: SessionStore, other: SessionStore, tmp_path: Path) -> None:
    for number in range(3):
        store.add_message(store.create(f"chat {number}").id, "user", "hello")
    path = tmp_path / "all.json"
    SessionExport(store).all_to_file(path)
    path.write_text(path.read_text(encoding="utf-8")[:-60], encoding="utf-8")
    report = SessionImport(other).from_file(path)
    assert report.new_chats == 2
    assert "The rest of all.json is damaged" in report.left_out[0]


def test_a_newer_format_is_refused(store: SessionStore, tmp_path: Path) -> None:
    path = write(tmp_path / "new.json", {"format": "footnote-chats", "version": 2, "chats": []})
    with pytest.raises(BadInputError, match="newer Footnote"):
        SessionImport(store).from_file(path)


# -- ChatGPT's -------------------------------------------------------------------------------------------------------


def test_branches_of_chatgpt_are_kept(store: SessionStore, tmp_path: Path) -> None:
    path = write(tmp_path / "conversations.json", [branched()])
    report = SessionImport(store).from_file(path)
    assert (report.new_chats, report.messages, report.left_out) == (1, 6, ())
    [record] = store.sessions()
    assert (record.title, record.created_at, record.updated_at) == ("Trip", 1_700_000_000.0, 1_700_000_500.0)
    assert texts(store, record.id) == ["Where to?", "To Rome.", "Why?"]
    question, answer, _ = store.messages(record.id)
    assert (len(question.siblings), len(answer.siblings)) == (2, 2)
    assert (answer.model, answer.created_at) == ("gpt-4o", 1_700_000_001.25)
    store.show_branch(answer.siblings[1])
    assert texts(store, record.id) == ["Where to?", "To Oslo."]
    store.show_branch(question.siblings[1])
    assert texts(store, record.id) == ["Where to in May?", "To Crete."]


def test_chatgpt_twice_and_gone_on_with(store: SessionStore, tmp_path: Path) -> None:
    path = write(tmp_path / "conversations.json", [branched()])
    SessionImport(store).from_file(path)
    [record] = store.sessions()
    store.add_message(record.id, "assistant", "Because I say so.")
    assert SessionImport(store).from_file(path).messages == 0
    assert texts(store, record.id)[-1] == "Because I say so."
    longer = branched()
    longer["mapping"]["a3"] = node("a3", "q2", "assistant", "For the food.")
    longer["current_node"] = "a3"
    report = SessionImport(store).from_file(write(path, [longer]))
    assert (report.continued_chats, report.messages) == (1, 1)
    assert texts(store, record.id) == ["Where to?", "To Rome.", "Why?", "For the food."]
    assert len(store.messages(record.id)[-1].siblings) == 2


def test_what_chatgpt_says_in_other_ways_than_text(store: SessionStore, tmp_path: Path) -> None:
    picture = {"content_type": "image_asset_pointer", "asset_pointer": "file-service://x"}
    sound = {"content_type": "audio_asset_pointer"}
    data = conversation(
        "",
        node("q", None, "user", picture, "What is\nthis?", sound),
        node("think", "q", "assistant", content_type="thoughts", text="secret"),
        node("code", "think", "assistant", content_type="code", language="python", text="print(1)"),
        node("out", "code", "tool", content_type="execution_output", text="1\n```"),
        node("hidden", "out", "assistant", "not seen"),
        node("a", "hidden", "assistant", {"content_type": "audio_transcription", "text": "A cat."}, None, 5),
        is_archived=True,
    )
    data["mapping"]["hidden"]["message"]["metadata"]["is_visually_hidden_from_conversation"] = True
    report = SessionImport(store).from_file(write(tmp_path / "one.json", data))
    [record] = store.sessions()
    assert record.archived
    assert record.title == "[picture] What is this? [audio]"
    messages = store.messages(record.id)
    assert [each.role for each in messages] == ["user", "assistant", "tool", "assistant"]
    assert [each.text for each in messages] == [
        "[picture]\n\nWhat is\nthis?\n\n[audio]",
        "```python\nprint(1)\n```",
        "````\n1\n```\n````",
        "A cat.",
    ]
    assert report.left_out == (
        "Only named in the text of “a chat without a title”: 1 × picture.",
        "Only named in the text of “a chat without a title”: 1 × recording or other attachment.",
    )


def test_trees_that_can_not_be(store: SessionStore, tmp_path: Path) -> None:
    circle = conversation("Circle", node("a", "b", "user", "one"), node("b", "a", "assistant", "two"))
    lost = conversation("Lost", node("a", "nowhere", "user", "one"), node("b", "a", "assistant", "two"))
    odd = conversation("Odd", node("a", None, "user", "one")) | {"current_node": "gone", "create_time": "x"}
    odd["mapping"] |= {"b": 5, "c": {"parent": 5, "children": 5, "message": {"author": 5, "content": 5}}}
    none = conversation("None", {"id": "root", "parent": None, "children": [], "message": None})
    report = SessionImport(store).from_file(write(tmp_path / "c.json", [circle, lost, odd, none, 5, {"mapping": 5}]))
    found = {record.title: texts(store, record.id) for record in store.sessions()}
    assert found == {"Circle": ["one", "two"], "Lost": ["one", "two"], "Odd": ["one"]}
    assert report.left_out == (
        "“None” holds no messages and was left out.",
        "Left out of c.json: 2 items that can't be read as a chat.",
    )


def test_a_long_conversation_is_no_deep_one(store: SessionStore, tmp_path: Path) -> None:
    nodes = [node("0", None, "user", "m0")]
    nodes += [node(str(number), str(number - 1), "user", f"m{number}") for number in range(1, 3000)]
    SessionImport(store).from_file(write(tmp_path / "c.json", [conversation("Long", *nodes)]))
    [record] = store.sessions()
    assert texts(store, record.id) == [f"m{number}" for number in range(3000)]


NAMES = """
    id mapping message parent children content parts author role messages text title format version chats content_type
    citations number path boxes create_time
"""
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(sorted(NAMES.split())), inner, max_size=6)
    ),
    max_leaves=40,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(value=json_values)
def test_no_json_does_more_than_be_refused(value: Any, store: SessionStore, tmp_path: Path) -> None:
    path = write(tmp_path / "any.json", value)
    try:
        report = SessionImport(store).from_file(path)
    except BadInputError:
        return
    assert all(store.session(each.session_id) for each in report.arrivals)


# -- files -----------------------------------------------------------------------------------------------------------


def test_the_zip_that_chatgpt_sends(store: SessionStore, tmp_path: Path) -> None:
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("user.json", '{"id": "user-1"}')
        archive.writestr("chat.html", "<html>")
        archive.writestr("conversations-000.json", json.dumps([branched()]))
        archive.writestr("conversations-001.json", json.dumps([conversation("B", node("a", None, "user", "hello"))]))
        archive.writestr("images/cat.png", b"png")
    assert SessionImport(store).from_file(path).new_chats == 2
    assert sorted(record.title for record in store.sessions()) == ["B", "Trip"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is no JSON"),
        (b"hello", "is no JSON"),
        (b"\xff\xfe\x00", "not a text file in UTF-8"),
        (b"{}", "There is no chat in it"),
        (b"[]", "There is no chat in it"),
        (b'{"mapping": 5}', "There is no chat in it"),
        (b'[{"a": 1}', "is damaged"),
        (b"[" * 100_000, "is damaged"),
        (b'{"a":' * 100_000, "is no JSON"),
    ],
)
def test_files_that_hold_no_chats(store: SessionStore, tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "file.json"
    path.write_bytes(content)
    with pytest.raises(BadInputError) as raised:
        SessionImport(store).from_file(path)
    assert told in str(raised.value)
    assert "conversations.json" in str(raised.value)
    assert store.sessions() == []


def test_zips_that_hold_no_chats(store: SessionStore, tmp_path: Path) -> None:
    empty, damaged, missing = tmp_path / "empty.zip", tmp_path / "damaged.zip", tmp_path / "missing.zip"
    with zipfile.ZipFile(empty, "w") as archive:
        archive.writestr("photo.png", b"png")
    with zipfile.ZipFile(damaged, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("conversations.json", json.dumps([branched()]))
    content = bytearray(damaged.read_bytes())
    content[60:90] = bytes(30)
    damaged.write_bytes(content)
    for path, words in (
        (empty, "no conversations.json"),
        (damaged, "damaged or locked zip"),
        (missing, "can't be read"),
    ):
        with pytest.raises(BadInputError, match=words):
            SessionImport(store).from_file(path)
    assert store.sessions() == []


def test_a_zip_of_which_one_file_is_damaged_gives_the_others(store: SessionStore, tmp_path: Path) -> None:
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("conversations-000.json", json.dumps([branched()]))
        archive.writestr("conversations-001.json", b"\xff\xff")
    report = SessionImport(store).from_file(path)
    assert (report.new_chats, len(report.left_out)) == (1, 1)
    assert "conversations-001.json is not a text file" in report.left_out[0]


def test_an_import_can_be_stopped_and_done_again(store: SessionStore, tmp_path: Path) -> None:
    data = [conversation(f"c{number}", node("a", None, "user", "hello")) for number in range(5)]
    path = write(tmp_path / "conversations.json", data)
    cancel = CancelToken()
    report = SessionImport(store).from_file(
        path, progress=lambda done, total: cancel.cancel() if done == 2 else None, cancel=cancel
    )
    assert (report.new_chats, report.left_out) == (2, ("Stopped after 2 chats; import the file again for the others.",))
    assert SessionImport(store).from_file(path).new_chats == 3


def test_older_chats_stay_below_newer_ones(store: SessionStore, tmp_path: Path) -> None:
    data = [conversation(f"c{n}", node("a", None, "user", "x"), update_time=time.time() - n) for n in range(3)]
    SessionImport(store).from_file(write(tmp_path / "c.json", data))
    assert [record.title for record in store.sessions()] == ["c0", "c1", "c2"]
