"""Containers that would unpack to too much, and XML that would do harm, are refused before anything reads them."""

from __future__ import annotations

import io
import struct
import time
import zipfile
from pathlib import Path

import pytest

from app.domain.errors import DocumentError, FailureReason
from app.loaders.archive_guard import COMPOUND_FILE, ArchiveLimits, GuardedArchive, require_sane_archive
from app.loaders.parser_limits import MEBIBYTE
from app.loaders.safe_xml import UnsafeXmlError, parse_xml

SMALL = ArchiveLimits(entries=10, total_bytes=3 * MEBIBYTE, member_bytes=2 * MEBIBYTE, ratio=100, ratio_from=MEBIBYTE)


def packed(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def noise(size: int) -> bytes:
    return b"".join(struct.pack("<I", (number * 2654435761) % 2**32) for number in range(size // 4))


def reason_of(path: Path, data: bytes, limits: ArchiveLimits = SMALL) -> FailureReason:
    path.write_bytes(data)
    with pytest.raises(DocumentError) as caught:
        require_sane_archive(path, limits)
    assert path.name in str(caught.value)
    return caught.value.reason


@pytest.mark.parametrize(
    "members",
    [
        {f"{number}.xml": b"x" for number in range(11)},
        {"large.bin": noise(2 * MEBIBYTE + 8)},
        {"a": noise(MEBIBYTE), "b": noise(MEBIBYTE), "c": noise(MEBIBYTE), "d": b"more"},
        {"zeros": bytes(MEBIBYTE + 1)},
    ],
    ids=["entries", "one member", "all members", "ratio"],
)
def test_more_than_allowed_is_too_large(tmp_path: Path, members: dict[str, bytes]) -> None:
    assert reason_of(tmp_path / "a.docx", packed(members)) is FailureReason.TOO_LARGE


def test_a_bomb_of_a_real_size_is_refused_quickly(tmp_path: Path) -> None:
    data = packed({"word/document.xml": bytes(200 * MEBIBYTE)})
    assert len(data) < 300_000
    begun = time.monotonic()
    assert reason_of(tmp_path / "bomb.docx", data, ArchiveLimits()) is FailureReason.TOO_LARGE
    assert time.monotonic() - begun < 5


def test_lies_about_sizes_are_found_out(tmp_path: Path) -> None:
    data = bytearray(packed({"a.xml": noise(MEBIBYTE)}))
    directory = data.rindex(b"PK\x01\x02")
    data[directory + 24 : directory + 28] = struct.pack("<I", 10)
    assert reason_of(tmp_path / "liar.docx", bytes(data)) is FailureReason.DAMAGED


def test_members_nobody_reads_do_not_count(tmp_path: Path) -> None:
    path = tmp_path / "film.pptx"
    path.write_bytes(packed({"ppt/media/film.mp4": noise(3 * MEBIBYTE), "ppt/slide.xml": b"<x/>"}))
    with GuardedArchive(path, SMALL) as archive:
        assert archive.read("ppt/slide.xml") == b"<x/>"
        assert archive.read("no such member") is None


def test_protected_containers_are_encrypted(tmp_path: Path) -> None:
    data = bytearray(packed({"a.xml": b"text"}))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1
    assert reason_of(tmp_path / "a.epub", bytes(data)) is FailureReason.ENCRYPTED
    office = COMPOUND_FILE + bytes(2000) + "EncryptedPackage".encode("utf-16-le") + bytes(2000)
    assert reason_of(tmp_path / "a.docx", office) is FailureReason.ENCRYPTED


@pytest.mark.parametrize("data", [b"PK\x03\x04 and no more", b"no container", COMPOUND_FILE + bytes(1000)])
def test_what_is_no_container_is_damaged(tmp_path: Path, data: bytes) -> None:
    assert reason_of(tmp_path / "a.docx", data) is FailureReason.DAMAGED


LAUGHS = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><x>&b;</x>'
EXTERNAL = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'
PARAMETER = b'<!DOCTYPE x [<!ENTITY % a SYSTEM "http://127.0.0.1:9/x"> %a;]><x/>'


@pytest.mark.parametrize("allow_doctype", [False, True])
@pytest.mark.parametrize("data", [LAUGHS, EXTERNAL, PARAMETER, b"<x><y></x>", b"", b"<x>" * 400 + b"</x>" * 400])
def test_harmful_xml_is_refused(data: bytes, allow_doctype: bool) -> None:
    with pytest.raises(UnsafeXmlError):
        parse_xml(data, allow_doctype=allow_doctype)


def test_sound_xml_is_read_with_its_namespaces() -> None:
    root = parse_xml(b'<a xmlns="urn:one" xmlns:t="urn:two" t:k="v" plain="p"><t:b>text</t:b> tail</a>')
    assert root.tag == "{urn:one}a"
    assert root.attrib == {"{urn:two}k": "v", "plain": "p"}
    assert [(child.tag, child.text, child.tail) for child in root] == [("{urn:two}b", "text", " tail")]


def test_xhtml_may_declare_its_document_type() -> None:
    data = b'<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.1//EN" "http://www.w3.org/TR/xhtml11/DTD/xhtml11.dtd"><html/>'
    assert parse_xml(data, allow_doctype=True).tag == "html"
    with pytest.raises(UnsafeXmlError):
        parse_xml(data)
