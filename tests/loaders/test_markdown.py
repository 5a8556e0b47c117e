"""Markdown: what stands where, under which headings."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.documents import SectionKind
from app.loaders.markdown import markdown_sections
from tests.loaders.conftest import Load

TEXT, TABLE, CODE = SectionKind.TEXT, SectionKind.TABLE, SectionKind.CODE
SAMPLE = """Before any heading.

# Guide to *ducks*

Intro.

## Feeding

Bread is bad:

| Food | Good |
|------|:----:|
| Oats | yes |
| Bread | no |

After the table.

```python
# not a heading
feed("oats")
```

Nesting
-------

Reeds.

# Appendix #

End.
"""


def test_sections_carry_their_heading_path_and_kind() -> None:
    sections = list(markdown_sections(SAMPLE.split("\n")))

    assert [(each.headings, each.kind) for each in sections] == [
        ((), TEXT),
        (("Guide to ducks",), TEXT),
        (("Guide to ducks", "Feeding"), TEXT),
        (("Guide to ducks", "Feeding"), TABLE),
        (("Guide to ducks", "Feeding"), TEXT),
        (("Guide to ducks", "Feeding"), CODE),
        (("Guide to ducks", "Nesting"), TEXT),
        (("Appendix",), TEXT),
    ]
    assert sections[2].text == "## Feeding\n\nBread is bad:"
    assert sections[3].text.splitlines()[0] == "| Food | Good |"
    assert sections[5].text == '```python\n# not a heading\nfeed("oats")\n```'


@given(st.text(alphabet=st.sampled_from("ab# |-=`~>\n\t0.*"), max_size=300))
def test_no_character_but_blank_lines_is_lost_or_changed(text: str) -> None:
    sections = list(markdown_sections(text.split("\n")))

    position = 0
    for section in sections:
        position = text.index(section.text, position) + len(section.text)
    assert "".join("".join(each.text for each in sections).split()) == "".join(text.split())


@pytest.mark.parametrize(
    "text",
    ["```\nnever closed\n# no heading", "~~~\n```\n# still code\n~~~", "````\n```\n# still code\n```\n````"],
)
def test_headings_inside_fences_are_code(text: str) -> None:
    assert [each.kind for each in markdown_sections(text.split("\n"))] == [CODE]


@pytest.mark.parametrize("text", ["- item\n---", "> quote\n===", "#hashtag", "a | b\nno rule", "    # indented code"])
def test_lookalikes_are_text(text: str) -> None:
    assert [(each.headings, each.kind) for each in markdown_sections(text.split("\n"))] == [((), TEXT)]


def test_front_matter_gives_the_title_and_is_no_text(tmp_path: Path, load: Load) -> None:
    path = tmp_path / "post.md"
    path.write_text('---\ntitle: "A post"\ndate: 2024-01-01\n---\n\n# Other\n\nBody.')
    document = load(path)
    assert document.title == "A post"
    assert "date" not in document.text


def test_a_rule_at_the_top_is_no_front_matter(tmp_path: Path, load: Load) -> None:
    path = tmp_path / "rule.md"
    path.write_text("---\n\nBody without an end of front matter.")
    assert "Body" in load(path).text


def test_html_inside_markdown_is_read_as_html() -> None:
    text = (
        "# Ducks\n\n<table><tr><th>Food</th><th>Good</th></tr>\n<tr><td>Oats</td><td>yes</td></tr></table>\n\n"
        "<!-- not\n\nseen -->\nThey <b>swim</b> &amp; dive; `a &lt; b <i>` is code.\n\n<div>\n<p>They honk.</p>\n</div>"
    )
    assert [(each.text, each.headings, each.kind) for each in markdown_sections(text.split("\n"))] == [
        ("# Ducks", ("Ducks",), TEXT),
        ("Food | Good\nOats | yes", ("Ducks",), TABLE),
        ("They swim & dive; `a &lt; b <i>` is code.", ("Ducks",), TEXT),
        ("They honk.", ("Ducks",), TEXT),
    ]


def test_comparisons_are_no_tags() -> None:
    (section,) = markdown_sections(["if a < b and c > d, then x<5 or <3"])
    assert section.text == "if a < b and c > d, then x<5 or <3"
