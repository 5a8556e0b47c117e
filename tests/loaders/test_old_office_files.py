"""Presentations before 2007 and messages of Outlook: streams of a compound file."""

from __future__ import annotations

import contextlib
import struct
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.documents import SectionKind
from app.domain.errors import DocumentError, FailureReason
from app.loaders.parser_limits import ParserLimits
from app.loaders.registry import load_document, loaders
from tests.loaders.compound_files import compound_file
from tests.loaders.conftest import Load, Refused

REGISTRY = loaders()


def record(kind: int, data: bytes, instance: int = 0, *, container: bool = False) -> bytes:
    return struct.pack("<HHI", instance << 4 | (0xF if container else 0), kind, len(data)) + data


def text_of(kind: int, text: str) -> bytes:
    return record(0x0F9F, struct.pack("<I", kind)) + record(0x0FA0, text.encode("utf-16-le"))


def listed(place: int, identifier: int) -> bytes:
    return record(0x03F3, struct.pack("<IIIII", place, 0, 0, identifier, 0))


def shape(box: bytes, around: bytes = b"") -> bytes:
    return record(0xF004, around + record(0xF00D, box), container=True)


def table(*cells: tuple[int, int, int, int, str]) -> bytes:
    """A group that says it is a table; cells by left, top, right and bottom edge."""
    itself = record(0xF004, record(0xF122, struct.pack("<HI", 0x039F, 1), 1), container=True)
    made = [shape(text_of(4, text), record(0xF00F, struct.pack("<4i", *edges))) for *edges, text in cells]
    return record(0xF003, itself + b"".join(made), container=True)


def numbering(*sets: bytes) -> bytes:
    """What a shape's later tags say of its bullets, by sets of added properties."""
    tag = record(
        0x138A,
        record(0x0FBA, "___PPT9".encode("utf-16-le")) + record(0x138B, record(0x0FAC, b"".join(sets))),
        container=True,
    )
    return record(0xF011, record(0x1388, tag, container=True), container=True)


NO_NUMBER = struct.pack("<III", 0, 0, 0)
COUNTED = struct.pack("<IHII", 0x02000000, 1, 0, 0)
COUNTED_FROM_6 = struct.pack("<IHHHIIIHH", 0x03000000, 1, 3, 6, 1 << 20, 9, 0b011, 1, 0x409)


def styled(paragraphs: list[tuple[int, int | None]], characters: list[tuple[int, int]]) -> bytes:
    """The style of a text: lengths of runs of paragraphs and whether they have a bullet, None where it isn't said;
    lengths of runs of characters and which set of added properties holds for them."""
    runs = b""
    for length, bullet in paragraphs:
        stated = struct.pack("<IH", 1, bullet) if bullet is not None else struct.pack("<I", 0)
        runs += struct.pack("<IH", length, 0) + stated
    for length, group in characters:
        stated = struct.pack("<IH", 1 << 10, group << 10) if group else struct.pack("<I", 0)
        runs += struct.pack("<I", length) + stated
    return record(0x0FA1, runs)


def slide(*boxes: bytes, kind: int = 0x03EE, head: bytes = b"", more: bytes = b"") -> bytes:
    shapes = b"".join(map(shape, boxes)) + more
    return record(kind, head + record(0x040C, record(0xF002, shapes, container=True), container=True), container=True)


def write_ppt(path: Path, *, token: int = 0xE391C05F, more: bytes = b"") -> Path:
    """Two slides, the second shown first; the first has a title that the outline holds, notes, and ``more`` shapes."""
    outline = listed(2, 256) + text_of(0, "Ducks") + listed(3, 257) + text_of(0, "Geese")
    document = record(
        0x03E8,
        record(0x0FF0, listed(9, 1) + text_of(0, "Click to edit Master"), 1, container=True)
        + record(0x0FF0, outline, 0, container=True)
        + record(0x0FF0, listed(4, 300), 2, container=True),
        container=True,
    )
    objects = [
        document,
        slide(record(0x0F9E, struct.pack("<I", 0)), text_of(4, "They swim.\rThey dive."), more=more),
        slide(text_of(4, "They honk."), record(0x0F9E, struct.pack("<I", 0))),
        slide(text_of(2, "Say it slowly."), kind=0x03F0, head=record(0x03F1, struct.pack("<II", 256, 0))),
    ]
    stale = slide(text_of(4, "An older version."))
    stream, offsets = stale, []
    for each in objects:
        offsets.append(len(stream))
        stream += each
    directory = len(stream)
    stream += record(0x1772, struct.pack(f"<I{len(offsets)}I", len(offsets) << 20 | 1, *offsets))
    edit = len(stream)
    stream += record(0x0FF5, struct.pack("<IIIIIII", 0, 0, 0, directory, 1, 5, 0))
    user = record(0x0FF6, struct.pack("<III", 0x14, token, edit))
    path.write_bytes(compound_file({"PowerPoint Document": stream, "Current User": user}))
    return path


def test_old_slides_are_pages_with_their_notes(tmp_path: Path, load: Load) -> None:
    document = load(write_ppt(tmp_path / "a.ppt"))
    assert [(each.section.page, each.section.headings, each.section.text) for each in document.sections] == [
        (1, ("Ducks",), "Ducks\n\nThey swim.\nThey dive.\n\nSay it slowly."),
        (2, ("Geese",), "Geese\n\nThey honk."),
    ]
    assert document.page_count == 2


def first_slide(tmp_path: Path, load: Load, more: bytes) -> list[tuple[SectionKind, str]]:
    sections = [each.section for each in load(write_ppt(tmp_path / "a.ppt", more=more)).sections]
    return [(each.kind, each.text) for each in sections if each.page == 1][1:]


def test_tables_of_old_slides_keep_rows_columns_and_merged_cells(tmp_path: Path, load: Load) -> None:
    more = table(
        (0, 0, 300, 10, "Ducks by pond"),
        (0, 10, 100, 20, ""),
        (100, 10, 300, 20, "Counted"),
        (0, 20, 100, 40, "North"),
        (101, 20, 200, 30, "in May"),
        (200, 20, 300, 30, "12"),
        (100, 30, 200, 40, "in June"),
        (200, 30, 300, 40, "14"),
    )
    (kind, text), notes = first_slide(tmp_path, load, more)
    assert kind is SectionKind.TABLE
    assert text.splitlines() == [
        "Ducks by pond",
        " | Counted | Counted",
        "North | in May | 12",
        "North | in June | 14",
    ]
    assert notes == (SectionKind.TEXT, "Say it slowly.")


def test_a_table_of_too_many_places_is_a_list_of_its_cells(tmp_path: Path, load: Load) -> None:
    cells = [(10 * place, 10 * place, 10 * place + 9, 10 * place + 9, f"cell{place}") for place in range(400)]
    text = first_slide(tmp_path, load, table(*cells))[0][1]
    assert text.splitlines() == [f"cell{place}" for place in range(400)]


Numbering = tuple[list[tuple[int, int | None]], list[tuple[int, int]], list[bytes], int, list[str]]
NUMBERED: dict[str, Numbering] = {
    "one for all": ([(8, 1)], [(8, 0)], [COUNTED], 4, ["1. one", "2. two"]),
    "one for each run": ([(4, None), (4, 1)], [(8, 0)], [NO_NUMBER, COUNTED], 4, ["one", "1. two"]),
    "told by characters": ([(8, 1)], [(4, 0), (4, 1)], [NO_NUMBER, COUNTED_FROM_6], 4, ["one", "6. two"]),
    "bullets of a list": ([(8, None)], [(8, 0)], [COUNTED], 1, ["1. one", "2. two"]),
    "no bullets of a box": ([(8, None)], [(8, 0)], [COUNTED], 4, ["one", "two"]),
    "no bullet here": ([(4, 0), (4, 1)], [(8, 0)], [COUNTED_FROM_6], 1, ["one", "6. two"]),
    "another list": ([(8, 1)], [(4, 0), (4, 1)], [COUNTED, COUNTED_FROM_6], 4, ["1. one", "6. two"]),
    "torn": ([(8, 1)], [(8, 0)], [COUNTED_FROM_6[:14]], 4, ["one", "two"]),
}


@pytest.mark.parametrize("case", NUMBERED)
def test_numbers_of_lists_in_old_slides_are_read(tmp_path: Path, load: Load, case: str) -> None:
    paragraphs, characters, added, kind, expected = NUMBERED[case]
    more = shape(text_of(kind, "one\rtwo") + styled(paragraphs, characters), numbering(*added))
    document = load(write_ppt(tmp_path / "a.ppt", more=more))
    assert document.sections[0].section.text.split("\n\n")[2].splitlines() == expected


def test_presentations_that_need_a_password_are_told(tmp_path: Path, refused: Refused) -> None:
    assert refused(write_ppt(tmp_path / "a.ppt", token=0xF3D1C4DF)).reason is FailureReason.ENCRYPTED


@pytest.mark.parametrize("offset", [700, 1000, 4700])
def test_torn_presentations_are_damaged(tmp_path: Path, refused: Refused, offset: int) -> None:
    path = write_ppt(tmp_path / "a.ppt")
    data = bytearray(path.read_bytes())
    data[512:offset] = b"\xff" * (offset - 512)
    path.write_bytes(bytes(data))
    assert refused(path).reason in {FailureReason.DAMAGED, FailureReason.NO_TEXT}


def write_doc(path: Path, paragraphs: list[tuple[str, bytes]], *, flags: int = 0, compressed: bool = False) -> Path:
    """A document of paragraphs, each with its mark and its properties: the style's number and modifiers."""
    text = "".join(paragraph for paragraph, _ in paragraphs)
    data = text.encode("cp1252" if compressed else "utf-16-le")
    width = 1 if compressed else 2
    main = bytearray(0x600)
    struct.pack_into("<HH", main, 0, 0xA5EC, 0xC1)
    struct.pack_into("<H", main, 0x0A, flags)
    struct.pack_into("<I", main, 0x4C, len(text))
    pieces = struct.pack("<IIHIH", 0, len(text), 0, 0x800 * (2 if compressed else 1) | (compressed << 30), 0)
    clx = b"\x02" + struct.pack("<I", len(pieces)) + pieces
    struct.pack_into("<II", main, 0x1A2, 0, len(clx))
    struct.pack_into("<II", main, 0x102, len(clx), 12)
    table = clx + struct.pack("<III", 0x800, 0x800 + len(data), 8)
    page, places, position = bytearray(512), [0x800], 0x800
    top, boxes = 510, b""
    for paragraph, properties in paragraphs:
        position += len(paragraph) * width
        places.append(position)
        stored = bytes([(len(properties) + 1) // 2 + (len(properties) % 2 == 0)]) + properties
        stored += b"\0" * (stored[0] * 2 - len(stored))
        top = (top - len(stored)) // 2 * 2
        page[top : top + len(stored)] = stored
        boxes += bytes([top // 2]) + b"\0" * 12
    head = struct.pack(f"<{len(places)}I", *places) + boxes
    page[: len(head)] = head
    page[511] = len(paragraphs)
    content = bytes(main).ljust(0x800, b"\0") + data
    path.write_bytes(compound_file({"WordDocument": content.ljust(0x1000, b"\0") + bytes(page), "0Table": table}))
    return path


PLAIN, HEADING, CHAPTER = struct.pack("<H", 0), struct.pack("<H", 1), struct.pack("<H", 2)
LISTED = struct.pack("<HHH", 0, 0x460B, 1)
IN_TABLE = struct.pack("<HHB", 0, 0x2416, 1)
ROW_END = struct.pack("<HHBHB", 0, 0x2416, 1, 0x2417, 1)


@pytest.mark.parametrize("compressed", [False, True])
def test_old_word_documents_keep_headings_lists_and_tables(tmp_path: Path, load: Load, compressed: bool) -> None:
    paragraphs = [
        ("Birds\r", HEADING),
        ("Figure \x13 SEQ Figure \x14\x131\x15\x15: a duck \x01\r", PLAIN),
        ("Ducks\r", CHAPTER),
        ("swim\r", LISTED),
        ("dive\r", LISTED),
        ("Food\x07", IN_TABLE),
        ("Good\x07", IN_TABLE),
        ("\x07", ROW_END),
        ("Oats\r", IN_TABLE),
        ("and bran\x07", IN_TABLE),
        ("\x07", IN_TABLE),
        ("\x07", ROW_END),
        ("After.\r", PLAIN),
    ]
    document = load(write_doc(tmp_path / "a.doc", paragraphs, compressed=compressed))
    assert [(each.section.headings, each.section.kind.value, each.section.text) for each in document.sections] == [
        (("Birds",), "text", "Birds\n\nFigure : a duck [image]"),
        (("Birds", "Ducks"), "text", "Ducks\n- swim\n- dive"),
        (("Birds", "Ducks"), "table", "Food | Good\nOats and bran"),
        (("Birds", "Ducks"), "text", "After."),
    ]


def test_old_word_documents_that_need_a_password_are_told(tmp_path: Path, refused: Refused) -> None:
    assert refused(write_doc(tmp_path / "a.doc", [("x\r", PLAIN)], flags=0x0100)).reason is FailureReason.ENCRYPTED


def test_rich_text_named_doc_is_read(tmp_path: Path, load: Load) -> None:
    path = tmp_path / "a.doc"
    path.write_bytes(rb"{\rtf1\ansi Ducks swim.\par}")
    assert load(path).text == "Ducks swim."


@given(st.binary(min_size=1, max_size=60), st.integers(0, 30_000))
@settings(max_examples=60, deadline=None)
def test_torn_documents_never_break_the_reader(data: bytes, place: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for path in (
            write_doc(Path(folder) / "a.doc", [("Ducks\r", HEADING)]),
            write_ppt(Path(folder) / "a.ppt"),
            write_msg(Path(folder) / "a.msg"),
        ):
            content = bytearray(path.read_bytes())
            place %= len(content) - len(data)
            content[place : place + len(data)] = data
            path.write_bytes(bytes(content))
            with contextlib.suppress(DocumentError):
                load_document(path, ParserLimits(), REGISTRY)


def wide(text: str) -> bytes:
    return text.encode("utf-16-le")


def write_msg(path: Path, kind: str = "IPM.Note", attachment: str = "ducks.csv") -> Path:
    sent = struct.pack("<HHIQ", 0x40, 0x39, 6, (133_500_000_000_000_000))
    inner = "__attach_version1.0_#00000001/__substg1.0_3701000D"
    path.write_bytes(
        compound_file(
            {
                "__properties_version1.0": b"\0" * 32 + sent,
                "__substg1.0_001A001F": wide(kind),
                "__substg1.0_0037001F": wide("News"),
                "__substg1.0_0C1A001F": wide("Ada"),
                "__substg1.0_5D01001F": wide("ada@example.org"),
                "__substg1.0_0E04001F": wide("Ben"),
                "__substg1.0_1000001F": wide("The ducks are back."),
                "__substg1.0_10130102": b"<p>The ducks are back.</p>",
                "__attach_version1.0_#00000000/__properties_version1.0": b"\0" * 8,
                "__attach_version1.0_#00000000/__substg1.0_3707001F": wide(attachment),
                "__attach_version1.0_#00000000/__substg1.0_37010102": b"Food;Good\nOats;yes\n".ljust(5000, b"\n"),
                f"{inner}/__properties_version1.0": b"\0" * 24,
                f"{inner}/__substg1.0_0037001F": wide("The original"),
                f"{inner}/__substg1.0_1000001F": wide("It began so."),
            }
        )
    )
    return path


def test_outlook_messages_bring_attachments_and_messages_inside(tmp_path: Path, load: Load) -> None:
    document = load(write_msg(tmp_path / "a.msg"))
    sent = "From: Ada <ada@example.org> · To: Ben · Date: 2024-01-17 21:20+00:00"
    assert [(each.section.headings, each.section.text.rstrip()) for each in document.sections] == [
        (("News", sent), "News\n\nThe ducks are back."),
        (("News", "Attachment: ducks.csv"), "Attachment: ducks.csv"),
        (("News", "Attachment: ducks.csv"), "Food | Good\nOats | yes"),
        (("News", "The original"), "The original\n\nIt began so."),
    ]
    assert document.title == "News"
    assert document.metadata["attachments"] == "ducks.csv"


@pytest.mark.parametrize(("kind", "name"), [("IPM.Note.SMIME", "a.txt"), ("IPM.Note", "part.pgp-encrypted")])
def test_encrypted_outlook_messages_are_told(tmp_path: Path, refused: Refused, kind: str, name: str) -> None:
    error = refused(write_msg(tmp_path / "a.msg", kind, name))
    assert error.reason is FailureReason.UNSUPPORTED
    assert "encrypted" in str(error)
