"""Turns the bytes of a text file into text, whatever its encoding; refuses bytes that are no text."""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from app.domain.errors import DocumentError, FailureReason
from app.loaders.regular_file import error_for

if TYPE_CHECKING:
    from charset_normalizer import CharsetMatch

SAMPLE_BYTES = 256 * 1024
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_MAGIC = (
    b"%PDF-", b"PK\x03\x04", b"PK\x05\x06", b"\x7fELF", b"\x89PNG", b"\xff\xd8\xff", b"\x1f\x8b", b"\xfd7zXZ",
    b"7z\xbc\xaf", b"Rar!\x1a", b"\xd0\xcf\x11\xe0", b"\xca\xfe\xba\xbe", b"\x28\xb5\x2f\xfd",
)  # fmt: skip
# Guesses no further apart than this can't be told apart by their text (charset-normalizer's measures, 0 to 1).
NEAR_CHAOS = 0.05
NEAR_COHERENCE = 0.1
_COMMON_ENCODINGS = (
    "cp1252", "cp932", "euc_jis_2004", "gb18030", "big5", "cp949", "cp1251", "koi8_r", "cp1250", "cp1253", "cp1254",
    "cp1255", "cp1256", "cp1257",
)  # fmt: skip
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_MOST_CONTROLS = 0.002
_NEWLINES = re.compile("\r\n?")


def read_text(path: Path) -> str:
    """Return the text of ``path`` with ``\\n`` line ends.

    Raises ``DocumentError``: ``binary`` if it is no text, ``no_permission``, ``not_found`` or ``damaged`` if it can't
    be read.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise error_for(path, error) from error
    return decode(data, path.name)


def decode(data: bytes, name: str) -> str:
    """Return ``data`` as text with ``\\n`` line ends. Raises ``DocumentError`` (``binary``) if it is no text."""
    text = _decoded(data)
    if text is None:
        raise DocumentError(
            FailureReason.BINARY,
            f"“{name}” is named like a text file, but its content is not text. "
            "If it is another kind of document, give it the right extension and add it again.",
        )
    return _NEWLINES.sub("\n", text.removeprefix("\ufeff")).replace("\x00", "")


def _decoded(data: bytes) -> str | None:
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return data.decode(encoding, errors="replace")
    if data.startswith(_MAGIC):
        return None
    if wide := _wide_encoding(data[:SAMPLE_BYTES]):
        return data.decode(wide, errors="replace")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return _decoded_by_guess(data)
    return text if _looks_like_text(text) else None


def _wide_encoding(sample: bytes) -> str | None:
    """UTF-16 and UTF-32 without a byte order mark show as NULs in every second byte, or three of four."""
    if b"\x00" not in sample[:4096]:
        return None
    for width, encodings in ((4, ("utf-32-le", "utf-32-be")), (2, ("utf-16-le", "utf-16-be"))):
        whole = sample[: len(sample) // width * width]
        for encoding in encodings:
            try:
                text = whole.decode(encoding, errors="strict" if width == 4 else "ignore")
            except UnicodeDecodeError:
                continue
            if text and _looks_like_text(text) and _mostly_familiar(text):
                return encoding
    return None


def _mostly_familiar(text: str) -> bool:
    """Bytes read at the wrong width become scattered ideographs; real wide text holds spaces or plain letters."""
    return sum(character.isascii() for character in text[:4096]) * 2 > len(text[:4096])


def _decoded_by_guess(data: bytes) -> str | None:
    if b"\x00" in data[:SAMPLE_BYTES]:
        return None
    from charset_normalizer import from_bytes  # here, since most files are UTF-8 and never need it

    encoding = _likeliest(list(from_bytes(_sample(data))))
    if encoding is None:
        return None
    text = data.decode(encoding, errors="replace")
    return text if _looks_like_text(text) else None


def _likeliest(matches: Sequence[CharsetMatch]) -> str | None:
    """Choose among guesses that are about equally good the encoding that is most used in practice."""
    if not matches:
        return None
    best = matches[0]
    near = [
        match
        for match in matches
        if match.chaos <= best.chaos + NEAR_CHAOS and match.coherence >= best.coherence - NEAR_COHERENCE
    ]
    for encoding in _COMMON_ENCODINGS:
        if any(encoding in match.could_be_from_charset for match in near):
            return encoding
    return best.encoding


def _sample(data: bytes) -> bytes:
    """The first part of ``data``, cut at a line end so that no multi-byte character is split."""
    if len(data) <= SAMPLE_BYTES:
        return data
    cut = data.rfind(b"\n", 0, SAMPLE_BYTES)
    return data[: cut if cut > 0 else SAMPLE_BYTES]


def _looks_like_text(text: str) -> bool:
    sample = text[:SAMPLE_BYTES]
    return len(_CONTROLS.findall(sample)) <= len(sample) * _MOST_CONTROLS
