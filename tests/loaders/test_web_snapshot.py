"""What is kept of a web page, and that nothing of it can load or run anything."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import DocumentError, FailureReason
from app.loaders.web_snapshot import snapshot

URL = "https://example.com/frogs/"
PAGE = """<!doctype html><html><head><title>Moor frogs</title><script>steal()</script>
<link rel="stylesheet" href="https://tracker.example/a.css"><base href="https://evil.example/"></head>
<body onload="steal()"><nav><a href="/">Home</a> Menu</nav><header>Site name</header>
<main><h1>Moor frogs</h1><p onclick="x()">They turn <b>blue</b> in <a href="march.html">March</a>.</p>
<img src="https://tracker.example/pixel.gif" alt="A blue frog"><a href="javascript:steal()">more</a>
<table><tr><td colspan=2>Length</td><td>6 cm</td></tr></table>
<form action="https://evil.example/"><input name=q><button>Send</button></form>
<iframe src="https://evil.example/"></iframe><div hidden>Not seen</div></main>
<aside>Advertisement</aside><footer>Imprint</footer></body></html>"""


def kept(page: str) -> str:
    return snapshot(page.encode(), "utf-8", URL)


def test_the_main_content_is_kept_with_title_and_address() -> None:
    text = kept(PAGE)
    assert "<title>Moor frogs</title>" in text
    assert f'<link rel="canonical" href="{URL}">' in text
    assert "They turn <b>blue</b> in" in text
    assert '<a href="https://example.com/frogs/march.html">March</a>' in text
    assert '<td colspan="2">Length</td>' in text
    assert "A blue frog" in text


@pytest.mark.parametrize("around", ["Menu", "Site name", "Advertisement", "Imprint", "Send", "Not seen"])
def test_what_is_around_the_content_is_left_out(around: str) -> None:
    assert around not in kept(PAGE)


def test_a_page_without_a_main_part_is_kept_whole() -> None:
    text = kept("<body><nav>Menu</nav><div><p>One.</p></div><article>x</article><p>Two, which is longer.</p></body>")
    assert "One." in text
    assert "Two, which is longer." in text
    assert "Menu" not in text


_ACTIVE = re.compile(
    r"<(script|img|iframe|object|embed|form|input|style|link(?! rel=\"canonical\")|base|svg|video|audio|source)\b"
    r"|\son\w+\s*=|javascript:|\bsrc\s*=|\bstyle\s*=",
    re.IGNORECASE,
)


def test_nothing_active_or_remote_is_left() -> None:
    assert not re.search(_ACTIVE, kept(PAGE))
    assert "default-src 'none'" in kept(PAGE)


_PIECES = [
    "<p>text", "<script>", "</script>", "<img src=x onerror=a()>", "<svg onload=a()>", "<a href='javascript:a()'>",
    "<a href=' jAvAsCrIpT:a()'>", "<a href=\"x\" onclick='a()'>", "</p>", "<td onclick=a() colspan='\"><script>'>",
    "<scr<script>ipt>", "<!--", "-->", "<style>", "</style>", "&lt;script&gt;", "<iframe src=x>", "\"'><", "<math><mi>",
    "<noscript><img src=x></noscript>", "<template>", "<base href=//evil>", "<title>t</title>", "<body>", "<main>",
]  # fmt: skip


@given(st.lists(st.sampled_from(_PIECES), max_size=12))
def test_no_mixture_of_tags_brings_anything_active_through(pieces: list[str]) -> None:
    try:
        text = kept("".join(["<p>some text</p>", *pieces]))
    except DocumentError:
        return
    tags = "".join(re.findall(r"<[^>]*>", text.partition("<body>")[2]))
    assert not re.search(_ACTIVE, tags)


def test_the_charset_of_the_server_counts_and_a_wrong_one_does_not() -> None:
    assert "Grüße" in snapshot("<p>Grüße</p>".encode("latin-1"), "iso-8859-1", URL)
    assert "Grüße" in snapshot('<meta charset="utf-8"><p>Grüße</p>'.encode(), "no-such-charset", URL)


def test_a_page_that_scripts_would_have_to_draw_is_refused_with_advice() -> None:
    with pytest.raises(DocumentError, match="Save it in your browser") as caught:
        kept('<body><div id="root"></div><script src="app.js"></script></body>')
    assert caught.value.reason is FailureReason.NO_TEXT


def test_a_snapshot_reads_as_a_document(tmp_path: Path) -> None:
    from app.loaders.html import HtmlLoader

    path = tmp_path / "page.html"
    path.write_text(kept(PAGE), encoding="utf-8")
    loaded = HtmlLoader().load(path)
    assert loaded.title == "Moor frogs"
    assert any("They turn blue in March." in section.text for section in loaded.sections)
