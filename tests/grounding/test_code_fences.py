"""Code blocks are found as CommonMark finds them."""

from __future__ import annotations

import pytest

from app.grounding.code_fences import code_spans


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        ("a\n```\nb\n```\nc", ["```\nb\n```"]),
        ("```python\nb", ["```python\nb"]),
        ("~~~\n```\n~~~\nc", ["~~~\n```\n~~~"]),
        ("````\n```\n````\n", ["````\n```\n````"]),
        ("   ```\nb\n```\n\n```\nd\n```", ["   ```\nb\n```", "```\nd\n```"]),
        ("    ```\nindented", []),
        ("```a`b\nwords", []),
        ("`code` and ``more``", []),
        ("", []),
    ],
)
def test_blocks(text: str, blocks: list[str]) -> None:
    assert [text[start:end] for start, end in code_spans(text)] == blocks
