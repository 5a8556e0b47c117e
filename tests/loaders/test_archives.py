"""What is in archives, what is left out of them, and which of them are not opened at all."""

from __future__ import annotations

import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.documents import ParsedDocument
from app.domain.errors import DocumentError, FailureReason
from app.loaders import parser_tasks
from app.loaders.archive_names import candidates, is_archive, outer_file, safe_name, split
from app.loaders.archives import extract_members, list_members
from app.loaders.archives_entries import ArchiveFolderLimits
from app.loaders.parser_pool import ParserPool
from tests.loaders.archive_samples import (
    mark_encrypted,
    write_7z,
    write_archive,
    write_tar,
    write_zip,
    zip_bytes,
)

KINDS = ["a.zip", "a.7z", "a.tar", "a.tgz", "a.tar.gz", "a.tar.bz2", "a.tar.xz", "a.tar.zst"]
FILES = {
    "notes/a.txt": b"alpha",
    "b.md": b"# beta",
    "empty.txt": b"",
    "c d/\xc3\xa4.txt".encode("latin-1").decode(): b"g",
}


def names(path: Path, limits: ArchiveFolderLimits | None = None) -> list[str]:
    return [member.name for member in list_members(path, limits).members]


def left_out(path: Path) -> dict[str, str]:
    return {entry.name: entry.why for entry in list_members(path).left_out}


def extracted(path: Path, folder: Path, *wanted: str) -> dict[str, bytes | str]:
    """The content of members, or the reason why one was not given out."""
    targets = {name: folder / f"out{number}" for number, name in enumerate(wanted)}
    failures = extract_members(path, targets)
    return {name: failures[name].reason if name in failures else targets[name].read_bytes() for name in wanted}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_lists_and_gives_out_its_files(tmp_path: Path, kind: str) -> None:
    path = write_archive(tmp_path / kind, FILES)
    assert names(path) == list(FILES)
    assert [member.size for member in list_members(path).members] == [len(data) for data in FILES.values()]
    assert extracted(path, tmp_path, *FILES) == FILES


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_in_an_inner_archive_is_listed_and_given_out_too(tmp_path: Path, kind: str) -> None:
    deep = zip_bytes({"deepest.txt": b"far down"})
    inner = zip_bytes({"in/x.txt": b"inside", "deep.zip": deep})
    path = write_archive(tmp_path / kind, {"first.txt": b"1", "inner.zip": inner})
    assert names(path) == ["first.txt", "inner.zip", "inner.zip/in/x.txt", "inner.zip/deep.zip"]
    assert left_out(path) == {"inner.zip/deep.zip": "it is an archive nested too deeply"}
    wanted = ["inner.zip/in/x.txt", "first.txt", "inner.zip"]
    assert extracted(path, tmp_path, *wanted) == {wanted[0]: b"inside", wanted[1]: b"1", wanted[2]: inner}


@pytest.mark.parametrize("kind", KINDS)
def test_a_member_changes_its_stamp_exactly_when_it_changes(tmp_path: Path, kind: str) -> None:
    before = list_members(write_archive(tmp_path / kind, {"a.txt": b"one", "b.txt": b"two"})).members
    (tmp_path / kind).unlink()
    after = list_members(write_archive(tmp_path / kind, {"b.txt": b"owt", "a.txt": b"one"})).members
    stamps_before = {each.name: (each.size, each.mtime_ns) for each in before}
    stamps_after = {each.name: (each.size, each.mtime_ns) for each in after}
    assert stamps_before["b.txt"] != stamps_after["b.txt"]
    if kind != "a.7z":  # py7zr writes the time of writing
        assert stamps_before["a.txt"] == stamps_after["a.txt"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_archive_says_so(tmp_path: Path, kind: str) -> None:
    path = write_archive(tmp_path / kind, {"a.txt": bytes(range(256)) * 40})
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])
    with pytest.raises(DocumentError, match="damaged") as caught:
        list_members(path)
    assert caught.value.reason is FailureReason.DAMAGED


@pytest.mark.parametrize("kind", ["a.zip", "a.7z", "a.tar"])
def test_a_file_that_is_no_archive_is_refused_as_damaged(tmp_path: Path, kind: str) -> None:
    path = tmp_path / kind
    path.write_bytes(b"just some text, long enough to be read as the head of a member" * 20)
    with pytest.raises(DocumentError) as caught:
        list_members(path)
    assert caught.value.reason is FailureReason.DAMAGED


def test_names_that_lead_out_links_and_devices_are_left_out_by_name(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as archive:
        for name in ("../up.txt", "/etc/passwd", "ok/../../x.txt", "C:\\boot.ini", "good.txt"):
            archive.addfile(tarfile.TarInfo(name))
        for name, kind in (("soft", tarfile.SYMTYPE), ("hard", tarfile.LNKTYPE), ("pipe", tarfile.FIFOTYPE)):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "/etc/passwd"
            archive.addfile(member)
    assert names(path) == ["good.txt"]
    assert left_out(path) == {
        "../up.txt": "its name leads out of the archive",
        "/etc/passwd": "its name is an absolute path",
        "ok/../../x.txt": "its name leads out of the archive",
        "C:\\boot.ini": "its name is an absolute path",
        "soft": "it is a link",
        "hard": "it is a link",
        "pipe": "it is no regular file",
    }


def test_a_link_in_a_zip_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        link = zipfile.ZipInfo("link.txt")
        link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    assert names(path) == []
    assert left_out(path) == {"link.txt": "it is a link"}


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_of_two_files_with_one_name_the_last_counts(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("same.txt", "first")
        archive.writestr("same.txt", "last")
    assert names(path) == ["same.txt"]
    assert "same.txt" in left_out(path)
    assert extracted(path, tmp_path, "same.txt") == {"same.txt": b"last"}


@pytest.mark.parametrize(
    ("name", "encoding"),
    [("Übersicht.txt", "utf-8"), ("これは日本語の文書です.txt", "cp932"), ("Отчёт за первый квартал.txt", "cp866")],
)
def test_names_in_old_encodings_are_read(tmp_path: Path, name: str, encoding: str) -> None:
    raw = name.encode(encoding)
    path = write_zip(tmp_path / "a.zip", {"X" * len(raw): b"text"})
    path.write_bytes(path.read_bytes().replace(b"X" * len(raw), raw))
    assert names(path) == [name]
    assert extracted(path, tmp_path, name) == {name: b"text"}


def test_an_encrypted_zip_is_refused_and_an_encrypted_member_alone_too(tmp_path: Path) -> None:
    whole = mark_encrypted(write_zip(tmp_path / "whole.zip", {"a.txt": b"1", "b.txt": b"2"}))
    with pytest.raises(DocumentError, match=r"The archive “whole\.zip” is protected by a password") as caught:
        list_members(whole)
    assert caught.value.reason is FailureReason.ENCRYPTED
    part = mark_encrypted(write_zip(tmp_path / "part.zip", {"a.txt": b"1", "b.txt": b"2"}), "b.txt")
    assert extracted(part, tmp_path, "a.txt", "b.txt") == {"a.txt": b"1", "b.txt": FailureReason.ENCRYPTED}


@pytest.mark.parametrize("hide_names", [False, True])
def test_an_encrypted_7z_is_refused(tmp_path: Path, hide_names: bool) -> None:
    path = write_7z(tmp_path / "a.7z", {"a.txt": b"1"}, "secret", hide_names=hide_names)
    with pytest.raises(DocumentError) as caught:
        list_members(path)
    assert caught.value.reason is FailureReason.ENCRYPTED


@pytest.mark.parametrize("kind", ["a.zip", "a.7z", "a.tgz", "a.tar.bz2", "a.tar.xz", "a.tar.zst"])
def test_a_bomb_is_not_opened(tmp_path: Path, kind: str) -> None:
    path = write_archive(tmp_path / kind, {"zeros.txt": bytes(40_000_000)})
    with pytest.raises(DocumentError, match=r"unpacks? to") as caught:
        list_members(path)
    assert caught.value.reason is FailureReason.TOO_LARGE


def test_an_archive_of_ten_thousand_files_is_refused_with_their_number(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "many.zip", {f"{number}.txt": b"" for number in range(10_000)}, packed=False)
    with pytest.raises(
        DocumentError, match=r"“many\.zip” holds 10,000 files; an archive may hold up to 5,000"
    ) as caught:
        list_members(path)
    assert caught.value.reason is FailureReason.TOO_LARGE


def test_inner_archives_share_the_limits_of_the_outer_one(tmp_path: Path) -> None:
    inner = zip_bytes({f"{number}.txt": b"x" for number in range(6)})
    path = write_zip(tmp_path / "a.zip", {"one.zip": inner, "two.zip": inner})
    listing = list_members(path, ArchiveFolderLimits(members=10))
    assert len(listing.members) == 8  # both archives and the files of the first
    assert [(entry.name, entry.why) for entry in listing.left_out] == [("two.zip", "it holds or unpacks to too much")]


def test_a_member_that_is_larger_than_allowed_is_refused_alone(tmp_path: Path) -> None:
    limits = ArchiveFolderLimits(member_bytes=1000)
    for kind in ("a.zip", "a.7z", "a.tgz"):
        path = write_archive(tmp_path / kind, {"large.txt": b"x" * 1001, "small.txt": b"y"})
        targets = {name: tmp_path / f"{kind}-{name}" for name in ("large.txt", "small.txt")}
        failures = extract_members(path, targets, limits)
        assert {name: error.reason for name, error in failures.items()} == {"large.txt": FailureReason.TOO_LARGE}
        assert targets["small.txt"].read_bytes() == b"y"


def test_a_member_with_flipped_bits_is_refused_alone(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"bad.txt": b"DAMAGED" * 10, "good.txt": b"whole"}, packed=False)
    path.write_bytes(path.read_bytes().replace(b"DAMAGED", b"DAMAGEE", 1))
    assert extracted(path, tmp_path, "bad.txt", "good.txt") == {"bad.txt": FailureReason.DAMAGED, "good.txt": b"whole"}


def test_an_archive_is_a_document_that_lists_what_it_holds_and_what_was_left_out(
    tmp_path: Path, load: Callable[[Path], ParsedDocument]
) -> None:
    path = write_tar(tmp_path / "papers.tar.gz", {"a.txt": b"1", "../evil.txt": b"2"})
    document = load(path)
    assert document.title == "papers.tar.gz"
    assert "a.txt" in document.text
    assert "“../evil.txt”: its name leads out of the archive." in document.text
    assert "evil.txt" in document.metadata["warning"]


@given(
    st.text(max_size=30) | st.lists(st.sampled_from(["..", ".", "a", "b.txt", "", "C:", "\\", "..\\x"])).map("/".join)
)
def test_a_safe_name_never_leads_out(name: str) -> None:
    try:
        safe = safe_name(name)
    except ValueError:
        return
    below = Path("/archive") / safe
    assert Path("/archive") in below.parents
    assert ".." not in below.parts
    assert safe_name(safe) == safe


def test_paths_into_archives_are_told_from_plain_ones(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "a.zip", {"x.txt": b""})
    folder = tmp_path / "folder.zip"
    folder.mkdir()
    assert split(archive / "in" / "x.txt") == (archive, "in/x.txt")
    assert split(folder / "x.txt") is None
    assert split(archive) is None
    assert outer_file(archive / "x.txt") == archive
    assert [name for _, name in candidates(tmp_path / "a.zip" / "b.7z" / "c")] == ["b.7z/c", "c"]
    assert is_archive(Path("A.TAR.GZ"))
    assert not is_archive(Path("report.docx"))


def test_archives_are_read_in_the_parser_process(tmp_path: Path) -> None:
    path = write_archive(tmp_path / "a.7z", FILES)
    targets = {"b.md": tmp_path / "out"}
    with ParserPool(workers=1) as pool:
        assert [member.name for member in parser_tasks.list_archive(pool, path).members] == list(FILES)
        assert parser_tasks.extract(pool, path, targets) == {}
        with pytest.raises(DocumentError) as caught:
            parser_tasks.list_archive(pool, write_zip(tmp_path / "b.zip", {"z": bytes(40_000_000)}))
    assert targets["b.md"].read_bytes() == b"# beta"
    assert caught.value.reason is FailureReason.TOO_LARGE


def test_what_a_parser_process_says_is_not_believed(tmp_path: Path) -> None:
    for members in ([["../x", 1, 1]], [["/x", 1, 1]], [["x", -1, 1]], [["x"]], None):
        with pytest.raises((KeyError, TypeError, ValueError)):
            parser_tasks.listing_from_json({"members": members, "left_out": []})


def test_the_archives_among_the_reference_files(test_data: Path) -> None:
    folder = test_data / "formats" / "files"
    archives = [path for path in sorted(folder.iterdir()) if is_archive(path)]
    assert [path.name for path in archives] == ["unstructured__simple.zip"]
    assert all(list_members(path).members for path in archives)


def test_a_tar_that_announces_more_than_it_holds_is_damaged(tmp_path: Path) -> None:
    member = tarfile.TarInfo("a.txt")
    member.size = 10_000_000
    path = tmp_path / "a.tar"
    path.write_bytes(member.tobuf() + b"short")
    with pytest.raises(DocumentError) as caught:
        list_members(path)
    assert caught.value.reason is FailureReason.DAMAGED
