"""Collection packs that must be refused: damaged on the way, or made by somebody who means harm."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from app.services.pack_format import CHUNKS, COMMENT, DOCUMENTS, MANIFEST, MEMBERS, VECTORS

Content = dict[str, bytes]


def read(pack: Path) -> Content:
    """The members of a pack."""
    with zipfile.ZipFile(pack) as file:
        return {name: file.read(name) for name in file.namelist()}


def write(target: Path, content: Content, *, sealed: bool = True, extra: tuple[str, bytes] | None = None) -> None:
    """A pack of these members; ``sealed`` gives the manifest the sums of its members, as a forger would."""
    content = dict(content)
    if sealed:
        manifest = json.loads(content[MANIFEST])
        for name in MEMBERS:
            if name in content:
                data = content[name]
                manifest["members"][name] = {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        content[MANIFEST] = json.dumps(manifest).encode()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in [*content.items(), *([extra] if extra else [])]:
            file.writestr(name, data)
        file.comment = (COMMENT + hashlib.sha256(content[MANIFEST]).hexdigest()).encode()


def edit(content: Content, change: Callable[[dict[str, Any]], None]) -> Content:
    """The members with a changed manifest."""
    manifest = json.loads(content[MANIFEST])
    change(manifest)
    return content | {MANIFEST: json.dumps(manifest).encode()}


def edit_line(content: Content, name: str, **values: object) -> Content:
    """The members with other values in the first line of one."""
    first, _, rest = content[name].partition(b"\n")
    return content | {name: json.dumps(json.loads(first) | values).encode() + b"\n" + rest}


def vectors(content: Content) -> Any:
    """The vectors, shape (chunks, dimension), float16."""
    return np.load(io.BytesIO(content[VECTORS]), allow_pickle=False).copy()


def with_vectors(content: Content, matrix: Any) -> Content:
    """The members with other vectors."""
    buffer = io.BytesIO()
    np.save(buffer, matrix, allow_pickle=False)
    return content | {VECTORS: buffer.getvalue()}


def truncate(pack: Path, target: Path) -> None:
    """The end is missing, as after an interrupted download."""
    data = pack.read_bytes()
    target.write_bytes(data[: len(data) * 2 // 3])


def flip(member: str) -> Callable[[Path, Path], None]:
    """One bit of a member is another one."""

    def damage(pack: Path, target: Path) -> None:
        data = bytearray(pack.read_bytes())
        with zipfile.ZipFile(pack) as file:
            entry = file.getinfo(member)
        name_size, extra_size = struct.unpack_from("<HH", data, entry.header_offset + 26)
        start = entry.header_offset + 30 + name_size + extra_size
        data[start + entry.compress_size // 2] ^= 0x10
        target.write_bytes(data)

    return damage


def _missing(pack: Path, target: Path) -> None:
    content = read(pack)
    del content[CHUNKS]
    write(target, content, sealed=False)


def _wrong_checksum(pack: Path, target: Path) -> None:
    def change(manifest: dict[str, Any]) -> None:
        manifest["members"][DOCUMENTS]["sha256"] = "0" * 64

    write(target, edit(read(pack), change), sealed=False)


def _altered_manifest(pack: Path, target: Path) -> None:
    content = read(pack)
    with zipfile.ZipFile(target, "w") as file, zipfile.ZipFile(pack) as original:
        file.comment = original.comment
        for name, data in edit(content, lambda manifest: manifest.update(app_version="0")).items():
            file.writestr(name, data)


def _wrong_counts(pack: Path, target: Path) -> None:
    write(target, edit(read(pack), lambda manifest: manifest["counts"].update(documents=1)), sealed=False)


def _wrong_sections(pack: Path, target: Path) -> None:
    more = json.loads(read(pack)[MANIFEST])["counts"]["sections"] + 1
    write(target, edit(read(pack), lambda manifest: manifest["counts"].update(sections=more)), sealed=False)


def _foreign(pack: Path, target: Path) -> None:
    write(target, read(pack), extra=("index.faiss", b"IxFI"))


def _traversal(pack: Path, target: Path) -> None:
    write(target, read(pack), extra=("../../.bashrc", b"echo"))


def _twice(pack: Path, target: Path) -> None:
    content = read(pack)
    data = write_and_read(target, content)
    # The same name twice: zipfile only warns when it writes such a file, so the second name is patched in.
    target.write_bytes(data.replace(b"chunks.jsonl", b"places.jsonl"))


def write_and_read(target: Path, content: Content) -> bytes:
    """The bytes of a pack of these members."""
    write(target, content)
    return target.read_bytes()


def _newer(pack: Path, target: Path) -> None:
    write(target, edit(read(pack), lambda manifest: manifest.update(version=2)), extra=("new-in-2.jsonl", b""))


def _bomb(pack: Path, target: Path) -> None:
    content = read(pack)
    write(target, content | {DOCUMENTS: content[DOCUMENTS] + b" " * (96 * 2**20)})


def _wrong_shape(pack: Path, target: Path) -> None:
    content = read(pack)
    write(target, with_vectors(content, vectors(content)[:, :-1]))


def _not_a_number(pack: Path, target: Path) -> None:
    content = read(pack)
    matrix = vectors(content)
    matrix[0, 0] = np.nan
    write(target, with_vectors(content, matrix))


def _pickled(pack: Path, target: Path) -> None:
    buffer = io.BytesIO()
    np.save(buffer, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    write(target, read(pack) | {VECTORS: buffer.getvalue()})


def _foreign_path(pack: Path, target: Path) -> None:
    write(target, edit_line(read(pack), DOCUMENTS, path="/home/../etc/passwd"))


def _span_outside(pack: Path, target: Path) -> None:
    write(target, edit_line(read(pack), CHUNKS, end=10**6))


def _no_json(pack: Path, target: Path) -> None:
    content = read(pack)
    write(target, content | {CHUNKS: b"[" * 100_000 + b"\n" + content[CHUNKS]})


DAMAGES: dict[str, tuple[Callable[[Path, Path], None], str]] = {
    "truncated": (truncate, "end is missing or damaged"),
    **{f"flipped bit in {name}": (flip(name), f"{name}|manifest") for name in (MANIFEST, *MEMBERS)},
    "missing member": (_missing, "chunks.jsonl is missing"),
    "wrong checksum": (_wrong_checksum, "documents.jsonl does not match its checksum"),
    "altered manifest": (_altered_manifest, "manifest does not match its checksum"),
    "wrong counts": (_wrong_counts, "other counts than it holds"),
    "wrong number of sections": (_wrong_sections, "other counts than it holds"),
    "foreign member": (_foreign, "does not belong there: index.faiss"),
    "name that leads elsewhere": (_traversal, "name leads to another place"),
    "name twice": (_twice, "twice"),
    "newer format": (_newer, "newer Footnote"),
    "bomb": (_bomb, "fill a disk"),
    "vectors of another shape": (_wrong_shape, "have the shape"),
    "vector that is no number": (_not_a_number, "a vector that can't be right"),
    "pickled vectors": (_pickled, "not float16 numbers|not in NumPy's format"),
    "path that leads elsewhere": (_foreign_path, "could lead to another place"),
    "passage outside of its text": (_span_outside, "no valid “end”"),
    "nested beyond measure": (_no_json, "is not JSON"),
}
"""Name, what does it, and what the refusal says."""
