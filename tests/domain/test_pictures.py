"""Pictures in the text of answers: written once, left out wherever only words count."""

from __future__ import annotations

import base64

import pytest

from app.domain.parts import ImagePart
from app.domain.pictures import LARGEST_PICTURE_BYTES, NOT_SHOWN, PICTURE, picture_markdown, without_pictures

DATA = b"\x89PNG bytes of a picture"


def test_a_picture_stands_in_the_text_with_every_byte() -> None:
    text = f"Look:{picture_markdown(ImagePart(data=DATA, media_type='image/png'))}That was it."
    found = PICTURE.search(text)
    assert found is not None
    assert base64.b64decode(found[2].partition(",")[2]) == DATA
    assert without_pictures(text) == "Look:\n\n(Picture)\n\nThat was it."


@pytest.mark.parametrize(
    "picture",
    [
        ImagePart(data=DATA, media_type="image/svg+xml"),
        ImagePart(data=DATA),
        ImagePart(url="https://example.org/a.png"),
        ImagePart(),
        ImagePart(data=bytes(LARGEST_PICTURE_BYTES + 1), media_type="image/png"),
    ],
)
def test_what_is_not_shown_is_told(picture: ImagePart) -> None:
    assert picture_markdown(picture).strip() == NOT_SHOWN


@pytest.mark.parametrize(
    "text",
    [
        "![remote](https://example.org/a.png)",
        "![svg](data:image/svg+xml;base64,AAAA)",
        '![quotes](data:image/png;base64,AA"AA)',
        "data:image/png;base64,AAAA",
        "![open](data:image/png;base64,AAAA",
    ],
)
def test_other_text_stays(text: str) -> None:
    assert without_pictures(text) == text
