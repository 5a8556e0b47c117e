"""Text files: any encoding becomes the same text, and what is no text is refused."""

from __future__ import annotations

import gzip
import os
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import DocumentError, FailureReason
from app.loaders.text_decoding import decode
from tests.loaders.conftest import Load, Refused
from tests.loaders.pdf_writer import Page, Run, pdf_bytes

ENGLISH = "The quick brown fox jumps over the lazy dog.\nPack my box with five dozen liquor jugs.\n"
SPANISH = "El pingüino Wenceslao hizo kilómetros bajo exhaustiva lluvia y frío; añoraba a su querido cachorro.\n" * 4
CHINESE = "天地玄黄,宇宙洪荒。日月盈昃,辰宿列张。寒来暑往,秋收冬藏。\n" * 8
RUSSIAN = "Съешь же ещё этих мягких французских булок, да выпей чаю. Широкая электрификация южных губерний.\n" * 4
JAPANESE = "いろはにほへと ちりぬるを わかよたれそ つねならむ うゐのおくやま けふこえて。\n" * 6


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (ENGLISH, "ascii"),
        (ENGLISH + "😀 grüße", "utf-8"),
        (ENGLISH + "😀 grüße", "utf-8-sig"),
        (ENGLISH + "😀 grüße", "utf-16"),
        (ENGLISH + "😀 grüße", "utf-32"),
        (ENGLISH, "utf-16-le"),
        (ENGLISH, "utf-16-be"),
        (SPANISH, "utf-16-le"),
        (ENGLISH, "utf-32-le"),
        (ENGLISH, "utf-32-be"),
        (SPANISH, "cp1252"),
        (CHINESE, "gb18030"),
        (CHINESE, "big5hkscs"),
        (RUSSIAN, "cp1251"),
        (RUSSIAN, "koi8-r"),
        (JAPANESE, "shift_jis"),
        (JAPANESE, "euc-jp"),
    ],
)
def test_text_in_any_encoding_is_read(tmp_path: Path, load: Load, text: str, encoding: str) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes(text.encode(encoding, errors="ignore"))
    assert load(path).text == text.encode(encoding, errors="ignore").decode(encoding)


@given(st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs"]), min_size=1))
def test_utf8_is_never_taken_for_anything_else(text: str) -> None:
    assert decode(text.encode(), "x.txt") == text.removeprefix("\ufeff")


@given(st.binary(max_size=400))
def test_any_bytes_are_text_or_are_refused(data: bytes) -> None:
    reason, text = None, ""
    try:
        text = decode(data, "x.txt")
    except DocumentError as error:
        reason = error.reason
    assert reason in {None, FailureReason.BINARY}
    assert not {"\r", "\x00"} & set(text)


def test_line_ends_become_one_kind(tmp_path: Path, load: Load) -> None:
    path = tmp_path / "ends.txt"
    path.write_bytes(b"one\r\ntwo\rthree\nfour")
    assert load(path).text == "one\ntwo\nthree\nfour"


def test_long_files_in_old_encodings_are_read_whole(tmp_path: Path, load: Load) -> None:
    path = tmp_path / "long.txt"
    path.write_bytes((CHINESE * 4000).encode("gb18030"))
    assert load(path).text == CHINESE * 4000


@pytest.mark.parametrize(
    "data",
    [
        random.Random(1).randbytes(5000),
        pdf_bytes([Page([Run(72, 700, "text")])]),
        gzip.compress(ENGLISH.encode() * 10),
        b"PK\x03\x04" + b"\x00" * 26,
        b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
        b"\x7fELF\x02\x01\x01" + b"\x00" * 100,
        b"\x00" * 1000,
        ENGLISH.encode() + b"\x00\x01\x02\x03" * 200,
    ],
    ids=["noise", "pdf", "gzip", "zip", "png", "program", "zeros", "text with a binary tail"],
)
def test_binaries_renamed_to_text_are_refused(tmp_path: Path, refused: Refused, data: bytes) -> None:
    path = tmp_path / "renamed.txt"
    path.write_bytes(data)
    error = refused(path)
    assert error.reason is FailureReason.BINARY
    assert "extension" in str(error)


def test_terminal_colours_in_logs_are_tolerated(tmp_path: Path, load: Load) -> None:
    path = tmp_path / "build.log"
    path.write_text("\x1b[31merror\x1b[0m: it broke\n" * 50)
    assert "it broke" in load(path).text


@pytest.mark.parametrize("name", ["xquad__zh_gb18030.txt", "xquad__es_cp1252.txt", "xquad__en_utf-32.txt"])
def test_reference_texts_are_read_exactly(test_data: Path, load: Load, name: str) -> None:
    folder = test_data / "formats"
    truth = (folder / "truth" / f"{name}.txt").read_text(encoding="utf-8")
    assert load(folder / "files" / name).text.split() == truth.split()


def test_names_of_other_systems_do_not_matter(tmp_path: Path, load: Load) -> None:
    path = tmp_path / os.fsdecode(b"README")
    path.write_text("Read me.")
    assert load(path).text == "Read me."
