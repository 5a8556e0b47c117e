"""Chats as Markdown, HTML and JSON: whole, with sources, and nothing in them that acts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.cancellation import CancelToken
from app.domain.errors import BadInputError, UserFacingError, WorkCancelledError
from app.domain.turns import SessionRecord, StoredMessage
from app.services.session_export import SessionExport
from app.services.session_files import ExportFormat, file_name
from app.services.session_pages import LONGEST_FORMATTED, to_html, to_markdown
from app.storage.session_store import SessionStore, open_chats
from tests.services.chats_rig import citation, rich_chat

ALLOWED = {
    "html", "head", "meta", "title", "style", "body", "h1", "h2", "h3", "h4", "h5", "h6", "p", "div", "span", "ul",
    "ol", "li", "sup", "a", "strong", "em", "code", "pre", "blockquote", "hr", "br",
    "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
HOSTILE = """<script>alert(1)</script> <img src=x onerror=alert(1)> ![p](http://trap.test/p.png)
[click](javascript:alert(1)) [file](file:///etc/passwd) <http://trap.test> <style>@import 'http://trap.test'</style>
[ref]

[ref]: http://trap.test "x"

```"><script>
</code></pre><script>alert(1)</script>
```

| <b onclick=x> | [1] |
|-|-|
| &lt;script&gt; | `</td><script>` |
"""


class Shape(HTMLParser):
    """Which tags and attributes a page has, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def assert_harmless(page: str) -> None:
    for tag, attributes in Shape(page).tags:
        assert tag in ALLOWED, tag
        for name, value in attributes.items():
            if tag == "meta":
                continue
            assert name in {"id", "class", "href", "lang", "style", "start"}, (tag, name)
            assert name != "href" or (value or "").startswith("#s"), value
            assert name != "style" or (value or "").startswith("text-align:"), value


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SessionStore]:
    database = open_chats(tmp_path / "chats.db")
    yield SessionStore(database)
    database.close()


def page_of(text: str, **more: object) -> str:
    record = SessionRecord("s", text, 1.0, 1.0)
    answer = StoredMessage(2, "s", "assistant", text, model=text, error=text, **more)  # type: ignore[arg-type]
    return "".join(to_html(record, [StoredMessage(1, "s", "user", text), answer]))


def test_html_shows_every_word_and_does_nothing() -> None:
    page = page_of(HOSTILE, citations=[citation(1, HOSTILE)])
    assert_harmless(page)
    shape = Shape(page)
    for words in ("<script>alert(1)</script>", "javascript:alert(1)", "![p](http://trap.test/p.png)", "file:///etc"):
        assert words in shape.text
    assert ("a", {"href": "#s2-1"}) in shape.tags
    assert any(attributes.get("id") == "s2-1" for _, attributes in shape.tags)
    policy = next(attributes["content"] for tag, attributes in shape.tags if "http-equiv" in attributes)
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


@settings(deadline=None)
@given(text=st.text() | st.lists(st.sampled_from(["<", ">", '"', "[1]", "](", "`", "\n", "|-", "&", "a"])).map("".join))
def test_no_text_makes_html_do_anything(text: str) -> None:
    assert_harmless(page_of(text, citations=[citation(1, text)]))


def test_markdown_of_answers_keeps_its_shape() -> None:
    shape = Shape(page_of("**bold** [1] [7]\n\n1. one\n2. two\n\n```python\nx < 1\n```", citations=[citation(1)]))
    tags = [tag for tag, _ in shape.tags]
    assert {"strong", "ol", "pre", "sup"} <= set(tags)
    assert "x < 1" in shape.text
    assert "[7]" in shape.text  # no such footnote


def test_a_text_too_large_to_format_is_shown_as_it_is() -> None:
    page = page_of("**x** <b>" * (LONGEST_FORMATTED // 8))
    assert_harmless(page)
    assert "**x** <b>" in Shape(page).text


def test_what_steers_terminals_and_directions_is_marked(store: SessionStore) -> None:
    chat = rich_chat(store)
    messages = store.messages(chat.id)
    for page in ("".join(to_html(chat, messages)), "".join(to_markdown(chat, messages))):
        assert "\x1b" not in page
        assert "\u202e" not in page
        assert "\ufffd[31m" in page.replace("\\[", "[")


def test_markdown_has_the_branch_on_show_with_sources(store: SessionStore) -> None:
    chat = rich_chat(store)
    page = "".join(to_markdown(chat, store.messages(chat.id)))
    assert page.startswith("# Pumps & \\<wells\\>\n")
    assert "## You\n" in page
    assert "## Footnote · ollama:small\n\nIt runs dry. [1][2]\n" in page
    assert "- [1] /docs/Größe.pdf, page 4: “It runs dry in May.”\n" in page
    assert "*Version 1 of 2*" in page
    assert "Half an" not in page
    store.show_branch(store.messages(chat.id)[1].siblings[1])
    page = "".join(to_markdown(chat, store.messages(chat.id)))
    assert "Half an\n\n*This answer was stopped. Oh.*" in page


def test_json_has_all_branches(store: SessionStore, tmp_path: Path) -> None:
    chat = rich_chat(store)
    SessionExport(store).to_file(chat.id, tmp_path / "chat.json", ExportFormat.JSON)
    data = json.loads((tmp_path / "chat.json").read_text(encoding="utf-8"))
    assert (data["format"], data["version"]) == ("footnote-chats", 1)
    [found] = data["chats"]
    assert [each["text"] for each in found["messages"]] == [each.text for each in store.all_messages(chat.id)]
    assert found["messages"][1]["citations"][0]["quote"] == "It runs dry in May."
    assert found["leaf"] == found["messages"][3]["id"]


def test_all_chats_into_a_folder(store: SessionStore, tmp_path: Path) -> None:
    titles = ["Same", "same", "a/b:c?", "", "CON", "x" * 300, "\u202e..", "Same"]
    ids = [store.create(title).id for title in titles]
    folder = tmp_path / "new" / "folder"
    seen: list[tuple[int, int]] = []
    paths = SessionExport(store).to_folder(ids, folder, ExportFormat.MARKDOWN, progress=lambda *n: seen.append(n))
    names = ["Same.md", "same (2).md", "a b c.md", "Chat.md", "Chat CON.md", "x" * 80 + ".md", "Chat (2).md"]
    assert [path.name for path in paths] == [*names, "Same (3).md"]
    assert all(path.exists() for path in paths)
    assert seen[-1] == (7, 8)
    assert SessionExport(store).to_folder(ids[:1], folder, ExportFormat.HTML)[0].name == "Same.html"
    assert SessionExport(store).to_folder(ids[:1], folder, ExportFormat.MARKDOWN)[0].name == "Same (4).md"


@given(title=st.text())
def test_every_title_makes_a_name(title: str) -> None:
    name = file_name(title, "md")
    assert 3 < len(name) <= 90
    assert not set(name) & set('/\\:*?"<>|\0\n')
    name.encode()


def test_files_that_cant_be_written(store: SessionStore, tmp_path: Path) -> None:
    chat = store.create("Pumps")
    export = SessionExport(store)
    with pytest.raises(UserFacingError, match="can't be written"):
        export.to_file(chat.id, tmp_path / "no" / "chat.md", ExportFormat.MARKDOWN)
    (tmp_path / "file").write_text("")
    with pytest.raises(UserFacingError, match="Choose another folder"):
        export.to_folder([chat.id], tmp_path / "file", ExportFormat.MARKDOWN)
    with pytest.raises(BadInputError, match="no longer exists"):
        export.to_file("gone", tmp_path / "chat.md", ExportFormat.MARKDOWN)
    assert not (tmp_path / "chat.md").exists()


def test_a_stopped_export_leaves_no_file(store: SessionStore, tmp_path: Path) -> None:
    for number in range(3):
        store.create(f"{number}")
    cancel = CancelToken()
    with pytest.raises(WorkCancelledError):
        SessionExport(store).all_to_file(
            tmp_path / "all.json", progress=lambda done, total: cancel.cancel() if done else None, cancel=cancel
        )
    assert not list(tmp_path.glob("all*"))
