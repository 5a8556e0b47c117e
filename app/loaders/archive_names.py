"""Which files are archives, and which paths lead into one. Told from names alone; nothing is read.

A document inside an archive has a *virtual path*: ``/home/a/papers.zip/inner/report.pdf`` leads below a regular file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

ARCHIVE_EXTENSIONS = frozenset(
    {".zip", ".7z", ".tar", ".tgz", ".tar.gz", ".tbz2", ".tar.bz2", ".txz", ".tar.xz", ".tzst", ".tar.zst"}
)
LONGEST_NAME = 1000
_DRIVE = re.compile(r"^[A-Za-z]:")
# A name that holds control characters or turns the direction of text can't be shown as it is.
_UNSHOWABLE = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def is_archive(path: Path | PurePosixPath) -> bool:
    """Whether a file of this name is opened like a folder."""
    name = path.name.lower()
    return any(name.endswith(extension) and len(name) > len(extension) for extension in ARCHIVE_EXTENSIONS)


def candidates(path: Path) -> Iterator[tuple[Path, str]]:
    """Yield how ``path`` could be split into an archive and the name of a member, the outermost archive first."""
    parts = path.parts
    for length in range(1, len(parts)):
        archive = Path(*parts[:length])
        if is_archive(archive):
            yield archive, "/".join(parts[length:])


def split(path: Path) -> tuple[Path, str] | None:
    """Return the archive that ``path`` leads into and the member's name, or None for the path of a plain file.

    The archive is the first on the way that is a regular file: a folder may be named like an archive.
    """
    return next((found for found in candidates(path) if found[0].is_file()), None)


def outer_file(path: Path) -> Path:
    """Return the file on the disk that holds ``path``: its archive, or ``path`` itself."""
    found = split(path)
    return found[0] if found else path


def safe_name(name: str) -> str:
    """Return ``name`` as a clean relative path with ``/`` between its parts.

    Raises ``ValueError``, with the reason in a few words, for a name that leads out of the archive or can't be a name.
    """
    if not name or len(name) > LONGEST_NAME:
        raise ValueError("its name is empty" if not name else "its name is too long")
    if _UNSHOWABLE.search(name):
        raise ValueError("its name holds characters that can't be shown")
    unified = name.replace("\\", "/")
    parts = [part for part in unified.split("/") if part not in ("", ".")]
    if unified.startswith("/") or (parts and _DRIVE.match(parts[0])):
        raise ValueError("its name is an absolute path")
    if ".." in parts:
        raise ValueError("its name leads out of the archive")
    if not parts:
        raise ValueError("its name is empty")
    return "/".join(parts)
